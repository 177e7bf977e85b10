"""The outbox: events written in the transaction of the change that they tell of; the lowest slice."""

"""What can go wrong when an event is recorded: only a mistake in the program, never a client's."""


class EventMisshapen(TypeError):
    """The type is not one of the contract, or `data` is not the body of that type."""

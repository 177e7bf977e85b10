"""From the basket to the doorstep: carts, checkout, orders with their numbers, statuses and history."""

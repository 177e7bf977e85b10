"""What the people of the shop work with, on a phone first: goods, orders, settings."""

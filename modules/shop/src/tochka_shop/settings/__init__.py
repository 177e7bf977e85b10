"""What an owner says of the shop: its name, how to reach it, how goods are handed over."""

"""What buyers see: shelves, products, cart, checkout, their order."""

"""What is on the shelves: categories, products with variants and stock, and their pictures."""

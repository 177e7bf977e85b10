"""How pages are made: templates, style sheet, forms, and what goes wrong on them."""

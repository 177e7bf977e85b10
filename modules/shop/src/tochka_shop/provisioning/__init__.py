"""The beginning and the end of a shop, as the platform commands them."""

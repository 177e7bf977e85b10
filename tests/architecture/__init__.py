"""The rules of the architecture, held."""

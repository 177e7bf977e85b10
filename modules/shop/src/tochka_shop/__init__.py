"""The online shop, a module of Tochka Rosta."""

"""The whole of Tochka Rosta on one machine."""

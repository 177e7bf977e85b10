"""What modules of Tochka Rosta, and its core, are built on."""

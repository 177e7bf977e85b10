"""A write that is repeated with the same key happens once and is answered alike."""

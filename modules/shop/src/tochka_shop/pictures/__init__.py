"""Pictures: what an owner uploads is decoded, turned upright, stripped, resized and kept as WebP."""

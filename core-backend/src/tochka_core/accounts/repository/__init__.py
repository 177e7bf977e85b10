"""What accounts ask the database."""

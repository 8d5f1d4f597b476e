"""Keys of any type, and whole databases."""

"""Places in sorted sets."""

"""Scripts and functions as the running server sees them: what they may do, what they cause, and how they are ended."""

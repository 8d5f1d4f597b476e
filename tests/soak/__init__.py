"""A node under a mixed load for minutes, and what it must be like afterwards: `python -m tests.soak --seconds 600`."""

"""The server: its settings, what it tells of itself, its replicas and its cluster."""

"""Connections: who a client is, what it queues and what it hears."""

"""A node: the engine that executes commands on a keyspace, and the shell that connects it to sockets and disk."""

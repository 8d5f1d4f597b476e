"""The only I/O of a node: sockets, disk, links to other nodes, signals, and the clock that the engine is given."""

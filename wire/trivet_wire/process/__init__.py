"""What the process of a node and that of a sentinel do alike: log, listen, replace files, tell the time."""

"""Keyspaces as bytes and back (RDB), pure, and the bookkeeping of snapshots. Files and processes are the shell's."""

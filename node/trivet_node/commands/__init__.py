"""The commands, one file a family: short handlers `(server, client, arguments)`, then the rows that describe them.

`table.py` merges the families. To add a command, write its handler and its row in its family's file.
"""

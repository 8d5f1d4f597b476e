"""`trivet hotkeys`: which keys of a node or a cluster are hot right now.

`report` is pure: what nodes have counted, merged into rows; `session` and `frequencies` ask the nodes; `command` is
what a user sees.
"""

"""INFO: what a node tells of itself, a file for each few sections; `sections.py` lists them all.

Redis' fields stand in Redis' order. One that would say nothing true here is left out rather than invented; which those
are, and why, stands in tests/differential/test_info.py. (Redis: INFO; server.c genRedisInfoString.)
"""

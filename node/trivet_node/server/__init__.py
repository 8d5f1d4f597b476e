"""The running server: the state that commands work on, and what it does for several of them or by itself.

state.py            Server: everything but parsing, dispatch and I/O
admission.py        why a command is refused
call.py             one command run and counted, its effects collected
replicating/        the server's part in replication
cluster_member.py   the server's part in its cluster
saving.py           snapshots of the running server
setting_effects.py  what a changed setting does
timekeeping.py      what is done with the time a command took
memory.py           what memory is used, and for what
information/        INFO
"""

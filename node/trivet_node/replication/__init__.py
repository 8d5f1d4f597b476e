"""Replication: a history of writes, a primary that appends to it, replicas that follow. Pure; sockets are the shell's.

    history.py      replication ids and offsets: which point of which history a data set is
    backlog.py      the last bytes of the stream, for replicas that come back
    replicas.py     the primary's side: who follows, how far they are
    upstream.py     the replica's side: the link to the primary, and what it has applied
    handshake.py    what a replica says before the stream begins
    failover.py     a primary on the way of giving its role to a replica
    payload.py      the snapshot on its way to a replica
    state.py        all of it together, as the server holds it

(Redis: "How Redis replication works", PSYNC, replication.c.)
"""

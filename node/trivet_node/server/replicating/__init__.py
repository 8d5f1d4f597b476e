"""The server's part in replication: what follows from a history, a replica or a primary for the running node.

    roles.py     becoming a replica, becoming a primary
    joining.py   the replica's part after PSYNC: go on, or exchange the data
    sync.py      the primary's part in PSYNC: continue, or a full synchronization
    cron.py      what happens as time passes: pings, acknowledgements, timeouts
    failover.py  FAILOVER: a primary gives its role to a replica
    waits.py     WAIT
    info.py      INFO replication

(Redis: "How Redis replication works", PSYNC, replication.c.)
"""

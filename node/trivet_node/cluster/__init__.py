"""Cluster mode as a pure state machine: who is in the cluster, who owns which slot, who has failed, whom to follow.

    machine.py         step(event, now_ms) -> effects, next_deadline(); what follows from a change as a whole
    receiving.py       links and messages that come, and the order in which a message is looked at
    heartbeats.py      which nodes are pinged, connected to, suspected, and when
    state.py           all that a node knows of its cluster
    nodes.py slots.py  one node; sets of slots and the slot table
    epochs.py          which claim is newer; collisions; takeovers
    gossip.py          messages <-> bytes
    membership.py      MEET, handshakes, addresses, who is forgotten
    ownership.py       claims on slots, and following the new owner
    failure.py         suspicion, reports, agreement, forgiveness
    health.py          cluster_state:ok or fail
    election.py        replicas that ask the primaries for votes
    administration.py  what CLUSTER subcommands change
    redirect.py        may this node serve these keys, and who else does
    endpoint.py        the address of a node that a given client can use
    description.py     CLUSTER NODES and CLUSTER INFO as text
    config_file.py     nodes.conf

(Redis Cluster specification; where it leaves something open, Redis 7.0's cluster.c.)
"""

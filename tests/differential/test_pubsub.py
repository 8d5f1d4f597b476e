"""Publish and subscribe as redis-server 7.0 does it: who hears what, in which order among the replies, and what of it
is propagated."""

import random
from typing import Final

import pytest

from tests.differential.peers import SocketPeer
from tests.differential.scenes import assert_same

SCENES = {
    "channels and patterns, each subscriber by each of his subscriptions": """
        0 SUBSCRIBE a b a
        0 PSUBSCRIBE a* a*
        1 SUBSCRIBE a
        2 PSUBSCRIBE [ab]
        3 PUBLISH a hello
        3 PUBLISH b ''
        3 PUBLISH c nobody
        3 PUBSUB NUMSUB a b c
        3 PUBSUB NUMSUB
        3 PUBSUB NUMPAT
        3 PUBSUB CHANNELS a*
        3 PUBSUB CHANNELS c*
        0 UNSUBSCRIBE b none
        0 PUNSUBSCRIBE none
        0 PUBLISH a 1
        0 UNSUBSCRIBE
        0 PUNSUBSCRIBE
        0 UNSUBSCRIBE
        0 PUNSUBSCRIBE
        0 PUBLISH a 1
    """,
    "patterns are left in the order in which they were joined": """
        0 PSUBSCRIBE z* b? a m[x-z]
        0 PUNSUBSCRIBE
        0 GET k
    """,
    "channels of shards are names of their own": """
        0 SSUBSCRIBE a b a
        0 SUBSCRIBE a
        0 PSUBSCRIBE *
        1 SPUBLISH a for-the-shard
        1 PUBLISH a for-all
        1 SPUBLISH none x
        1 PUBSUB SHARDNUMSUB a b c
        1 PUBSUB SHARDNUMSUB
        1 PUBSUB SHARDCHANNELS b
        1 PUBSUB CHANNELS
        0 SUNSUBSCRIBE none
        0 UNSUBSCRIBE
        0 PUNSUBSCRIBE
        0 GET k
        0 SUNSUBSCRIBE a b
        0 SUNSUBSCRIBE
        0 GET k
        1 PUBSUB SHARDCHANNELS
    """,
    "what a subscriber of RESP2 may do": """
        0 SSUBSCRIBE s
        0 GET k
        0 PING
        0 PING text
        0 PING a b
        0 MULTI
        0 EXEC
        0 HELLO 3
        0 PUBLISH s x
        0 SPUBLISH s x
        0 CLIENT ID
        0 PUBSUB SHARDCHANNELS
        0 NONSENSE
        0 SUBSCRIBE
        0 SUBSCRIBE a
        0 RESET
        0 GET k
        1 PUBSUB SHARDCHANNELS
        1 PUBSUB CHANNELS
    """,
    "RESP3 pushes between the replies of any command": """
        0 HELLO 3
        1 HELLO 3
        0 SUBSCRIBE a b
        0 PSUBSCRIBE a
        0 SSUBSCRIBE a
        0 PUBLISH a 1
        1 PUBLISH a 2
        2 PUBLISH a 3
        0 SPUBLISH a 4
        0 PING
        0 SET k v
        0 GET none
        0 HELLO 2
        0 GET k
        1 PUBLISH a 5
        0 UNSUBSCRIBE none
        0 SUNSUBSCRIBE none
        0 SUNSUBSCRIBE
        0 PUNSUBSCRIBE
        0 SUNSUBSCRIBE
    """,
    "nothing to leave, in RESP3": """
        0 HELLO 3
        0 UNSUBSCRIBE
        0 PUNSUBSCRIBE
        0 SUNSUBSCRIBE
        0 UNSUBSCRIBE a b
    """,
    "subscribing inside a transaction": """
        0 MULTI
        0 SUBSCRIBE a b
        0 PSUBSCRIBE a*
        0 PUBLISH a 1
        0 GET k
        0 SSUBSCRIBE a
        0 UNSUBSCRIBE b a
        1 PUBLISH a 2
        0 EXEC
        0 GET k
        1 PUBLISH a 3
        0 PUNSUBSCRIBE
        0 GET k
    """,
    "subscribing inside a transaction, in RESP3": """
        0 HELLO 3
        0 SUBSCRIBE x
        0 MULTI
        0 SUBSCRIBE a
        0 PUBLISH x 1
        1 PUBLISH x 2
        0 PUBLISH a 3
        0 SSUBSCRIBE a
        0 SPUBLISH a 4
        0 EXEC
        0 MULTI
        0 PUNSUBSCRIBE
        0 DISCARD
        0 UNSUBSCRIBE x a
    """,
    "pushes reach who wants no replies": """
        0 HELLO 3
        0 SUBSCRIBE a
        0~ CLIENT REPLY OFF
        1 PUBLISH a 1
        0 PUBLISH a 2
        0 SUBSCRIBE b
        0~ GET none
        0~ NONSENSE
        0~ GET
        0 SUNSUBSCRIBE
        0 CLIENT REPLY ON
        0~ CLIENT REPLY SKIP
        0 PUBLISH a 3
        0 PUBLISH a 4
        0~ CLIENT REPLY SKIP
        0 SSUBSCRIBE s
        0 PING
        0~ CLIENT REPLY OFF
        0~ MULTI
        0~ PING
        0 RESET
        0 PING
    """,
    "pushes of RESP2 reach who wants no replies": """
        0~ CLIENT REPLY OFF
        0 SUBSCRIBE a
        1 PUBLISH a 1
        0~ GET k
        0~ PING
        0 UNSUBSCRIBE
        0~ PING
        0 CLIENT REPLY ON
        0~ CLIENT REPLY SKIP
        0 SUBSCRIBE a
        0 PING
    """,
    "messages are propagated to replicas, inside transactions, too": """
        0 PUBLISH a 1
        0 SPUBLISH a 2
        0 SELECT 2
        0 PUBLISH a 3
        0 SET k v
        0 MULTI
        0 PUBLISH a 4
        0 EXEC
        0 MULTI
        0 PUBLISH a 5
        0 SET k w
        0 SPUBLISH a 6
        0 GET k
        0 EXEC
        0 pUbLiSh a 7
        0 PUBLISH a
        0 SUBSCRIBE a
        0 UNSUBSCRIBE a
    """,
    "events of keys stand before the reply of who hears his own": """
        1 CONFIG SET notify-keyspace-events KEA
        0 HELLO 3
        0 SUBSCRIBE __keyspace@0__:k __keyevent@0__:del
        0 SET k v
        0 MULTI
        0 SET k w
        0 DEL k
        0 EXEC
        0~ CLIENT REPLY OFF
        0 SET k v
        0~ SET other v
        0 CLIENT REPLY ON
        1 DEL k
        1 CONFIG SET notify-keyspace-events ''
    """,
    "scripts publish": """
        0 SUBSCRIBE a
        1 SSUBSCRIBE a
        2 HELLO 3
        2 SUBSCRIBE a
        3 EVAL "return redis.call('PUBLISH', 'a', '1')" 0
        3 EVAL "return {redis.call('PUBLISH', 'a', '2'), redis.call('SPUBLISH', 'a', '3')}" 0
        3 EVAL "redis.call('SET', 'k', '1') return redis.call('PUBLISH', 'a', '4')" 0
        2 EVAL "return redis.call('PUBLISH', 'a', '5')" 0
        3 EVAL "return redis.call('SUBSCRIBE', 'a')" 0
        3 EVAL "return redis.call('SSUBSCRIBE', 'a')" 0
        3 EVAL "return redis.call('MULTI')" 0
        3 MULTI
        3 EVAL "return redis.call('PUBLISH', 'a', '6')" 0
        3 EVAL "redis.call('SET', 'k', '2') return redis.call('SPUBLISH', 'a', '7')" 0
        3 EXEC
        2~ CLIENT REPLY OFF
        2 EVAL "return redis.call('PUBLISH', 'a', '8')" 0
        2 CLIENT REPLY ON
        3 EVAL_RO "return redis.call('PUBLISH', 'a', '9')" 0
    """,
    "errors of the family": """
        0 PUBLISH
        0 PUBLISH a
        0 PUBLISH a b c
        0 SPUBLISH a
        0 SSUBSCRIBE
        0 PSUBSCRIBE
        0 PUBSUB
        0 PUBSUB NONSENSE
        0 PUBSUB CHANNELS a b
        0 PUBSUB SHARDCHANNELS a b
        0 PUBSUB NUMPAT a
        0 PUBSUB HELP
        0 COMMAND GETKEYS SPUBLISH a b
        0 COMMAND GETKEYS SSUBSCRIBE a b
        0 COMMAND GETKEYSANDFLAGS SUNSUBSCRIBE a b
        0 COMMAND INFO ssubscribe sunsubscribe spublish publish
        0 CLIENT LIST TYPE pubsub
    """,
}
SEEDS: Final = 6
_LINES: Final = 200
_CLIENTS: Final = 4
# The order in which redis-server goes through all names is none: no message meets two patterns, nobody leaves all.
_REQUESTS: Final = (
    *("SUBSCRIBE {n}", "SUBSCRIBE {n}", "UNSUBSCRIBE {n}", "PSUBSCRIBE {n}*", "PUNSUBSCRIBE {n}*", "SSUBSCRIBE {n}"),
    *("SSUBSCRIBE {n}", "SUNSUBSCRIBE {n}", "PUBLISH {n} x", "PUBLISH {n} y", "PUBLISH {n}1 z", "SPUBLISH {n} s"),
    *("SPUBLISH {n} t", "PUBSUB NUMSUB a b", "PUBSUB SHARDNUMSUB a b", "PUBSUB NUMPAT", "PUBSUB CHANNELS {n}"),
    *(
        "MULTI",
        "MULTI",
        "EXEC",
        "EXEC",
        "DISCARD",
        "RESET",
        "HELLO 2",
        "HELLO 3",
        "HELLO 3",
        "PING",
        "GET k",
        "SET k 1",
    ),
    *("PUBSUB SHARDCHANNELS {n}", "NONSENSE", "PUBLISH {n}", "PING {n}"),
)


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
def test_subscribers_hear_what_redis_tells_them(real: SocketPeer, scene: str) -> None:
    assert_same(real, scene)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_random_subscribers_hear_what_redis_tells_them(real: SocketPeer, seed: int) -> None:
    assert_same(real, random_scene(seed))


def random_scene(seed: int) -> str:
    """Return a scene in which some clients subscribe, publish and change their protocol, in transactions, too."""
    choice = random.Random(seed)
    return "\n".join(
        f"{choice.randrange(_CLIENTS)} {choice.choice(_REQUESTS).format(n=choice.choice('ab'))}" for _ in range(_LINES)
    )

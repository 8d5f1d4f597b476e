"""MULTI, EXEC and WATCH as redis-server 7.0 does them: what spoils, breaks and ends a transaction, what its commands
answer, and what of it is propagated."""

import random
from pathlib import Path
from typing import Final

import pytest

from tests.conftest import require_redis_server
from tests.differential.dialogue import dialogue
from tests.differential.peers import SocketPeer
from tests.differential.scenes import assert_same
from tests.processes import start_redis_server, start_trivet_node

SCENES = {
    "what spoils a transaction": """
        0 MULTI
        0 SET k 1
        0 NONSENSE
        0 SET k 2
        0 EXEC
        0 MULTI
        0 GET
        0 EXEC
        0 MULTI
        0 OBJECT NONSENSE k
        0 EXEC
        0 MULTI
        0 OBJECT ENCODING
        0 EXEC
        0 MULTI
        0 MULTI a
        0 EXEC
        0 MULTI
        0 DISCARD a
        0 PING
        0 EXEC
        0 EXEC
        0 MULTI
        0 NONSENSE
        0 DISCARD
        0 MULTI
        0 EXEC a
        0 EXEC
        0 WATCH k
        0 MULTI
        0 EXEC a
        1 SET k 3
        0 MULTI
        0 EXEC
        0 GET k
    """,
    "what is wrong but spoils nothing": """
        0 EXEC
        0 DISCARD
        0 MULTI
        0 MULTI
        0 WATCH k
        0 SET k 1
        0 EXEC
        0 EXEC a
        0 UNWATCH
        0 WATCH
        0 MULTI
        0 EXEC
        0 MULTI
        0 DISCARD
    """,
    "errors of the commands inside": """
        0 SET text x
        0 MULTI
        0 SET a 1
        0 INCR text
        0 LPUSH text y
        0 EXPIRE a nonsense
        0 SET b 2
        0 EXEC
        0 MGET a b
        0 HELLO 3
        0 MULTI
        0 GET none
        0 INCR text
        0 HGETALL none
        0 EXEC
        0 WATCH a
        0 SET a 2
        0 MULTI
        0 EXEC
    """,
    "an EXEC that the server refuses": """
        0 MULTI
        0 SET k 1
        1 CONFIG SET min-replicas-to-write 5
        0 EXEC
        0 EXEC
        0 MULTI
        0 GET k
        0 SET k 1
        0 EXEC
        0 MULTI
        0 GET k
        0 EXEC
        1 CONFIG SET min-replicas-to-write 0
        0 SET k 2
    """,
    "a client that has to authenticate": """
        1 CONFIG SET requirepass secret
        0 WATCH k
        0 MULTI
        0 PING
        0 EXEC
        0 MULTI
        0 AUTH wrong
        0 AUTH secret
        0 EXEC
        0 MULTI
        0 RESET
        0 MULTI
        0 EXEC
        0 DISCARD
        0 AUTH secret
        0 EXEC
        1 CONFIG SET requirepass ''
        0 MULTI
        0 EXEC
    """,
    "RESET ends it all": """
        0 SELECT 2
        0 WATCH k
        0 MULTI
        0 SET k 1
        0 RESET
        0 EXEC
        0 GET k
        1 SELECT 2
        1 SET k 2
        0 MULTI
        0 EXEC
        0 WATCH k
        0 RESET
        1 SELECT 0
        1 SET k 3
        0 MULTI
        0 EXEC
    """,
    "what changes a watched key, and what does not": """
        0 WATCH k
        1 SET k 1
        0 MULTI
        0 EXEC
        0 WATCH k
        1 SET k 2 NX
        1 TOUCH k
        1 GET k
        1 PERSIST k
        1 SETNX k 1
        0 MULTI
        0 EXEC
        0 WATCH k
        1 EXPIRE k 100
        0 MULTI
        0 EXEC
        0 WATCH k none
        1 DEL none
        1 EXPIRE none 1
        0 MULTI
        0 EXEC
        0 WATCH k none
        1 RENAME k none
        0 MULTI
        0 EXEC
        0 WATCH k
        1 COPY none k
        0 MULTI
        0 EXEC
        0 WATCH k
        1 MOVE k 1
        0 MULTI
        0 EXEC
        0 WATCH l
        1 LPUSH l a
        1 LPOP l
        0 MULTI
        0 EXEC
        0 WATCH l
        1 SADD l a
        1 SADD l a
        0 UNWATCH
        1 SADD l b
        0 MULTI
        0 EXEC
        0 WATCH l
        1 SADD l b
        1 SREM l c
        0 MULTI
        0 EXEC
        0 WATCH k
        0 SET k own
        0 MULTI
        0 EXEC
        0 WATCH k
        0 MULTI
        0 SET k own
        0 EXEC
        0 WATCH k
        1 MULTI
        1 SET k x
        0 MULTI
        0 EXEC
        1 EXEC
        0 WATCH k
        1 SET k y
        0 WATCH other
        0 MULTI
        0 EXEC
    """,
    "keys of several databases": """
        0 WATCH k
        0 SELECT 1
        0 WATCH k
        0 SELECT 2
        1 SELECT 2
        1 SET k 1
        0 MULTI
        0 EXEC
        0 SELECT 0
        0 WATCH k
        0 SELECT 1
        0 WATCH k
        0 SELECT 2
        1 SELECT 1
        1 SET k 1
        0 MULTI
        0 EXEC
        0 SELECT 1
        0 WATCH k
        1 SELECT 0
        1 SET k 2 GET
        0 MULTI
        0 EXEC
        0 WATCH k
        1 COPY k k DB 1 REPLACE
        0 MULTI
        0 EXEC
    """,
    "flushing breaks the watches on keys that are there": """
        0 SET k 1
        0 WATCH none
        1 FLUSHALL
        0 MULTI
        0 EXEC
        0 SET k 1
        0 WATCH k
        1 FLUSHALL
        0 MULTI
        0 EXEC
        0 SET k 1
        0 WATCH k
        1 SELECT 1
        1 FLUSHDB
        0 MULTI
        0 EXEC
        0 WATCH k
        1 SELECT 0
        1 FLUSHDB ASYNC
        0 MULTI
        0 EXEC
        0 WATCH k
        1 FLUSHDB
        1 FLUSHDB NONSENSE
        0 MULTI
        0 FLUSHALL
        0 EXEC
        0 SET old 1 PXAT 1
        0 WATCH old
        1 FLUSHALL
        0 MULTI
        0 EXEC
        0 SET soon 1 PXAT 1
        0 WATCH soon
        1 FLUSHALL
        1 SET soon 2
        0 MULTI
        0 EXEC
    """,
    "databases that are exchanged": """
        0 WATCH k
        1 SWAPDB 0 1
        0 MULTI
        0 EXEC
        0 SET k 1
        0 WATCH k
        1 SWAPDB 0 1
        0 MULTI
        0 EXEC
        0 WATCH k
        1 SWAPDB 0 1
        0 MULTI
        0 EXEC
        0 WATCH k
        1 SWAPDB 2 1
        1 SWAPDB 0 0
        0 MULTI
        0 EXEC
        0 SELECT 1
        0 WATCH k
        1 SWAPDB 2 1
        0 MULTI
        0 EXEC
        0 SET same 1
        1 SET same 1
        0 WATCH same
        1 SWAPDB 0 1
        0 MULTI
        0 EXEC
        0 SET old 1 PXAT 1
        0 WATCH old
        1 SWAPDB 0 1
        0 MULTI
        0 EXEC
        0 SELECT 0
        0 WATCH old
        1 SWAPDB 0 1
        0 MULTI
        0 SWAPDB 0 1
        0 EXEC
        0 DEL old
        0 WATCH old
        1 SELECT 1
        1 SET old 1 PXAT 1
        1 SWAPDB 0 1
        0 MULTI
        0 EXEC
        0 WATCH old
        1 SELECT 0
        1 SET old 2
        0 MULTI
        0 EXEC
    """,
    "watched keys whose deadlines pass": """
        0 SET k 1 PX 700
        0 SET seen 1 PX 700
        0 SET replaced 1 PX 700
        0 SET longer 1 PX 700
        0 WATCH k
        1 WATCH seen
        2 WATCH replaced
        3 WATCH longer
        4 WATCH none
        3 PERSIST longer
        pause 800
        0 MULTI
        0 EXEC
        4 GET seen
        4 SET replaced 2
        1 MULTI
        1 EXEC
        2 MULTI
        2 EXEC
        3 MULTI
        3 GET longer
        3 EXEC
        4 MULTI
        4 EXEC
    """,
    "watched keys whose deadlines had passed": """
        0 SET k 1 PXAT 1
        0 WATCH k
        0 MULTI
        0 EXEC
        0 SET k 1 PXAT 1
        0 WATCH k
        1 GET k
        0 MULTI
        0 EXEC
        0 SET k 1 PXAT 1
        0 WATCH k
        1 SET k 2
        0 MULTI
        0 EXEC
        0 SET k 1 PXAT 1
        0 WATCH k
        1 DEL k
        1 EXPIRE k 10
        0 MULTI
        0 EXEC
        0 SET k 1 PXAT 1
        0 WATCH k
        1 WATCH k
        2 SET k 2 PXAT 1
        0 MULTI
        0 EXEC
        1 MULTI
        1 EXEC
        0 SET k 1 PXAT 1
        0 WATCH k
        1 DEL k
        1 SET k 2
        1 DEL k
        0 MULTI
        0 EXEC
        0 SET k 1
        0 WATCH k
        1 PEXPIREAT k 1
        0 MULTI
        0 EXEC
    """,
    "nothing waits inside a transaction": """
        0 MULTI
        0 BLPOP none 0
        0 BRPOPLPUSH none other 0
        0 BLMOVE none other LEFT LEFT 0
        0 BLMPOP 0 1 none LEFT
        0 BZPOPMIN none 0
        0 BZPOPMAX none 0
        0 BZMPOP 0 1 none MIN
        0 XREAD BLOCK 0 STREAMS none $
        0 WAIT 0 0
        0 WAIT 7 0
        0 EXEC
        0 XADD s 1-1 f v
        0 XGROUP CREATE s g $
        0 MULTI
        0 XREADGROUP GROUP g c BLOCK 0 STREAMS s >
        0 BLPOP none nonsense
        0 RPUSH l a b c
        0 BLPOP none l 0
        0 BLMOVE l l LEFT RIGHT 0
        0 BLMPOP 0 1 l LEFT COUNT 5
        0 EXEC
    """,
    "those who wait are served when the transaction is over": """
        0~ BLPOP l 0
        1~ BLPOP l 0
        2 MULTI
        2 RPUSH l a b
        2 LPOP l
        2 EXEC
        2 MULTI
        2 RPUSH l c
        2 DEL l
        2 EXEC
        2 WATCH l
        2 RPUSH l d
        2 MULTI
        2 EXEC
    """,
    "CLIENT REPLY inside a transaction": """
        0 MULTI
        0 CLIENT REPLY OFF
        0 PING
        0 INCR k
        0 CLIENT REPLY ON
        0 PING
        0 EXEC
        0 PING
        0~ CLIENT REPLY SKIP
        0~ MULTI
        0 PING
        0 EXEC
        0~ CLIENT REPLY OFF
        0~ MULTI
        0~ PING
        0~ NONSENSE
        0~ EXEC
        0~ MULTI
        0~ PING
        0~ CLIENT REPLY ON
        0 EXEC
        0 PING
        0 MULTI
        0 PING
        0~ CLIENT REPLY SKIP
        0 EXEC
        0~ PING
        0 PING
    """,
    "scripts inside": """
        0 WATCH k
        0 EVAL "return redis.call('SET', 'k', '1')" 0
        0 MULTI
        0 EXEC
        0 WATCH k
        1 EVAL "return redis.call('GET', 'k')" 0
        0 MULTI
        0 EVAL "redis.call('SET', 'k', '2') return redis.call('SET', 'l', '2')" 0
        0 EVAL "return redis.call('BLPOP', 'none', 0)" 0
        0 EVAL "return redis.call('GET')" 0
        0 EVAL "nonsense" 0
        0 GET k
        0 EXEC
        0 MULTI
        0 EVAL
        0 EXEC
        0 WATCH k
        1 MULTI
        1 EVAL "return redis.call('DEL', 'k')" 0
        1 EXEC
        0 MULTI
        0 EXEC
        0 MULTI
        0 SET k 1
        0 EVAL "redis.call('SELECT', 1) return redis.call('SET', 'k', '3')" 0
        0 SET k 4
        0 EXEC
        0 GET k
    """,
    "what is propagated": """
        0 MULTI
        0 EXEC
        0 MULTI
        0 GET none
        0 EXEC
        0 MULTI
        0 SET k 1
        0 EXEC
        0 MULTI
        0 SET k 1
        0 GET k
        0 SET k 2
        0 EXEC
        0 MULTI
        0 GET k
        0 SELECT 1
        0 SET k 3
        0 SELECT 0
        0 INCR k
        0 EXEC
        0 MULTI
        0 SELECT 2
        0 SET k 3
        0 EXEC
        0 SET k 4
        0 MULTI
        0 SET old 1 PXAT 1
        0 GET old
        0 SET k 5 EX 1000000
        0 EXEC
        0 MULTI
        0 LPUSH k a
        0 DEL none
        0 SADD set a
        0 EXEC
        0 MULTI
        0 SPOP set
        0 INCRBYFLOAT f 1.5
        0 EXEC
        0 SET old 1 PXAT 1
        0 WATCH old
        0 MULTI
        0 GET old
        0 EXEC
        0 MULTI
        0 FLUSHALL
        0 SET k 1
        0 SWAPDB 0 1
        0 EXEC
        0 MULTI
        0 MSETNX a 1 b 2
        0 MSETNX a 1 b 2
        0 EXEC
        0 WATCH a
        1 SET a 1
        0 MULTI
        0 SET b 3
        0 EXEC
    """,
}
# A primary that becomes the replica of one that is not there, and what it lets its clients do.
ROLES: Final = [
    *("a: SET k 1", "a: MULTI", "a: GET k", "a: SET k 2", "b: REPLICAOF 127.0.0.1 1", "a: EXEC", "a: EXEC"),
    *("a: WATCH k", "a: MULTI", "a: GET k", "a: EXEC", "a: MULTI", "a: SET k 2", "a: GET k", "a: EXEC"),
    *("a: MULTI", "a: WAIT 1 0", "a: PUBLISH c x", "a: EXEC", "a: MULTI", "a: GET k", "a: PING", "c: SUBSCRIBE c"),
    *("b: CONFIG SET replica-serve-stale-data no", "a: EXEC", "a: MULTI", "a: PUBLISH c y", "a: EXEC", "c: GET k"),
    *(
        "a: MULTI",
        "a: GET k",
        "a: PUBLISH c z",
        "a: EXEC",
        "a: SET k 3",
        "a: GET k",
        "a: NONSENSE",
        "a: GET",
        "a: WATCH k",
    ),
    *("a: MULTI", "a: UNWATCH", "a: INFO replication x", "a: DISCARD", "a: EXEC", "d: SPUBLISH c s", "c: PING"),
    *(
        "b: CONFIG SET replica-serve-stale-data yes",
        "a: WATCH k",
        "b: REPLICAOF NO ONE",
        "b: SET k 4",
        "a: MULTI",
        "a: EXEC",
    ),
    *("a: MULTI", "a: SET k 5", "b: CONFIG SET min-replicas-to-write 1", "a: EXEC", "a: PUBLISH c w"),
    *("b: CONFIG SET min-replicas-to-write 0", "a: GET k"),
    # Those that wait are sent away.
    *("b: CONFIG RESETSTAT", "a! BLPOP q 0", "e! XREAD BLOCK 0 STREAMS s 0", "b: REPLICAOF 127.0.0.1 1"),
    *("a: PING", "e: PING", "b: INFO errorstats", "f! XREAD BLOCK 0 STREAMS s 0", "b: REPLICAOF 127.0.0.1 2"),
    *("f: PING", "b: INFO errorstats", "b: REPLICAOF NO ONE"),
]
SEEDS: Final = 12
_LINES: Final = 250
_CLIENTS: Final = 4
_KEYS: Final = ("a", "b", "c", "l")
# {k} is a key, {o} another one, {d} a database.
_REQUESTS: Final = (
    *("GET {k}", "SET {k} 1", "SET {k} 2 PX 100000000", "SET {k} 3 PXAT 1", "SET {k} 4 KEEPTTL", "SETNX {k} 5"),
    *("DEL {k}", "INCR {k}", "APPEND {k} x", "PERSIST {k}", "EXPIRE {k} 100000", "EXPIRE {k} -1", "EXISTS {k} {o}"),
    *("RENAME {k} {o}", "RENAMENX {k} {o}", "COPY {k} {o} REPLACE", "COPY {k} {k} DB {d}", "MOVE {k} {d}"),
    *("LPUSH {k} x", "LPOP {k}", "SADD {k} x", "SPOP {k}", "MSET {k} 1 {o} 2", "MSETNX {k} 1 {o} 2", "GETDEL {k}"),
    *("SWAPDB {d} 0", "SWAPDB 1 {d}", "FLUSHDB", "FLUSHALL", "SELECT {d}", "SELECT {d}", "DBSIZE"),
)
_OUTSIDE: Final = ("WATCH {k}", "WATCH {k}", "WATCH {k}", "WATCH {k} {o}", "UNWATCH", "EXEC", "DISCARD", "RESET")
_INSIDE: Final = (
    "BLPOP {k} {o} 0",
    "WATCH {k}",
    "UNWATCH",
    "MULTI",
    "NONSENSE",
    "SET {k}",
    "BLMOVE {k} {o} LEFT LEFT 0",
)


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
def test_transactions_go_as_with_redis(real: SocketPeer, scene: str) -> None:
    assert_same(real, scene)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_random_transactions_of_several_clients_go_as_with_redis(real: SocketPeer, seed: int) -> None:
    assert_same(real, random_scene(seed))


def test_transactions_across_changes_of_role_go_as_with_redis(tmp_path: Path) -> None:
    require_redis_server()
    with start_trivet_node(tmp_path) as ours, start_redis_server(tmp_path) as other:
        assert dialogue(ours, ROLES) == dialogue(other, ROLES)


def random_scene(seed: int) -> str:
    """Return a scene in which some clients watch, change and exchange a few keys, inside transactions and outside."""
    choice = random.Random(seed)
    inside = [False] * _CLIENTS
    lines = []
    for _ in range(_LINES):
        client = choice.randrange(_CLIENTS)
        if inside[client]:
            end = choice.random() < 0.3
            request = choice.choice(("EXEC", "EXEC", "EXEC", "EXEC", "DISCARD", "RESET", "EXEC now")) if end else ""
            request = request or choice.choice(_REQUESTS if choice.random() < 0.9 else _INSIDE)
            inside[client] = not end
        else:
            inside[client] = choice.random() < 0.25
            request = "MULTI" if inside[client] else choice.choice(_REQUESTS if choice.random() < 0.6 else _OUTSIDE)
        keys = choice.sample(_KEYS, 2)
        lines.append(f"{client} " + request.format(k=keys[0], o=keys[1], d=choice.randrange(3)))
    return "\n".join(lines)

"""Who is served, in which order, with what, and what of it is propagated: scenarios of several waiting clients.

Each line of a scenario is a client's number and his request. Both servers must answer every request alike, serve the
same waiting clients after it, and send their replicas the same commands in the end.
"""

import shlex
from collections.abc import Iterator

import pytest

from tests.conftest import require_redis_server
from tests.differential import propagated
from tests.differential.peers import EnginePeer, Peer, RealReplica, SocketPeer, lazy_redis_server
from tests.differential.replies import Reply

CLIENTS = 5
OBSERVER = CLIENTS
Transcript = list[tuple[str, list[Reply], dict[int, Reply]]]

SCENARIOS = {
    "who has waited longest is served first": """
        0 BLPOP k 0
        1 BRPOP k 0
        2 BLPOP k 0
        3 RPUSH k a b
        3 RPUSH k c d e
        3 LRANGE k 0 -1
    """,
    "the key that is ready first serves a client of several": """
        0 BLPOP one two 0
        1 BLPOP two one 0
        3 MULTI
        3 RPUSH two b
        3 RPUSH one a
        3 EXEC
        0 BLPOP one one two 0
        3 LPUSH two x
    """,
    "many elements are popped at once": """
        0 BLMPOP 0 2 other k LEFT COUNT 2
        1 BLMPOP 0 1 k RIGHT COUNT 10
        2 BLMPOP 0 1 k RIGHT
        3 RPUSH k 1 2 3
        3 RPUSH k 4 5
        3 BLMPOP 0 2 other k RIGHT COUNT 9
        3 EXISTS k
    """,
    "a move serves the next one": """
        0 BLMOVE a b LEFT RIGHT 0
        1 BLMOVE b c RIGHT LEFT 0
        2 BLPOP c 0
        3 BRPOPLPUSH c a 0
        4 RPUSH a x
        4 RPUSH a y
        4 RPUSH a z
        4 LRANGE a 0 -1
        4 LRANGE b 0 -1
        4 LRANGE c 0 -1
    """,
    "moves in a circle come to rest": """
        0 BLMOVE a b LEFT LEFT 0
        1 BLMOVE b a LEFT LEFT 0
        2 BRPOPLPUSH a a 0
        3 LPUSH a x
        3 LPUSH a y
        3 LRANGE a 0 -1
        3 LRANGE b 0 -1
    """,
    "a key of another type serves nobody": """
        0 BLPOP k 0
        1 BZPOPMIN k 0
        3 MULTI
        3 RPUSH k a
        3 DEL k
        3 SADD k a
        3 EXEC
        3 DEL k
        3 ZADD k 1 m
        3 RPUSH k b
    """,
    "a target of another type is an error and costs no element": """
        0 BLMOVE k target LEFT LEFT 0
        1 BRPOPLPUSH k target 0
        2 BLPOP k 0
        3 SET target x
        3 RPUSH k a b
        3 LRANGE k 0 -1
        3 BLMOVE k target LEFT LEFT 0
    """,
    "whatever makes a list serves": """
        0 BLPOP k 0
        1 BLPOP k 0
        2 BLMPOP 0 1 k LEFT
        3 RPUSH source 3 1 2
        3 COPY source k
        3 RPUSH k x y z
        0 BLPOP k 0
        3 DEL k
        3 RPUSH source 1
        0 BLPOP k 0
        3 SORT source STORE k
        3 DEL k
        0 BLPOP k 0
        3 LMOVE source k LEFT RIGHT
        0 BLPOP k 0
        3 RENAME source k
        3 DEL k
        0 BRPOP k 0
        3 LPUSHX k x
        3 LINSERT k BEFORE x y
        3 LPUSH k x
    """,
    "a database that is exchanged or moved into serves": """
        0 SELECT 1
        0 BLPOP k 0
        1 BLPOP k 0
        3 SELECT 1
        4 SELECT 2
        4 RPUSH k a b
        4 SWAPDB 1 2
        3 LRANGE k 0 -1
        0 BLPOP other 0
        4 RPUSH other x
        4 MOVE other 1
    """,
    "what takes the place of another value": """
        0 BLPOP k 0
        1 BLPOP k 0
        3 RPUSH source 1 2
        3 SET k x
        3 COPY source k REPLACE
        3 SET k x
        3 SORT source STORE k
        3 LLEN k
        3 SET k x
        3 RENAME source k
    """,
    "nothing is waited for inside a transaction": """
        0 MULTI
        0 BLPOP k 0
        0 BRPOP k 0
        0 BLMPOP 0 1 k LEFT
        0 BLMOVE k l LEFT LEFT 0
        0 BRPOPLPUSH k l 0
        0 RPUSH k a b c d e
        0 BLPOP k 0
        0 BRPOP k 0
        0 BLMOVE k l left rIGHT 0
        0 BRPOPLPUSH k l 0
        0 BLMPOP 0 1 k LEFT COUNT 7
        0 EXEC
    """,
    "a transaction is over before anybody is served": """
        0 BLPOP k 0
        1 BLPOP k 0
        3 MULTI
        3 RPUSH k a b c
        3 LPOP k
        3 LLEN k
        3 EXEC
        3 MULTI
        3 RPUSH k a
        3 LPOP k
        3 EXEC
        3 LLEN k
    """,
    "a list that has expired serves nobody": """
        0 BLPOP k 0
        3 MULTI
        3 RPUSH k a
        3 PEXPIREAT k 1
        3 EXEC
        3 EXISTS k
        3 RPUSH k b
    """,
    "what was served breaks the watches on it": """
        0 BLMOVE k l LEFT LEFT 0
        1 WATCH k
        2 WATCH l
        3 RPUSH k a
        1 MULTI
        1 PING
        1 EXEC
        2 MULTI
        2 PING
        2 EXEC
    """,
    "those that wait for lists, sorted sets and streams do not stand in each other's way": """
        0 BZPOPMAX k 0
        1 BLPOP k 0
        2 XREAD BLOCK 0 STREAMS k $
        4 BLPOP k 0
        3 RPUSH k a
        3 ZADD k 1 m
        3 XADD k 1-1 f v
        3 DEL k
        3 ZADD k 1 m
    """,
}


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SocketPeer]:
    require_redis_server()
    with lazy_redis_server(tmp_path_factory.mktemp("redis")) as peer:
        yield peer


def play(peer: Peer, scenario: str) -> Transcript:
    """Run a scenario and return each line with its replies and those to clients that were served by it."""
    peer.connect(CLIENTS + 2)
    peer.run(OBSERVER, [(b"FLUSHALL",)])
    waiting: list[int] = []
    transcript: Transcript = []
    for line in filter(None, map(str.strip, scenario.splitlines())):
        client, *words = shlex.split(line)
        assert int(client) not in waiting, line
        replies = peer.run(int(client), [tuple(word.encode() for word in words)])
        if not replies:
            waiting.append(int(client))
        served = peer.late(OBSERVER, waiting)
        waiting = [number for number in waiting if number not in served]
        transcript.append((line, replies, served))
    transcript.append(
        ("in the end these wait", [], dict.fromkeys(sorted(waiting), Reply(b"+", b"")) if waiting else {})
    )
    return transcript


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_waiting_clients_are_served_as_by_redis(real: SocketPeer, scenario: str) -> None:
    ours = EnginePeer()
    ours.keep_stream()
    replica = RealReplica(real.process)
    try:
        for one, other in zip(play(ours, scenario), play(real, scenario), strict=True):
            assert one == other
        mark = (b"SET", b"mark", b"1")
        for peer in (ours, real):
            peer.run(OBSERVER, [mark])
        stream = ours.take_stream()
        assert stream.pop().words() == list(mark)
        assert not propagated.difference(stream, replica.until(mark))
    finally:
        replica.close()

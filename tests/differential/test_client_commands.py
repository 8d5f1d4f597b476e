"""CLIENT LIST, KILL, PAUSE and the like with several clients, and RESET, as redis-server 7.0 does them."""

import re
from typing import Final

import pytest

from tests.differential.dialogue import fresh_dialogues
from tests.differential.replies import Reply
from tests.processes import ServerProcess

# Sizes and times differ by nature, and so do ids, ports and descriptors.
_COMPARED_FIELDS: Final = (
    *("addr", "name", "flags", "db", "sub", "psub", "ssub", "multi", "events", "cmd", "user", "redir", "resp"),
    "argv-mem",
)


DIALOGUES: Final = {
    "who is there": [
        "a: CLIENT SETNAME first",
        "b: HELLO 3 SETNAME second",
        "b: SELECT 7",
        "b: MULTI",
        "b: GET x",
        "c: SUBSCRIBE one two",
        "c: PSUBSCRIBE x*",
        "d! BLPOP l 0",
        "e: CLIENT TRACKING on BCAST",
        "f: CLIENT NO-EVICT on",
        "g: CLIENT TRACKING on REDIRECT {f}",
        "h: MONITOR",
        "i: WATCH k",
        "a: SET k 1",
        "a: CLIENT LIST",
        "a: CLIENT LIST TYPE normal",
        "a: CLIENT LIST TYPE pubsub",
        "a: CLIENT LIST TYPE PUBSUB x",
        "a: CLIENT LIST ID {c} {a} 99999 {c}",
        "a: CLIENT LIST ID {c} x",
        "a: CLIENT LIST ID -1",
        "a: CLIENT LIST ID",
        "a: CLIENT LIST IDS {a}",
        "a: client INFO",
        "a: CLIENT INFO x",
        "b: DISCARD",
        "a: RPUSH l 1",
    ],
    "killed by address": [
        "a: CLIENT KILL {b.address}",
        "a: CLIENT KILL {b.address}",
        "c: PING",
        "a: CLIENT KILL ADDR {c.address}",
        "a: CLIENT KILL ADDR {a.address}",
        "a: CLIENT KILL ADDR {a.address} SKIPME yes",
        "a: PING",
        "a: CLIENT KILL LADDR 1.2.3.4:5",
        "a: CLIENT KILL {a.address}",
        "a: PING",
    ],
    "killed by what they are": [
        "a: SUBSCRIBE x",
        "b: MONITOR",
        "c: PING",
        "d: CLIENT KILL TYPE pubsub",
        "d: CLIENT KILL TYPE slave",
        "d: CLIENT KILL ID {c} TYPE pubsub",
        "d: CLIENT KILL ID {c} USER default ADDR {c.address}",
        "d: CLIENT KILL ID {c}",
        "d: CLIENT KILL ID {d}",
        "d: CLIENT KILL ID {d} SKIPME no",
    ],
    "killed while it waits": [
        "b! BLPOP l 0",
        "a: CLIENT KILL ID {b}",
        "a: RPUSH l 1",
        "a: LRANGE l 0 -1",
    ],
    "unblocked": [
        "b! BLPOP l 0",
        "a: CLIENT UNBLOCK {b}",
        "b! BLPOP l 0",
        "a: CLIENT UNBLOCK {b} error",
        "b! XREAD BLOCK 0 STREAMS x $",
        "a: CLIENT UNBLOCK {b} TIMEOUT",
        "a: CLIENT UNBLOCK {b}",
        "a: CLIENT UNBLOCK {a}",
        "b! WAIT 3 0",
        "a: CLIENT UNBLOCK {b}",
    ],
    "writes are paused": [
        "a: CLIENT PAUSE 100000 WRITE",
        "b: GET k",
        "c! SET k 1",
        "d: MULTI",
        "d: GET x",
        "d! SET k 2",
        "e: MULTI",
        "e: GET x",
        "e: EXEC",
        "f! PUBLISH c x",
        "g! PFCOUNT none",
        "h! FLUSHALL",
        "k! EVAL \"return redis.call('get', 'k')\" 0",
        "a: EVAL_RO \"return redis.call('get', 'k')\" 0",
        "a: PING",
        "i: SUBSCRIBE s",
        "j: SET k",
        "j: CONFIG SET maxmemory-samples 5",
        "a: CLIENT LIST TYPE normal",
        "a: CLIENT UNPAUSE",
        "d: EXEC",
        "a: GET k",
        "a: CLIENT UNPAUSE",
    ],
    "a transaction pauses": [
        "a: MULTI",
        "a: CLIENT PAUSE 100000 WRITE",
        "a: SET k 1",
        "a: EXEC",
        "b! SET k 2",
        "c! INCR k",
        "a: GET k",
        "a: CLIENT PAUSE 1 WRITE",
        "d! INCR k",
        "a: CLIENT UNPAUSE",
        "a: GET k",
    ],
    "queued before, run after": [
        "b: MULTI",
        "b: SET k 1",
        "c: MULTI",
        "c: GET k",
        "a: CLIENT PAUSE 100000 WRITE",
        "b! EXEC",
        "c: EXEC",
        "d! SET k 2",
        "a: CLIENT UNPAUSE",
        "a: GET k",
    ],
    "what a pause may be": [
        "a: CLIENT PAUSE",
        "a: CLIENT PAUSE -1",
        "a: CLIENT PAUSE a",
        "a: CLIENT PAUSE 10 FOO",
        "a: CLIENT PAUSE a b",
        "a: CLIENT PAUSE 1 WRITE a",
        "a: CLIENT PAUSE 99999999999999999999",
        "a: CLIENT PAUSE 9223372036854775807",
        "a: CLIENT PAUSE 0",
        "a: CLIENT PAUSE 0 ALL",
        "a: CLIENT PAUSE 9223370036854775 write",
        "b! SET k 3",
        "a: CLIENT UNPAUSE x",
        "a: CLIENT UNPAUSE",
        "a: CLIENT PAUSE 20 ALL",
        "b: SET k 4",
        "b: GET k",
    ],
    "a pause is silent where no answer is wanted": [
        "a: CLIENT PAUSE 100000 WRITE",
        "b~ CLIENT REPLY SKIP",
        "b~ SET k 1",
        "a: CLIENT UNPAUSE",
        "b: GET k",
    ],
    "nothing expires in a pause": [
        "a: SET k 1 PX 40",
        "a: SET l 1 PX 40",
        "a: CLIENT PAUSE 100000 WRITE",
        "a: DEBUG SLEEP 0.06",
        "a: GET k",
        "a: DBSIZE",
        "b! SET k 1",
        "a: CLIENT UNPAUSE",
        "a: TTL k",
        "a: GET l",
        "a: DBSIZE",
    ],
    "a monitor is never paused": [
        "m: MONITOR",
        "a: MULTI",
        "a: CLIENT PAUSE 300 ALL",
        "a: EXEC",
        "m: PING",
        "m: CLIENT UNPAUSE",
    ],
    "reset": [
        "a: HELLO 3",
        "a: CLIENT SETNAME x",
        "a: SELECT 3",
        "a: CLIENT NO-EVICT on",
        "a: CLIENT TRACKING on OPTIN",
        "a: WATCH k",
        "a: SUBSCRIBE c",
        "a: PSUBSCRIBE c*",
        "a: MONITOR",
        "a: MULTI",
        "a: RESET",
        "a: CLIENT INFO",
        "a: CLIENT TRACKINGINFO",
        "b: PUBLISH c x",
        "a: GET k",
        "a~ CLIENT REPLY OFF",
        "a: RESET",
        "a: PING",
    ],
}


@pytest.mark.parametrize("name", DIALOGUES)
def test_does_as_redis_does(pair: tuple[ServerProcess, ServerProcess], name: str) -> None:
    ours, real = (
        {who: [comparable(reply) for reply in replies] for who, replies in heard.items()}
        for heard in fresh_dialogues(pair, DIALOGUES[name])
    )
    assert ours == real


def comparable(reply: Reply) -> Reply:
    """Return a reply with what is compared of lines of CLIENT LIST, in an order of its own: Redis rotates its list."""
    if not isinstance(reply.value, bytes) or b" laddr=" not in reply.value:
        return reply
    lines = [line for line in reply.value.split(b"\n") if b" cmd=client|id " not in line]
    return Reply(reply.kind, b"\n".join(sorted([_compared_part(line) for line in lines])))


def _compared_part(line: bytes) -> bytes:
    fields = [field for field in line.split(b" ") if field.partition(b"=")[0].decode() in _COMPARED_FIELDS]
    return b" ".join(fields)


def test_every_field_stands_where_redis_has_it(pair: tuple[ServerProcess, ServerProcess]) -> None:
    names = [re.findall(r"(\S+?)=", server.call("CLIENT", "INFO").decode()) for server in pair]
    assert names[0] == [*names[1], "lib-name", "lib-ver"]

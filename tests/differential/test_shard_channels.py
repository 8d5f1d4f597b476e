"""Channels of shards in a cluster of one node, as redis-server 7.0 serves them: by slots that come and go."""

from collections.abc import Iterator

import pytest

from tests.differential.conftest import started_pair
from tests.differential.dialogue import dialogue
from tests.processes import ServerProcess, wait_until

# The slot of `a` is 15495, of `b` 3300, of `{.}` 1452.
DIALOGUES = {
    "messages": [
        *(
            "one: SSUBSCRIBE {.}2 {.}1",
            "one: SSUBSCRIBE a",
            "other: HELLO 3",
            "other: SUBSCRIBE a",
            "other: SSUBSCRIBE a",
        ),
        *("me: SPUBLISH a x", "me: SPUBLISH {.}1 x", "me: SPUBLISH b x", "me: PUBLISH a x", "other: SPUBLISH a y"),
        *("me: PUBSUB SHARDCHANNELS a", "me: PUBSUB SHARDNUMSUB a b {.}1", "me: PUBSUB CHANNELS"),
        *(
            "me: SSUBSCRIBE a b",
            "me: SUNSUBSCRIBE a b",
            "me: SUNSUBSCRIBE",
            "other: SUNSUBSCRIBE a",
            "me: SPUBLISH a z",
        ),
    ],
    "transactions": [
        *("one: SSUBSCRIBE a", "me: MULTI", "me: SPUBLISH a x", "me: PUBLISH b x", "me: EXEC"),
        *("me: MULTI", "me: SPUBLISH a x", "me: SPUBLISH b x", "me: EXEC"),
        *("me: MULTI", "me: SET a 1", "me: SPUBLISH b x", "me: EXEC"),
        *("me: MULTI", "me: SET a 1", "me: GET b", "me: EXEC", "me: GET a"),
        *("me: MULTI", "me: SSUBSCRIBE a b", "me: EXEC", "me: MULTI", "me: SSUBSCRIBE a", "me: EXEC"),
        *("me: MULTI", "me: MSET a 1 b 2", "me: SET a 1", "me: EXEC", "me: WATCH a b", "me: WATCH a"),
    ],
    "a cluster that is down": [
        *("one: SSUBSCRIBE a", "me: CLUSTER DELSLOTS 3300", "me: GET a", "me: GET b", "me: SPUBLISH b x"),
        *("me: SSUBSCRIBE b", "me: SPUBLISH a x", "other: SSUBSCRIBE a", "me: PUBLISH b x"),
        *(
            "me: CONFIG SET cluster-allow-pubsubshard-when-down no",
            "me: SPUBLISH a x",
            "me: SSUBSCRIBE a",
            "me: PUBLISH a x",
        ),
        *("me: SUNSUBSCRIBE", "me: SUNSUBSCRIBE a", "me: MULTI", "me: SPUBLISH a x", "me: SET a 1", "me: EXEC"),
        *("me: CONFIG SET cluster-allow-pubsubshard-when-down yes", "me: MULTI", "me: SPUBLISH a x", "me: EXEC"),
    ],
    "a transaction whose slot is given up": [
        *("me: MULTI", "me: SET a 1", "me: GET a", "one: CLUSTER DELSLOTS 15495", "me: EXEC", "me: EXEC"),
        *("me: MULTI", "me: SET b 1", "me: EXEC", "me: MULTI", "me: PING", "me: EXEC"),
    ],
    "slots that are given up": [
        *(
            "one: SSUBSCRIBE {.}2 {.}1",
            "one: SSUBSCRIBE a",
            "one: SUBSCRIBE a",
            "other: HELLO 3",
            "other: SSUBSCRIBE b",
            "other: SSUBSCRIBE a",
        ),
        *("me: CLUSTER DELSLOTS 1452", "me: PUBSUB SHARDNUMSUB a b {.}1", "me: SPUBLISH b x", "me: CLUSTER FLUSHSLOTS"),
        *("me: PUBSUB SHARDCHANNELS", "me: PUBSUB SHARDNUMSUB a b", "me: PUBLISH a x", "other: GET a", "other: PING"),
    ],
    "a node that leaves the cluster": ["one: SSUBSCRIBE a", "me: CLUSTER RESET", "one: PING", "me: SSUBSCRIBE a"],
}

# Nodes that come to serve again wait for the node timeout.
_MODE = ("--cluster-enabled", "yes", "--cluster-node-timeout", "500")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, ServerProcess]]:
    """A node of ours and a redis-server, each a cluster by itself."""
    with started_pair(tmp_path_factory, *_MODE) as servers:
        yield servers


def own_all_slots(server: ServerProcess) -> None:
    server.call("CLUSTER", "FLUSHSLOTS")
    assert server.call("CLUSTER", "ADDSLOTSRANGE", 0, 16383) == b"OK"
    wait_until(lambda: b"cluster_state:ok" in server.call("CLUSTER", "INFO"), 10, "the cluster to be ok")


@pytest.mark.parametrize("steps", DIALOGUES.values(), ids=DIALOGUES)
def test_channels_of_shards_are_served_as_by_redis(pair: tuple[ServerProcess, ServerProcess], steps: list[str]) -> None:
    answers = []
    for server in pair:
        server.call("FLUSHALL")
        own_all_slots(server)
        answers.append(dialogue(server, steps))
    assert answers[0] == answers[1]

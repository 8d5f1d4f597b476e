"""nodes.conf: there and back, as Redis writes it, and what is refused."""

import random
import subprocess
from pathlib import Path

import pytest

from tests.conftest import require_redis_server
from tests.processes import start_redis_server, wait_until
from trivet_node.cluster.config_file import ConfigFileError, decode_config, encode_config
from trivet_node.cluster.nodes import FAIL, MYSELF, PRIMARY, REPLICA, ClusterNode
from trivet_node.cluster.options import ClusterOptions
from trivet_node.cluster.slots import ALL_SLOTS, range_of_slots
from trivet_node.cluster.state import ClusterState, new_state

ME = "1" * 40
OTHER = "2" * 40
SHARD = "c" * 40
MY_LINE = f"{ME} 127.0.0.1:7001@17001,,shard-id={SHARD} myself,master - 0 0 3 connected 0-100"
VARS = "vars currentEpoch 5 lastVoteEpoch 4"


def decode(text: str) -> ClusterState:
    return decode_config(text, ClusterOptions(), random.Random(1))


def test_there_and_back() -> None:
    state = new_state(ClusterOptions(), random.Random(1), ME, SHARD)
    state.myself.host = "::1"
    state.myself.port = 7001
    state.myself.bus_port = 17001
    state.table.assign(range_of_slots(0, 100) | range_of_slots(200, 200), state.myself)
    state.myself.config_epoch = 9
    replica = ClusterNode(OTHER, REPLICA | FAIL)
    replica.host = "10.0.0.2"
    replica.port = 7002
    replica.bus_port = 30000
    replica.hostname = "two.example"
    replica.shard_id = SHARD
    replica.primary_id = ME
    replica.metadata = {"external": "127.0.0.1:7002"}
    state.nodes[OTHER] = replica
    state.current_epoch = 11
    state.last_vote_epoch = 10

    again = decode(encode_config(state))
    assert encode_config(again) == encode_config(state)
    assert again.myself.id == ME
    assert again.myself.flags == MYSELF | PRIMARY
    assert (again.myself.host, again.myself.slots, again.myself.config_epoch) == ("::1", state.myself.slots, 9)
    assert (again.current_epoch, again.last_vote_epoch) == (11, 10)
    other = again.nodes[OTHER]
    assert (other.host, other.port, other.bus_port, other.hostname) == ("10.0.0.2", 7002, 30000, "two.example")
    assert (other.flags, other.primary_id, other.shard_id) == (REPLICA | FAIL, ME, SHARD)
    assert other.metadata == {"external": "127.0.0.1:7002"}
    assert again.table.owners[200] is again.myself
    assert again.restored


def test_a_file_of_redis_is_read(tmp_path: Path) -> None:
    require_redis_server()
    with start_redis_server(tmp_path, "--cluster-enabled", "yes", "--cluster-announce-hostname", "h.example") as redis:
        redis.call("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        redis.call("CLUSTER", "BUMPEPOCH")
        path = redis.directory / "nodes.conf"
        wait_until(lambda: "0-16383" in path.read_text(), 5, "nodes.conf to be written")
        state = decode(path.read_text())
        assert state.myself.id == redis.call("CLUSTER", "MYID").decode()
    assert state.myself.slots == ALL_SLOTS
    assert (state.myself.hostname, state.myself.config_epoch, state.current_epoch) == ("h.example", 1, 1)
    assert len(state.myself.shard_id) == 40, "a shard without an id gets one"


def test_redis_reads_ours(tmp_path: Path) -> None:
    require_redis_server()
    state = new_state(ClusterOptions(), random.Random(1), ME, "")
    state.table.assign(ALL_SLOTS, state.myself)
    (tmp_path / "nodes.conf").write_text(encode_config(state))
    command = ["redis-server", "--port", "0", "--cluster-enabled", "yes", "--cluster-port", "0", "--daemonize", "no"]
    done = subprocess.run(
        [*command, "--unixsocket", str(tmp_path / "s"), "--dir", str(tmp_path), "--bind", "192.0.2.1"],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert f"Node configuration loaded, I'm {ME}" in done.stdout, done.stdout


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (f"{MY_LINE}\n{OTHER} 127.0.0.1:7002", "line 2: a node has at least 8 fields"),
        (f"rubbish\n{VARS}", "line 1"),
        (f"{MY_LINE}\nvars currentEpoch x lastVoteEpoch 1", "line 2: 'x' is not a number"),
        (f"{MY_LINE}\nvars epoch 5", "line 2: unknown variable 'epoch'"),
        (MY_LINE.replace("myself,master", "myself,boss"), "line 1: unknown flag 'boss'"),
        (MY_LINE.replace("myself,master", "myself,master,slave"), "either a master or a slave"),
        (MY_LINE.replace("0-100", "abc"), "line 1: 'abc' is not a range of slots"),
        (MY_LINE.replace("0-100", "0-"), "line 1: '0-' is not a range of slots"),
        (f"{MY_LINE}\nvars currentEpoch", "line 2: variable 'currentEpoch' has no value"),
        (MY_LINE.replace("0-100", "0-16384"), "line 1: '0-16384' is not a range of slots"),
        (MY_LINE.replace("myself,master", "myself,slave"), "line 1: a slave owns slots"),
        (MY_LINE.replace("127.0.0.1:7001@17001", "nowhere"), "line 1: 'nowhere"),
        (MY_LINE.replace("myself,", ""), "0 nodes are marked as myself"),
        (f"{MY_LINE}\n{MY_LINE}", "2 nodes are marked as myself"),
        (f"{MY_LINE}\n{MY_LINE.replace('myself,', '').replace(ME, OTHER)}", "slots 0-100 have two owners"),
        (VARS, "0 nodes are marked as myself"),
    ],
)
def test_what_cannot_be_ours_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ConfigFileError, match=complaint.replace("(", r"\(")):
        decode(text)

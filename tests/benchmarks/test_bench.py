"""The benchmark tool: its arithmetic, and a short real run with redis-server on both sides."""

import shutil
from pathlib import Path

import attrs
import pytest

from tests.processes import ServerProcess, call
from trivet_deploy.bench.cases import CHANNEL, MEMBER_COUNT, Case, standard_cases
from trivet_deploy.bench.datasets import data, fill, template
from trivet_deploy.bench.listeners import Listeners
from trivet_deploy.bench.measure import Sample, measure, prepare
from trivet_deploy.bench.memory import KINDS, Kind, measure_growth
from trivet_deploy.bench.servers import BenchError, Server, redis_server_command, require_compiled, running
from trivet_deploy.bench.summary import summarize

needs_redis = pytest.mark.skipif(shutil.which("redis-benchmark") is None, reason="redis-server is not installed")


def sample(server: str, round_number: int, rate: float, cpu_us: float) -> Sample:
    return Sample("SET -c 50 -P 1", server, round_number, rate, cpu_us, 0.1, 0.2)


def test_a_ratio_is_taken_within_a_round_and_its_median_over_the_rounds() -> None:
    samples = [
        sample("node", 0, 90.0, 20.0),
        sample("redis", 0, 100.0, 10.0),
        sample("redis", 1, 200.0, 10.0),
        sample("node", 1, 200.0, 10.0),
        sample("node", 2, 150.0, 15.0),
        sample("redis", 2, 100.0, 10.0),
    ]
    (summary,) = summarize(samples, "node", "redis")
    assert (summary.throughput_ratio.low, summary.throughput_ratio.median, summary.throughput_ratio.high) == (
        0.9,
        1.0,
        1.5,
    )
    assert summary.cpu_ratio.median == 1.5
    assert summary.node_requests_per_s == 150.0


def test_a_run_that_used_no_measurable_cpu_time_has_no_cpu_ratio() -> None:
    (summary,) = summarize([sample("node", 0, 1.0, 5.0), sample("redis", 0, 1.0, 0.0)], "node", "redis")
    assert summary.cpu_ratio.median != summary.cpu_ratio.median


def test_the_cases_are_those_that_the_project_promises_figures_for() -> None:
    names = {case.name for case in standard_cases(1.0)}
    strings = {
        f"{command} -c {clients} -P {pipeline}"
        for command in ("SET", "GET")
        for clients, pipeline in ((50, 1), (50, 16), (50, 128), (1, 1), (500, 1))
    }
    types = {
        *("INCR", "MSET 10", "SETBIT", "PFADD", "LPUSH", "LPOP", "LRANGE 100", "LRANGE 600", "SADD", "SPOP"),
        *("HSET", "HGET", "ZADD", "ZRANGE 10", "ZRANK", "XADD", "XRANGE 10", "EVALSHA", "GEOSEARCH"),
    }
    messages = {f"PUBLISH to {listeners}" for listeners in (1, 100, 1000)}
    others = types | messages | {"MULTI 10 SET"}
    assert names == strings | {f"{label} -c 50 -P {pipeline}" for label in others for pipeline in (1, 16)}


@needs_redis
def test_every_case_finds_its_data_and_no_request_is_refused(tmp_path: Path) -> None:
    cases = [case for case in standard_cases(0.0) if case.pipeline == 16]
    with running("redis-server", redis_server_command(), tmp_path) as server:
        prepare(cases, server)
        for case in cases:
            assert measure(attrs.evolve(case, requests=min(case.requests, 2000)), server, 0).requests_per_s > 0
            refused = server.info("errorstats")
            assert not refused, f"{case.name}: {refused}"
        sizes = [call(server.port, *words) for words in (("HLEN", "hash"), ("ZCARD", "zset"), ("XLEN", "stream"))]
        assert min(sizes) >= MEMBER_COUNT
        # What is consumed was there for every request, and all of it was consumed.
        assert [call(server.port, "EXISTS", key) for key in ("list", "pop-set")] == [0, 0]
        assert len(call(server.port, "GEOSEARCH", *["geo", "FROMLONLAT", "10.5", "47.5", "BYRADIUS", "20", "km"])) > 10


@needs_redis
def test_all_that_is_published_is_read_before_a_measurement_ends(tmp_path: Path) -> None:
    [case] = [case for case in standard_cases(0.0) if case.name == "PUBLISH to 100 -c 50 -P 16"]
    with running("redis-server", redis_server_command(), tmp_path) as server:
        with Listeners(server, case.listeners) as listeners:
            assert call(server.port, "PUBSUB", "NUMSUB", CHANNEL) == [CHANNEL.encode(), case.listeners]
            measure(attrs.evolve(case, listeners=0), server, 0)
            listeners.wait_for_all()
        with Listeners(server, 3) as listeners, pytest.raises(BenchError, match="has cut off a subscriber"):
            call(server.port, "CLIENT", "KILL", "TYPE", "pubsub")
            listeners.wait_for_all()


@needs_redis
def test_a_transaction_is_one_request_of_many_commands(tmp_path: Path) -> None:
    [case] = [case for case in standard_cases(0.0) if case.name == "MULTI 10 SET -c 50 -P 16"]
    with running("redis-server", redis_server_command(), tmp_path) as server:
        taken = measure(attrs.evolve(case, requests=1600), server, 0)
        assert 0 < taken.latency_p50_ms <= taken.latency_p99_ms
        counts = server.info("commandstats")
        sets, executed = (
            int(counts[f"cmdstat_{name}"].split(",")[0].removeprefix("calls=")) for name in ("set", "exec")
        )
        # One block more asks how long the replies are.
        assert (sets, executed) == (10 * (1600 + 16), 1600 + 16)
        with pytest.raises(BenchError, match="refuses a transaction"):
            measure(attrs.evolve(case, words=("SET", "key")), server, 0)


@needs_redis
def test_memory_is_the_growth_of_a_server_that_holds_nothing_else() -> None:
    kinds = {kind.name: kind for kind in KINDS}
    redis = redis_server_command()
    growth = measure_growth(kinds["string of 32 bytes"], 50_000, redis, redis)
    # The key, the value, an entry of the hash table and a pointer in it.
    assert 100 < growth.redis_bytes < 160
    assert 0.9 < growth.ratio < 1.1


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_kinds_are_packed_or_not_as_they_are_meant_to_be(kind: Kind, own_redis_server: ServerProcess) -> None:
    fill(Server("redis-server", own_redis_server.port, own_redis_server.pid), kind.make(1000))
    keys = own_redis_server.call("KEYS", "*")
    encodings = {own_redis_server.call("OBJECT", "ENCODING", key).decode() for key in keys}
    of_small = {"string": "embstr", "list": "quicklist", "integers": "intset", "hash": "listpack", "sorted": "listpack"}
    if kind.name.split()[0] in ("field", "member"):
        assert len(keys) == 1
        assert encodings <= {"hashtable", "skiplist"}
    else:
        word = "integers" if kind.name.endswith("integers") else kind.name.split()[0]
        assert (len(keys), encodings) == (1000, {of_small.get(word, "hashtable")})


def test_what_a_server_refuses_is_said(own_redis_server: ServerProcess) -> None:
    server = Server("redis-server", own_redis_server.port, own_redis_server.pid)
    with pytest.raises(BenchError, match="redis-server refuses what it is filled with: -WRONGTYPE"):
        fill(server, [template("SET", "zset", "x") % (), *data("list", 3), template("LPUSH", "zset", "%01d") % 1])


@needs_redis
def test_a_run_measures_throughput_and_the_servers_cpu_time(tmp_path: Path) -> None:
    with running("redis-server", redis_server_command(), tmp_path) as server:
        taken = measure(Case("SET", ("SET", "key:__rand_int__", "x"), 50, 16, 200_000, "nothing"), server, 0)
        assert taken.requests_per_s > 1000
        assert 0.1 < taken.cpu_us_per_request < 1000
        with pytest.raises(BenchError, match="not compiled"):
            require_compiled(server)
    assert not Path(f"/proc/{server.pid}").exists()


def test_a_server_that_does_not_start_is_named_with_what_it_said(tmp_path: Path) -> None:
    with (
        pytest.raises(BenchError, match=r"(?s)broken did not start on port \d+:.*no such place"),
        running("broken", ["sh", "-c", "echo no such place; exit 1"], tmp_path),
    ):
        pass

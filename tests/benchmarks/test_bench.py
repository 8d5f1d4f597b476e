"""The benchmark tool: its arithmetic, and a short real run with redis-server on both sides."""

import shutil
from pathlib import Path

import pytest

from trivet_deploy.bench.cases import Case, standard_cases
from trivet_deploy.bench.measure import Sample, measure
from trivet_deploy.bench.servers import BenchError, redis_server_command, require_compiled, running
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
    assert names == {
        f"{command} -c {clients} -P {pipeline}"
        for command in ("SET", "GET")
        for clients, pipeline in ((50, 1), (50, 16), (50, 128), (1, 1), (500, 1))
    }


@needs_redis
def test_a_run_measures_throughput_and_the_servers_cpu_time(tmp_path: Path) -> None:
    with running("redis-server", redis_server_command(), tmp_path) as server:
        taken = measure(Case("SET", 50, 16, 200_000), server, 0)
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

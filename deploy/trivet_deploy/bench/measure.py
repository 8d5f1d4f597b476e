"""One measurement: a run of load against one server, and what it cost that server."""

import csv
import shutil
import subprocess
from collections.abc import Iterable

import attrs

from trivet_deploy.bench.cases import Case
from trivet_deploy.bench.datasets import data, fill, standard_size
from trivet_deploy.bench.listeners import Listeners
from trivet_deploy.bench.servers import BenchError, Server
from trivet_deploy.bench.transactions import Rates, run_transactions

_RUN_TIMEOUT_S = 300.0


@attrs.frozen
class Sample:
    """One run: throughput, the server's CPU time, and latency seen by the clients."""

    case: str
    server: str
    round: int
    requests_per_s: float
    cpu_us_per_request: float
    latency_p50_ms: float
    latency_p99_ms: float


def prepare(cases: Iterable[Case], server: Server) -> None:
    """Fill a server with the data that these cases read."""
    for name in dict.fromkeys(case.data for case in cases if not case.consumes):
        fill(server, data(name, standard_size(name)))


def measure(case: Case, server: Server, round_number: int) -> Sample:
    """Run `case` once against `server`, which has been prepared."""
    if case.consumes:
        fill(server, data(case.data, case.requests))
    with Listeners(server, case.listeners) as listeners:
        cpu_before_s = server.cpu_s()
        rates = run_transactions(case, server) if case.block else _redis_benchmark(case, server.port)
        listeners.wait_for_all()
        cpu_s = server.cpu_s() - cpu_before_s
    return Sample(
        case=case.name,
        server=server.name,
        round=round_number,
        requests_per_s=rates.requests_per_s,
        cpu_us_per_request=cpu_s * 1e6 / case.requests,
        latency_p50_ms=rates.latency_p50_ms,
        latency_p99_ms=rates.latency_p99_ms,
    )


def _redis_benchmark(case: Case, port: int) -> Rates:
    program = shutil.which("redis-benchmark")
    if program is None:
        raise BenchError("redis-benchmark is not installed: Debian has it in redis-tools")
    arguments = [program, "-h", "127.0.0.1", "-p", str(port), "--csv", "-c", str(case.clients)]
    arguments += ["-P", str(case.pipeline), "-n", str(case.requests), "-r", str(case.range), *case.words]
    try:
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=_RUN_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"{case.name} on port {port} did not end within {_RUN_TIMEOUT_S:.0f} s") from error
    rows = list(csv.DictReader(done.stdout.splitlines()))
    if done.returncode != 0 or len(rows) != 1:
        raise BenchError(f"{case.name} on port {port} failed:\n{done.stdout}{done.stderr}")
    row = rows[0]
    return Rates(float(row["rps"]), float(row["p50_latency_ms"]), float(row["p99_latency_ms"]))

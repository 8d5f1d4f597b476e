"""Load of transactions: redis-benchmark knows single commands only.

Some connections send a MULTI, a command a number of times and EXEC at once, wait for all the replies and do so again.
"""

import random
import select
import socket
import time
from statistics import quantiles
from typing import Final

import attrs

from trivet_deploy.bench.cases import Case
from trivet_deploy.bench.servers import BenchError, Server
from trivet_wire.connection import encode_request

_TIMEOUT_S: Final = 60.0
_READ_BYTES: Final = 1 << 16
_MS_PER_S: Final = 1000
# Blocks of requests that differ in their random numbers.
_VARIANTS: Final = 64


@attrs.define
class _Connection:
    """One client; `left_bytes` of the replies to what it has sent are missing."""

    socket: socket.socket
    left_bytes: int = 0
    sent_s: float = 0.0


@attrs.frozen
class Rates:
    """What the clients have seen."""

    requests_per_s: float
    latency_p50_ms: float
    latency_p99_ms: float


def run_transactions(case: Case, server: Server) -> Rates:
    """Send `case.requests` transactions, as many at once as `case.pipeline` says, and return how fast that was."""
    blocks = [b"".join(_transaction(case) for _ in range(case.pipeline)) for _ in range(_VARIANTS)]
    epoll = select.epoll()
    connections = {}
    try:
        for _ in range(case.clients):
            connection = socket.create_connection(("127.0.0.1", server.port), _TIMEOUT_S)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connections[connection.fileno()] = _Connection(connection)
            epoll.register(connection.fileno(), select.EPOLLIN)
        reply_bytes = _ask_for_length(server, blocks[0])
        begin_s = time.perf_counter()
        latencies_s = _drive(connections, epoll, blocks, reply_bytes, case.requests // case.pipeline)
        elapsed_s = time.perf_counter() - begin_s
    finally:
        epoll.close()
        for each in connections.values():
            each.socket.close()
    hundredths = quantiles(latencies_s, n=100)
    done = len(latencies_s) * case.pipeline
    return Rates(done / elapsed_s, hundredths[49] * _MS_PER_S, hundredths[98] * _MS_PER_S)


def _transaction(case: Case) -> bytes:
    requests = [
        [word.replace("__rand_int__", f"{random.randrange(case.range):012d}") for word in case.words]
        for _ in range(case.block)
    ]
    return b"".join(encode_request(words) for words in [["MULTI"], *requests, ["EXEC"]])


def _ask_for_length(server: Server, block: bytes) -> int:
    """Return how many bytes answer a block, which is the same for all. Raises BenchError where one is refused."""
    mark = encode_request(["ECHO", "that was all"])
    with socket.create_connection(("127.0.0.1", server.port), _TIMEOUT_S) as connection:
        connection.sendall(block + mark)
        replies = b""
        while not replies.endswith(b"$12\r\nthat was all\r\n"):
            replies += connection.recv(_READ_BYTES)
    if replies.startswith(b"-") or b"\n-" in replies:
        raise BenchError(f"{server.name} refuses a transaction: {replies!r}")
    return len(replies) - len(b"$12\r\nthat was all\r\n")


def _drive(
    connections: dict[int, _Connection], epoll: select.epoll, blocks: list[bytes], reply_bytes: int, count: int
) -> list[float]:
    """Send `count` blocks over all connections and return how long each took to be answered."""
    latencies_s: list[float] = []
    sent = 0
    for connection in connections.values():
        sent += _send(connection, blocks[sent % len(blocks)], reply_bytes)
    while len(latencies_s) < max(count, len(connections)):
        for descriptor, _ in epoll.poll(_TIMEOUT_S):
            connection = connections[descriptor]
            data = connection.socket.recv(_READ_BYTES)
            if not data:
                raise BenchError("the server has closed a connection that sends transactions")
            connection.left_bytes -= len(data)
            if connection.left_bytes == 0:
                latencies_s.append(time.perf_counter() - connection.sent_s)
                if sent < count:
                    sent += _send(connection, blocks[sent % len(blocks)], reply_bytes)
    return latencies_s


def _send(connection: _Connection, block: bytes, reply_bytes: int) -> int:
    """Send a block; return 1, the number of blocks."""
    connection.left_bytes = reply_bytes
    connection.sent_s = time.perf_counter()
    connection.socket.sendall(block)
    return 1

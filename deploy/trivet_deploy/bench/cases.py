"""What is measured: redis-benchmark's SET and GET at several pipeline depths and numbers of clients."""

import attrs


@attrs.frozen
class Case:
    """One way of running redis-benchmark; `requests` is a number that takes redis-server about a second."""

    command: str
    clients: int
    pipeline: int
    requests: int

    @property
    def name(self) -> str:
        """Return what tables and files call this case, such as `GET -c 50 -P 16`."""
        return f"{self.command} -c {self.clients} -P {self.pipeline}"


# Clients, pipeline depth, requests.
_SHAPES = (
    (50, 1, 100_000),
    (50, 16, 800_000),
    (50, 128, 1_500_000),
    (1, 1, 30_000),
    (500, 1, 100_000),
)


def standard_cases(scale: float) -> list[Case]:
    """Return every case of the benchmark, with `scale` times the usual number of requests."""
    return [
        Case(command, clients, pipeline, max(10_000, int(requests * scale)))
        for clients, pipeline, requests in _SHAPES
        for command in ("SET", "GET")
    ]

"""INFO commandstats, errorstats and latencystats: how often commands ran and failed, and how long they took."""

from typing import Final

from trivet_node.command import Command
from trivet_node.server.information.fields import Fields, ratio
from trivet_node.server.state import Server

_NS_PER_US: Final = 1000


def command_info(server: Server) -> Fields:
    """Return how often each command ran, and how long that took."""
    return [
        (f"cmdstat_{command.name}", _counts(command))
        for command in server.commands_with_subcommands()
        if command.calls or command.rejected_calls or command.failed_calls
    ]


def error_info(server: Server) -> Fields:
    """Return how often each error was replied."""
    errors = server.stats.errors
    return [(f"errorstat_{code.decode(errors='replace')}", f"count={errors[code]}") for code in sorted(errors)]


def latency_info(server: Server) -> Fields:
    """Return what most calls of each command did not exceed, in microseconds."""
    if not server.config.latency_tracking:
        return []
    percents = server.config.latency_tracking_info_percentiles
    return [
        (f"latency_percentiles_usec_{command.name}", _percentiles(command, percents))
        for command in server.commands_with_subcommands()
        if command.durations.total()
    ]


def _counts(command: Command) -> str:
    calls, microseconds = int(command.calls), int(command.microseconds)
    return (
        f"calls={calls},usec={microseconds},usec_per_call={ratio(microseconds, calls):.2f},"
        f"rejected_calls={int(command.rejected_calls)},failed_calls={int(command.failed_calls)}"
    )


def _percentiles(command: Command, percents: tuple[float, ...]) -> str:
    durations = command.durations
    return ",".join(
        [f"p{_number(percent)}={durations.percentile_ns(percent) / _NS_PER_US:.3f}" for percent in percents]
    )


def _number(percent: float) -> str:
    """Return a percentage without zeros at its end."""
    return f"{percent:f}".rstrip("0").rstrip(".")

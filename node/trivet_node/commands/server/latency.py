"""LATENCY: what took long, and how long commands take. (Redis: latency.c.)"""

from typing import Final

from trivet_node.client import Client
from trivet_node.command import ADMIN, LOADING, NOSCRIPT, STALE, Command, CommandError, container
from trivet_node.server.state import Server
from trivet_node.timing.doctor import report
from trivet_node.timing.graph import graph as draw
from trivet_wire import errors
from trivet_wire.help import reply_help
from trivet_wire.replies import ReplyBuffer

_US_PER_S: Final = 1_000_000
_TIPS: Final = ("nondeterministic_output", "request_policy:all_nodes", "response_policy:special")
_HELP: Final = (
    "DOCTOR",
    "    Return a human readable latency analysis report.",
    "GRAPH <event>",
    "    Return an ASCII latency graph for the <event> class.",
    "HISTORY <event>",
    "    Return time-latency samples for the <event> class.",
    "LATEST",
    "    Return the latest latency samples for all events.",
    "RESET [<event> ...]",
    "    Reset latency data of one or more <event> classes.",
    "    (default: reset all data for all event classes)",
    "HISTOGRAM [COMMAND ...]",
    "    Return a cumulative distribution of latencies in the format of a histogram for the specified command names.",
    "    If no commands are specified then all histograms are replied.",
)


def doctor(server: Server, client: Client, arguments: list[bytes]) -> None:
    """LATENCY DOCTOR."""
    client.reply.verbatim(report(server.stopwatch, server.stats.fork_rate_gb_s).encode())


def graph(server: Server, client: Client, arguments: list[bytes]) -> None:
    """LATENCY GRAPH event."""
    event = arguments[2].decode(errors="replace")
    series = server.stopwatch.events.series.get(event)
    if series is None:
        raise CommandError(b"ERR No samples available for event '%s'" % errors.c_string(arguments[2]))
    now_s = int(server.stopwatch.clock.now_us()) // _US_PER_S
    client.reply.verbatim(draw(event, series, now_s).encode())


def history(server: Server, client: Client, arguments: list[bytes]) -> None:
    """LATENCY HISTORY event."""
    series = server.stopwatch.events.series.get(arguments[2].decode(errors="replace"))
    samples = [] if series is None else series.samples
    client.reply.array(len(samples))
    for time_s, duration_ms in samples:
        client.reply.array(2)
        client.reply.integer(time_s)
        client.reply.integer(duration_ms)


def latest(server: Server, client: Client, arguments: list[bytes]) -> None:
    """LATENCY LATEST."""
    reply = client.reply
    reply.array(len(server.stopwatch.events.series))
    for event, series in server.stopwatch.events.series.items():
        time_s, duration_ms = series.samples[-1]
        reply.array(4)
        reply.bulk_text(event)
        reply.integer(time_s)
        reply.integer(duration_ms)
        reply.integer(series.worst_ms)


def reset(server: Server, client: Client, arguments: list[bytes]) -> None:
    """LATENCY RESET [event ...]."""
    names = [argument.decode(errors="replace").lower() for argument in arguments[2:]]
    client.reply.integer(server.stopwatch.events.reset(names))


def histogram(server: Server, client: Client, arguments: list[bytes]) -> None:
    """LATENCY HISTOGRAM [command ...]: a container stands for its subcommands, what never ran is left out."""
    named = server.commands_with_subcommands() if len(arguments) == 2 else _named(server, arguments[2:])
    timed = [command for command in named if command.durations.total()]
    client.reply.map(len(timed))
    for command in timed:
        client.reply.bulk_text(command.name)
        _reply_durations(client.reply, command)


def help_(server: Server, client: Client, arguments: list[bytes]) -> None:
    """LATENCY HELP."""
    reply_help(client.reply, "LATENCY", _HELP)


def _named(server: Server, names: list[bytes]) -> list[Command]:
    """Return the commands that are there of those named, each with its subcommands."""
    found = [command for name in names if (command := server.find_command(name)) is not None]
    return [each for command in found for each in command.with_subcommands()]


def _reply_durations(reply: ReplyBuffer, command: Command) -> None:
    lines = command.durations.cumulative_us()
    reply.map(2)
    reply.bulk(b"calls")
    reply.integer(command.durations.total())
    reply.bulk(b"histogram_usec")
    reply.map(len(lines))
    for duration_us, count in lines:
        reply.integer(duration_us)
        reply.integer(count)


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "latency",
        -2,
        container,
        0,
        group="server",
        since="2.8.13",
        summary="A container for latency diagnostics commands",
        complexity="Depends on subcommand.",
        subcommands=(
            Command(
                "latency|doctor",
                2,
                doctor,
                ADMIN | NOSCRIPT | LOADING | STALE,
                group="server",
                since="2.8.13",
                summary="Return a human readable latency analysis report.",
                tips=_TIPS,
                difference="The advice is Trivet's own.",
            ),
            Command(
                "latency|graph",
                3,
                graph,
                ADMIN | NOSCRIPT | LOADING | STALE,
                group="server",
                since="2.8.13",
                summary="Return a latency graph for the event.",
                tips=_TIPS,
                arguments="event:string",
            ),
            Command(
                "latency|help",
                2,
                help_,
                LOADING | STALE,
                group="server",
                since="2.8.13",
                summary="Show helpful text about the different subcommands.",
            ),
            Command(
                "latency|histogram",
                -2,
                histogram,
                ADMIN | NOSCRIPT | LOADING | STALE,
                group="server",
                since="7.0.0",
                summary="Return the cumulative distribution of latencies of a subset of commands or all.",
                complexity="O(N) where N is the number of commands with latency information being retrieved.",
                tips=_TIPS,
                arguments="command:string?*",
            ),
            Command(
                "latency|history",
                3,
                history,
                ADMIN | NOSCRIPT | LOADING | STALE,
                group="server",
                since="2.8.13",
                summary="Return timestamp-latency samples for the event.",
                tips=_TIPS,
                arguments="event:string",
            ),
            Command(
                "latency|latest",
                2,
                latest,
                ADMIN | NOSCRIPT | LOADING | STALE,
                group="server",
                since="2.8.13",
                summary="Return the latest latency samples for all events.",
                tips=_TIPS,
            ),
            Command(
                "latency|reset",
                -2,
                reset,
                ADMIN | NOSCRIPT | LOADING | STALE,
                group="server",
                since="2.8.13",
                summary="Reset latency data for one or more events.",
                tips=("request_policy:all_nodes", "response_policy:all_succeeded"),
                arguments="event:string?*",
            ),
        ),
    ),
)

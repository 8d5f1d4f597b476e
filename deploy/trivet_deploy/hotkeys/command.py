"""`trivet hotkeys`: what is hot right now in a node or a whole cluster, as a table or as JSON."""

import json
import signal
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final

import attrs
import click
import trio
from rich.console import Console, JustifyMethod
from rich.markup import escape
from rich.table import Table

from trivet_client.options import Address, Options
from trivet_deploy.hotkeys.frequencies import most_frequent
from trivet_deploy.hotkeys.report import BYTES, COMMANDS, TIME, HotKey, NodeReport, merge, ranked
from trivet_deploy.hotkeys.session import KEYS_MAX, Node, NoHotKeysCommand, SamplingError, connected, sample
from trivet_wire.connection import ErrorReply
from trivet_wire.failures import first_of

_LONGEST_S: Final = 3600.0


@attrs.frozen
class Wish:
    """What the command line asks for."""

    address: Address
    options: Options
    seconds: float
    count: int
    sample_ratio: int
    by: str


@attrs.frozen
class Outcome:
    """What was found: the keys, hottest first; what each node counted, nothing under LFU; and what went wrong."""

    keys: list[HotKey]
    reports: list[NodeReport] = attrs.field(factory=list)
    failures: list[str] = attrs.field(factory=list)


@click.command("hotkeys")
@click.argument("host")
@click.argument("port", type=click.IntRange(1, 65535))
@click.option("--seconds", default=5.0, show_default=True, type=click.FloatRange(0.1, _LONGEST_S), help="How long.")
@click.option("--count", default=10, show_default=True, type=click.IntRange(1, KEYS_MAX), help="How many keys to show.")
@click.option("--sample", "ratio", default=1, show_default=True, type=click.IntRange(1), help="Count one command in N.")
@click.option(
    "--by", default=COMMANDS, show_default=True, type=click.Choice([COMMANDS, TIME, BYTES]), help="What is hot."
)
@click.option("--user", help="The user to authenticate as.")
@click.option("--password", envvar="REDISCLI_AUTH", help="The password.  [env: REDISCLI_AUTH]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
def hotkeys(
    *,
    host: str,
    port: int,
    seconds: float,
    count: int,
    ratio: int,
    by: str,
    user: str | None,
    password: str | None,
    as_json: bool,
) -> None:
    """Show which keys are hot right now in a node, or in the whole cluster that it belongs to.

    Every primary counts for some seconds; Ctrl-C ends that early. Servers that cannot count (Redis before 8.6) are
    asked for the counters of their LFU policy, if they have one.
    """
    wish = Wish(Address(host, port), Options(username=user, password=password), seconds, count, ratio, by)
    try:
        outcome = trio.run(_attend, wish)
    except SamplingError as error:
        raise click.ClickException(str(error)) from error
    for failure in outcome.failures:
        click.echo(f"not counted: {failure}", err=True)
    if as_json:
        click.echo(json.dumps(document(outcome), indent=2))
    else:
        Console().print(table(outcome))
    if outcome.failures:
        raise SystemExit(1)


async def _attend(wish: Wish) -> Outcome:
    """Sample until the time is over or a signal comes."""
    interrupted = trio.Event()
    with first_of(SamplingError), trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_set_on_signal, signals, interrupted)
            outcome = await find_hot_keys(wish, interrupted)
            nursery.cancel_scope.cancel()
    return outcome


async def _set_on_signal(signals: AsyncIterator[int], interrupted: trio.Event) -> None:
    async for _ in signals:
        interrupted.set()


async def find_hot_keys(wish: Wish, interrupted: trio.Event) -> Outcome:
    """Ask all primaries for their hot keys. Raises SamplingError where one of them cannot begin."""
    async with connected([wish.address], wish.options) as (first,):
        primaries = await first.primaries()
    async with connected(primaries or [wish.address], wish.options) as nodes:
        try:
            reports, failures = await sample(nodes, wish.seconds, wish.sample_ratio, interrupted)
        except NoHotKeysCommand:
            return Outcome(await _by_frequency(nodes, wish, primaries is not None, interrupted))
        keys = merge(reports, by=wish.by, count=wish.count, in_cluster=primaries is not None)
        return Outcome(await _described(nodes, keys), reports, failures)


async def _by_frequency(nodes: Sequence[Node], wish: Wish, in_cluster: bool, interrupted: trio.Event) -> list[HotKey]:
    found: list[HotKey] = []
    for node in nodes:
        try:
            found += await most_frequent(node, wish.count, in_cluster, interrupted)
        except ErrorReply as error:
            raise SamplingError(f"{node.address}: {error}") from error
    return await _described(nodes, ranked(found, wish.by)[: wish.count])


async def _described(nodes: Sequence[Node], keys: Sequence[HotKey]) -> list[HotKey]:
    """Return the keys with their types and sizes, asked of the nodes that have counted them."""
    by_name = {str(node.address): node for node in nodes}
    return [await by_name[hot.node].describe(hot) for hot in keys]


# What a user sees.


def table(outcome: Outcome) -> Table:
    """Return the hot keys as a table, with those columns for which there is anything to tell."""
    rows = [{heading: tell(hot) for heading, tell in _COLUMNS.items()} for hot in outcome.keys]
    told = [heading for heading in _COLUMNS if not rows or any(row[heading] for row in rows)]
    if len(outcome.reports) == 1:
        # The title names it.
        told.remove(_NODE)
    result = Table(title=_title(outcome), title_justify="left")
    for heading in told:
        # Where the terminal is narrow only keys are broken: addresses and numbers are to be copied.
        justify: JustifyMethod = "right" if heading in _NUMBERS else "left"
        result.add_column(heading, justify=justify, overflow="fold", no_wrap=heading != _KEY)
    for row in rows:
        result.add_row(*(row[heading] for heading in told))
    return result


def _title(outcome: Outcome) -> str:
    if not outcome.reports:
        if outcome.failures:
            return "nothing was counted"
        return f"{len(outcome.keys)} keys by the counters of the LFU policy"
    seconds = max(report.duration_s for report in outcome.reports)
    commands = sum(report.totals[COMMANDS] * report.sample_ratio for report in outcome.reports)
    nodes = outcome.reports[0].node if len(outcome.reports) == 1 else f"{len(outcome.reports)} nodes"
    return f"{nodes}: {commands:,.0f} commands on keys in {seconds:.1f} s"


def _percent(hot: HotKey, metric: str) -> str:
    return f"{100 * hot.shares[metric]:.1f} %" if metric in hot.shares else ""


_KEY: Final = "key"
_NODE: Final = "node"
_COLUMNS: Final[dict[str, Callable[[HotKey], str]]] = {
    _KEY: lambda hot: escape(_text(hot.key)),
    _NODE: lambda hot: hot.node,
    "slot": lambda hot: "" if hot.slot is None else str(hot.slot),
    "commands": lambda hot: _percent(hot, COMMANDS),
    "ops/s": lambda hot: "" if hot.ops_per_s is None else f"{hot.ops_per_s:,.1f}",
    "time": lambda hot: _percent(hot, TIME),
    "bytes": lambda hot: _percent(hot, BYTES),
    "LFU": lambda hot: "" if hot.frequency is None else str(hot.frequency),
    "type": lambda hot: hot.type,
    "size": lambda hot: hot.size,
}
_NUMBERS: Final = frozenset(["slot", "commands", "ops/s", "time", "bytes", "LFU", "size"])


def _text(key: bytes) -> str:
    """Return a key as text; bytes that are none are written as escapes."""
    return key.decode(errors="backslashreplace")


def document(outcome: Outcome) -> dict[str, Any]:
    """Return all that was found for JSON; shares are parts of 1, fields of which nothing is known are null."""
    return {
        "nodes": [
            {
                "node": report.node,
                "seconds": report.duration_s,
                "sample_ratio": report.sample_ratio,
                "commands": report.totals[COMMANDS] * report.sample_ratio,
            }
            for report in outcome.reports
        ],
        "keys": [
            {
                "key": _text(hot.key),
                "node": hot.node,
                "slot": hot.slot,
                "share": hot.shares.get(COMMANDS),
                "ops_per_s": hot.ops_per_s,
                "time_share": hot.shares.get(TIME),
                "bytes_share": hot.shares.get(BYTES),
                "lfu_counter": hot.frequency,
                "type": hot.type,
                "size": hot.size,
            }
            for hot in outcome.keys
        ],
        "not_counted": outcome.failures,
    }

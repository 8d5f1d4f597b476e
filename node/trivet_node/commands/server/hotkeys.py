"""HOTKEYS: which keys commands spend their time, their bytes or themselves on. (Redis 8.6: hotkeys.c.)

One session at a time; it costs nothing while there is none. What it found can be asked for until the next one.
"""

from typing import Final, final

from trivet_node.client import Client
from trivet_node.cluster.slots import ALL_SLOTS, range_of_slots, slot_ranges
from trivet_node.command import ADMIN, LOADING, NOSCRIPT, STALE, Command, CommandError, container
from trivet_node.commands.arguments import integer_in, option, slot_at
from trivet_node.metering.hot_keys import CPU, NET, OPS, HotKeys
from trivet_node.server.metering import current_hot_keys, follow
from trivet_node.server.state import Server
from trivet_wire import errors
from trivet_wire.help import reply_help
from trivet_wire.replies import ReplyBuffer
from trivet_wire.slots import SLOT_COUNT

_METRICS: Final[dict[bytes, int]] = {b"CPU": CPU, b"NET": NET, b"OPS": OPS}
_METRICS_ARGUMENT: Final = 2
_DEFAULT_COUNT: Final = 10
_COUNT_MAX: Final = 64
_DURATION_MAX_S: Final = 1_000_000
_RATIO_MAX: Final = 2**31 - 1
_MS_PER_S: Final = 1000
_US_PER_MS: Final = 1000


@final
class StartOptions:
    """METRICS count [CPU] [NET] [OPS] [COUNT k] [DURATION seconds] [SAMPLE ratio] [SLOTS count slot [slot ...]]."""

    def __init__(self, server: Server, arguments: list[bytes]) -> None:
        self.metrics: int = 0
        self.count: int = _DEFAULT_COUNT
        self.duration_s: int = 0
        self.sample_ratio: int = 1
        self.slots: list[int] = []
        position = self._read_metrics(arguments)
        while position < len(arguments):
            word = option(arguments[position])
            value = arguments[position + 1] if position + 1 < len(arguments) else None
            position += 2
            if value is None:
                raise CommandError(errors.SYNTAX)
            if word == b"COUNT":
                self.count = integer_in(value, 1, _COUNT_MAX, b"ERR COUNT must be between 1 and 64")
            elif word == b"DURATION":
                error = b"ERR DURATION must be between 1 and 1000000"
                self.duration_s = integer_in(value, 1, _DURATION_MAX_S, error)
            elif word == b"SAMPLE":
                self.sample_ratio = integer_in(value, 1, _RATIO_MAX, b"ERR SAMPLE ratio must be positive")
            elif word == b"SLOTS":
                position = self._read_slots(server, arguments, position)
            else:
                raise CommandError(errors.SYNTAX)

    def _read_metrics(self, arguments: list[bytes]) -> int:
        """Read METRICS, which comes first, and return the position behind it. Unknown metrics are passed over."""
        if len(arguments) < _METRICS_ARGUMENT + 2 or option(arguments[_METRICS_ARGUMENT]) != b"METRICS":
            raise CommandError(b"ERR METRICS parameter is required")
        first = _METRICS_ARGUMENT + 2
        error = b"ERR METRICS count must be > 0 and <= %d" % len(_METRICS)
        count = integer_in(arguments[first - 1], 1, len(_METRICS), error)
        for argument in arguments[first : first + count]:
            word = option(argument)
            metric = _METRICS.get(word, 0)
            if self.metrics & metric:
                raise CommandError(b"ERR METRICS %s defined more than once!" % word)
            self.metrics |= metric
        if first + count > len(arguments):
            raise CommandError(b"ERR METRICS count does not match number of metric types provided")
        if not self.metrics:
            raise CommandError(b"ERR METRICS no valid metrics passed. Supported: CPU|NET|OPS")
        return first + count

    def _read_slots(self, server: Server, arguments: list[bytes], position: int) -> int:
        """Read the slots, which begin at `position` behind their count, and return the position behind them."""
        machine = server.cluster
        if machine is None:
            raise CommandError(b"ERR SLOTS parameter cannot be used in non-cluster mode")
        if self.slots:
            raise CommandError(b"ERR SLOTS parameter already specified")
        error = b"ERR SLOTS count must be between 1 and %d" % SLOT_COUNT
        end = position + integer_in(arguments[position - 1], 1, SLOT_COUNT, error)
        if end > len(arguments):
            raise CommandError(b"ERR not enough slot numbers provided")
        served = machine.state.shard_slots()
        for argument in arguments[position:end]:
            slot = slot_at(argument)
            if not served >> slot & 1:
                raise CommandError(b"ERR slot %d not handled by this node" % slot)
            self.slots.append(slot)
        self.slots.sort()
        if len(set(self.slots)) < len(self.slots):
            raise CommandError(b"ERR duplicate slot number")
        return end


def start(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HOTKEYS START; see StartOptions."""
    if current_hot_keys(server) is not None:
        raise CommandError(b"ERR hotkey tracking session already in progress")
    options = StartOptions(server, arguments)
    session = HotKeys(
        options.metrics,
        options.count,
        sample_ratio=options.sample_ratio,
        slots=options.slots,
        duration_ms=options.duration_s * _MS_PER_S,
        started_ms=int(server.keyspace.now_ms),
    )
    session.used_before_us = _used_us(server)
    server.hot_keys = session
    follow(server)
    client.reply.ok()


def stop(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HOTKEYS STOP."""
    session = current_hot_keys(server)
    if session is None:
        client.reply.null()
        return
    session.stop(int(server.keyspace.now_ms))
    follow(server)
    client.reply.ok()


def reset(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HOTKEYS RESET."""
    if current_hot_keys(server) is not None:
        raise CommandError(b"ERR hotkey tracking session in progress, stop tracking first")
    server.hot_keys = None
    client.reply.ok()


def get(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HOTKEYS GET."""
    current_hot_keys(server)
    session = server.hot_keys
    if session is None:
        client.reply.null()
        return
    head = [(b"tracking-active", 1 if session.is_active else 0), (b"sample-ratio", session.sample_ratio)]
    facts = _facts(server, session)
    lists = [(name, session.hottest(metric)) for name, metric in _LISTS if session.metrics & metric]
    reply = client.reply
    reply.array(1)
    reply.map(len(head) + 1 + len(facts) + len(lists))
    _reply_numbers(reply, head)
    _reply_slots(reply, _selected_slots(server, session))
    _reply_numbers(reply, facts)
    for name, hottest in lists:
        reply.bulk(name)
        reply.array(2 * len(hottest))
        _reply_numbers(reply, hottest)


def _reply_numbers(reply: ReplyBuffer, numbers: list[tuple[bytes, int]]) -> None:
    for name, number in numbers:
        reply.bulk(name)
        reply.integer(number)


_LISTS: Final = ((b"by-cpu-time-us", CPU), (b"by-net-bytes", NET), (b"by-commands", OPS))


def _facts(server: Server, session: HotKeys) -> list[tuple[bytes, int]]:
    """Return the numbers of HOTKEYS GET in their order; those of selected slots and samples only where there are."""
    selected = bool(session.slots)
    sampled = selected and session.sample_ratio > 1
    facts: list[tuple[bytes, int]] = []
    if sampled:
        facts.append((b"sampled-commands-selected-slots-us", int(session.sampled.elapsed_us)))
    if selected:
        facts.append((b"all-commands-selected-slots-us", int(session.selected.elapsed_us)))
    facts.append((b"all-commands-all-slots-us", int(session.all_slots.elapsed_us)))
    if sampled:
        facts.append((b"net-bytes-sampled-commands-selected-slots", int(session.sampled.net_bytes)))
    if selected:
        facts.append((b"net-bytes-all-commands-selected-slots", int(session.selected.net_bytes)))
    facts.append((b"net-bytes-all-commands-all-slots", int(session.all_slots.net_bytes)))
    facts.append((b"collection-start-time-unix-ms", session.started_ms))
    facts.append((b"collection-duration-ms", session.lasted_ms(int(server.keyspace.now_ms))))
    if session.metrics & CPU:
        user_us, system_us = _used_us(server)
        user_before_us, system_before_us = session.used_before_us
        facts.append((b"total-cpu-time-user-ms", (user_us - user_before_us) // _US_PER_MS))
        facts.append((b"total-cpu-time-sys-ms", (system_us - system_before_us) // _US_PER_MS))
    if session.metrics & NET:
        facts.append((b"total-net-bytes", int(session.sampled.net_bytes)))
    if session.metrics & OPS:
        facts.append((b"total-commands", int(session.sampled.commands)))
    return facts


def _selected_slots(server: Server, session: HotKeys) -> int:
    """Return the set of slots that the session is about: the chosen ones, or all that this node serves."""
    if session.slots:
        slots = 0
        for slot in session.slots:
            slots |= range_of_slots(slot, slot)
        return slots
    return ALL_SLOTS if server.cluster is None else server.cluster.state.shard_slots()


def _reply_slots(reply: ReplyBuffer, slots: int) -> None:
    """Append the ranges of a set of slots: two numbers, or one where a range is a single slot."""
    ranges = slot_ranges(slots)
    reply.bulk(b"selected-slots")
    reply.array(len(ranges))
    for first, last in ranges:
        reply.array(1 if first == last else 2)
        reply.integer(first)
        if first != last:
            reply.integer(last)


def _used_us(server: Server) -> tuple[int, int]:
    """Return the user and system time that the process has used, in microseconds."""
    facts = server.host.process_facts()
    return facts.get("used_cpu_user_us", 0), facts.get("used_cpu_sys_us", 0)


def help_(server: Server, client: Client, arguments: list[bytes]) -> None:
    """HOTKEYS HELP."""
    reply_help(client.reply, "HOTKEYS", _HELP)


_HELP: Final = (
    "START METRICS <count> [CPU] [NET] [OPS] [COUNT <k>] [DURATION <seconds>] [SAMPLE <ratio>]",
    "      [SLOTS <count> <slot> [<slot> ...]]",
    "    Begin to count which keys are hot: by time, by bytes, by the number of commands.",
    "STOP",
    "    End that, and keep what was found.",
    "GET",
    "    Return the <k> hottest keys by each metric.",
    "RESET",
    "    Forget what was found.",
)

COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "hotkeys",
        -2,
        container,
        0,
        group="server",
        since="8.6.0",
        summary="A container for hotkeys tracking commands",
        complexity="Depends on subcommand.",
        subcommands=(
            Command(
                "hotkeys|start",
                -2,
                start,
                ADMIN | NOSCRIPT,
                group="server",
                since="8.6.0",
                summary="Starts hotkeys tracking",
                arguments="metrics:block=METRICS(count:integer cpu:pure-token=CPU? net:pure-token=NET? "
                "ops:pure-token=OPS?) k:integer=COUNT? seconds:integer=DURATION? ratio:integer=SAMPLE? "
                "slots:block=SLOTS?(count:integer slot:integer*)",
                difference="Of Redis 8.6, with one more metric: OPS counts commands.",
            ),
            Command(
                "hotkeys|stop",
                2,
                stop,
                ADMIN | NOSCRIPT,
                group="server",
                since="8.6.0",
                summary="Stops hotkeys tracking",
            ),
            Command(
                "hotkeys|get",
                2,
                get,
                ADMIN | NOSCRIPT,
                group="server",
                since="8.6.0",
                summary="Returns lists of top K hotkeys depending on metrics chosen in HOTKEYS START command",
                complexity="O(K) where K is the number of hotkeys returned.",
                tips=("nondeterministic_output",),
                difference="With OPS it also tells `total-commands` and `by-commands`.",
            ),
            Command(
                "hotkeys|reset",
                2,
                reset,
                ADMIN | NOSCRIPT,
                group="server",
                since="8.6.0",
                summary="Release the resources used for hotkey tracking",
            ),
            Command(
                "hotkeys|help",
                2,
                help_,
                LOADING | STALE,
                group="server",
                since="8.6.0",
                summary="Show helpful text about the different subcommands",
            ),
        ),
    ),
)

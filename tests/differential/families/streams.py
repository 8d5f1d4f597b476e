"""Streams and their consumer groups.

IDs are small numbers, so that commands meet each other's entries; what the server makes up from the clock stays under
keys of chance. Idle times are none or more than an hour: XCLAIM sets them back so far.
"""

from typing import Final

from tests.differential.generator import CHANCE, Arguments, Form, Generator, Script, form
from tests.differential.replies import Reply
from tests.differential.rules import TOLERANCE_MS, Rule, near

_ODD_IDS: Final = [
    *[b"-", b"+", b"*", b"$", b">", b"", b"x", b"1-", b"-1", b"0-0", b"0-1", b"0", b"1-1-1", b"1-x", b"(1-1"],
    *[b" 2-1", b"2-+1", b"02-1", b"1--01", b"2 -1", b"1\x00-5", b"2-1\x00", b"1-*", b"*-1", b"0-*", b"2-**"],
    *[b"18446744073709551615-18446744073709551615", b"18446744073709551615", b"18446744073709551615-*"],
    *[b"18446744073709551616-0", b"9223372036854775807-9223372036854775808", b"3-18446744073709551615", b"3" * 130],
]
_IDLE: Final = [b"0", b"0", b"0", b"0", b"3600000", b"3600000", b"-1", b"9223372036854775807", b"x"]
_OLD: Final = [b"7200000", b"7200000", b"86400000", b"0", b"-5", b"9223372036854775807", b"-9223372036854775808", b"x"]
_TIMES: Final = [b"1000", b"0", b"-1", b"-2", b"99999999999999", b"x", b"1600000000000"]
_LARGEST: Final = 12
# Redis looks at an errno that nobody has set.
_BEYOND_LAST: Final = {
    b"ERR The ID specified in XADD is equal or smaller than the target stream top item",
    b"ERR Elements are too large to be stored",
}


def _given_id(gen: Generator) -> bytes:
    """Return an ID that is often that of an entry."""
    if gen.random.random() < 0.08:
        return gen.random.choice(_ODD_IDS)
    first = gen.random.choice((gen.random.randint(1, _LARGEST), _LARGEST))
    second = gen.random.choice((0, 1, 2, 3, gen.random.randrange(60)))
    return b"%d" % first if gen.random.random() < 0.1 else b"%d-%d" % (first, second)


def _new_id(gen: Generator) -> bytes:
    """Return an ID for XADD: one that fits mostly."""
    if gen.random.random() < 0.15:
        wanted = _given_id(gen)
        return b"1-1" if wanted == b"*" else wanted
    return b"%d-*" % min(_LARGEST, gen.random.choice((1, 1, 2, 3, 5, 8, _LARGEST, 2 * _LARGEST)))


def _edge(gen: Generator) -> bytes:
    """Return an end of a range."""
    chance = gen.random.random()
    if chance < 0.3:
        return gen.random.choice((b"-", b"+"))
    return b"(" + _given_id(gen) if chance < 0.5 else _given_id(gen)


def _edges(gen: Generator) -> list[bytes]:
    """Return two ends, mostly in their order."""
    return [b"-", b"+"] if gen.random.random() < 0.4 else [_edge(gen), _edge(gen)]


def _ids(gen: Generator) -> list[bytes]:
    return [_given_id(gen) for _ in range(gen.random.choice((1, 1, 2, 3, 6)))]


def _group(gen: Generator) -> bytes:
    return gen.random.choice((*[b"g1"] * 6, b"g2", b"g2", b"g\x00\r\n", b"none"))


def _consumer(gen: Generator) -> bytes:
    return gen.random.choice((b"anna", b"anna", b"bert", b"cleo", b"", b"c\xff"))


def _content(gen: Generator) -> list[bytes]:
    """Return fields and values: often the same fields."""
    if gen.random.random() < 0.5:
        return [b"f", gen.member(), b"7", gen.member()]
    pairs = gen.random.choice((1, 1, 2, 3))
    return [gen.member() for _ in range(2 * pairs if gen.random.random() < 0.95 else 2 * pairs + 1)]


def _trimming(gen: Generator) -> list[bytes]:
    by_length = gen.random.random() < 0.6
    arguments = [gen.option(b"MAXLEN") if by_length else gen.option(b"MINID")]
    arguments += gen.random.choice(([], [b"="], [b"~"], [b"~"], [b"~"]))
    if by_length:
        arguments.append(gen.random.choice((b"0", b"1", b"3", b"10", b"20", b"1000", gen.integer())))
    else:
        arguments.append(_given_id(gen))
    if gen.random.random() < 0.35:
        arguments += [gen.option(b"LIMIT"), gen.random.choice((b"0", b"1", b"5", b"10", b"-1", gen.integer()))]
    return arguments


def _xadd(gen: Generator) -> Arguments:
    options: list[bytes] = []
    if gen.random.random() < 0.2:
        options += _trimming(gen)
    if gen.random.random() < 0.15:
        options.append(gen.option(b"NOMKSTREAM"))
    if gen.random.random() < 0.02:
        options += _trimming(gen)
    return (b"XADD", gen.key(), *options, _new_id(gen), *_content(gen))


def _xtrim(gen: Generator) -> Arguments:
    return (b"XTRIM", gen.key(), *_trimming(gen))


def _range(gen: Generator) -> Arguments:
    count = [gen.option(b"COUNT"), gen.count()] if gen.random.random() < 0.4 else []
    return (gen.random.choice((b"XRANGE", b"XREVRANGE")), gen.key(), *_edges(gen), *count)


def _xsetid(gen: Generator) -> Arguments:
    options: list[bytes] = []
    if gen.random.random() < 0.5:
        options += [gen.option(b"ENTRIESADDED"), gen.random.choice((b"0", b"3", b"50", b"1000", gen.integer()))]
    if gen.random.random() < 0.5:
        options += [gen.option(b"MAXDELETEDID"), _given_id(gen)]
    return (b"XSETID", gen.key(), gen.random.choice((_given_id(gen), b"12-70")), *options)


def _streams(gen: Generator, *words: bytes) -> list[bytes]:
    """Return keys and as many IDs, or words that stand for IDs."""
    keys = [gen.key() for _ in range(gen.random.choice((1, 1, 1, 1, 1, 2, 3)))]
    return [gen.option(b"STREAMS"), *keys, *[gen.random.choice((*words, _given_id(gen), b"0")) for _ in keys]]


def _reading(gen: Generator) -> list[bytes]:
    """Return options of XREAD and XREADGROUP."""
    options: list[bytes] = []
    if gen.random.random() < 0.4:
        options += [gen.option(b"COUNT"), gen.count()]
    if gen.random.random() < 0.35:
        timeout = gen.random.choice((b"0", b"0", b"1000000", b"9223372036854775807", b"-1", b"x", b"1.5"))
        options += [gen.option(b"BLOCK"), timeout]
    return options


def _xread(gen: Generator) -> Arguments:
    return (b"XREAD", *_reading(gen), *_streams(gen, b"$", b"$", b"0-0"))


def _xreadgroup(gen: Generator) -> Arguments:
    options = _reading(gen)
    if gen.random.random() < 0.25:
        options.append(gen.option(b"NOACK"))
    names = (gen.option(b"GROUP"), _group(gen), _consumer(gen))
    return (b"XREADGROUP", *names, *options, *_streams(gen, b">", b">", b">", b">"))


def _entries_read(gen: Generator) -> list[bytes]:
    if gen.random.random() < 0.7:
        return []
    return [gen.option(b"ENTRIESREAD"), gen.random.choice((b"0", b"2", b"-1", b"100", gen.integer()))]


def _xgroup_create(gen: Generator) -> Arguments:
    options = _entries_read(gen)
    if gen.random.random() < 0.6:
        options.append(gen.option(b"MKSTREAM"))
    start = gen.random.choice((b"0", b"0", b"$", _given_id(gen)))
    return (b"XGROUP", b"CREATE", gen.key(), _group(gen), start, *options)


def _xgroup_setid(gen: Generator) -> Arguments:
    start = gen.random.choice((b"0", b"$", b"-", b"+", _given_id(gen), _given_id(gen)))
    return (b"XGROUP", b"SETID", gen.key(), _group(gen), start, *_entries_read(gen))


def _xgroup_consumer(gen: Generator) -> Arguments:
    word = gen.random.choice((b"CREATECONSUMER", b"createconsumer", b"DELCONSUMER"))
    return (b"XGROUP", word, gen.key(), _group(gen), _consumer(gen))


def _xgroup_destroy(gen: Generator) -> Arguments:
    return (b"XGROUP", b"DESTROY", gen.key(), _group(gen))


def _xpending(gen: Generator) -> Arguments:
    if gen.random.random() < 0.3:
        return (b"XPENDING", gen.key(), _group(gen))
    idle = [gen.option(b"IDLE"), gen.random.choice(_IDLE)] if gen.random.random() < 0.3 else []
    consumer = [_consumer(gen)] if gen.random.random() < 0.4 else []
    return (b"XPENDING", gen.key(), _group(gen), *idle, *_edges(gen), gen.count(), *consumer)


def _xclaim(gen: Generator) -> Arguments:
    options: list[bytes] = []
    for _ in range(gen.random.choice((0, 0, 1, 1, 2, 3))):
        options += gen.random.choice(
            (
                [gen.option(b"IDLE"), gen.random.choice(_OLD)],
                [gen.option(b"IDLE"), gen.random.choice(_OLD)],
                [gen.option(b"TIME"), gen.random.choice(_TIMES)],
                [gen.option(b"RETRYCOUNT"), gen.random.choice((b"0", b"5", gen.integer()))],
                [gen.option(b"FORCE")],
                [gen.option(b"FORCE")],
                [gen.option(b"JUSTID")],
                [gen.option(b"LASTID"), _given_id(gen)],
            )
        )
    start = (gen.key(), _group(gen), _consumer(gen), gen.random.choice(_IDLE))
    return (b"XCLAIM", *start, *_ids(gen), *options)


def _xautoclaim(gen: Generator) -> Arguments:
    options = [gen.option(b"COUNT"), gen.random.choice((b"1", b"2", b"10", b"0", b"x"))] * gen.random.choice((0, 1))
    if gen.random.random() < 0.3:
        options.append(gen.option(b"JUSTID"))
    start = gen.random.choice((b"0", b"-", _edge(gen)))
    return (b"XAUTOCLAIM", gen.key(), _group(gen), _consumer(gen), gen.random.choice(_IDLE), start, *options)


def _xinfo(gen: Generator) -> Arguments:
    word = gen.random.choice((b"STREAM", b"STREAM", b"FULL", b"FULL", b"GROUPS", b"CONSUMERS", b"HELP"))
    if word == b"HELP":
        return (b"XINFO", b"HELP")
    if word == b"CONSUMERS":
        return (b"XINFO", word, gen.key(), _group(gen))
    if word != b"FULL":
        return (b"XINFO", word, gen.key())
    count = [gen.option(b"COUNT"), gen.count()] if gen.random.random() < 0.5 else []
    return (b"XINFO", b"STREAM", gen.key(), gen.option(b"FULL"), *count)


def _many_entries(gen: Generator) -> list[Arguments]:
    """Return additions that fill several nodes, with holes."""
    key = gen.key()
    number = gen.random.choice((10, 40, 130))
    fields = [gen.member() for _ in range(gen.random.choice((1, 2)))]
    commands: list[Arguments] = []
    for index in range(number):
        content = [word for field in fields for word in (field, b"%d" % index)]
        commands.append((b"XADD", key, b"12-*", *(content if index % 7 else [*content, b"more", b"1"])))
    deleted = [(b"XDEL", key, b"12-%d" % gen.random.randrange(number)) for _ in range(gen.random.choice((0, 3, 30)))]
    return [*commands, *deleted, (b"XINFO", b"STREAM", key)]


def _readers(gen: Generator) -> list[Arguments]:
    """Return a group and consumers that read from it."""
    key, group = gen.key(), _group(gen)
    commands: list[Arguments] = [(b"XGROUP", b"CREATE", key, group, b"0", b"MKSTREAM")]
    commands += [(b"XADD", key, b"12-*", *_content(gen)) for _ in range(gen.random.choice((1, 5)))]
    for _ in range(gen.random.choice((1, 4))):
        consumer = _consumer(gen)
        commands.append((b"XREADGROUP", b"GROUP", group, consumer, b"COUNT", b"2", b"STREAMS", key, b">"))
    commands.append((b"XCLAIM", key, group, _consumer(gen), b"0", *_ids(gen), b"IDLE", b"7200000"))
    commands.append((b"XACK", key, group, *_ids(gen)))
    commands.append((b"XAUTOCLAIM", key, group, _consumer(gen), b"3600000", b"-", b"COUNT", b"2"))
    return [*commands, (b"XPENDING", key, group, b"-", b"+", b"10"), (b"XINFO", b"STREAM", key, b"FULL")]


def _waiting_reader(gen: Generator) -> list[Arguments]:
    """Return a reader that waits for what others will do to its stream or group."""
    key, group = gen.key(), _group(gen)
    if gen.random.random() < 0.3:
        return [(b"XADD", key, b"12-*", b"f", b"v"), (b"XREAD", b"BLOCK", b"0", b"STREAMS", key, b"$")]
    options = gen.random.choice(((), (b"NOACK",), (b"COUNT", b"1")))
    reading = (b"XREADGROUP", b"GROUP", group, _consumer(gen), b"BLOCK", b"0", *options, b"STREAMS", key, b">")
    return [(b"XGROUP", b"CREATE", key, group, b"$", b"MKSTREAM"), reading]


def _served_reader(gen: Generator) -> list[Arguments]:
    """Return what reaches readers that wait: additions, also some that are gone again, and ends of all kinds."""
    key = gen.key()
    added: Arguments = (b"XADD", key, b"12-*", b"f", b"v")
    return gen.random.choice(
        (
            [added],
            [added, added],
            [(b"MULTI",), added, added, (b"EXEC",)],
            [(b"MULTI",), added, (b"XTRIM", key, b"MAXLEN", b"0"), (b"EXEC",)],
            [(b"MULTI",), (b"DEL", key), (b"SET", key, b"x"), (b"EXEC",), (b"DEL", key)],
            [(b"MULTI",), (b"DEL", key), added, (b"EXEC",)],
            [(b"XGROUP", b"DESTROY", key, _group(gen))],
            [(b"DEL", key)],
            [(b"RENAME", key, gen.key())],
            [(b"XTRIM", key, b"MAXLEN", b"0"), (b"XSETID", key, b"13-1"), (b"EXPIRE", key, b"10000000")],
        )
    )


def _times_as_ids(gen: Generator) -> list[Arguments]:
    """Return additions whose IDs the server makes up, under a key that nobody else knows."""
    key = CHANCE + b"s"
    commands: list[Arguments] = [(b"XADD", key, b"*", *_content(gen)) for _ in range(gen.random.choice((1, 3)))]
    commands.append((b"XADD", key, b"MAXLEN", b"~", b"3", b"*", b"f", b"v"))
    return [*commands, (b"XLEN", key), (b"XTRIM", key, b"MINID", b"12"), (b"XLEN", key), (b"DEL", key)]


def _near_ids(arguments: Arguments, one: Reply, other: Reply) -> bool:
    """Two IDs from two clocks, or two errors: what Redis calls a sequence beyond the last one is chance."""
    if one.kind == other.kind == b"-":
        return {one.value, other.value} == _BEYOND_LAST
    if one.kind != b"$" or not arguments[1].startswith(CHANCE):
        return False
    first, second = [int(reply.words()[0].split(b"-")[0]) for reply in (Reply(b"*", [one]), Reply(b"*", [other]))]
    return abs(first - second) <= TOLERANCE_MS


def _near_times(arguments: Arguments, one: Reply, other: Reply) -> bool:
    """Equal but for times: of consumers, named, and of pending entries, which stand before their count."""
    left, right = one.items(), other.items()
    if one.kind != other.kind or len(left) != len(right):
        return False
    for index, (first, second) in enumerate(zip(left, right, strict=True)):
        is_named = index % 2 == 1 and left[index - 1].value in (b"idle", b"seen-time")
        is_pending = len(left) in (3, 4) and index == len(left) - 2 and first.kind == second.kind == b":"
        if first == second or ((is_named or is_pending) and near(first, second, TOLERANCE_MS)):
            continue
        if not first.items() or not _near_times(arguments, first, second):
            return False
    return True


_KEY: Final = Generator.key

FORMS: Final[list[Form]] = [
    *[_xadd] * 8,
    *[_range] * 4,
    *[_xtrim] * 2,
    *[_xread] * 3,
    *[_xreadgroup] * 7,
    *[_xgroup_create] * 3,
    *[_xgroup_setid, _xgroup_consumer, _xgroup_consumer, _xgroup_destroy, _xsetid, _xsetid],
    *[_xpending] * 3,
    *[_xclaim] * 4,
    *[_xautoclaim] * 3,
    *[_xinfo] * 4,
    form(b"XLEN", _KEY),
    lambda gen: (b"XDEL", gen.key(), *_ids(gen)),
    lambda gen: (b"XDEL", gen.key(), *_ids(gen)),
    lambda gen: (b"XACK", gen.key(), _group(gen), *_ids(gen)),
    lambda gen: (b"XACK", gen.key(), _group(gen), *_ids(gen)),
    lambda gen: (b"XGROUP", b"HELP"),
]
SCRIPTS: Final[list[Script]] = [
    *[_many_entries, _times_as_ids],
    *[_readers] * 4,
    *[_waiting_reader] * 8,
    *[_served_reader] * 8,
]
RULES: Final[dict[bytes, Rule]] = {b"XADD": _near_ids, b"XPENDING": _near_times, b"XINFO": _near_times}

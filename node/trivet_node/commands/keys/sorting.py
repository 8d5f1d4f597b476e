"""SORT and SORT_RO: the elements of a list, set or sorted set in another order, or what keys named by them hold.

Numbers are compared as doubles and elements of equal weight as bytes; ALPHA compares as C strings, as the C locale
collates, but what is stored as bytes. Elements that are equal then keep their order, unless a LIMIT spares sorting the
rest. A BY without `*` asks for no sorting at all. (Redis: sort.c.)
"""

from typing import Final, final

from mypy_extensions import i64

from trivet_node.client import Client
from trivet_node.command import DENYOOM, READONLY, WRITE, Command, CommandError, KeySpec
from trivet_node.commands.arguments import integer, option
from trivet_node.commands.keys.sort_patterns import Pattern
from trivet_node.keyspace import Database
from trivet_node.server.events import GENERIC, LIST, notify
from trivet_node.server.state import Server
from trivet_node.values.doubles import parse_double
from trivet_node.values.lists import List, from_values
from trivet_node.values.partial_sort import PartialSort
from trivet_node.values.sets import Set
from trivet_node.values.zsets import SortedSet
from trivet_wire import errors

_NO_NUMBER: Final = b"ERR One or more scores can't be converted into double"
_SPACES: Final = b" \t\n\v\f\r"
_SMALLEST_NORMAL: Final = 2.0**-1022
_DIFFERENCE: Final = (
    "ALPHA collates as in the C locale, whatever the environment says; a number out of range that an earlier command "
    "has met is no error."
)
# How many arguments follow these words; STORE's is a key.
_FOLLOWING: Final[dict[bytes, int]] = {b"LIMIT": 2, b"GET": 1, b"BY": 1}


@final
class SortOptions:
    """What follows the key."""

    def __init__(self, server: Server, arguments: list[bytes], may_store: bool) -> None:
        self.descending: bool = False
        self.alpha: bool = False
        self.start: int = 0
        self.count: int = -1
        # A BY without `*`, wherever it stands.
        self.keeps_order: bool = False
        self.by: Pattern | None = None
        self.gets: list[Pattern] = []
        self.target: bytes | None = None
        position = 2
        while position < len(arguments):
            position += 1 + self._read(server, arguments, position, may_store)

    def _read(self, server: Server, arguments: list[bytes], position: int, may_store: bool) -> int:
        """Read the option at `position` and return how many arguments belong to it."""
        word = option(arguments[position])
        left = len(arguments) - position - 1
        if word in (b"ASC", b"DESC"):
            self.descending = word == b"DESC"
            return 0
        if word == b"ALPHA":
            self.alpha = True
            return 0
        if word == b"LIMIT" and left >= 2:
            self.start = integer(arguments[position + 1])
            self.count = integer(arguments[position + 2])
            return 2
        if left == 0:
            raise CommandError(errors.SYNTAX)
        if word == b"STORE" and may_store:
            self.target = arguments[position + 1]
        elif word == b"BY":
            self._read_by(server, arguments[position + 1])
        elif word == b"GET":
            if server.config.cluster_enabled:
                raise CommandError(b"ERR GET option of SORT denied in Cluster mode.")
            self.gets.append(Pattern(arguments[position + 1]))
        else:
            raise CommandError(errors.SYNTAX)
        return 1

    def _read_by(self, server: Server, text: bytes) -> None:
        self.by = Pattern(text)
        if not self.by.names_keys:
            self.keeps_order = True
        elif server.config.cluster_enabled:
            raise CommandError(b"ERR BY option of SORT denied in Cluster mode.")

    def range(self, length: int) -> tuple[int, int]:
        """Return which of so many elements LIMIT asks for: the index of the first and the one behind the last."""
        start = min(max(self.start, 0), length)
        return start, length if self.count < 0 else min(start + self.count, length)


def sort(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SORT key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC | DESC] [ALPHA] [STORE destination]."""
    options = SortOptions(server, arguments, True)
    elements = _sorted(client.database, arguments[1], options)
    if options.target is None:
        _reply(client, elements, options)
    else:
        _store(server, client, elements, options, options.target)


def sort_ro(server: Server, client: Client, arguments: list[bytes]) -> None:
    """SORT_RO key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC | DESC] [ALPHA]."""
    options = SortOptions(server, arguments, False)
    _reply(client, _sorted(client.database, arguments[1], options), options)


def _reply(client: Client, elements: list[bytes], options: SortOptions) -> None:
    reply = client.reply
    if not options.gets:
        reply.bulk_array(elements)
        return
    reply.array(len(elements) * len(options.gets))
    for element in elements:
        for pattern in options.gets:
            found = pattern.look_up(client.database, element)
            if found is None:
                reply.null()
            else:
                reply.bulk(found)


def _store(server: Server, client: Client, elements: list[bytes], options: SortOptions, target: bytes) -> None:
    database = client.database
    if options.gets:
        elements = [pattern.look_up(database, element) or b"" for element in elements for pattern in options.gets]
    if elements:
        database.put(target, from_values(elements, server.limits.list_max_listpack_size))
        server.keyspace.dirty += len(elements) - 1
        notify(server, LIST, b"sortstore", target, database)
    elif database.delete_even_expired(target):
        notify(server, GENERIC, b"del", target, database)
    client.reply.integer(len(elements))


def _sorted(database: Database, key: bytes, options: SortOptions) -> list[bytes]:
    """Return the elements of a value in the order and range asked for."""
    value = database.read(key)
    if value is None:
        return []
    if isinstance(value, SortedSet):
        # As in Redis, where it can be seen afterwards: sorting takes a sorted set out of its listpack for good.
        value.unpack()
    length = _length(value)
    start, stop = options.range(length)
    by = options.by
    alpha = options.alpha
    if options.keeps_order:
        if not isinstance(value, Set) or options.target is None:
            return _in_order(value, start, stop, options.descending)
        # The order of a set is chance, and what is stored must not be.
        by = None
        alpha = True
    elements = _in_order(value, 0, length, False)
    weights = _words(database, elements, by, options.target is None) if alpha else _numbers(database, elements, by)
    if alpha and by is not None and stop - start != length:
        return [elements[index] for index in _partial_order(weights, options.descending, start, stop)]
    order = sorted(range(length), key=weights.__getitem__, reverse=options.descending)
    return [elements[index] for index in order[start:stop]]


def _partial_order(weights: list[tuple[float, bytes]], descending: bool, start: int, stop: int) -> list[int]:
    """Return the indices of the weights from `start` to before `stop` in their order, equal ones in Redis'.

    With BY and LIMIT Redis sorts no more than it must, which is not stable.
    """
    sign = -1.0 if descending else 1.0
    ranks = {weight: sign * rank for rank, weight in enumerate(sorted(set(weights)))}
    sorting = PartialSort([ranks[weight] for weight in weights], start, stop)
    sorting.sort(0, len(weights))
    return sorting.places[start:stop]


def _length(value: object) -> int:
    if isinstance(value, List):
        return value.length()
    if isinstance(value, (Set, SortedSet)):
        return len(value)
    raise CommandError(errors.WRONG_TYPE)


def _in_order(value: object, start: i64, stop: i64, from_end: bool) -> list[bytes]:
    """Return a range of the elements as they stand in the value, counted and taken from the end if so asked.

    A set has no end.
    """
    if isinstance(value, Set):
        return value.members()[start:stop]
    if from_end:
        length: i64 = _length(value)
        found = _in_order(value, length - stop, length - start, False)
        found.reverse()
        return found
    if isinstance(value, List):
        return value.values(start, stop)
    members: list[bytes] = []
    if isinstance(value, SortedSet):
        value.collect(start, stop, members, [])
    return members


def _numbers(database: Database, elements: list[bytes], by: Pattern | None) -> list[tuple[float, bytes]]:
    """Return what numeric sorting compares; an element whose key is missing weighs nothing."""
    weights: list[tuple[float, bytes]] = []
    failed = False
    for element in elements:
        text = element if by is None else by.look_up(database, element)
        number = 0.0 if text is None else _number(text)
        # All keys are looked up before the error is told: that counts as hits and misses.
        failed = failed or number is None
        weights.append((number or 0.0, element))
    if failed:
        raise CommandError(_NO_NUMBER)
    return weights


def _number(text: bytes) -> float | None:
    """Return the number that `text` is to strtod, nothing at all being 0, or None for what it cannot represent."""
    text = text.partition(b"\0")[0]
    if not text:
        return 0.0
    number = parse_double(text.lstrip(_SPACES))
    return None if number is None or 0.0 < abs(number) < _SMALLEST_NORMAL else number


def _words(database: Database, elements: list[bytes], by: Pattern | None, as_text: bool) -> list[tuple[float, bytes]]:
    """Return what ALPHA compares; an element whose key is missing comes before all others."""
    weights: list[tuple[float, bytes]] = []
    for element in elements:
        word = element if by is None else by.look_up(database, element)
        if word is None:
            weights.append((0.0, b""))
        else:
            weights.append((1.0, word.partition(b"\0")[0] if as_text else word))
    return weights


def find_sort_keys(arguments: list[bytes]) -> list[bytes]:
    """Return the key to be sorted and the one behind the last STORE. (Redis: db.c sortGetKeys.)"""
    keys = [arguments[1]]
    position = 2
    while position < len(arguments):
        word = option(arguments[position])
        if word == b"STORE" and position + 1 < len(arguments):
            keys = [arguments[1], arguments[position + 1]]
        position += 1 + _FOLLOWING.get(word, 0)
    return keys


def find_sort_ro_keys(arguments: list[bytes]) -> list[bytes]:
    """Return the key to be sorted."""
    return [arguments[1]]


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "sort",
        -2,
        sort,
        WRITE | DENYOOM,
        group="generic",
        categories="set sortedset list dangerous",
        since="1.0.0",
        summary="Sort the elements in a list, set or sorted set",
        complexity="O(N+M*log(M)) where N is the number of elements in the list or set to sort, and M the number of "
        "returned elements. When the elements are not sorted, complexity is O(N).",
        keys=(
            KeySpec("RO access"),
            KeySpec(
                "RO access",
                is_unknown=True,
                notes="For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from the "
                "content of the key we sort",
            ),
            KeySpec(
                "OW update",
                is_unknown=True,
                notes="For the optional STORE keyword. It is marked 'unknown' because the keyword can appear "
                "anywhere in the argument array",
            ),
        ),
        difference=_DIFFERENCE,
        find_keys=find_sort_keys,
        arguments="key:key#0 pattern:pattern=BY#1? offset_count:block=LIMIT?(offset:integer count:integer) "
        "pattern:pattern=GET#1?*+ order:oneof?(asc:pure-token=ASC desc:pure-token=DESC) "
        "sorting:pure-token=ALPHA? destination:key=STORE#2?",
    ),
    Command(
        "sort_ro",
        -2,
        sort_ro,
        READONLY,
        group="generic",
        categories="set sortedset list dangerous",
        since="7.0.0",
        summary="Sort the elements in a list, set or sorted set. Read-only variant of SORT.",
        complexity="O(N+M*log(M)) where N is the number of elements in the list or set to sort, and M the number of "
        "returned elements. When the elements are not sorted, complexity is O(N).",
        keys=(
            KeySpec("RO access"),
            KeySpec(
                "RO access",
                is_unknown=True,
                notes="For the optional BY/GET keyword. It is marked 'unknown' because the key names derive from the "
                "content of the key we sort",
            ),
        ),
        difference=_DIFFERENCE,
        find_keys=find_sort_ro_keys,
        arguments="key:key#0 pattern:pattern=BY#1? offset_count:block=LIMIT?(offset:integer count:integer) "
        "pattern:pattern=GET#1?*+ order:oneof?(asc:pure-token=ASC desc:pure-token=DESC) "
        "sorting:pure-token=ALPHA?",
    ),
)

"""Lists in their middle: replace, trim, remove, insert, search. (Redis: group "list"; t_list.c.)"""

from typing import Final, final

from mypy_extensions import i64

from trivet_node.client import Client
from trivet_node.command import DENYOOM, READONLY, WRITE, Command, CommandError, KeySpec
from trivet_node.commands.arguments import INTEGER_MAX, INTEGER_MIN, index_range, integer, integer_in, option
from trivet_node.commands.element_changes import finish_removal
from trivet_node.commands.lists.lists import find_list, index_of, read_list
from trivet_node.server.events import LIST, notify
from trivet_node.server.state import Server
from trivet_node.values.long_lists import Search
from trivet_wire import errors

_INDEX_OUT_OF_RANGE: Final = b"ERR index out of range"
_ZERO_RANK: Final = (
    b"ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... "
    b"or use negative to start from the end of the list"
)


def lset(server: Server, client: Client, arguments: list[bytes]) -> None:
    """LSET key index element."""
    database = client.database
    key = arguments[1]
    value = find_list(database, key)
    if value is None:
        raise CommandError(errors.NO_SUCH_KEY)
    index = index_of(arguments[2], value)
    if index < 0:
        raise CommandError(_INDEX_OUT_OF_RANGE)
    value.replace(index, arguments[3], server.limits.list_max_listpack_size)
    client.reply.ok()
    database.modified(key)
    notify(server, LIST, b"lset", key, database)


def ltrim(server: Server, client: Client, arguments: list[bytes]) -> None:
    """LTRIM key start stop."""
    start = integer(arguments[2])
    last = integer(arguments[3])
    database = client.database
    key = arguments[1]
    value = find_list(database, key)
    if value is not None:
        length = value.length()
        first, stop = index_range(start, last, int(length))
        value.drop(length - stop, False)
        value.drop(first, True)
        notify(server, LIST, b"ltrim", key, database)
        finish_removal(server, database, key, value.length() == 0, length - stop + first)
    client.reply.ok()


def lrem(server: Server, client: Client, arguments: list[bytes]) -> None:
    """LREM key count element."""
    count = integer(arguments[2])
    database = client.database
    key = arguments[1]
    value = find_list(database, key)
    if value is None:
        client.reply.integer(0)
        return
    most: i64 = min(abs(count), INTEGER_MAX) if count != 0 else INTEGER_MAX
    number = value.remove(arguments[3], most, count < 0, server.limits.list_max_listpack_size)
    if number != 0:
        notify(server, LIST, b"lrem", key, database)
        finish_removal(server, database, key, value.length() == 0, number)
    client.reply.integer(number)


def linsert(server: Server, client: Client, arguments: list[bytes]) -> None:
    """LINSERT key BEFORE | AFTER pivot element."""
    place = option(arguments[2])
    if place not in (b"AFTER", b"BEFORE"):
        raise CommandError(errors.SYNTAX)
    database = client.database
    key = arguments[1]
    value = find_list(database, key)
    if value is None:
        client.reply.integer(0)
    elif value.insert(arguments[3], arguments[4], place == b"AFTER", server.limits.list_max_listpack_size):
        database.modified(key)
        notify(server, LIST, b"linsert", key, database)
        client.reply.integer(value.length())
    else:
        client.reply.integer(-1)


def lpos(server: Server, client: Client, arguments: list[bytes]) -> None:
    """LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len]."""
    options = SearchOptions(arguments)
    count = options.count
    value = read_list(client.database, arguments[1])
    found: list[int] = []
    if value is not None:
        found = value.positions(options.search(arguments[2]), server.limits.list_max_listpack_size)
    if count is not None:
        client.reply.array(len(found))
        for index in found:
            client.reply.integer(index)
    elif found:
        client.reply.integer(found[0])
    else:
        client.reply.null()


@final
class SearchOptions:
    """RANK, COUNT and MAXLEN; `count` is None where it is not given."""

    def __init__(self, arguments: list[bytes]) -> None:
        self.rank: int = 1
        self.count: int | None = None
        self.within: int = 0
        for position in range(3, len(arguments), 2):
            word = option(arguments[position])
            if position + 1 == len(arguments):
                raise CommandError(errors.SYNTAX)
            text = arguments[position + 1]
            if word == b"RANK":
                self.rank = _rank(text)
            elif word == b"COUNT":
                self.count = integer_in(text, 0, INTEGER_MAX, b"ERR COUNT can't be negative")
            elif word == b"MAXLEN":
                self.within = integer_in(text, 0, INTEGER_MAX, b"ERR MAXLEN can't be negative")
            else:
                raise CommandError(errors.SYNTAX)

    def search(self, element: bytes) -> Search:
        """Return what is to be searched for."""
        skip = abs(self.rank) - 1
        most = 1 if self.count is None else self.count or INTEGER_MAX
        if self.rank == INTEGER_MIN:
            # Redis negates this one number in vain: all matches come behind it, and COUNT is never reached.
            skip = 0
            most = 1 if self.count is None else INTEGER_MAX
        return Search(element, skip, most, self.within or INTEGER_MAX, self.rank < 0)


def _rank(text: bytes) -> int:
    rank = integer(text)
    if rank == 0:
        raise CommandError(_ZERO_RANK)
    return rank


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "lset",
        4,
        lset,
        WRITE | DENYOOM,
        group="list",
        categories="list",
        since="1.0.0",
        summary="Set the value of an element in a list by its index",
        complexity="O(N) where N is the length of the list. Setting either the first or the last element of the list "
        "is O(1).",
        keys=(KeySpec("RW update"),),
        arguments="key:key#0 index:integer element:string",
    ),
    Command(
        "ltrim",
        4,
        ltrim,
        WRITE,
        group="list",
        categories="list",
        since="1.0.0",
        summary="Trim a list to the specified range",
        complexity="O(N) where N is the number of elements to be removed by the operation.",
        keys=(KeySpec("RW delete"),),
        arguments="key:key#0 start:integer stop:integer",
    ),
    Command(
        "lrem",
        4,
        lrem,
        WRITE,
        group="list",
        categories="list",
        since="1.0.0",
        summary="Remove elements from a list",
        complexity="O(N+M) where N is the length of the list and M is the number of elements removed.",
        keys=(KeySpec("RW delete"),),
        arguments="key:key#0 count:integer element:string",
    ),
    Command(
        "linsert",
        5,
        linsert,
        WRITE | DENYOOM,
        group="list",
        categories="list",
        since="2.2.0",
        summary="Insert an element before or after another element in a list",
        complexity="O(N) where N is the number of elements to traverse before seeing the value pivot. This means that "
        "inserting somewhere on the left end on the list (head) can be considered O(1) and inserting "
        "somewhere on the right end (tail) is O(N).",
        keys=(KeySpec("RW insert"),),
        arguments="key:key#0 where:oneof(before:pure-token=BEFORE after:pure-token=AFTER) pivot:string element:string",
    ),
    Command(
        "lpos",
        -3,
        lpos,
        READONLY,
        group="list",
        categories="list",
        since="6.0.6",
        summary="Return the index of matching elements on a list",
        complexity="O(N) where N is the number of elements in the list, for the average case. When searching for "
        "elements near the head or the tail of the list, or when the MAXLEN option is provided, the "
        "command may run in constant time.",
        keys=(KeySpec("RO access"),),
        arguments="key:key#0 element:string rank:integer=RANK? num-matches:integer=COUNT? len:integer=MAXLEN?",
    ),
)

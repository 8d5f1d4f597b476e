"""Lists at their ends and by index: push, pop, look at. (Redis: group "list"; t_list.c.)"""

from typing import Final, final

from mypy_extensions import i64

from trivet_node.client import Client
from trivet_node.command import DENYOOM, FAST, READONLY, WRITE, Command, CommandError, KeySpec
from trivet_node.commands.arguments import INTEGER_MAX, index_range, integer, integer_in
from trivet_node.commands.element_changes import finish_removal
from trivet_node.keyspace import Database
from trivet_node.server.events import LIST, notify
from trivet_node.server.state import Server
from trivet_node.values.lists import List
from trivet_wire import errors


def find_list(database: Database, key: bytes) -> List | None:
    """Return the list under `key` as a writing command sees it, or None where there is none."""
    return _as_list(database.find(key))


def read_list(database: Database, key: bytes) -> List | None:
    """Return the list under `key` as a reading command sees it, or None where there is none."""
    return _as_list(database.read(key))


def _as_list(value: object) -> List | None:
    if value is None:
        return None
    if not isinstance(value, List):
        raise CommandError(errors.WRONG_TYPE)
    return value


def new_list(database: Database, key: bytes) -> List:
    """Store an empty list under `key` and return it; the caller adds to it at once."""
    value = List()
    database.put(key, value)
    return value


def lpush(server: Server, client: Client, arguments: list[bytes]) -> None:
    """LPUSH key element [element ...]."""
    _push(server, client, arguments, True, find_list(client.database, arguments[1]))


def rpush(server: Server, client: Client, arguments: list[bytes]) -> None:
    """RPUSH key element [element ...]."""
    _push(server, client, arguments, False, find_list(client.database, arguments[1]))


def lpushx(server: Server, client: Client, arguments: list[bytes]) -> None:
    """LPUSHX key element [element ...]."""
    _push_if_there(server, client, arguments, True)


def rpushx(server: Server, client: Client, arguments: list[bytes]) -> None:
    """RPUSHX key element [element ...]."""
    _push_if_there(server, client, arguments, False)


def _push_if_there(server: Server, client: Client, arguments: list[bytes], at_head: bool) -> None:
    value = find_list(client.database, arguments[1])
    if value is None:
        client.reply.integer(0)
    else:
        _push(server, client, arguments, at_head, value)


def _push(server: Server, client: Client, arguments: list[bytes], at_head: bool, value: List | None) -> None:
    database = client.database
    key = arguments[1]
    changes: i64 = len(arguments) - 2
    if value is None:
        value = new_list(database, key)
        changes -= 1
    limit = server.limits.list_max_listpack_size
    if len(arguments) == 3:
        value.push(arguments[2], at_head, limit)
    else:
        for element in arguments[2:]:
            value.push(element, at_head, limit)
    client.reply.integer(value.length())
    database.modified(key, changes)
    notify(server, LIST, b"lpush" if at_head else b"rpush", key, database)


def lpop(server: Server, client: Client, arguments: list[bytes]) -> None:
    """LPOP key [count]."""
    _pop(server, client, arguments, True)


def rpop(server: Server, client: Client, arguments: list[bytes]) -> None:
    """RPOP key [count]."""
    _pop(server, client, arguments, False)


def _pop(server: Server, client: Client, arguments: list[bytes], at_head: bool) -> None:
    if len(arguments) == 2:
        value = find_list(client.database, arguments[1])
        if value is None:
            client.reply.null()
        else:
            client.reply.bulk(pop_one(server, client.database, arguments[1], value, at_head))
    elif len(arguments) == 3:
        _pop_many(server, client, arguments, at_head)
    else:
        raise CommandError(errors.wrong_arity("lpop" if at_head else "rpop"))


def _pop_many(server: Server, client: Client, arguments: list[bytes], at_head: bool) -> None:
    count = integer_in(arguments[2], 0, INTEGER_MAX, errors.NOT_POSITIVE)
    value = find_list(client.database, arguments[1])
    if value is None:
        client.reply.null_array()
    elif count == 0:
        client.reply.array(0)
    else:
        pop_range(server, client, arguments[1], value, Pop(count, at_head))


@final
class Pop:
    """How many elements to pop from which end; `count` is positive and may be more than there are."""

    def __init__(self, count: int, at_head: bool) -> None:
        self.count: int = count
        self.at_head: bool = at_head


def pop_one(server: Server, database: Database, key: bytes, value: List, at_head: bool) -> bytes:
    """Pop one element of the list under `key` and return it."""
    element = value.pop(at_head)
    notify(server, LIST, b"lpop" if at_head else b"rpop", key, database)
    finish_removal(server, database, key, value.length() == 0, 1)
    return element


def pop_range(server: Server, client: Client, key: bytes, value: List, pop: Pop) -> i64:
    """Pop elements, reply them as an array in the order of popping, and return how many there were."""
    length = value.length()
    count: i64 = min(pop.count, length)
    elements = value.values(0, count) if pop.at_head else value.values(length - count, length)
    if not pop.at_head:
        elements.reverse()
    client.reply.bulk_array(elements)
    value.drop(count, pop.at_head)
    notify(server, LIST, b"lpop" if pop.at_head else b"rpop", key, client.database)
    finish_removal(server, client.database, key, value.length() == 0, count)
    return count


def llen(server: Server, client: Client, arguments: list[bytes]) -> None:
    """LLEN key."""
    value = read_list(client.database, arguments[1])
    client.reply.integer(0 if value is None else value.length())


def lindex(server: Server, client: Client, arguments: list[bytes]) -> None:
    """LINDEX key index."""
    value = read_list(client.database, arguments[1])
    if value is None:
        client.reply.null()
        return
    index = index_of(arguments[2], value)
    if index < 0:
        client.reply.null()
    else:
        client.reply.bulk(value.value(index))


def index_of(text: bytes, value: List) -> i64:
    """Return the index that `text` spells, counted from the head, or -1 where the list has no such element."""
    index = integer(text)
    length = value.length()
    if index < 0:
        index += length
    return index if 0 <= index < length else -1


def lrange(server: Server, client: Client, arguments: list[bytes]) -> None:
    """LRANGE key start stop."""
    start = integer(arguments[2])
    last = integer(arguments[3])
    value = read_list(client.database, arguments[1])
    if value is None:
        client.reply.array(0)
        return
    first, stop = index_range(start, last, int(value.length()))
    client.reply.bulk_array(value.values(first, stop))


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "lpush",
        -3,
        lpush,
        WRITE | DENYOOM | FAST,
        group="list",
        categories="list",
        since="1.0.0",
        summary="Prepend one or multiple elements to a list",
        complexity="O(1) for each element added, so O(N) to add N elements when the command is called with multiple "
        "arguments.",
        keys=(KeySpec("RW insert"),),
        history=(("2.4.0", "Accepts multiple `element` arguments."),),
        arguments="key:key#0 element:string*",
    ),
    Command(
        "rpush",
        -3,
        rpush,
        WRITE | DENYOOM | FAST,
        group="list",
        categories="list",
        since="1.0.0",
        summary="Append one or multiple elements to a list",
        complexity="O(1) for each element added, so O(N) to add N elements when the command is called with multiple "
        "arguments.",
        keys=(KeySpec("RW insert"),),
        history=(("2.4.0", "Accepts multiple `element` arguments."),),
        arguments="key:key#0 element:string*",
    ),
    Command(
        "lpushx",
        -3,
        lpushx,
        WRITE | DENYOOM | FAST,
        group="list",
        categories="list",
        since="2.2.0",
        summary="Prepend an element to a list, only if the list exists",
        complexity="O(1) for each element added, so O(N) to add N elements when the command is called with multiple "
        "arguments.",
        keys=(KeySpec("RW insert"),),
        history=(("4.0.0", "Accepts multiple `element` arguments."),),
        arguments="key:key#0 element:string*",
    ),
    Command(
        "rpushx",
        -3,
        rpushx,
        WRITE | DENYOOM | FAST,
        group="list",
        categories="list",
        since="2.2.0",
        summary="Append an element to a list, only if the list exists",
        complexity="O(1) for each element added, so O(N) to add N elements when the command is called with multiple "
        "arguments.",
        keys=(KeySpec("RW insert"),),
        history=(("4.0.0", "Accepts multiple `element` arguments."),),
        arguments="key:key#0 element:string*",
    ),
    Command(
        "lpop",
        -2,
        lpop,
        WRITE | FAST,
        group="list",
        categories="list",
        since="1.0.0",
        summary="Remove and get the first elements in a list",
        complexity="O(N) where N is the number of elements returned",
        keys=(KeySpec("RW access delete"),),
        history=(("6.2.0", "Added the `count` argument."),),
        arguments="key:key#0 count:integer?@6.2.0",
    ),
    Command(
        "rpop",
        -2,
        rpop,
        WRITE | FAST,
        group="list",
        categories="list",
        since="1.0.0",
        summary="Remove and get the last elements in a list",
        complexity="O(N) where N is the number of elements returned",
        keys=(KeySpec("RW access delete"),),
        history=(("6.2.0", "Added the `count` argument."),),
        arguments="key:key#0 count:integer?@6.2.0",
    ),
    Command(
        "llen",
        2,
        llen,
        READONLY | FAST,
        group="list",
        categories="list",
        since="1.0.0",
        summary="Get the length of a list",
        keys=(KeySpec("RO"),),
        arguments="key:key#0",
    ),
    Command(
        "lindex",
        3,
        lindex,
        READONLY,
        group="list",
        categories="list",
        since="1.0.0",
        summary="Get an element from a list by its index",
        complexity="O(N) where N is the number of elements to traverse to get to the element at index. This makes "
        "asking for the first or the last element of the list O(1).",
        keys=(KeySpec("RO access"),),
        arguments="key:key#0 index:integer",
    ),
    Command(
        "lrange",
        4,
        lrange,
        READONLY,
        group="list",
        categories="list",
        since="1.0.0",
        summary="Get a range of elements from a list",
        complexity="O(S+N) where S is the distance of start offset from HEAD for small lists, from nearest end (HEAD "
        "or TAIL) for large lists; and N is the number of elements in the specified range.",
        keys=(KeySpec("RO access"),),
        arguments="key:key#0 start:integer stop:integer",
    ),
)

"""Elements that go from list to list, and pops from the first of several lists. (Redis: group "list"; t_list.c.)"""

from typing import Final, final

from trivet_node.client import Client
from trivet_node.command import DENYOOM, WRITE, Command, CommandError, KeySpec
from trivet_node.commands.arguments import option
from trivet_node.commands.element_changes import finish_removal
from trivet_node.commands.lists.lists import Pop, find_list, new_list, pop_range
from trivet_node.commands.multi_pops import MultiPop
from trivet_node.server.events import LIST, notify
from trivet_node.server.state import Server
from trivet_node.values.lists import List
from trivet_wire import errors

# Which end is meant.
WORDS: Final = (b"LEFT", b"RIGHT")


def at_head(text: bytes) -> bool:
    """Return whether LEFT is meant, and not RIGHT."""
    word = option(text)
    if word not in WORDS:
        raise CommandError(errors.SYNTAX)
    return word == b"LEFT"


def lmove(server: Server, client: Client, arguments: list[bytes]) -> None:
    """LMOVE source destination LEFT | RIGHT LEFT | RIGHT."""
    from_head = at_head(arguments[3])
    _move_or_null(server, client, Move(arguments[1], arguments[2], from_head, at_head(arguments[4])))


def rpoplpush(server: Server, client: Client, arguments: list[bytes]) -> None:
    """RPOPLPUSH source destination."""
    _move_or_null(server, client, Move(arguments[1], arguments[2], False, True))


@final
class Move:
    """From which end of which list to which end of which other one."""

    def __init__(self, source: bytes, target: bytes, from_head: bool, to_head: bool) -> None:
        self.source: bytes = source
        self.target: bytes = target
        self.from_head: bool = from_head
        self.to_head: bool = to_head


def _move_or_null(server: Server, client: Client, move: Move) -> None:
    source = find_list(client.database, move.source)
    if source is None:
        client.reply.null()
    else:
        move_element(server, client, source, move)


def move_element(server: Server, client: Client, source: List, move: Move) -> None:
    """Move one element of `source`, the list under the move's source, and reply it."""
    database = client.database
    target = find_list(database, move.target)
    element = source.pop(move.from_head)
    # Storing a new list is the one change that this counts as.
    left_to_count = 1
    if target is None:
        target = new_list(database, move.target)
        left_to_count = 0
    target.push(element, move.to_head, server.limits.list_max_listpack_size)
    database.modified(move.target, 0)
    notify(server, LIST, b"lpush" if move.to_head else b"rpush", move.target, database)
    client.reply.bulk(element)
    notify(server, LIST, b"lpop" if move.from_head else b"rpop", move.source, database)
    finish_removal(server, database, move.source, source.length() == 0, left_to_count)


def lmpop(server: Server, client: Client, arguments: list[bytes]) -> None:
    """LMPOP numkeys key [key ...] LEFT | RIGHT [COUNT count]."""
    asked = MultiPop(arguments, 1, WORDS)
    if not pop_first(server, client, asked.keys, pop_of(asked)):
        client.reply.null_array()


def pop_of(asked: MultiPop) -> Pop:
    """Return what is to be popped."""
    return Pop(asked.count, asked.word == b"LEFT")


def pop_first(server: Server, client: Client, keys: list[bytes], pop: Pop) -> bool:
    """Pop from the first of the lists that is there, reply key and elements, and say whether there was one."""
    for key in keys:
        value = find_list(client.database, key)
        if value is not None:
            pop_many(server, client, key, value, pop)
            return True
    return False


def pop_many(server: Server, client: Client, key: bytes, value: List, pop: Pop) -> None:
    """Pop from the list under `key`, reply key and elements, and propagate that as LPOP or RPOP."""
    client.reply.array(2)
    client.reply.bulk(key)
    count = pop_range(server, client, key, value, pop)
    server.propagation.instead([[b"LPOP" if pop.at_head else b"RPOP", key, b"%d" % count]])


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "lmove",
        5,
        lmove,
        WRITE | DENYOOM,
        group="list",
        categories="list",
        since="6.2.0",
        summary="Pop an element from a list, push it to another list and return it",
        keys=(
            KeySpec("RW access delete"),
            KeySpec("RW insert", begin=2),
        ),
        arguments="source:key#0 destination:key#1 wherefrom:oneof(left:pure-token=LEFT right:pure-token=RIGHT) "
        "whereto:oneof(left:pure-token=LEFT right:pure-token=RIGHT)",
    ),
    Command(
        "rpoplpush",
        3,
        rpoplpush,
        WRITE | DENYOOM,
        group="list",
        categories="list",
        since="1.2.0",
        summary="Remove the last element in a list, prepend it to another list and return it",
        keys=(
            KeySpec("RW access delete"),
            KeySpec("RW insert", begin=2),
        ),
        deprecated_since="6.2.0",
        replaced_by="`LMOVE` with the `RIGHT` and `LEFT` arguments",
        arguments="source:key#0 destination:key#1",
    ),
    Command(
        "lmpop",
        -4,
        lmpop,
        WRITE,
        group="list",
        categories="list",
        since="7.0.0",
        summary="Pop elements from a list",
        complexity="O(N+M) where N is the number of provided keys and M is the number of elements returned.",
        keys=(KeySpec("RW access delete", keynum=0, first=1),),
        arguments="numkeys:integer key:key#0* where:oneof(left:pure-token=LEFT right:pure-token=RIGHT) "
        "count:integer=COUNT?",
    ),
)

"""Pops that wait until there is something to pop. (Redis: group "list"; t_list.c, blocked.c.)

Where an element is there, each does what the command without B does. Otherwise the client waits for the keys; the one
that has waited longest gets the element that somebody pushes. Either way LPOP, RPOP, LMOVE or RPOPLPUSH is propagated.
Where waiting is not allowed, as inside EXEC, the reply is that of a wait in vain, but for BLMOVE's.
"""

from typing import Final, final

from trivet_node.blocking import KeyWait
from trivet_node.client import Client
from trivet_node.command import BLOCKING, DENYOOM, NOSCRIPT, WRITE, Command, CommandError, KeySpec
from trivet_node.commands.arguments import timeout_deadline
from trivet_node.commands.lists.lists import Pop, find_list, pop_one
from trivet_node.commands.lists.moves import WORDS, Move, at_head, move_element, pop_first, pop_many, pop_of
from trivet_node.commands.multi_pops import MultiPop
from trivet_node.server.state import Server
from trivet_node.server.waiting import may_block
from trivet_node.values.lists import List


def blpop(server: Server, client: Client, arguments: list[bytes]) -> None:
    """BLPOP key [key ...] timeout."""
    _blocking_pop(server, client, arguments, True)


def brpop(server: Server, client: Client, arguments: list[bytes]) -> None:
    """BRPOP key [key ...] timeout."""
    _blocking_pop(server, client, arguments, False)


def _blocking_pop(server: Server, client: Client, arguments: list[bytes], from_head: bool) -> None:
    deadline_ms = timeout_deadline(server, arguments[-1])
    keys = arguments[1:-1]
    for key in keys:
        value = find_list(client.database, key)
        if value is not None:
            _pop_and_reply(server, client, key, value, from_head)
            return
    _wait_for_pop(server, PopWait(client, deadline_ms, keys, Pop(1, from_head), False))


def _pop_and_reply(server: Server, client: Client, key: bytes, value: List, from_head: bool) -> None:
    element = pop_one(server, client.database, key, value, from_head)
    client.reply.bulk_array([key, element])
    server.propagation.instead([[b"LPOP" if from_head else b"RPOP", key]])


def blmpop(server: Server, client: Client, arguments: list[bytes]) -> None:
    """BLMPOP timeout numkeys key [key ...] LEFT | RIGHT [COUNT count]."""
    asked = MultiPop(arguments, 2, WORDS)
    pop = pop_of(asked)
    deadline_ms = timeout_deadline(server, arguments[1])
    if not pop_first(server, client, asked.keys, pop):
        _wait_for_pop(server, PopWait(client, deadline_ms, asked.keys, pop, True))


@final
class PopWait(KeyWait):
    """A client that waits to pop one element, or `many`, which are replied as an array in the array."""

    def __init__(self, client: Client, deadline_ms: int, keys: list[bytes], pop: Pop, many: bool) -> None:
        super().__init__(client, deadline_ms, client.database, keys)
        self.pop: Pop = pop
        self.many: bool = many

    def serve(self, server: Server, key: bytes, value: object) -> bool:
        """Pop from the list that `key` has become."""
        if not isinstance(value, List):
            return False
        if self.many:
            pop_many(server, self.client, key, value, self.pop)
        else:
            _pop_and_reply(server, self.client, key, value, self.pop.at_head)
        return True

    def time_out(self) -> None:
        """Reply that nothing came."""
        self.client.reply.null_array()


def _wait_for_pop(server: Server, wait: PopWait) -> None:
    if may_block(server):
        server.blocking.block_on_keys(wait)
    else:
        wait.time_out()


def blmove(server: Server, client: Client, arguments: list[bytes]) -> None:
    """BLMOVE source destination LEFT | RIGHT LEFT | RIGHT timeout."""
    from_head = at_head(arguments[3])
    move = Move(arguments[1], arguments[2], from_head, at_head(arguments[4]))
    deadline_ms = timeout_deadline(server, arguments[5])
    sides = [b"left" if move.from_head else b"right", b"left" if move.to_head else b"right"]
    request = [b"LMOVE", move.source, move.target]
    if not _move(server, client, move, request + arguments[3:5]):
        _wait_for_move(server, MoveWait(client, deadline_ms, move, request + sides))


def brpoplpush(server: Server, client: Client, arguments: list[bytes]) -> None:
    """BRPOPLPUSH source destination timeout."""
    deadline_ms = timeout_deadline(server, arguments[3])
    move = Move(arguments[1], arguments[2], False, True)
    request = [b"RPOPLPUSH", move.source, move.target]
    if not _move(server, client, move, request):
        _wait_for_move(server, MoveWait(client, deadline_ms, move, request))


def _move(server: Server, client: Client, move: Move, request: list[bytes]) -> bool:
    """Move an element, propagate that as `request`, and say whether there was one to move."""
    source = find_list(client.database, move.source)
    if source is None:
        return False
    move_element(server, client, source, move)
    server.propagation.instead([request])
    return True


@final
class MoveWait(KeyWait):
    """A client that waits to move an element, which is propagated as `request`."""

    def __init__(self, client: Client, deadline_ms: int, move: Move, request: list[bytes]) -> None:
        super().__init__(client, deadline_ms, client.database, [move.source])
        self.move: Move = move
        self.request: list[bytes] = request

    def serve(self, server: Server, key: bytes, value: object) -> bool:
        """Move an element of the list that `key` has become; a target of another type ends the wait with an error."""
        if not isinstance(value, List):
            return False
        try:
            move_element(server, self.client, value, self.move)
            server.propagation.instead([self.request])
        except CommandError as error:
            self.client.reply.error(error.text)
        return True

    def time_out(self) -> None:
        """Reply that nothing came."""
        self.client.reply.null_array()


def _wait_for_move(server: Server, wait: MoveWait) -> None:
    if may_block(server):
        server.blocking.block_on_keys(wait)
    else:
        # What Redis replies here differs from what it replies when the time is over.
        wait.client.reply.null()


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "blpop",
        -3,
        blpop,
        WRITE | NOSCRIPT | BLOCKING,
        group="list",
        categories="list",
        since="2.0.0",
        summary="Remove and get the first element in a list, or block until one is available",
        complexity="O(N) where N is the number of provided keys.",
        keys=(KeySpec("RW access delete", last=-2),),
        history=(("6.0.0", "`timeout` is interpreted as a double instead of an integer."),),
        arguments="key:key#0* timeout:double",
    ),
    Command(
        "brpop",
        -3,
        brpop,
        WRITE | NOSCRIPT | BLOCKING,
        group="list",
        categories="list",
        since="2.0.0",
        summary="Remove and get the last element in a list, or block until one is available",
        complexity="O(N) where N is the number of provided keys.",
        keys=(KeySpec("RW access delete", last=-2),),
        history=(("6.0.0", "`timeout` is interpreted as a double instead of an integer."),),
        arguments="key:key#0* timeout:double",
    ),
    Command(
        "blmove",
        6,
        blmove,
        WRITE | DENYOOM | NOSCRIPT | BLOCKING,
        group="list",
        categories="list",
        since="6.2.0",
        summary="Pop an element from a list, push it to another list and return it; or block until one is available",
        keys=(
            KeySpec("RW access delete"),
            KeySpec("RW insert", begin=2),
        ),
        arguments="source:key#0 destination:key#1 wherefrom:oneof(left:pure-token=LEFT right:pure-token=RIGHT) "
        "whereto:oneof(left:pure-token=LEFT right:pure-token=RIGHT) timeout:double",
    ),
    Command(
        "brpoplpush",
        4,
        brpoplpush,
        WRITE | DENYOOM | NOSCRIPT | BLOCKING,
        group="list",
        categories="list",
        since="2.2.0",
        summary="Pop an element from a list, push it to another list and return it; or block until one is available",
        keys=(
            KeySpec("RW access delete"),
            KeySpec("RW insert", begin=2),
        ),
        deprecated_since="6.2.0",
        replaced_by="`BLMOVE` with the `RIGHT` and `LEFT` arguments",
        history=(("6.0.0", "`timeout` is interpreted as a double instead of an integer."),),
        arguments="source:key#0 destination:key#1 timeout:double",
    ),
    Command(
        "blmpop",
        -5,
        blmpop,
        WRITE | BLOCKING,
        group="list",
        categories="list",
        since="7.0.0",
        summary="Pop elements from a list, or block until one is available",
        complexity="O(N+M) where N is the number of provided keys and M is the number of elements returned.",
        keys=(KeySpec("RW access delete", begin=2, keynum=0, first=1),),
        arguments="timeout:double numkeys:integer key:key#0* where:oneof(left:pure-token=LEFT right:pure-token=RIGHT) "
        "count:integer=COUNT?",
    ),
)

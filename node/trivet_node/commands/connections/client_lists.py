"""CLIENT LIST, INFO and KILL: the connections, which of them, and their end. (Redis: networking.c.)"""

from typing import Final, final

from trivet_node.client import (
    BLOCKED,
    CLOSE_AFTER_REPLY,
    CLOSE_NOW,
    CLUSTER_READONLY,
    IN_TRANSACTION,
    MONITOR,
    NO_EVICT,
    PRIMARY,
    REPLICA,
    SUBSCRIBED,
    TRACKING,
    Client,
)
from trivet_node.command import ADMIN, LOADING, NOSCRIPT, STALE, Command, CommandError
from trivet_node.commands.arguments import option
from trivet_node.commands.connections.client_tracking import redirection_of
from trivet_node.limits import NORMAL_CLASS, PRIMARY_CLASS, PUBSUB_CLASS, REPLICA_CLASS, client_class
from trivet_node.server.client_memory import arguments_bytes, memory_bytes, queued_bytes
from trivet_node.server.state import Server
from trivet_node.values.strings import parse_integer
from trivet_wire import errors

_CLASS_NAMES: Final = {
    b"NORMAL": NORMAL_CLASS,
    b"MASTER": PRIMARY_CLASS,
    b"REPLICA": REPLICA_CLASS,
    b"SLAVE": REPLICA_CLASS,
    b"PUBSUB": PUBSUB_CLASS,
}
# Letters of the field `flags` in CLIENT LIST.
_FLAG_LETTERS: Final = (
    (REPLICA, "S"),
    (PRIMARY, "M"),
    (SUBSCRIBED, "P"),
    (IN_TRANSACTION, "x"),
    (BLOCKED, "b"),
    (TRACKING, "t"),
)
_LATER_FLAG_LETTERS: Final = ((CLUSTER_READONLY, "r"), (NO_EVICT, "e"))
_MS_PER_S: Final = 1000


def info(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLIENT INFO."""
    client.reply.verbatim(describe(server, client, arguments))


def list_(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLIENT LIST [TYPE type] [ID client-id ...]."""
    found = list(server.clients.values())
    if len(arguments) == 4 and option(arguments[2]) == b"TYPE":
        kind = _class_named(arguments[3])
        found = [other for other in found if client_class(other) == kind]
    elif len(arguments) > 3 and option(arguments[2]) == b"ID":
        found = _clients_by_id(server, arguments[3:])
    elif len(arguments) != 2:
        raise CommandError(errors.SYNTAX)
    client.reply.verbatim(b"".join([describe(server, other, arguments if other is client else []) for other in found]))


def kill(server: Server, client: Client, arguments: list[bytes]) -> None:
    """CLIENT KILL address, or CLIENT KILL filter value [filter value ...]."""
    wanted = _KillFilter()
    if len(arguments) == 3:
        wanted.address = arguments[2].decode(errors="replace")
        wanted.skip_me = False
    else:
        wanted.read(arguments)
    killed = 0
    for other in list(server.clients.values()):
        if wanted.matches(other) and not (other is client and wanted.skip_me):
            # Whoever kills itself still gets the answer.
            server.close_client(other, CLOSE_AFTER_REPLY if other is client else CLOSE_NOW)
            killed += 1
    if len(arguments) > 3:
        client.reply.integer(killed)
    elif killed:
        client.reply.ok()
    else:
        client.reply.error(b"ERR No such client")


def describe(server: Server, client: Client, arguments: list[bytes]) -> bytes:
    """Return a client's line of CLIENT LIST, with its line break. Sizes that Redis' allocator knows are zero.

    `arguments` are those of the request that the client runs now; there are none where it does not run any.
    """
    now_ms = int(server.keyspace.now_ms)
    in_transaction = client.flags & IN_TRANSACTION != 0
    wait = server.blocking.wait_of(client.id)
    fields = [
        f"id={client.id} addr={client.address} laddr={client.local_address} fd={client.fd} name={client.name.decode()}",
        f"age={(now_ms - client.created_ms) // _MS_PER_S} idle={(now_ms - int(client.last_active_ms)) // _MS_PER_S}",
        f"flags={_flag_letters(client)} db={client.database.index}",
        f"sub={len(client.channels)} psub={len(client.patterns)} ssub={len(client.shard_channels)}",
        f"multi={len(client.queued) if in_transaction else -1}",
        f"qbuf={client.parser.buffered()} qbuf-free=0",
        f"argv-mem={arguments_bytes(arguments if wait is None else wait.arguments)}",
        f"multi-mem={queued_bytes(client)} rbs=0 rbp=0",
        f"obl={len(client.reply)} oll={1 if client.unsent_bytes else 0} omem={int(client.unsent_bytes)}",
        f"tot-mem={memory_bytes(client)} events={'rw' if client.unsent_bytes else 'r'}",
        f"cmd={'NULL' if client.last_command is None else client.last_command.name} user={client.user()}",
        f"redir={redirection_of(client)} resp={int(client.reply.protocol)}",
        f"lib-name={client.library_name.decode()} lib-ver={client.library_version.decode()}",
    ]
    return " ".join(fields).encode() + b"\n"


def _flag_letters(client: Client) -> str:
    letters = ["O"] if client.flags & MONITOR else []
    letters += [letter for flag, letter in _FLAG_LETTERS if client.flags & flag]
    if client.tracking is not None and client.tracking.is_broken:
        letters.append("R")
    if client.tracking is not None and client.tracking.is_broadcast:
        letters.append("B")
    if client.watch.broken:
        letters.append("d")
    if client.flags & CLOSE_AFTER_REPLY:
        letters.append("c")
    if client.flags & CLOSE_NOW:
        letters.append("A")
    if client.is_on_unix_socket():
        letters.append("U")
    letters += [letter for flag, letter in _LATER_FLAG_LETTERS if client.flags & flag]
    return "".join(letters) or "N"


def _class_named(word: bytes) -> str:
    kind = _CLASS_NAMES.get(option(word))
    if kind is None:
        raise CommandError(b"ERR Unknown client type '%s'" % word)
    return kind


def _clients_by_id(server: Server, words: list[bytes]) -> list[Client]:
    found: list[Client] = []
    for word in words:
        client_id = parse_integer(word)
        if client_id is None:
            raise CommandError(b"ERR Invalid client ID")
        client = server.clients.get(client_id)
        if client is not None:
            found.append(client)
    return found


@final
class _KillFilter:
    """Which connections CLIENT KILL ends; what is not given matches all."""

    def __init__(self) -> None:
        self.client_id: int | None = None
        self.address: str | None = None
        self.local_address: str | None = None
        self.kind: str | None = None
        self.user: str | None = None
        self.skip_me: bool = True

    def read(self, arguments: list[bytes]) -> None:
        """Read the filters behind CLIENT KILL; CommandError where they are not well formed."""
        for position in range(2, len(arguments), 2):
            if position + 1 == len(arguments):
                raise CommandError(errors.SYNTAX)
            self._read_one(option(arguments[position]), arguments[position + 1])

    def matches(self, client: Client) -> bool:
        """Say whether all filters match."""
        return (
            (self.client_id is None or client.id == self.client_id)
            and (self.address is None or client.address == self.address)
            and (self.local_address is None or client.local_address == self.local_address)
            and (self.kind is None or client_class(client) == self.kind)
            and (self.user is None or client.user() == self.user)
        )

    def _read_one(self, name: bytes, value: bytes) -> None:
        if name == b"ID":
            self.client_id = parse_integer(value)
            if self.client_id is None or self.client_id < 1:
                raise CommandError(b"ERR client-id should be greater than 0")
        elif name == b"TYPE":
            self.kind = _class_named(value)
        elif name == b"ADDR":
            self.address = value.decode(errors="replace")
        elif name == b"LADDR":
            self.local_address = value.decode(errors="replace")
        elif name == b"USER":
            self.user = value.decode(errors="replace")
            if self.user != "default":
                raise CommandError(b"ERR No such user '%s'" % value)
        elif name == b"SKIPME" and option(value) in (b"YES", b"NO"):
            self.skip_me = option(value) == b"YES"
        else:
            raise CommandError(errors.SYNTAX)


SUBCOMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "client|info",
        2,
        info,
        NOSCRIPT | LOADING | STALE,
        group="connection",
        categories="connection",
        since="6.2.0",
        summary="Returns information about the current client connection.",
        tips=("nondeterministic_output",),
    ),
    Command(
        "client|kill",
        -3,
        kill,
        ADMIN | NOSCRIPT | LOADING | STALE,
        group="connection",
        categories="connection",
        since="2.4.0",
        summary="Kill the connection of a client",
        complexity="O(N) where N is the number of client connections",
        history=(
            ("2.8.12", "Added new filter format."),
            ("2.8.12", "`ID` option."),
            ("3.2.0", "Added `master` type in for `TYPE` option."),
            (
                "5.0.0",
                "Replaced `slave` `TYPE` with `replica`. `slave` still supported for backward compatibility.",
            ),
            ("6.2.0", "`LADDR` option."),
        ),
        arguments="filter:oneof(ip:port:string!2.8.12 new-format:oneof*(client-id:integer=ID?@2.8.12 "
        "normal_master_slave_pubsub:oneof=TYPE?@2.8.12(normal:pure-token=NORMAL "
        "master:pure-token=MASTER@3.2.0 slave:pure-token=SLAVE "
        "replica:pure-token=REPLICA@5.0.0 pubsub:pure-token=PUBSUB) username:string=USER? "
        "ip:port:string=ADDR? ip:port:string=LADDR?@6.2.0 yes/no:string=SKIPME?))",
    ),
    Command(
        "client|list",
        -2,
        list_,
        ADMIN | NOSCRIPT | LOADING | STALE,
        group="connection",
        categories="connection",
        since="2.4.0",
        summary="Get the list of client connections",
        complexity="O(N) where N is the number of client connections",
        tips=("nondeterministic_output",),
        difference="Sizes are those of what waits to be run or sent; a client that nothing waits for has none.",
        history=(
            ("2.8.12", "Added unique client `id` field."),
            ("5.0.0", "Added optional `TYPE` filter."),
            ("6.0.0", "Added `user` field."),
            ("6.2.0", "Added `argv-mem`, `tot-mem`, `laddr` and `redir` fields and the optional `ID` filter."),
            ("7.0.0", "Added `resp`, `multi-mem`, `rbs` and `rbp` fields."),
            ("7.0.3", "Added `ssub` field."),
        ),
        arguments="normal_master_replica_pubsub:oneof=TYPE?@5.0.0(normal:pure-token=NORMAL "
        "master:pure-token=MASTER replica:pure-token=REPLICA pubsub:pure-token=PUBSUB) "
        "id:block=ID?@6.2.0(client-id:integer*)",
    ),
)

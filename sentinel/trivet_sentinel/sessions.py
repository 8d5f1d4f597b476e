"""Clients of this sentinel and what the server side remembers about them. No sockets: bytes wait in `Client.out`."""

from collections.abc import Callable

import attrs

from trivet_sentinel.machine import SentinelMachine
from trivet_sentinel.state import Sentinel
from trivet_wire import errors
from trivet_wire.replies import ReplyBuffer


@attrs.define(eq=False)
class Client:
    """One connected client. `address` and `local_address` are `host:port`."""

    id: int
    address: str
    local_address: str
    created_ms: int
    out: ReplyBuffer = attrs.field(factory=ReplyBuffer)
    is_authenticated: bool = True
    name: bytes = b""
    library_name: bytes = b""
    library_version: bytes = b""
    channels: set[bytes] = attrs.field(factory=set)
    patterns: set[bytes] = attrs.field(factory=set)
    last_command: str = "NULL"
    last_command_ms: int = 0
    must_close: bool = False

    @property
    def subscriptions(self) -> int:
        """Return how many channels and patterns the client listens to."""
        return len(self.channels) + len(self.patterns)


@attrs.define(eq=False)
class Server:
    """The clients of one sentinel, and the machine they act on. `woken` are clients with something to send."""

    machine: SentinelMachine
    config_path: str
    started_ms: int
    process_id: int
    clients: dict[int, Client] = attrs.field(factory=dict)
    woken: set[Client] = attrs.field(factory=set)
    next_client_id: int = 1
    connections_received: int = 0
    commands_processed: int = 0
    shutdown_requested: bool = False

    @property
    def sentinel(self) -> Sentinel:
        """Return the facts that the machine works on."""
        return self.machine.sentinel

    @property
    def password(self) -> str:
        """Return what clients have to AUTH with; empty where they need not."""
        return self.sentinel.options.requirepass

    def connect(self, address: str, local_address: str, now_ms: int) -> Client:
        """Return a new client."""
        client = Client(self.next_client_id, address, local_address, now_ms, last_command_ms=now_ms)
        client.is_authenticated = not self.password
        self.clients[client.id] = client
        self.next_client_id += 1
        self.connections_received += 1
        return client

    def disconnect(self, client: Client) -> None:
        """Forget a client that is gone."""
        self.clients.pop(client.id, None)
        self.woken.discard(client)


Handler = Callable[[Server, Client, list[bytes]], None]


@attrs.frozen
class Command:
    """One command: `arity` counts its name (negative: at least so many); subcommands are rows in their container."""

    name: str
    arity: int
    handler: Handler
    summary: str
    flags: tuple[str, ...] = ()
    subcommands: tuple["Command", ...] = ()

    def accepts(self, arguments: list[bytes]) -> bool:
        """Return whether the number of `arguments`, names included, is right."""
        return len(arguments) == self.arity if self.arity > 0 else len(arguments) >= -self.arity


def container(name: str, summary: str, subcommands: tuple[Command, ...]) -> Command:
    """Return the row of a command that is only a roof over `subcommands`, each named `COMMAND|SUBCOMMAND`."""
    return Command(name, -2, _no_subcommand, summary, (), subcommands)


def _no_subcommand(_server: Server, client: Client, arguments: list[bytes]) -> None:
    """Answer a container command whose subcommand has no row; their arity lets none come without one."""
    client.out.error(errors.unknown_subcommand(text(arguments[0]), arguments[1]))


def text(argument: bytes) -> str:
    """Return an argument as text, whatever bytes it holds."""
    return argument.decode(errors="replace")

"""What the engine knows of one connection. The socket is the shell's."""

from typing import Final, final

from mypy_extensions import i64

from trivet_node.command import Command
from trivet_node.keyspace import Database
from trivet_node.tracking import Tracking
from trivet_node.watches import Watch
from trivet_wire.replies import ReplyBuffer
from trivet_wire.requests import RequestParser

# States in which a command does not simply run: any of them takes the slow path through the checks of admission.
IN_TRANSACTION: Final = 1 << 0
SUBSCRIBED: Final = 1 << 1
UNAUTHENTICATED: Final = 1 << 2
BLOCKED: Final = 1 << 3
# The link to our primary: its commands are applied, never refused and never answered.
PRIMARY: Final = 1 << 4
# A replica of ours: its out buffer carries the replication stream.
REPLICA: Final = 1 << 5
REPLY_OFF: Final = 1 << 6
# CLIENT REPLY SKIP: the next request is not answered.
REPLY_SKIP_NEXT: Final = 1 << 7
CLOSE_AFTER_REPLY: Final = 1 << 8
CLOSE_NOW: Final = 1 << 9
# CLIENT TRACKING: the keys that it reads may have to be remembered.
TRACKING: Final = 1 << 10
SPECIAL: Final = (1 << 11) - 1

# States that the fast path need not know.
TRANSACTION_BROKEN: Final = 1 << 16
CLUSTER_READONLY: Final = 1 << 17
NO_EVICT: Final = 1 << 18
# MONITOR: it is shown every request.
MONITOR: Final = 1 << 20
# In Server.pending: something was written to the client, or it is to be closed, outside its own request.
PENDING: Final = 1 << 19

CLOSING: Final = CLOSE_AFTER_REPLY | CLOSE_NOW
SILENT: Final = REPLY_OFF | PRIMARY


@final
class Client:
    """State of one connection. Times are Unix milliseconds; addresses are `host:port` or `path:0`."""

    def __init__(self, client_id: int, database: Database, address: str, local_address: str, now_ms: int) -> None:
        self.id: int = client_id
        self.flags: i64 = 0
        self.database: Database = database
        self.parser: RequestParser = RequestParser()
        self.reply: ReplyBuffer = ReplyBuffer()
        self.address: str = address
        self.local_address: str = local_address
        self.name: bytes = b""
        self.library_name: bytes = b""
        self.library_version: bytes = b""
        self.created_ms: int = now_ms
        self.last_active_ms: i64 = now_ms
        self.last_command: Command | None = None
        # The offset in the replication stream behind the last write of this client.
        self.write_offset: int = 0
        # The file descriptor and the bytes that the socket did not take yet: kept true by the shell.
        self.fd: int = -1
        self.unsent_bytes: i64 = 0
        # Since when more waits for it than the soft limit of its class allows; 0 while it does not.
        self.over_soft_limit_since_ms: int = 0
        # MULTI: what EXEC will run.
        self.queued: list[QueuedCommand] = []
        self.watch: Watch = Watch()
        # What it listens to, in the order in which it subscribed: see pubsub.py.
        self.channels: dict[bytes, None] = {}
        self.patterns: dict[bytes, None] = {}
        self.shard_channels: dict[bytes, None] = {}
        # CLIENT TRACKING: how; the flag TRACKING says the same as that there is one.
        self.tracking: Tracking | None = None

    def user(self) -> str:
        """Return the name of the ACL user: there is only one so far."""
        return "default"

    def is_on_unix_socket(self) -> bool:
        """Say whether the client came through a unix socket: only the path of one has port 0."""
        return self.local_address.endswith(":0")

    def may_time_out(self) -> bool:
        """Say whether `timeout` applies: not to replicas, primaries, subscribers, monitors and blocked clients."""
        return self.flags & (PRIMARY | REPLICA | SUBSCRIBED | MONITOR | BLOCKED) == 0

    def is_closing(self) -> bool:
        """Say whether no more of the client's requests are run."""
        return self.flags & CLOSING != 0


@final
class QueuedCommand:
    """A command that waits for EXEC."""

    def __init__(self, command: Command, arguments: list[bytes]) -> None:
        self.command: Command = command
        self.arguments: list[bytes] = arguments

"""The replica's side: the link to our primary, and how far its stream was applied.

The stream is passed on to our own replicas byte for byte, so that offsets mean the same everywhere. An offset counts as
applied when the last byte of a request, or of a whole MULTI/EXEC, was executed: where the link breaks inside a
transaction, the replica asks for the stream from its MULTI on.
"""

from typing import Final, final

from trivet_node.client import Client

CONNECT: Final = 0
CONNECTING: Final = 1
HANDSHAKE: Final = 2
TRANSFER: Final = 3
CONNECTED: Final = 4

_STATE_NAMES: Final = ["connect", "connecting", "handshake", "sync", "connected"]


@final
class Upstream:
    """The primary at `host`:`port` and the link to it. Times are Unix milliseconds, 0 for never."""

    def __init__(self, host: str, port: int) -> None:
        self.host: str = host
        self.port: int = port
        self.state: int = CONNECT
        # The link as a client of the engine while the stream runs.
        self.client: Client | None = None
        self.down_since_ms: int = 0
        # Of a snapshot on its way: its size (0 where it is not known beforehand), and what came of it.
        self.transfer_bytes: int = 0
        self.transferred_bytes: int = 0
        self.last_io_ms: int = 0
        # Whether the primary has asked how far we are.
        self.acknowledgement_due: bool = False
        self._received: list[bytes] = []
        # Bytes of the link that were passed on, and that were applied, since the link began.
        self._passed_on: int = 0
        self._applied: int = 0

    def state_name(self) -> str:
        """Return the state as ROLE shows it."""
        return _STATE_NAMES[self.state]

    def name(self) -> str:
        """Return the primary's address for the log."""
        return f"{self.host}:{self.port}"

    def connected(self, client: Client) -> None:
        """Note that the stream runs from here, through `client`."""
        self.client = client
        self.state = CONNECTED
        self.down_since_ms = 0
        self.acknowledgement_due = False
        self._received = []
        self._passed_on = 0
        self._applied = 0

    def lost(self, now_ms: int) -> None:
        """Note that the stream stopped. What came of a request that is not whole will come again."""
        self.client = None
        self.state = CONNECT
        self.down_since_ms = now_ms

    def receive(self, data: bytes) -> None:
        """Note what arrived, before it is executed."""
        self._received.append(data)

    def applied_to(self, consumed: int) -> None:
        """Note that the first `consumed` bytes of this link were executed."""
        self._applied = consumed

    def unpassed(self) -> int:
        """Return how many bytes were executed but not taken to be passed on."""
        return self._applied - self._passed_on

    def take_applied(self) -> bytes:
        """Return the bytes that were executed since the last call."""
        count = self._applied - self._passed_on
        if count == 0:
            return b""
        self._passed_on = self._applied
        data = self._received[0] if len(self._received) == 1 else b"".join(self._received)
        if count == len(data):
            self._received = []
            return data
        self._received = [data[count:]]
        return data[:count]

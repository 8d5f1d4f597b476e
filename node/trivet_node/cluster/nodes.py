"""One node as another knows it: who it is, where it listens, what it claims, and when it was last heard.

Times are monotonic milliseconds, NEVER where nothing happened yet. A node's primary is named by its id, because a
message may name a primary that is not known here yet.
"""

from random import Random
from typing import Final, final

from mypy_extensions import i64

MYSELF: Final = 1 << 0
PRIMARY: Final = 1 << 1
REPLICA: Final = 1 << 2
# Suspected by this node alone; FAIL is what a majority of the primaries agreed on.
PFAIL: Final = 1 << 3
FAIL: Final = 1 << 4
# Its address is known but not who it is: `id` is made up until it answers.
HANDSHAKE: Final = 1 << 5
NO_ADDRESS: Final = 1 << 6
NO_FAILOVER: Final = 1 << 7
# The next greeting must be MEET, which makes the other side add us.
MEET: Final = 1 << 8

# In the order in which CLUSTER NODES prints them, under Redis' names.
FLAG_NAMES: Final[list[tuple[int, str]]] = [
    (MYSELF, "myself"),
    (PRIMARY, "master"),
    (REPLICA, "slave"),
    (PFAIL, "fail?"),
    (FAIL, "fail"),
    (HANDSHAKE, "handshake"),
    (NO_ADDRESS, "noaddr"),
    (NO_FAILOVER, "nofailover"),
]

NEVER: Final = -1
ID_LENGTH: Final = 40

_ID_CHARACTERS: Final = frozenset("0123456789abcdefghijklmnopqrstuvwxyz")


@final
class ClusterNode:
    """One node. `id` and `shard_id` are 40 hexadecimal digits; `slots` is a set of slots (slots.py)."""

    def __init__(self, node_id: str, flags: int) -> None:
        self.id: str = node_id
        self.shard_id: str = ""
        self.flags: i64 = flags
        self.host: str = ""
        self.port: int = 0
        self.bus_port: int = 0
        self.hostname: str = ""
        # Facts that nodes tell about themselves and only some readers know, such as further endpoints.
        self.metadata: dict[str, str] = {}
        self.primary_id: str = ""
        self.config_epoch: int = 0
        self.offset: int = 0
        # Whether the node's data was ever complete: a replica's is, once it has synchronized with its primary.
        self.is_synced: bool = False
        self.slots: int = 0
        # The bus link from here to there: its number, or 0.
        self.link: int = 0
        self.link_is_up: bool = False
        self.reconnect_at_ms: int = 0
        self.failed_connections: int = 0
        self.created_ms: int = NEVER
        # When the ping went out that was not answered yet.
        self.ping_sent_ms: int = NEVER
        self.pong_received_ms: int = NEVER
        self.data_received_ms: int = NEVER
        self.failed_since_ms: int = NEVER
        # Which primaries reported that this node does not answer, and when they last did.
        self.reports: dict[str, int] = {}
        # When this node last voted for a replica of that one.
        self.voted_ms: int = NEVER

    def is_primary(self) -> bool:
        """Say whether the node claims to be a primary."""
        return self.flags & PRIMARY != 0

    def is_replica(self) -> bool:
        """Say whether the node follows a primary."""
        return self.flags & REPLICA != 0

    def is_voter(self) -> bool:
        """Say whether the node counts in majorities: primaries that own slots do."""
        return self.flags & PRIMARY != 0 and self.slots != 0

    def is_failing(self) -> bool:
        """Say whether the node is suspected or known to have failed."""
        return self.flags & (PFAIL | FAIL) != 0

    def is_handshaking(self) -> bool:
        """Say whether it is not known yet who the node is."""
        return self.flags & HANDSHAKE != 0

    def last_heard_ms(self) -> int:
        """Return when anything came from the node, or NEVER."""
        return max(self.pong_received_ms, self.data_received_ms)


def new_id(random: Random) -> str:
    """Return a random node or shard id."""
    return f"{random.getrandbits(160):040x}"


def is_id(text: str) -> bool:
    """Say whether `text` can be the id of a node or a shard."""
    return len(text) == ID_LENGTH and _ID_CHARACTERS.issuperset(text)


def format_flags(flags: int) -> str:
    """Return flags as CLUSTER NODES prints them."""
    return ",".join([name for flag, name in FLAG_NAMES if flags & flag]) or "noflags"


def parse_flags(text: str) -> int:
    """Return the flags that format_flags() printed; ValueError for any other word."""
    flags = 0
    for word in text.split(","):
        if word != "noflags":
            flags |= _flag(word)
    return flags


def _flag(word: str) -> int:
    for flag, name in FLAG_NAMES:
        if name == word:
            return flag
    raise ValueError(f"unknown flag {word!r}")


def earliest(first_ms: int, second_ms: int) -> int:
    """Return the earlier of two times, of which either may be NEVER."""
    if min(first_ms, second_ms) == NEVER:
        return max(first_ms, second_ms)
    return min(first_ms, second_ms)

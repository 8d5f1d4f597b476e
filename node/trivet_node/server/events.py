"""Keyspace notifications: commands say what happened to a key, and who subscribed to that hears it.

Each event belongs to a class, a letter of notify-keyspace-events. An event of a class that is on is published to two
channels, as far as `K` and `E` are on: `__keyspace@<database>__:<key>` with the event's name as the message, and
`__keyevent@<database>__:<event>` with the key. Like all messages of a node itself they go to its own subscribers only.
While nothing is on, an event costs one integer test.
(Redis: "Redis keyspace notifications", notify.c.)
"""

from typing import Final, final

from mypy_extensions import i64

from trivet_node.keyspace import Database, KeyspaceObserver
from trivet_node.server.state import Server
from trivet_node.server.subscribers import deliver

KEYSPACE: Final = 1 << 0
KEYEVENT: Final = 1 << 1
GENERIC: Final = 1 << 2
STRING: Final = 1 << 3
LIST: Final = 1 << 4
SET: Final = 1 << 5
HASH: Final = 1 << 6
ZSET: Final = 1 << 7
EXPIRED: Final = 1 << 8
EVICTED: Final = 1 << 9
STREAM: Final = 1 << 10
KEY_MISS: Final = 1 << 11
MODULE: Final = 1 << 13
NEW: Final = 1 << 14

# The letters of notify-keyspace-events.
_CLASSES: Final[dict[str, int]] = {
    "K": KEYSPACE,
    "E": KEYEVENT,
    "g": GENERIC,
    "$": STRING,
    "l": LIST,
    "s": SET,
    "h": HASH,
    "z": ZSET,
    "x": EXPIRED,
    "e": EVICTED,
    "t": STREAM,
    "m": KEY_MISS,
    "d": MODULE,
    "n": NEW,
    "A": GENERIC | STRING | LIST | SET | HASH | ZSET | EXPIRED | EVICTED | STREAM | MODULE,
}
_CHANNELS: Final = KEYSPACE | KEYEVENT


def notify(server: Server, kind: i64, event: bytes, key: bytes, database: Database) -> None:
    """Say that `event`, which belongs to the class `kind`, happened to `key`."""
    if server.event_classes & kind != 0:
        _publish(server, event, key, database.index)


def follow_setting(server: Server) -> None:
    """Let the server publish the events that notify-keyspace-events names."""
    classes = 0
    for letter in server.config.notify_keyspace_events:
        classes |= _CLASSES[letter]
    server.event_classes = classes if classes & _CHANNELS != 0 else 0
    observed = server.event_classes & (EXPIRED | KEY_MISS | NEW | HASH | GENERIC) != 0
    server.keyspace.observer = KeyspaceEvents(server) if observed else None


@final
class KeyspaceEvents(KeyspaceObserver):
    """Publishes what happens to keys below the commands."""

    def __init__(self, server: Server) -> None:
        self._server: Server = server

    def expired(self, database: Database, key: bytes) -> None:
        """Publish that a key was deleted because its deadline has passed."""
        notify(self._server, EXPIRED, b"expired", key, database)

    def fields_expired(self, database: Database, key: bytes, is_gone: bool) -> None:
        """Publish that fields were deleted because their deadlines have passed, and the key if none is left."""
        notify(self._server, HASH, b"hexpired", key, database)
        if is_gone:
            notify(self._server, GENERIC, b"del", key, database)

    def missed(self, database: Database, key: bytes) -> None:
        """Publish that a reading command did not find a key."""
        notify(self._server, KEY_MISS, b"keymiss", key, database)

    def created(self, database: Database, key: bytes) -> None:
        """Publish that a key is there that was not there before."""
        notify(self._server, NEW, b"new", key, database)


def _publish(server: Server, event: bytes, key: bytes, index: int) -> None:
    if server.event_classes & KEYSPACE != 0:
        deliver(server, b"__keyspace@%d__:%s" % (index, key), event)
    if server.event_classes & KEYEVENT != 0:
        deliver(server, b"__keyevent@%d__:%s" % (index, event), key)

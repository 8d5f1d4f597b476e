"""Which clients may hold copies of which keys: the table behind CLIENT TRACKING. Pure; messages are the server's.

A client that tracks by default is remembered with every key it reads, until that key changes: then the key leaves the
table, and whoever was remembered with it is to be told. A client that tracks by broadcasting is remembered with
prefixes instead, and is told of every change of a key that begins so: the changes of one batch of requests together.

Entries of clients that are gone or track no longer stay until their keys change: looking for them would cost more.
(Redis: "Client-side caching in Redis", tracking.c.)
"""

from random import Random
from typing import Final, final

from mypy_extensions import i64

from trivet_node.values.buckets import Buckets

NOBODY: Final = 0


@final
class Tracking:
    """How one client tracks. `redirect` is the id of the client that is told in its place, or NOBODY."""

    def __init__(self, redirect: int) -> None:
        self.redirect: int = redirect
        # Whether the client to be told in its place was gone when there was something to tell.
        self.is_broken: bool = False
        self.is_broadcast: bool = False
        # Whether keys are remembered only after CLIENT CACHING YES, or unless after CLIENT CACHING NO.
        self.is_opt_in: bool = False
        self.is_opt_out: bool = False
        # Whether CLIENT CACHING has spoken for the next command or transaction.
        self.has_spoken: bool = False
        # Whether the client does not want to be told of its own changes.
        self.skips_own: bool = False
        self.prefixes: set[bytes] = set()

    def remembers(self) -> bool:
        """Say whether the keys that the client reads now are to be remembered."""
        if self.is_broadcast or (self.is_opt_in and not self.has_spoken):
            return False
        return not (self.is_opt_out and self.has_spoken)


@final
class Audience:
    """The clients of one prefix, and what is to be told to them: keys, each with the id of who changed it last."""

    def __init__(self) -> None:
        self.client_ids: set[int] = set()
        self.keys: dict[bytes, int] = {}


@final
class TrackingTable:
    """Keys with the ids of those who read them, and prefixes with those who wait for changes."""

    def __init__(self) -> None:
        # How many clients track, in one way or the other.
        self.clients: i64 = 0
        # How many ids are remembered, over all keys.
        self.items: i64 = 0
        self.audiences: dict[bytes, Audience] = {}
        # Whether any audience has anything to be told.
        self.has_news: bool = False
        # Nearly all keys are read by one client: its id; a set where there are more.
        self._readers: Buckets = Buckets()

    def key_count(self) -> int:
        """Return how many keys are remembered."""
        return int(self._readers.size)

    def is_empty(self) -> bool:
        """Say whether nobody tracks and no key is remembered."""
        return self.clients == 0 and self._readers.size == 0

    def remember(self, key: bytes, client_id: int) -> None:
        """Note that a client may hold a copy of `key`."""
        readers = self._readers.get(key)
        if readers is None:
            self._readers.put(key, client_id)
        elif isinstance(readers, set):
            if client_id in readers:
                return
            readers.add(client_id)
        elif readers == client_id:
            return
        else:
            self._readers.put(key, {readers, client_id})
        self.items += 1

    def forget(self, key: bytes) -> list[int]:
        """Return the ids of the clients that may hold a copy of `key`, and remember them no longer."""
        readers = self._readers.get(key)
        if readers is None:
            return []
        self._readers.pop(key)
        found = sorted(readers) if isinstance(readers, set) else [readers] if isinstance(readers, int) else []
        self.items -= len(found)
        return found

    def forget_all(self) -> None:
        """Remember no key."""
        self._readers = Buckets()
        self.items = 0

    def random_key(self, random: Random) -> bytes:
        """Return a key that is remembered; there is one."""
        return self._readers.random_key(random)

    def join(self, prefix: bytes, client_id: int) -> None:
        """Let a client hear of every change of a key that begins with `prefix`."""
        audience = self.audiences.get(prefix)
        if audience is None:
            audience = Audience()
            self.audiences[prefix] = audience
        audience.client_ids.add(client_id)

    def leave(self, prefix: bytes, client_id: int) -> None:
        """Undo join()."""
        audience = self.audiences[prefix]
        audience.client_ids.discard(client_id)
        if not audience.client_ids:
            del self.audiences[prefix]

    def note_change(self, key: bytes, client_id: int) -> None:
        """Note for all whose prefix `key` has that a client, or NOBODY, has changed it."""
        for prefix, audience in self.audiences.items():
            if key.startswith(prefix):
                audience.keys[key] = client_id
                self.has_news = True


def overlap(prefixes: list[bytes], taken: set[bytes]) -> tuple[bytes, bytes, bool] | None:
    """Return two prefixes of which one begins with the other, and whether the second is one of those `taken` already.

    The first is one of `prefixes`. None: there are no such two. (Redis: checkPrefixCollisionsOrReply.)
    """
    for index, prefix in enumerate(prefixes):
        for other in sorted(taken):
            if _overlaps(prefix, other):
                return prefix, other, True
        for other in prefixes[index + 1 :]:
            if _overlaps(prefix, other):
                return prefix, other, False
    return None


def _overlaps(one: bytes, other: bytes) -> bool:
    return one.startswith(other) or other.startswith(one)

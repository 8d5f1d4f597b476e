"""Clients that wait inside a command: why, until when, and what ends it.

A handler that cannot answer yet hands a `Wait` to `Blocking.block()`; the engine then reads no further requests of
that client. Whoever brings what it waits for appends the reply and calls `release()`; `tick()` ends the waits whose
time is over. Clients that may go on are in `released`, where the engine finds them after each batch and runs what
they have sent since. Those that wait for keys stand in one queue for each key, in the order in which they came.
(Redis: blocked.c.)
"""

from collections import deque
from typing import Any, Final, final

from mypy_extensions import i64, mypyc_attr

from trivet_node.client import BLOCKED, SILENT, Client
from trivet_node.keyspace import Database

FOREVER: Final = 0


@mypyc_attr(allow_interpreted_subclasses=True)
class Wait:
    """What one client waits for, until `deadline_ms` (Unix milliseconds) or FOREVER."""

    # Whether others may end the wait with an error, or as if its time were over.
    may_be_cut_short: bool = True

    def __init__(self, client: Client, deadline_ms: int) -> None:
        self.client: Client = client
        self.deadline_ms: int = deadline_ms
        # Whether CLIENT REPLY SKIP was meant for the request that waits.
        self.is_silent: bool = False
        # The request that waits, and the microseconds that it took before it did.
        self.arguments: list[bytes] = []
        self.duration_us: i64 = 0

    def time_out(self) -> None:
        """Append the reply for a wait that was in vain."""
        raise NotImplementedError


@mypyc_attr(allow_interpreted_subclasses=True)
class KeyWait(Wait):
    """What one client waits for at some keys of a database."""

    # Whether the wait also ends when a key is gone or holds something else.
    ends_with_key: bool = False

    def __init__(self, client: Client, deadline_ms: int, database: Database, keys: list[bytes]) -> None:
        super().__init__(client, deadline_ms)
        self.database: Database = database
        self.keys: list[bytes] = list(dict.fromkeys(keys))

    # The server is Any because servers hold waits: waits come first.
    def serve(self, server: Any, key: bytes, value: object) -> bool:
        """Answer the client if `key`, whose live value is given (None: it is gone), lets it; say whether it did.

        Serving is running a command: it changes keys, says what to propagate instead of a request, and notifies.
        """
        raise NotImplementedError


@final
class Blocking:
    """All clients that wait."""

    def __init__(self) -> None:
        self.released: deque[Client] = deque()
        self._waits: dict[int, Wait] = {}
        # By database index and key, the waits of clients by their ids.
        self._queues: dict[tuple[int, bytes], dict[int, KeyWait]] = {}

    def __len__(self) -> int:
        """Return how many clients wait."""
        return len(self._waits)

    def key_count(self) -> int:
        """Return for how many keys somebody waits."""
        return len(self._queues)

    def block(self, wait: Wait) -> None:
        """Let a client wait; its handler appends no reply."""
        wait.client.flags |= BLOCKED
        self._waits[wait.client.id] = wait

    def block_on_keys(self, wait: KeyWait) -> None:
        """Let a client wait until one of the wait's keys can serve it; its handler appends no reply."""
        self.block(wait)
        for key in wait.keys:
            queue = self._queues.setdefault((wait.database.index, key), {})
            if not queue:
                wait.database.await_key(key)
            queue[wait.client.id] = wait

    def waits_for(self, database_index: int, key: bytes) -> list[KeyWait]:
        """Return the waits for a key, the oldest first."""
        return list(self._queues.get((database_index, key), {}).values())

    def waits(self) -> list[Wait]:
        """Return all waits, the oldest first."""
        return list(self._waits.values())

    def silence(self, client: Client) -> None:
        """Answer nothing when the wait of a client ends, if it does wait."""
        wait = self._waits.get(client.id)
        if wait is not None:
            wait.is_silent = True

    def wait_of(self, client_id: int) -> Wait | None:
        """Return what the client with that id waits for, or None."""
        return self._waits.get(client_id)

    def release(self, wait: Wait, size: i64) -> None:
        """Let a client go on. Its reply stands behind the first `size` bytes of its buffer, unless it wants none."""
        client = wait.client
        if wait.is_silent or client.flags & SILENT != 0:
            client.reply.truncate(size)
        self._forget_wait(client)
        client.flags &= ~BLOCKED
        self.released.append(client)

    def forget(self, client: Client) -> None:
        """Drop a client that is gone."""
        self._forget_wait(client)

    def tick(self, now_ms: int) -> None:
        """Release the clients whose time is over."""
        if not self._waits:
            return
        for wait in self.waits():
            if wait.deadline_ms != FOREVER and wait.deadline_ms <= now_ms:
                size: i64 = len(wait.client.reply)
                wait.time_out()
                self.release(wait, size)

    def _forget_wait(self, client: Client) -> None:
        """Take the wait of a client away, if it has one."""
        wait = self._waits.pop(client.id, None)
        if isinstance(wait, KeyWait):
            for key in wait.keys:
                queue = self._queues[(wait.database.index, key)]
                del queue[client.id]
                if not queue:
                    del self._queues[(wait.database.index, key)]
                    wait.database.await_no_more(key)

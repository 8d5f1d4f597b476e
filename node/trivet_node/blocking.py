"""Clients that wait inside a command: why, until when, and what ends it.

A handler that cannot answer yet hands a `Wait` to `Blocking.block()`; the engine then reads no further requests of
that client. Whoever brings what it waits for appends the reply and calls `release()`; `tick()` ends the waits whose
time is over. Clients that may go on are in `released`, where the engine finds them after each batch and runs what
they have sent since.
(Redis: blocked.c.)
"""

from typing import Final, final

from mypy_extensions import mypyc_attr

from trivet_node.client import BLOCKED, Client

FOREVER: Final = 0


@mypyc_attr(allow_interpreted_subclasses=True)
class Wait:
    """What one client waits for, until `deadline_ms` (Unix milliseconds) or FOREVER."""

    def __init__(self, client: Client, deadline_ms: int) -> None:
        self.client: Client = client
        self.deadline_ms: int = deadline_ms

    def time_out(self) -> None:
        """Append the reply for a wait that was in vain."""
        raise NotImplementedError


@final
class Blocking:
    """All clients that wait."""

    def __init__(self) -> None:
        self.released: list[Client] = []
        self._waits: dict[int, Wait] = {}

    def __len__(self) -> int:
        """Return how many clients wait."""
        return len(self._waits)

    def block(self, wait: Wait) -> None:
        """Let a client wait; its handler appends no reply."""
        wait.client.flags |= BLOCKED
        self._waits[wait.client.id] = wait

    def waits(self) -> list[Wait]:
        """Return all waits, the oldest first."""
        return list(self._waits.values())

    def release(self, client: Client) -> None:
        """Let a client go on; its reply has been appended."""
        if self._waits.pop(client.id, None) is not None:
            client.flags &= ~BLOCKED
            self.released.append(client)

    def forget(self, client: Client) -> None:
        """Drop a client that is gone."""
        self._waits.pop(client.id, None)

    def tick(self, now_ms: int) -> None:
        """Release the clients whose time is over."""
        if not self._waits:
            return
        for wait in self.waits():
            if wait.deadline_ms != FOREVER and wait.deadline_ms <= now_ms:
                wait.time_out()
                self.release(wait.client)

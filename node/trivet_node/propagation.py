"""What writes cause: the one stream of effects that replicas (and the append-only file) receive.

A command that changed something is propagated once, as a determinate command. Usually that is the request itself, whose
raw bytes are taken as they came. A handler whose request is not determinate says what to propagate instead (SET with a
relative deadline becomes PXAT, GETDEL becomes DEL). What one outermost command caused, deletions of expired keys
included, forms one unit: more than one effect is wrapped in MULTI/EXEC. A SELECT precedes an effect in another database
than the last one's.
(Redis: "How Redis replication works", propagatePendingCommands.)
"""

from typing import final

from trivet_wire.replies import encode_command


@final
class Propagation:
    """Effects collected during one outermost command. Nothing is collected while `enabled` is false."""

    def __init__(self) -> None:
        self.enabled: bool = False
        # Which database the stream has selected; -1 where the next effect must say it.
        self.selected: int = -1
        self._effects: list[tuple[int, bytes]] = []
        self._instead: list[list[bytes]] | None = None

    def instead(self, commands: list[list[bytes]]) -> None:
        """Propagate `commands` instead of the request that runs now; none at all where the list is empty."""
        if self.enabled:
            self._instead = commands

    def has_substitute(self) -> bool:
        """Say whether instead() was called for the request that runs now."""
        return self._instead is not None

    def drop_substitute(self) -> None:
        """Forget what instead() was given by a handler that has failed: it must not stand in for another effect."""
        self._instead = None

    def add_substitute(self, database: int) -> None:
        """Collect what instead() was given, as effects in the database with that index."""
        commands = self._instead
        self._instead = None
        if commands is not None:
            for command in commands:
                self.add(database, encode_command(command))

    def add(self, database: int, encoded: bytes) -> None:
        """Collect one effect, encoded as a request."""
        self._effects.append((database, encoded))

    def add_deletion(self, database: int, key: bytes, fields: list[bytes]) -> None:
        """Collect the deletion of an expired key, or of expired fields of it."""
        self.add(database, encode_command([b"HDEL", key, *fields] if fields else [b"DEL", key]))

    def take(self) -> bytes:
        """Return the bytes to append to the stream for all effects collected, and forget them."""
        effects = self._effects
        if not effects:
            return b""
        self._effects = []
        parts: list[bytes] = []
        if len(effects) > 1:
            # Redis selects before it opens the transaction.
            self._select(effects[0][0], parts)
            parts.append(encode_command([b"MULTI"]))
        for database, encoded in effects:
            self._select(database, parts)
            parts.append(encoded)
        if len(effects) > 1:
            parts.append(encode_command([b"EXEC"]))
        return b"".join(parts)

    def _select(self, database: int, parts: list[bytes]) -> None:
        if database != self.selected:
            self.selected = database
            parts.append(encode_command([b"SELECT", b"%d" % database]))

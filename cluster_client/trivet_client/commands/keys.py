"""Commands on keys of any type."""

from collections.abc import Awaitable
from typing import Literal

from trivet_client.commands.base import CommandRunner, Key, V, flag, is_ok, unchanged, words

# Set the expiry only where there is none, where there is one, where the new one is later, or earlier.
ExpiryCondition = Literal["NX", "XX", "GT", "LT"] | None


class KeyCommands(CommandRunner[V]):
    """DEL, EXPIRE and their family. Several keys in one command must share a slot; see the `_nonatomic` methods."""

    def delete(self, *keys: Key) -> Awaitable[int]:
        """DEL: remove the keys and return how many there were."""
        return self._run(int, "DEL", *keys)

    def unlink(self, *keys: Key) -> Awaitable[int]:
        """UNLINK: remove the keys, freeing their memory later, and return how many there were."""
        return self._run(int, "UNLINK", *keys)

    def exists(self, *keys: Key) -> Awaitable[int]:
        """EXISTS: return how many of the keys exist; one named twice counts twice."""
        return self._run(int, "EXISTS", *keys)

    def touch(self, *keys: Key) -> Awaitable[int]:
        """TOUCH: mark the keys as used now and return how many exist."""
        return self._run(int, "TOUCH", *keys)

    def type(self, key: Key) -> Awaitable[V]:
        """TYPE: return the type of the value, `none` where there is no such key."""
        return self._run(unchanged, "TYPE", key)

    def rename(self, key: Key, new_key: Key) -> Awaitable[bool]:
        """RENAME: give the value another key, replacing what is there."""
        return self._run(is_ok, "RENAME", key, new_key)

    def renamenx(self, key: Key, new_key: Key) -> Awaitable[bool]:
        """RENAMENX: give the value another key if that is free; return whether it was."""
        return self._run(bool, "RENAMENX", key, new_key)

    def copy(self, source: Key, destination: Key, *, replace: bool = False) -> Awaitable[bool]:
        """COPY: copy the value to another key; return whether that was done."""
        return self._run(bool, "COPY", source, destination, *flag("REPLACE", replace))

    def expire(self, key: Key, seconds: int, condition: ExpiryCondition = None) -> Awaitable[bool]:
        """EXPIRE: let the key live for `seconds`; return whether that was set."""
        return self._run(bool, "EXPIRE", key, seconds, *words(condition))

    def pexpire(self, key: Key, milliseconds: int, condition: ExpiryCondition = None) -> Awaitable[bool]:
        """PEXPIRE: let the key live for `milliseconds`; return whether that was set."""
        return self._run(bool, "PEXPIRE", key, milliseconds, *words(condition))

    def expireat(self, key: Key, unix_s: int, condition: ExpiryCondition = None) -> Awaitable[bool]:
        """EXPIREAT: let the key live until the Unix time `unix_s`; return whether that was set."""
        return self._run(bool, "EXPIREAT", key, unix_s, *words(condition))

    def pexpireat(self, key: Key, unix_ms: int, condition: ExpiryCondition = None) -> Awaitable[bool]:
        """PEXPIREAT: let the key live until the Unix time `unix_ms`; return whether that was set."""
        return self._run(bool, "PEXPIREAT", key, unix_ms, *words(condition))

    def ttl(self, key: Key) -> Awaitable[int]:
        """TTL: return how many seconds the key has to live; -1: for ever, -2: there is no such key."""
        return self._run(int, "TTL", key)

    def pttl(self, key: Key) -> Awaitable[int]:
        """PTTL: return how many milliseconds the key has to live; -1: for ever, -2: there is no such key."""
        return self._run(int, "PTTL", key)

    def expiretime(self, key: Key) -> Awaitable[int]:
        """EXPIRETIME: return the Unix time in seconds when the key expires; -1: never, -2: there is no such key."""
        return self._run(int, "EXPIRETIME", key)

    def pexpiretime(self, key: Key) -> Awaitable[int]:
        """PEXPIRETIME: return the Unix time in ms when the key expires; -1: never, -2: there is no such key."""
        return self._run(int, "PEXPIRETIME", key)

    def persist(self, key: Key) -> Awaitable[bool]:
        """PERSIST: take the key's expiry away; return whether it had one."""
        return self._run(bool, "PERSIST", key)

    def object_encoding(self, key: Key) -> Awaitable[V | None]:
        """OBJECT ENCODING: return how the server holds the value."""
        return self._run(unchanged, "OBJECT", "ENCODING", key)

    def object_idletime(self, key: Key) -> Awaitable[int | None]:
        """OBJECT IDLETIME: return for how many seconds the key has not been used."""
        return self._run(unchanged, "OBJECT", "IDLETIME", key)

    def object_freq(self, key: Key) -> Awaitable[int | None]:
        """OBJECT FREQ: return the key's access counter, under an LFU eviction policy."""
        return self._run(unchanged, "OBJECT", "FREQ", key)

    def object_refcount(self, key: Key) -> Awaitable[int | None]:
        """OBJECT REFCOUNT: return how many references the value has."""
        return self._run(unchanged, "OBJECT", "REFCOUNT", key)

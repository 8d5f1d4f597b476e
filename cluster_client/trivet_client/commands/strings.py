"""String commands."""

from collections.abc import Awaitable

from trivet_client.commands.base import CommandRunner, Key, Pairs, V, Value, flag, flatten, is_ok, option, unchanged


class StringCommands(CommandRunner[V]):
    """GET, SET and their family. Several keys in one command must share a slot; see the `_nonatomic` methods."""

    def get(self, key: Key) -> Awaitable[V | None]:
        """GET: return the value, or None where there is no such key."""
        return self._run(unchanged, "GET", key)

    def set(
        self,
        key: Key,
        value: Value,
        *,
        ex: int | None = None,
        px: int | None = None,
        exat: int | None = None,
        pxat: int | None = None,
        keepttl: bool = False,
        nx: bool = False,
        xx: bool = False,
    ) -> Awaitable[bool]:
        """SET: store `value` and return True, or False where `nx` or `xx` forbade it.

        The key lives for `ex` seconds or `px` milliseconds, or until the Unix time `exat` in seconds or `pxat` in
        milliseconds, or as long as before with `keepttl`. `nx`: only a new key; `xx`: only one that exists.
        """
        expiry = [*option("EX", ex), *option("PX", px), *option("EXAT", exat), *option("PXAT", pxat)]
        conditions = [*flag("KEEPTTL", keepttl), *flag("NX", nx), *flag("XX", xx)]
        return self._run(is_ok, "SET", key, value, *expiry, *conditions)

    def set_get(
        self, key: Key, value: Value, *, ex: int | None = None, px: int | None = None, keepttl: bool = False
    ) -> Awaitable[V | None]:
        """SET with GET: store `value` (for `ex` seconds or `px` milliseconds) and return the one that was there."""
        expiry = [*option("EX", ex), *option("PX", px), *flag("KEEPTTL", keepttl)]
        return self._run(unchanged, "SET", key, value, *expiry, "GET")

    def setex(self, key: Key, seconds: int, value: Value) -> Awaitable[bool]:
        """SETEX: store `value` for `seconds`."""
        return self._run(is_ok, "SETEX", key, seconds, value)

    def psetex(self, key: Key, milliseconds: int, value: Value) -> Awaitable[bool]:
        """PSETEX: store `value` for `milliseconds`."""
        return self._run(is_ok, "PSETEX", key, milliseconds, value)

    def setnx(self, key: Key, value: Value) -> Awaitable[bool]:
        """SETNX: store `value` if there is no such key; return whether it was stored."""
        return self._run(bool, "SETNX", key, value)

    def getset(self, key: Key, value: Value) -> Awaitable[V | None]:
        """GETSET: store `value` and return the one that was there."""
        return self._run(unchanged, "GETSET", key, value)

    def getdel(self, key: Key) -> Awaitable[V | None]:
        """GETDEL: remove the key and return its value."""
        return self._run(unchanged, "GETDEL", key)

    def getex(
        self,
        key: Key,
        *,
        ex: int | None = None,
        px: int | None = None,
        exat: int | None = None,
        pxat: int | None = None,
        persist: bool = False,
    ) -> Awaitable[V | None]:
        """GETEX: return the value and give the key a new expiry, as in set(), or none with `persist`."""
        expiry = [*option("EX", ex), *option("PX", px), *option("EXAT", exat), *option("PXAT", pxat)]
        return self._run(unchanged, "GETEX", key, *expiry, *flag("PERSIST", persist))

    def mget(self, *keys: Key) -> Awaitable[list[V | None]]:
        """MGET: return the values in the order of the keys, None for missing ones."""
        return self._run(unchanged, "MGET", *keys)

    def mset(self, values: Pairs) -> Awaitable[bool]:
        """MSET: store all values at once."""
        return self._run(is_ok, "MSET", *flatten(values))

    def msetnx(self, values: Pairs) -> Awaitable[bool]:
        """MSETNX: store all values at once if none of the keys exists; return whether they were stored."""
        return self._run(bool, "MSETNX", *flatten(values))

    def append(self, key: Key, value: Value) -> Awaitable[int]:
        """APPEND: append to the value and return its new length in bytes."""
        return self._run(int, "APPEND", key, value)

    def strlen(self, key: Key) -> Awaitable[int]:
        """STRLEN: return the value's length in bytes, 0 where there is no such key."""
        return self._run(int, "STRLEN", key)

    def incr(self, key: Key) -> Awaitable[int]:
        """INCR: add 1 and return the sum."""
        return self._run(int, "INCR", key)

    def incrby(self, key: Key, amount: int) -> Awaitable[int]:
        """INCRBY: add `amount` and return the sum."""
        return self._run(int, "INCRBY", key, amount)

    def incrbyfloat(self, key: Key, amount: float) -> Awaitable[float]:
        """INCRBYFLOAT: add `amount` and return the sum."""
        return self._run(float, "INCRBYFLOAT", key, amount)

    def decr(self, key: Key) -> Awaitable[int]:
        """DECR: subtract 1 and return the difference."""
        return self._run(int, "DECR", key)

    def decrby(self, key: Key, amount: int) -> Awaitable[int]:
        """DECRBY: subtract `amount` and return the difference."""
        return self._run(int, "DECRBY", key, amount)

    def getrange(self, key: Key, first: int, last: int) -> Awaitable[V]:
        """GETRANGE: return the bytes from `first` to `last`, both included; negative ones count from the end."""
        return self._run(unchanged, "GETRANGE", key, first, last)

    def setrange(self, key: Key, offset: int, value: Value) -> Awaitable[int]:
        """SETRANGE: overwrite the value from byte `offset` on and return its length."""
        return self._run(int, "SETRANGE", key, offset, value)

    def lcs(self, one: Key, other: Key) -> Awaitable[V]:
        """LCS: return the longest common subsequence of two values."""
        return self._run(unchanged, "LCS", one, other)

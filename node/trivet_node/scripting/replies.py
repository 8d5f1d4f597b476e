"""Replies of commands as values of Lua. (Redis: script_lua.c redisProtocolToLuaType.)

RESP2    $ string, : number, + {ok=}, - {err=}, * table; null is false
RESP3    the same, but null is nil, # boolean, , {double=}, % {map=}, ~ {set=}, = {verbatim_string=}
"""

from typing import Any, Final, final

# So many values at most are handed to a Lua function at once: the stack of C functions has 8000 places.
_CHUNK: Final = 1000
_DOLLAR: Final = 36
_COLON: Final = 58
_PLUS: Final = 43
_MINUS: Final = 45
_STAR: Final = 42
_UNDERSCORE: Final = 95
_COMMA: Final = 44
_PERCENT: Final = 37
_TILDE: Final = 126
_EQUALS: Final = 61


@final
class ReplyReader:
    """Makes values of Lua, through functions of sandbox.lua.

    An object that stands for a Lua table must not live longer than the coroutine in which it came to be: none is kept.
    """

    def __init__(self, interface: Any) -> None:
        self._pack: Any = interface[b"pack"]
        self._append: Any = interface[b"append"]
        self._mapped: Any = interface[b"mapped"]
        self._extend: Any = interface[b"extend"]
        self._tagged: Any = interface[b"tagged"]
        self._counted_error: Any = interface[b"counted_error"]
        self._verbatim: Any = interface[b"verbatim"]
        self._data: bytes = b""
        self._place: int = 0

    def read(self, data: bytes) -> object:
        """Return the value of one whole reply that is no error."""
        kind = data[0]
        if kind == _DOLLAR:
            if data[1] == _MINUS:
                return False
            return data[data.index(10) + 1 : -2]
        if kind == _COLON:
            return int(data[1:-2])
        self._data = data
        self._place = 0
        value = self._next()
        self._data = b""
        return value

    def error(self, text: bytes, is_counted: bool) -> object:
        """Return the table of an error; `is_counted`: INFO has counted it."""
        if is_counted:
            return self._counted_error(text)
        return self._tagged(b"err", text)

    def status(self, text: bytes) -> object:
        """Return the table of a status."""
        return self._tagged(b"ok", text)

    def table(self, items: list[Any]) -> Any:
        """Return a table of `items`."""
        if len(items) <= _CHUNK:
            return self._pack(*items)
        table = self._pack(*items[:_CHUNK])
        for begin in range(_CHUNK, len(items), _CHUNK):
            self._append(table, begin, *items[begin : begin + _CHUNK])
        return table

    def _next(self) -> object:
        data = self._data
        begin = self._place + 1
        end = data.index(13, begin)
        self._place = end + 2
        kind = data[begin - 1]
        if kind == _DOLLAR:
            length = int(data[begin:end])
            return False if length < 0 else self._text(length)
        if kind == _COLON:
            return int(data[begin:end])
        if kind in (_STAR, _PERCENT, _TILDE):
            return self._collection(kind, int(data[begin:end]))
        return self._scalar(kind, data[begin:end])

    def _collection(self, kind: int, count: int) -> object:
        if kind == _STAR:
            return False if count < 0 else self.table([self._next() for _ in range(count)])
        if kind == _PERCENT:
            return self._map(b"map", [self._next() for _ in range(2 * count)])
        pairs: list[Any] = []
        for _ in range(count):
            pairs += [self._next(), True]
        return self._map(b"set", pairs)

    def _scalar(self, kind: int, line: bytes) -> object:
        if kind == _PLUS:
            return self.status(line)
        if kind == _MINUS:
            return self.error(line, True)
        if kind == _EQUALS:
            text = self._text(int(line))
            return self._verbatim(text[:3], text[4:])
        if kind == _COMMA:
            return self._tagged(b"double", float(line))
        # A null, or a boolean.
        return None if kind == _UNDERSCORE else line == b"t"

    def _text(self, length: int) -> bytes:
        begin = self._place
        self._place = begin + length + 2
        return self._data[begin : begin + length]

    def _map(self, kind: bytes, pairs: list[Any]) -> Any:
        table = self._mapped(kind, len(pairs[:_CHUNK]), *pairs[:_CHUNK])
        for begin in range(_CHUNK, len(pairs), _CHUNK):
            chunk = pairs[begin : begin + _CHUNK]
            self._extend(table, kind, len(chunk), *chunk)
        return table

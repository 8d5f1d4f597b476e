"""DUMP, RESTORE and MIGRATE. Payloads are those of all types and forms, and some that nobody takes."""

import random
from typing import Final

from tests.differential.generator import Arguments, Form, Generator, form
from tests.differential.replies import Reply
from tests.differential.rules import Rule
from tests.node.engines import Node
from tests.node.persistence.old_packs import ziplist, zipmap
from tests.value_samples import MAKERS
from trivet_node.persistence.crc64 import crc64

_FOOTER_BYTES: Final = 10
# Sets and hashes in any order, lists whose nodes are divided elsewhere, streams whose consumers were seen at any time.
_FREE_FORMS: Final = (2, 4, 18, 19)


def _footed(body: bytes, version: int = 10) -> bytes:
    data = body + version.to_bytes(2, "little")
    return data + crc64(data).to_bytes(8, "little")


def _string(text: bytes) -> bytes:
    return b"\x40" + bytes((len(text),)) + text


def _made() -> list[bytes]:
    """Return payloads of small values of all types as we write them."""
    chance = random.Random(4)
    node = Node()
    payloads = []
    for maker in MAKERS * 12:
        for request in maker(chance, b"key"):
            node.ask(*request)
        payloads.append(node.ask("DUMP", "key"))
        node.ask("DEL", "key")
    return payloads


_PAIRS: Final = [b"field", b"1", b"f2", b"a value"]
_OLD: Final = [
    _footed(b"\x0a" + _string(ziplist([b"a", b"-5", b"b" * 70]))),
    _footed(b"\x0d" + _string(ziplist(_PAIRS)), 8),
    _footed(b"\x0c" + _string(ziplist([b"b", b"-1", b"a", b"2.5"])), 6),
    _footed(b"\x0e\x02" + _string(ziplist([b"a", b"1"])) + _string(ziplist([b"b" * 70])), 7),
    _footed(b"\x09" + _string(zipmap(_PAIRS, 2)), 1),
    _footed(b"\x03\x02" + _string(b"a") + b"\x032.5" + _string(b"b") + b"\xfe"),
    _footed(b"\x01\x02" + _string(b"a") + _string(b"7")),
]
_MADE: Final = _made()
_REFUSED: Final = [
    *[b"", b"x", _MADE[0][:-1], _MADE[1] + b"x", _MADE[2][1:], _footed(b"\x00\x01a", 11)],
    # The checksum is right, but nothing else is.
    *[_footed(body) for body in (b"", b"\x02\x00", b"\x04\x00", b"\x12\x00", b"\x16\x01a", b"\xff", b"\x00\x3fabc")],
    *[_footed(body) for body in (b"\x10\x01a", b"\x0b\x03abc", b"\x0d\x03abc", b"\x12\x01\x05\x01a", b"\x06\x01")],
    *[_footed(b"\x02\x02\x01a\x01a"), _footed(b"\x0f\x01\x01a\x01a"), _footed(b"\x05\x01\x01a" + b"\xff" * 8)],
]


def payload(gen: Generator) -> bytes:
    """Return something to restore."""
    kind = gen.random.random()
    if kind < 0.15:
        return gen.random.choice(_REFUSED)
    return gen.random.choice(_OLD if kind < 0.3 else _MADE)


def _restore(gen: Generator) -> Arguments:
    options: list[bytes] = []
    is_absolute = gen.random.random() < 0.3
    ttl = b"0" if gen.random.random() < 0.5 else gen.time(False, is_absolute)
    if is_absolute:
        options.append(gen.option(b"ABSTTL"))
    for _ in range(gen.random.choice((0, 1, 1, 1, 2))):
        options += gen.random.choice(
            (
                *[[gen.option(b"REPLACE")]] * 6,
                [gen.option(b"IDLETIME"), gen.random.choice((b"0", b"1000", b"-1", b"x"))],
                [gen.option(b"FREQ"), gen.random.choice((b"0", b"255", b"256", b"-1", b"x"))],
                [gen.option(b"FREQ", b"NOSUCH")],
            )
        )
    return (gen.random.choice((b"RESTORE", b"RESTORE", b"RESTORE-ASKING")), gen.key(), ttl, payload(gen), *options)


def _migrate(gen: Generator) -> Arguments:
    """Return a MIGRATE to where nobody listens."""
    options: list[bytes] = []
    for _ in range(gen.random.choice((0, 0, 1, 2))):
        options += gen.random.choice(
            ([gen.option(b"COPY", b"REPLACE", b"NOSUCH")], [gen.option(b"AUTH"), b"keys"], [gen.option(b"AUTH2"), b"a"])
        )
    key = gen.key()
    if gen.random.random() < 0.5:
        key = b"" if gen.random.random() < 0.8 else key
        options += [gen.option(b"KEYS"), *gen.some_keys()]
    return (b"MIGRATE", b"127.0.0.1", b"1", key, gen.database(), gen.random.choice((b"100", b"-1", b"x")), *options)


def _same_dump(arguments: Arguments, one: Reply, other: Reply) -> bool:
    """Payloads of one form; the contents are compared in the end."""
    if not isinstance(one.value, bytes) or not isinstance(other.value, bytes):
        return False
    return one.value[0] == other.value[0] and one.value[0] in _FREE_FORMS


def _same_failure(arguments: Arguments, one: Reply, other: Reply) -> bool:
    """Nobody was reached, whatever the step that showed it: here a broken address is never even looked up."""
    return all(isinstance(reply.value, bytes) and reply.value.startswith(b"IOERR ") for reply in (one, other))


FORMS: Final[list[Form]] = [
    *[_restore] * 8,
    *[_migrate] * 2,
    *[form(b"DUMP", Generator.key)] * 4,
    *[form(name, Generator.key) for name in (b"GET", b"LLEN", b"SCARD", b"HLEN", b"ZCARD", b"XLEN")],
    *[form(name, Generator.key, Generator.member) for name in (b"RPUSH", b"SADD", b"APPEND", b"SREM")],
    form(b"HSET", Generator.key, Generator.member, Generator.member),
    form(b"ZINCRBY", Generator.key, Generator.integer, Generator.member),
]
RULES: Final[dict[bytes, Rule]] = {b"DUMP": _same_dump, b"MIGRATE": _same_failure}

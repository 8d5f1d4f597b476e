"""PFADD, PFCOUNT and PFMERGE count different elements; PFDEBUG and PFSELFTEST look inside. (Redis: "hyperloglog".)

A sketch is a string like any other. PFCOUNT keeps its estimate in it, and that is a write, to be propagated, although
the command is one that reads.
"""

import math
from random import Random
from typing import Final

from trivet_node.client import Client
from trivet_node.command import ADMIN, DENYOOM, FAST, MAY_REPLICATE, READONLY, WRITE, Command, CommandError, KeySpec
from trivet_node.commands.arguments import INTEGER_MAX, option
from trivet_node.keyspace import Database
from trivet_node.server.events import STRING, notify
from trivet_node.server.state import Server
from trivet_node.values import hyperloglog
from trivet_node.values.strings import string_text
from trivet_wire import errors

_NO_SKETCH: Final = b"WRONGTYPE Key is not a valid HyperLogLog string value."
_BROKEN: Final = b"INVALIDOBJ Corrupted HLL object detected"
# PFSELFTEST adds this many elements, and allows for six times the standard error.
_TESTED_ELEMENTS: Final = 10_000
_ALLOWED_ERROR: Final = 6 * 1.04 / math.sqrt(hyperloglog.REGISTERS)


def pfadd(server: Server, client: Client, arguments: list[bytes]) -> None:
    """PFADD key [element ...]."""
    database = client.database
    key = arguments[1]
    sketch = _open_sketch(database, key, database.find(key))
    changes = 0
    if sketch is None:
        sketch = hyperloglog.new_sketch()
        database.replace_quietly(key, sketch)
        changes = 1
    limit = server.limits.hll_sparse_max_bytes
    for index in range(2, len(arguments)):
        changed = hyperloglog.add(sketch, arguments[index], limit)
        if changed < 0:
            raise CommandError(_BROKEN)
        changes += changed
    if changes != 0:
        hyperloglog.expire_estimate(sketch)
        database.modified(key, changes)
        notify(server, STRING, b"pfadd", key, database)
    client.reply.integer(1 if changes != 0 else 0)


def pfcount(server: Server, client: Client, arguments: list[bytes]) -> None:
    """PFCOUNT key [key ...]."""
    database = client.database
    if len(arguments) > 2:
        registers, _ = _merged(database, arguments[1:])
        _reply_estimate(client, hyperloglog.estimate(registers))
        return
    key = arguments[1]
    sketch = _open_sketch(database, key, database.read(key))
    if sketch is None:
        client.reply.integer(0)
        return
    estimate = hyperloglog.last_estimate(sketch)
    if estimate < 0:
        estimate = hyperloglog.estimate(_registers(sketch))
        hyperloglog.keep_estimate(sketch, estimate)
        database.modified(key)
    _reply_estimate(client, estimate)


def _reply_estimate(client: Client, estimate: int) -> None:
    client.reply.integer(estimate if estimate <= INTEGER_MAX else estimate - 2**64)


def pfmerge(server: Server, client: Client, arguments: list[bytes]) -> None:
    """PFMERGE destination [key ...]. The destination counts as one of the keys."""
    database = client.database
    registers, any_dense = _merged(database, arguments[1:])
    key = arguments[1]
    sketch = _open_sketch(database, key, database.find(key))
    if sketch is None:
        sketch = hyperloglog.new_sketch()
        database.replace_quietly(key, sketch)
    if any_dense:
        hyperloglog.make_dense(sketch)
    hyperloglog.raise_registers(sketch, registers, server.limits.hll_sparse_max_bytes)
    hyperloglog.expire_estimate(sketch)
    database.modified(key)
    notify(server, STRING, b"pfadd", key, database)
    client.reply.ok()


def _merged(database: Database, keys: list[bytes]) -> tuple[bytes, bool]:
    """Return the registers of several sketches together, and whether any of them is dense."""
    registers = bytes(hyperloglog.REGISTERS)
    any_dense = False
    for key in keys:
        sketch = _read_sketch(database.read(key))
        if sketch is not None:
            any_dense = any_dense or hyperloglog.is_dense(sketch)
            registers = hyperloglog.largest(registers, _registers(sketch))
    return registers, any_dense


def _registers(sketch: bytes | bytearray) -> bytes:
    registers = hyperloglog.read_registers(sketch)
    if registers is None:
        raise CommandError(_BROKEN)
    return registers


def _read_sketch(value: object) -> bytes | bytearray | None:
    """Return a value that is a sketch, or None where there is no value."""
    if value is None:
        return None
    text = string_text(value)
    if text is None:
        raise CommandError(errors.WRONG_TYPE)
    if not hyperloglog.is_sketch(text):
        raise CommandError(_NO_SKETCH)
    return text


def _open_sketch(database: Database, key: bytes, value: object) -> bytearray | None:
    """Return the value of a key, a sketch, in the form that can be changed in place, or None where there is none."""
    text = _read_sketch(value)
    if text is None or isinstance(text, bytearray):
        return text
    sketch = bytearray(text)
    database.replace_quietly(key, sketch)
    return sketch


def pfdebug(server: Server, client: Client, arguments: list[bytes]) -> None:
    """PFDEBUG GETREG | DECODE | ENCODING | TODENSE key. Two of them make the sketch dense, which is propagated."""
    database = client.database
    sketch = _open_sketch(database, arguments[2], database.find(arguments[2]))
    if sketch is None:
        raise CommandError(b"ERR The specified key does not exist")
    word = option(arguments[1])
    was_dense = hyperloglog.is_dense(sketch)
    if word == b"GETREG":
        _make_dense(server, sketch)
        registers = _registers(sketch)
        client.reply.array(len(registers))
        for register in registers:
            client.reply.integer(register)
    elif word == b"DECODE":
        if was_dense:
            raise CommandError(b"ERR HLL encoding is not sparse")
        client.reply.bulk(hyperloglog.describe_runs(sketch))
    elif word == b"ENCODING":
        client.reply.simple(b"dense" if was_dense else b"sparse")
    elif word == b"TODENSE":
        _make_dense(server, sketch)
        client.reply.integer(0 if was_dense else 1)
    else:
        raise CommandError(b"ERR Unknown PFDEBUG subcommand '%s'" % arguments[1].partition(b"\0")[0])


def _make_dense(server: Server, sketch: bytearray) -> None:
    if hyperloglog.is_dense(sketch):
        return
    if not hyperloglog.make_dense(sketch):
        raise CommandError(_BROKEN)
    server.keyspace.dirty += 1


def pfselftest(server: Server, client: Client, arguments: list[bytes]) -> None:
    """PFSELFTEST. Fewer elements than in Redis, where it takes seconds."""
    failure = _failure_of_registers(server.random) or _failure_of_estimates(
        server.random, server.limits.hll_sparse_max_bytes
    )
    if failure:
        raise CommandError(b"ERR TESTFAILED " + failure)
    client.reply.ok()


def _failure_of_registers(random: Random) -> bytes:
    """Store random registers in a dense sketch, and return what is wrong with them then."""
    sketch = hyperloglog.new_sketch()
    hyperloglog.make_dense(sketch)
    registers = bytes([byte & 63 for byte in random.randbytes(hyperloglog.REGISTERS)])
    hyperloglog.raise_registers(sketch, registers, 0)
    return b"" if hyperloglog.read_registers(sketch) == registers else b"Registers are not what they were set to"


def _failure_of_estimates(random: Random, sparse_max_bytes: int) -> bytes:
    """Add elements to a dense and a sparse sketch, and return what is wrong with their estimates at powers of ten."""
    dense = hyperloglog.new_sketch()
    hyperloglog.make_dense(dense)
    sparse = hyperloglog.new_sketch()
    salt = random.randbytes(8)
    checkpoint = 1
    for count in range(1, _TESTED_ELEMENTS + 1):
        element = salt + b"%d" % count
        hyperloglog.add(dense, element, 0)
        hyperloglog.add(sparse, element, sparse_max_bytes)
        if count < checkpoint:
            continue
        checkpoint *= 10
        estimate = hyperloglog.estimate(_registers(dense))
        if estimate != hyperloglog.estimate(_registers(sparse)):
            return b"dense/sparse disagree"
        error = abs(estimate - count)
        if error > max(1, math.ceil(_ALLOWED_ERROR * count)):
            return b"Too big error. card:%d abserr:%d" % (count, error)
    return b""


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "pfadd",
        -2,
        pfadd,
        WRITE | DENYOOM | FAST,
        group="hyperloglog",
        categories="hyperloglog",
        since="2.8.9",
        summary="Adds the specified elements to the specified HyperLogLog.",
        complexity="O(1) to add every element.",
        keys=(KeySpec("RW insert"),),
        arguments="key:key#0 element:string?*",
    ),
    Command(
        "pfcount",
        -2,
        pfcount,
        READONLY | MAY_REPLICATE,
        group="hyperloglog",
        categories="hyperloglog",
        since="2.8.9",
        summary="Return the approximated cardinality of the set(s) observed by the HyperLogLog at key(s).",
        complexity="O(1) with a very small average constant time when called with a single key. O(N) with N being the "
        "number of keys, and much bigger constant times, when called with multiple keys.",
        keys=(
            KeySpec(
                "RW access",
                last=-1,
                notes="RW because it may change the internal representation of the key, and propagate to replicas",
            ),
        ),
        arguments="key:key#0*",
    ),
    Command(
        "pfmerge",
        -2,
        pfmerge,
        WRITE | DENYOOM,
        group="hyperloglog",
        categories="hyperloglog",
        since="2.8.9",
        summary="Merge N different HyperLogLogs into a single one.",
        complexity="O(N) to merge N HyperLogLogs, but with high constant times.",
        keys=(
            KeySpec("RW access insert"),
            KeySpec("RO access", begin=2, last=-1),
        ),
        arguments="destkey:key#0 sourcekey:key#1*",
    ),
    Command(
        "pfdebug",
        3,
        pfdebug,
        WRITE | DENYOOM | ADMIN,
        group="hyperloglog",
        categories="hyperloglog",
        since="2.8.9",
        summary="Internal commands for debugging HyperLogLog values",
        complexity="N/A",
        keys=(KeySpec("RW access", begin=2),),
        doc_flags=("syscmd",),
        arguments="subcommand:string key:key#0",
    ),
    Command(
        "pfselftest",
        1,
        pfselftest,
        ADMIN,
        group="hyperloglog",
        categories="hyperloglog",
        since="2.8.9",
        summary="An internal command for testing HyperLogLog values",
        difference="It adds ten thousand elements, not ten million.",
        complexity="N/A",
        doc_flags=("syscmd",),
    ),
)

"""DEBUG OBJECT, SDSLEN, LISTPACK, QUICKLIST and STRUCTSIZE: how values lie in memory.

OBJECT and SDSLEN see keys past their deadline, too. Addresses and sizes of objects are those of Python's.
(Redis: debug.c debugCommand.)
"""

from sys import getsizeof
from typing import Final

from trivet_node.access import FREQUENCY
from trivet_node.client import Client
from trivet_node.command import CommandError
from trivet_node.commands.arguments import leading_integer
from trivet_node.commands.debug import packs
from trivet_node.commands.keys.objects import reference_count
from trivet_node.persistence.dump import serialized_bytes
from trivet_node.server.state import Server
from trivet_node.values.hashes import Hash
from trivet_node.values.lists import List
from trivet_node.values.strings import string_text
from trivet_node.values.types import encoding_name
from trivet_node.values.zsets import SortedSet
from trivet_wire import errors

_MS_PER_SECOND: Final = 1000
_MS_PER_MINUTE: Final = 60_000
# Redis keeps its clock of accesses in 24 bits, 16 of them where the other 8 are a frequency.
_CLOCK_MASK: Final = (1 << 24) - 1
_MINUTES_MASK: Final = (1 << 16) - 1
_FREQUENCY_BITS: Final = 8


def object_(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG OBJECT key."""
    key = arguments[2]
    value = _raw_value(client, key)
    clock, idle_s = _usage(server, client.database.index, key)
    facts = [
        f"Value at:0x{id(value):x}",
        f"refcount:{reference_count(value)}",
        f"encoding:{encoding_name(value).decode()}",
        f"serializedlength:{serialized_bytes(value, server.limits, server.config.rdbcompression)}",
        f"lru:{clock}",
        f"lru_seconds_idle:{idle_s}",
    ]
    if isinstance(value, List):
        facts += _list_facts(server, value)
    client.reply.simple(" ".join(facts).encode())


def _usage(server: Server, database: int, key: bytes) -> tuple[int, int]:
    """Return what Redis would keep of a key's last access, and for how many seconds the key was not used."""
    access = server.keyspace.access
    now_ms = int(server.keyspace.now_ms)
    idle_ms = access.idle_ms(database, key, now_ms) if access.mode else 0
    used_ms = now_ms - idle_ms
    if access.mode == FREQUENCY:
        minutes = used_ms // _MS_PER_MINUTE & _MINUTES_MASK
        return minutes << _FREQUENCY_BITS | access.frequency(database, key, now_ms), idle_ms // _MS_PER_SECOND
    return used_ms // _MS_PER_SECOND & _CLOCK_MASK, idle_ms // _MS_PER_SECOND


def _list_facts(server: Server, value: List) -> list[str]:
    limit = server.limits.list_max_listpack_size
    nodes = value.nodes(limit)
    return [
        f"ql_nodes:{len(nodes)}",
        f"ql_avg_node:{len(value) / len(nodes):.2f}",
        f"ql_listpack_max:{limit}",
        "ql_compressed:0",
        f"ql_uncompressed_size:{sum([len(node.data) for node in nodes])}",
    ]


def sdslen(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG SDSLEN key: of key and value the length, what is allocated beyond it, and the bytes of the whole object."""
    key = arguments[2]
    value = _raw_value(client, key)
    text = None if isinstance(value, int) else string_text(value)
    if text is None:
        raise CommandError(b"ERR Not an sds encoded string.")
    spare = text.__alloc__() - len(text) - 1 if isinstance(text, bytearray) else 0
    client.reply.simple(
        b"key_sds_len:%d, key_sds_avail:0, key_zmalloc: %d, val_sds_len:%d, val_sds_avail:%d, val_zmalloc: %d"
        % (len(key), getsizeof(key), len(text), max(spare, 0), getsizeof(text))
    )


def listpack(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG LISTPACK key."""
    value = _value(client, arguments[2])
    if not isinstance(value, (Hash, SortedSet)) or encoding_name(value) != b"listpack":
        raise CommandError(b"ERR Not a listpack encoded object.")
    server.host.print_text(packs.describe_listpack(value.pack))
    client.reply.simple(b"Listpack structure printed on stdout")


def quicklist(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG QUICKLIST key [0|1]: 1 shows what is in the nodes, too."""
    value = _value(client, arguments[2])
    if not isinstance(value, List):
        raise CommandError(b"ERR Not a quicklist encoded object.")
    in_full = len(arguments) > 3 and leading_integer(arguments[3]) != 0
    limit = server.limits.list_max_listpack_size
    server.host.print_text(packs.describe_nodes(value.nodes(limit), limit, in_full))
    client.reply.simple(b"Quicklist structure printed on stdout")


def structsize(server: Server, client: Client, arguments: list[bytes]) -> None:
    """DEBUG STRUCTSIZE: the bytes of the empty objects that values are made of."""
    sizes = {
        "bytes": getsizeof(b""),
        "bytearray": getsizeof(bytearray()),
        "int": getsizeof(1),
        "float": getsizeof(1.0),
        "dict": getsizeof({}),
        "list": getsizeof([]),
    }
    client.reply.bulk(("bits:64 " + "".join([f"{name}:{size} " for name, size in sizes.items()])).encode())


def _raw_value(client: Client, key: bytes) -> object:
    """Return what is stored under a key, expired or not."""
    value = client.database.find_raw(key)
    if value is None:
        raise CommandError(errors.NO_SUCH_KEY)
    return value


def _value(client: Client, key: bytes) -> object:
    value = client.database.find(key)
    if value is None:
        raise CommandError(errors.NO_SUCH_KEY)
    return value

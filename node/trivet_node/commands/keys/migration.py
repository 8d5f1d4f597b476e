"""MIGRATE: keys move to another instance, which RESTOREs them, while this node waits.

A key is deleted here when the other side has acknowledged it, so it is always on one of the two, and on both where the
acknowledgement was lost. Replicas hear of the deletions. (Redis: cluster.c migrateCommand.)
"""

from typing import Final, final

from trivet_node.client import Client
from trivet_node.command import WRITE, Command, CommandError, KeySpec
from trivet_node.commands.arguments import integer, option
from trivet_node.host import ANSWERED, NOT_CONNECTED, NOT_WRITTEN
from trivet_node.persistence.dump import dump_value
from trivet_node.server.events import GENERIC, notify
from trivet_node.server.state import Server
from trivet_node.values.deadlines import NO_DEADLINE
from trivet_node.values.strings import parse_integer
from trivet_wire import errors
from trivet_wire.replies import encode_command

_DEFAULT_TIMEOUT_MS: Final = 1000
# A longer wait than this is one for ever.
_TIMEOUT_MAX_MS: Final = 1 << 31
_PORT_MAX: Final = 65535
_FIRST_OPTION: Final = 6
# How many arguments follow these words.
_FOLLOWING: Final[dict[bytes, int]] = {b"AUTH": 1, b"AUTH2": 2}


@final
class MigrateOptions:
    """COPY, REPLACE, AUTH password, AUTH2 user password, KEYS key ..., and the keys that are to move."""

    def __init__(self, arguments: list[bytes]) -> None:
        self.copy: bool = False
        self.replace: bool = False
        self.credentials: list[bytes] = []
        self.keys: list[bytes] = [arguments[3]]
        position = _FIRST_OPTION
        while position < len(arguments):
            word = option(arguments[position])
            following = _FOLLOWING.get(word, 0)
            if word == b"COPY":
                self.copy = True
            elif word == b"REPLACE":
                self.replace = True
            elif following and position + following < len(arguments):
                self.credentials = arguments[position + 1 : position + 1 + following]
            elif word == b"KEYS":
                if arguments[3]:
                    raise CommandError(
                        b"ERR When using MIGRATE KEYS option, the key argument must be set to the empty string"
                    )
                self.keys = arguments[position + 1 :]
                break
            else:
                raise CommandError(errors.SYNTAX)
            position += 1 + following
        timeout_ms = integer(arguments[5])
        self.timeout_ms: int = min(timeout_ms, _TIMEOUT_MAX_MS) if timeout_ms > 0 else _DEFAULT_TIMEOUT_MS
        self.database: int = integer(arguments[4])


def migrate(server: Server, client: Client, arguments: list[bytes]) -> None:
    """MIGRATE host port key|"" db timeout [COPY] [REPLACE] [AUTH password | AUTH2 user password] [KEYS key ...]."""
    options = MigrateOptions(arguments)
    keys: list[bytes] = []
    restores: list[bytes] = []
    for key in options.keys:
        value = client.database.read(key)
        if value is not None:
            keys.append(key)
            restores.append(_restore_request(server, client, key, value, options))
    if not keys:
        client.reply.simple(b"NOKEY")
        return
    preamble = [encode_command([b"SELECT", b"%d" % options.database])]
    if options.credentials:
        preamble.insert(0, encode_command([b"AUTH", *options.credentials]))
    requests = b"".join(preamble + restores)
    host = arguments[1].decode("latin-1")
    answers = len(preamble) + len(keys)
    exchange = server.host.exchange(host, _port(arguments[2]), requests, answers, options.timeout_ms)
    if exchange.outcome == NOT_CONNECTED:
        raise CommandError(b"IOERR error or timeout connecting to the client")
    refused = [line[1:] for line in exchange.lines if line.startswith(b"-")]
    if not options.copy:
        _delete_moved(server, client, keys, exchange.lines, len(preamble))
    if refused and len(exchange.lines) > len(preamble):
        client.reply.error(b"ERR Target instance replied with error: " + refused[0])
    elif exchange.outcome != ANSWERED:
        step = b"writing" if exchange.outcome == NOT_WRITTEN else b"reading"
        client.reply.error(b"IOERR error or timeout %s to target instance" % step)
    else:
        client.reply.ok()


def _restore_request(server: Server, client: Client, key: bytes, value: object, options: MigrateOptions) -> bytes:
    deadline_ms = client.database.deadline(key)
    ttl_ms = 0 if deadline_ms == NO_DEADLINE else max(deadline_ms - int(server.keyspace.now_ms), 1)
    payload = dump_value(value, server.limits, server.config.rdbcompression)
    name = b"RESTORE-ASKING" if server.config.cluster_enabled else b"RESTORE"
    request = [name, key, b"%d" % ttl_ms, payload]
    if options.replace:
        request.append(b"REPLACE")
    return encode_command(request)


def _delete_moved(server: Server, client: Client, keys: list[bytes], lines: list[bytes], preamble: int) -> None:
    """Delete the keys that the other side has acknowledged."""
    moved: list[bytes] = []
    if not any(line.startswith(b"-") for line in lines[:preamble]):
        for key, line in zip(keys, lines[preamble:], strict=False):
            if not line.startswith(b"-") and client.database.delete(key):
                moved.append(key)
                notify(server, GENERIC, b"del", key, client.database)
    server.propagation.instead([[b"DEL", *moved]] if moved else [])


def _port(text: bytes) -> int:
    """Return the port that `text` spells, or one that nobody listens on."""
    port = parse_integer(text)
    return port if port is not None and 0 <= port <= _PORT_MAX else 0


def find_migrated_keys(arguments: list[bytes]) -> list[bytes]:
    """Return the keys that are to move; none where they are given in both ways. (Redis: db.c migrateGetKeys.)"""
    position = _FIRST_OPTION
    while position < len(arguments):
        word = option(arguments[position])
        if word == b"KEYS":
            if arguments[3]:
                return []
            return arguments[position + 1 :] or [arguments[3]]
        position += 1 + _FOLLOWING.get(word, 0)
    return [arguments[3]]


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "migrate",
        -6,
        migrate,
        WRITE,
        group="generic",
        categories="keyspace dangerous",
        since="2.6.0",
        summary="Atomically transfer a key from a Redis instance to another one.",
        complexity="This command actually executes a DUMP+DEL in the source instance, and a RESTORE in the target "
        "instance. See the pages of these commands for time complexity. Also an O(N) data transfer between "
        "the two instances is performed.",
        keys=(
            KeySpec("RW access delete", begin=3),
            KeySpec("RW access delete incomplete", keyword="KEYS", begin=-2, last=-1),
        ),
        find_keys=find_migrated_keys,
        tips=("nondeterministic_output",),
        history=(
            ("3.0.0", "Added the `COPY` and `REPLACE` options."),
            ("3.0.6", "Added the `KEYS` option."),
            ("4.0.7", "Added the `AUTH` option."),
            ("6.0.0", "Added the `AUTH2` option."),
        ),
        arguments='host:string port:integer key_or_empty_string:oneof(key:key#0 empty_string:pure-token="") '
        "destination-db:integer timeout:integer copy:pure-token=COPY?@3.0.0 "
        "replace:pure-token=REPLACE?@3.0.0 authentication:oneof?(password:string=AUTH?@4.0.7 "
        "username_password:block=AUTH2?@6.0.0(username:string password:string)) key:key=KEYS#1?*@3.0.6",
    ),
)

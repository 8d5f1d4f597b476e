"""Which connections are refused or cut off: maxclients, protected-mode, and how much may wait for a client.

Pure decisions; the reactor acts on them. (Redis: networking.c acceptCommonHandler, checkClientOutputBufferLimits;
redis.conf: client-output-buffer-limit, client-query-buffer-limit, protected-mode.)
"""

from typing import Final

from trivet_node.client import PRIMARY, REPLICA, SUBSCRIBED, Client
from trivet_node.config import Config
from trivet_node.settings.composite_kinds import OutputLimit
from trivet_wire import errors

_MS_PER_S: Final = 1000
_LOOPBACK: Final = "127."
_LOOPBACK_V6: Final = frozenset(["::1", ""])
_TOO_MANY_WITH_CLUSTER: Final = b"ERR max number of clients + cluster connections reached"
_PROTECTED: Final = (
    b"DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the "
    b"default user. In this mode connections are only accepted from the loopback interface. If you want to connect "
    b"from external computers to Redis you may adopt one of the following solutions: "
    b"1) Just disable protected mode sending the command 'CONFIG SET protected-mode no' from the loopback interface by "
    b"connecting to Redis from the same host the server is running, however MAKE SURE Redis is not publicly accessible "
    b"from internet if you do so. Use CONFIG REWRITE to make this change permanent. "
    b"2) Alternatively you can just disable the protected mode by editing the Redis configuration file, and setting "
    b"the protected mode option to 'no', and then restarting the server. "
    b"3) If you started the server manually just for testing, restart it with the '--protected-mode no' option. "
    b"4) Setup a an authentication password for the default user. "
    b"NOTE: You only need to do one of the above things in order for the server to start accepting connections from "
    b"the outside."
)
# What a client may be: the words of CLIENT LIST TYPE and client-output-buffer-limit.
NORMAL_CLASS: Final = "normal"
PRIMARY_CLASS: Final = "master"
REPLICA_CLASS: Final = "slave"
PUBSUB_CLASS: Final = "pubsub"


def client_class(client: Client) -> str:
    """Return what kind of client this is, as CLIENT LIST TYPE and client-output-buffer-limit name it."""
    if client.flags & PRIMARY:
        return PRIMARY_CLASS
    if client.flags & REPLICA:
        return REPLICA_CLASS
    return PUBSUB_CLASS if client.flags & SUBSCRIBED else NORMAL_CLASS


def connection_refusal(config: Config, connected: int, host: str) -> bytes:
    """Return the error for a new connection from `host` (empty: a unix socket) while there are `connected` others.

    Nothing is returned where it is to be served.
    """
    if connected >= config.maxclients:
        return _TOO_MANY_WITH_CLUSTER if config.cluster_enabled else errors.TOO_MANY_CLIENTS
    if config.protected_mode and not config.requirepass and not is_loopback(host):
        return _PROTECTED
    return b""


def exceeds_output_limit(config: Config, client: Client, waiting_bytes: int, now_ms: int) -> bool:
    """Say whether a client for which `waiting_bytes` wait is to be cut off. Remembers since when it is too slow."""
    limits = config.client_output_buffer_limit
    kind = client_class(client)
    # The link to our primary counts as a normal client: it sends us commands and reads next to nothing.
    limit = limits.normal
    if kind == REPLICA_CLASS:
        limit = _replica_limit(limits.replica, config.repl_backlog_size)
    elif kind == PUBSUB_CLASS:
        limit = limits.pubsub
    if limit.hard_bytes and waiting_bytes >= limit.hard_bytes:
        return True
    if not limit.soft_bytes or waiting_bytes < limit.soft_bytes:
        client.over_soft_limit_since_ms = 0
        return False
    if client.over_soft_limit_since_ms == 0:
        client.over_soft_limit_since_ms = now_ms
        return False
    return now_ms - client.over_soft_limit_since_ms > limit.soft_seconds * _MS_PER_S


def exceeds_query_limit(config: Config, client: Client) -> bool:
    """Say whether a client has sent more of an unfinished request than client-query-buffer-limit allows."""
    return not client.flags & PRIMARY and client.parser.buffered() > config.client_query_buffer_limit


def _replica_limit(limit: OutputLimit, backlog_bytes: int) -> OutputLimit:
    """Return a limit that is not below the backlog: a replica cut off below it would come back for the same bytes."""
    if limit.hard_bytes and limit.hard_bytes < backlog_bytes:
        return OutputLimit(backlog_bytes, limit.soft_bytes, limit.soft_seconds)
    return limit


def is_loopback(host: str) -> bool:
    """Say whether `host` is this machine as seen by itself; so is an empty one, which stands for a unix socket."""
    return host.startswith(_LOOPBACK) or host in _LOOPBACK_V6

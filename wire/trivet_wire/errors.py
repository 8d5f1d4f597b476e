"""The error texts of Redis 7.0, word for word: clients match on them.

Constants are the bytes of an error without the leading `-` and the closing CRLF; functions fill in the variable parts.
"""

from typing import Final

SYNTAX: Final = b"ERR syntax error"
WRONG_TYPE: Final = b"WRONGTYPE Operation against a key holding the wrong kind of value"
NOT_AN_INTEGER: Final = b"ERR value is not an integer or out of range"
NOT_A_FLOAT: Final = b"ERR value is not a valid float"
NOT_POSITIVE: Final = b"ERR value is out of range, must be positive"
OUT_OF_RANGE: Final = b"ERR value is out of range"
NOT_FINITE: Final = b"ERR increment would produce NaN or Infinity"
NUMKEYS_NOT_POSITIVE: Final = b"ERR numkeys should be greater than 0"
COUNT_NOT_POSITIVE: Final = b"ERR count should be greater than 0"
COUNT_OPTION_NOT_POSITIVE: Final = b"ERR COUNT must be > 0"
LIMIT_NEGATIVE: Final = b"ERR LIMIT can't be negative"
TIMEOUT_NEGATIVE: Final = b"ERR timeout is negative"
TIMEOUT_NOT_AN_INTEGER: Final = b"ERR timeout is not an integer or out of range"
NO_SUCH_KEY: Final = b"ERR no such key"
BUSY_KEY: Final = b"BUSYKEY Target key name already exists."
OVERFLOW: Final = b"ERR increment or decrement would overflow"
STRING_TOO_LONG: Final = b"ERR string exceeds maximum allowed size (proto-max-bulk-len)"
DB_INDEX_OUT_OF_RANGE: Final = b"ERR DB index is out of range"
SAME_OBJECT: Final = b"ERR source and destination objects are the same"
NO_AUTH: Final = b"NOAUTH Authentication required."
WRONG_PASSWORD: Final = b"WRONGPASS invalid username-password pair or user is disabled."
NO_PASSWORD: Final = (
    b"ERR AUTH <password> called without any password configured for the default user. "
    b"Are you sure your configuration is correct?"
)
HELLO_WITHOUT_AUTH: Final = (
    b"NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option "
    b"can be used to authenticate the client and select the RESP protocol version at the same time"
)
NO_PROTOCOL: Final = b"NOPROTO unsupported protocol version"
PROTOCOL_NOT_AN_INTEGER: Final = b"ERR Protocol version is not an integer or out of range"
BAD_CLIENT_NAME: Final = b"ERR Client names cannot contain spaces, newlines or special characters."
TOO_MANY_CLIENTS: Final = b"ERR max number of clients reached"
LOADING: Final = b"LOADING Redis is loading the dataset in memory"
READ_ONLY: Final = b"READONLY You can't write against a read only replica."
PRIMARY_DOWN: Final = b"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."
NO_REPLICAS: Final = b"NOREPLICAS Not enough good replicas to write."
MISCONFIGURED: Final = (
    b"MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. "
    b"Commands that may modify the data set are disabled, because this instance is configured to report errors "
    b"during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). "
    b"Please check the Redis logs for details about the RDB error."
)
EXEC_ABORTED: Final = b"EXECABORT Transaction discarded because of previous errors."
CROSS_SLOT: Final = b"CROSSSLOT Keys in request don't hash to the same slot"
CLUSTER_DOWN: Final = b"CLUSTERDOWN The cluster is down"
CLUSTER_DOWN_READ_ONLY: Final = b"CLUSTERDOWN The cluster is down and only accepts read commands"
CLUSTER_DOWN_UNBOUND: Final = b"CLUSTERDOWN Hash slot not served"

_QUOTED_MAX_BYTES: Final = 128


def busy(is_function: bool) -> bytes:
    """Return the error while a script, or a function of a library, runs too long."""
    kill = "FUNCTION KILL" if is_function else "SCRIPT KILL"
    return f"BUSY Redis is busy running a script. You can only call {kill} or SHUTDOWN NOSAVE.".encode()


def moved(slot: int, host: str, port: int) -> bytes:
    """Return the redirection to the node that serves `slot` (Redis Cluster specification, "MOVED Redirection")."""
    return f"MOVED {slot} {host}:{port}".encode()


def wrong_arity(command: str) -> bytes:
    """Return the error for a wrong number of arguments; `command` is a lower-case full name such as `config|get`."""
    return f"ERR wrong number of arguments for '{command}' command".encode()


def unknown_command(arguments: list[bytes]) -> bytes:
    """Return the error for a request whose command does not exist; it quotes the beginning of the arguments."""
    quoted = b""
    for argument in arguments[1:]:
        if len(quoted) >= _QUOTED_MAX_BYTES:
            break
        quoted += b"'%s' " % c_string(argument)[: _QUOTED_MAX_BYTES - len(quoted)]
    name = c_string(arguments[0])[:_QUOTED_MAX_BYTES]
    return b"ERR unknown command '%s', with args beginning with: %s" % (name, quoted)


def unknown_subcommand(container: str, subcommand: bytes) -> bytes:
    """Return the error for a subcommand that does not exist; `container` is the lower-case name of its command."""
    return b"ERR unknown subcommand '%s'. Try %s HELP." % (
        c_string(subcommand)[:_QUOTED_MAX_BYTES],
        container.upper().encode(),
    )


def subcommand_syntax(container: str, subcommand: bytes) -> bytes:
    """Return the error for a subcommand whose arguments make no sense; `container` is its command in lower case."""
    return b"ERR unknown subcommand or wrong number of arguments for '%s'. Try %s HELP." % (
        c_string(subcommand)[:_QUOTED_MAX_BYTES],
        container.upper().encode(),
    )


def c_string(text: bytes) -> bytes:
    """Return what Redis prints of an argument: all before the first NUL."""
    return text[: text.index(0)] if 0 in text else text


def not_while_subscribed(command: str) -> bytes:
    """Return the error for a command that a subscribed client of RESP2 may not send."""
    return (
        f"ERR Can't execute '{command}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET "
        "are allowed in this context"
    ).encode()


def exec_aborted(reason: bytes) -> bytes:
    """Return the error for an EXEC that was refused. Errors about slots say themselves what to do and stay as they are.

    (Redis: execCommandAbort, clusterRedirectClient.)
    """
    if reason.startswith((b"MOVED ", b"ASK ", b"CROSSSLOT ", b"CLUSTERDOWN ", b"TRYAGAIN ")):
        return reason
    return b"EXECABORT Transaction discarded because of: " + reason.removeprefix(b"ERR ")


def outside(smallest: int, largest: int) -> bytes:
    """Return the error for a number that is not in the range, both ends included."""
    return f"ERR value is out of range, value must between {smallest} and {largest}".encode()


def invalid_expire_time(command: str) -> bytes:
    """Return the error for a time to live that is not positive or too large."""
    return f"ERR invalid expire time in '{command}' command".encode()


def protocol(reason: str) -> bytes:
    """Return the error that precedes the closing of a connection whose bytes are not RESP.

    Some reasons quote a byte of the peer's, which goes back as it came: a character stands for one byte.
    """
    return f"ERR Protocol error: {reason}".encode("latin-1")

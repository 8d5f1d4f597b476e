"""What the client raises. Redirections and passing troubles of a cluster are handled inside and never raised."""

from trivet_wire.connection import ErrorReply


class ClientError(Exception):
    """Base of everything that the client raises on its own account."""


class ClusterUnavailable(ClientError):
    """A command could not be done before `retry_timeout_s` was over; the message names the last cause."""


class ConnectionLost(ClientError):
    """The connection broke after the command was sent: it may or may not have run.

    Raised only for commands that would do harm if they ran twice; see the option `retry_lost`.
    """


class ServerError(ClientError):
    """An error that the server answered; str() is the server's text."""

    @property
    def code(self) -> str:
        """The first word of the error, such as `ERR` or `WRONGTYPE`."""
        return str(self).partition(" ")[0]


class ConnectionRejected(ServerError):
    """The server serves no connection with the client's options: trying again would not help."""


class AuthenticationError(ConnectionRejected):
    """The server wants a password, or another one, or forbids the command to this user (NOAUTH WRONGPASS NOPERM)."""


class DatabaseRefused(ConnectionRejected):
    """The server lets no connection select the database that the option `database` names."""


class CrossSlotError(ServerError):
    """The keys of one command belong to several slots (CROSSSLOT)."""


class WrongTypeError(ServerError):
    """The key holds another type of value than the command works on (WRONGTYPE)."""


class NoScriptError(ServerError):
    """EVALSHA named a script that the server does not know (NOSCRIPT)."""


class TransactionAborted(ServerError):
    """EXEC did nothing because a command before it was refused (EXECABORT)."""


_CLASS_OF_CODE: dict[str, type[ServerError]] = {
    "NOAUTH": AuthenticationError,
    "WRONGPASS": AuthenticationError,
    "NOPERM": AuthenticationError,
    "CROSSSLOT": CrossSlotError,
    "WRONGTYPE": WrongTypeError,
    "NOSCRIPT": NoScriptError,
    "EXECABORT": TransactionAborted,
}


def server_error(reply: ErrorReply) -> ServerError:
    """Return the exception to raise for a server's error."""
    return _CLASS_OF_CODE.get(reply.code, ServerError)(str(reply))

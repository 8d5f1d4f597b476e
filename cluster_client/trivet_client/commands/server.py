"""Commands about the server and for messages. In a cluster they go to one primary, unless the client says otherwise."""

from collections.abc import Awaitable, Mapping

from trivet_client.commands.base import CommandRunner, V, Value, flatten, is_ok, unchanged, words
from trivet_wire.answers import as_dict, info_fields
from trivet_wire.connection import Reply


class ServerCommands(CommandRunner[V]):
    """PING, INFO, CONFIG and others without keys."""

    def ping(self, message: Value | None = None) -> Awaitable[V]:
        """PING: return PONG, or the message."""
        return self._run(unchanged, "PING", *([] if message is None else [message]))

    def echo(self, message: Value) -> Awaitable[V]:
        """ECHO: return the message."""
        return self._run(unchanged, "ECHO", message)

    def time(self) -> Awaitable[tuple[int, int]]:
        """TIME: return the server's Unix time, in seconds and microseconds of the second."""
        return self._run(_seconds_and_microseconds, "TIME")

    def info(self, section: str | None = None) -> Awaitable[dict[str, str]]:
        """INFO: return the fields of one section or of the default ones."""
        return self._run(info_fields, "INFO", *words(section))

    def config_get(self, pattern: str) -> Awaitable[dict[V, V]]:
        """CONFIG GET: return the settings whose names match `pattern`, of one node."""
        return self._run(as_dict, "CONFIG", "GET", pattern)

    def config_set(self, settings: Mapping[str, Value]) -> Awaitable[bool]:
        """CONFIG SET: change settings of one node."""
        return self._run(is_ok, "CONFIG", "SET", *flatten(settings))

    def publish(self, channel: V | str, message: Value) -> Awaitable[int]:
        """PUBLISH: send a message; return how many clients of the node that was asked received it."""
        return self._run(int, "PUBLISH", channel, message)


def _seconds_and_microseconds(reply: Reply) -> tuple[int, int]:
    seconds, microseconds = reply
    return int(seconds), int(microseconds)

"""What a replica says when it cannot do what its primary has done: their data differ from there on, or did already.

It goes on nevertheless, as Redis' do. (Redis: afterErrorReply, showLatestBacklog.)
"""

from typing import Final

from trivet_node.client import Client
from trivet_node.command import look_up
from trivet_node.server.state import Server
from trivet_wire.quoting import quoted

_SHOWN_BYTES: Final = 256


def report_errors(server: Server, client: Client, arguments: list[bytes], count: int) -> None:
    """Count and log that a request of our primary, `client`, has met errors, and the stream that led there.

    Of several, which only a transaction meets, the last is shown.
    """
    server.stats.unexpected_errors += count
    command = look_up(server.table, arguments)
    name = "<unknown>" if command is None else command.name
    server.host.log(
        "warning",
        f"== CRITICAL == This replica is sending an error to its master: '{_shown(client.reply.last_error)}' "
        f"after processing the command '{name}'",
    )
    backlog = server.replication.backlog
    if backlog is not None and backlog.length > 0:
        latest = backlog.since(max(backlog.first_offset(), int(backlog.next_offset) - _SHOWN_BYTES))
        server.host.log("warning", f"Latest backlog is: '{quoted(latest).decode()}'")


def _shown(error: bytes) -> str:
    """Return an error as Redis shows it: without the code that most have, or with its first byte."""
    text = error.decode(errors="replace")
    return text[4:] if text.startswith("ERR ") else f"-{text}"

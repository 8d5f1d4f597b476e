"""What `CONTAINER HELP` answers. (Redis: addReplyHelp.)"""

from collections.abc import Sequence

from trivet_wire.replies import ReplyBuffer


def reply_help(reply: ReplyBuffer, container: str, lines: Sequence[str]) -> None:
    """Append the help of a container command: `lines` describe its subcommands but HELP itself."""
    reply.array(len(lines) + 3)
    reply.simple(f"{container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:".encode())
    for line in lines:
        reply.simple(line.encode())
    reply.simple(b"HELP")
    reply.simple(b"    Prints this help.")

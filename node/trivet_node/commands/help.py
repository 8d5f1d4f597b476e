"""What `CONTAINER HELP` answers. (Redis: addReplyHelp.)"""

from trivet_node.client import Client


def reply_help(client: Client, container: str, lines: tuple[str, ...]) -> None:
    """Answer with the help of a container command: `lines` describe its subcommands but HELP itself."""
    reply = client.reply
    reply.array(len(lines) + 3)
    reply.simple(f"{container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:".encode())
    for line in lines:
        reply.simple(line.encode())
    reply.simple(b"HELP")
    reply.simple(b"    Prints this help.")

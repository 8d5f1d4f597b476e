"""The typed methods of clients and pipelines, a family of commands a file."""

from trivet_client.commands.keys import KeyCommands
from trivet_client.commands.server import ServerCommands
from trivet_client.commands.strings import StringCommands

__all__ = ["KeyCommands", "ServerCommands", "StringCommands"]

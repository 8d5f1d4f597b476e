"""The sections of INFO in order: each is a title and a function that returns its fields in order.

To add a section, write its function and its row in SECTIONS.
"""

from collections.abc import Callable
from typing import Final, final

from trivet_node.server.information.activity import stats_info
from trivet_node.server.information.commands import command_info, error_info, latency_info
from trivet_node.server.information.fields import Fields
from trivet_node.server.information.general import (
    clients_info,
    cluster_info,
    cpu_info,
    keyspace_info,
    modules_info,
    server_info,
)
from trivet_node.server.information.memory import memory_info
from trivet_node.server.information.persistence import persistence_info
from trivet_node.server.replicating.info import replication_info
from trivet_node.server.state import Server


@final
class Section:
    """One section: `name` selects it; INFO without arguments shows it where `by_default` is true."""

    def __init__(self, name: str, title: str, fields: Callable[[Server], Fields], by_default: bool = True) -> None:
        self.name: str = name
        self.title: str = title
        self.fields: Callable[[Server], Fields] = fields
        self.by_default: bool = by_default


SECTIONS: Final[list[Section]] = [
    Section("server", "Server", server_info),
    Section("clients", "Clients", clients_info),
    Section("memory", "Memory", memory_info),
    Section("persistence", "Persistence", persistence_info),
    Section("stats", "Stats", stats_info),
    Section("replication", "Replication", replication_info),
    Section("cpu", "CPU", cpu_info),
    Section("modules", "Modules", modules_info),
    Section("commandstats", "Commandstats", command_info, by_default=False),
    Section("errorstats", "Errorstats", error_info),
    Section("latencystats", "Latencystats", latency_info, by_default=False),
    Section("cluster", "Cluster", cluster_info),
    Section("keyspace", "Keyspace", keyspace_info),
]


def info_text(server: Server, names: list[str]) -> str:
    """Return the sections that `names` (in lower case; `default`, `all` and `everything` too) ask for."""
    wanted = set(names) or {"default"}
    everything = bool(wanted & {"all", "everything"})
    parts: list[str] = []
    for section in SECTIONS:
        if everything or section.name in wanted or ("default" in wanted and section.by_default):
            lines = [f"{name}:{value}\r\n" for name, value in section.fields(server)]
            parts.append(f"# {section.title}\r\n" + "".join(lines))
    return "\r\n".join(parts)

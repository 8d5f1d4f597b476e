"""Who is who now, asked of the running cluster itself and not of the plan: failovers change roles."""

from collections.abc import Sequence

import attrs
import trio
from rich.table import Table

from trivet_deploy.launcher.contact import UNREACHABLE, Contact, contacts, pairs
from trivet_deploy.launcher.plan import ClusterPlan
from trivet_deploy.launcher.processes import ProcessId
from trivet_wire.answers import info_fields
from trivet_wire.connection import ErrorReply

_FLAG_MYSELF = "myself"


@attrs.frozen
class ServerStatus:
    """One server as it describes itself. `serves` is slots of a primary, the primary of a replica, or shards."""

    name: str
    pid: int | None
    role: str
    serves: str
    state: str


async def gather(plan: ClusterPlan, running: dict[str, ProcessId]) -> list[ServerStatus]:
    """Ask every server of the plan that runs; the others are told as down."""
    rows: dict[str, ServerStatus] = {}
    servers = ((server.name, server.endpoint) for server in plan.servers)
    async with contacts(servers) as asked, trio.open_nursery() as nursery:
        for contact in asked:
            is_node = any(node.name == contact.name for node in plan.nodes)
            nursery.start_soon(_ask_one, contact, is_node, running.get(contact.name), rows)
    return [rows[server.name] for server in plan.servers]


def status_table(rows: Sequence[ServerStatus], title: str) -> Table:
    """Return the table that `trivet up` and `trivet status` show."""
    table = Table(title=title, title_justify="left")
    for heading in ("process", "pid", "role", "serves", "state"):
        table.add_column(heading)
    for row in rows:
        colour = {"ok": "green", "down": "red"}.get(row.state, "yellow")
        pid = "-" if row.pid is None else str(row.pid)
        table.add_row(row.name, pid, row.role, row.serves, f"[{colour}]{row.state}[/]")
    return table


async def _ask_one(contact: Contact, is_node: bool, process: ProcessId | None, rows: dict[str, ServerStatus]) -> None:
    role, serves, state = "-", "-", "down"
    if process is not None:
        try:
            role, serves, state = await (_node(contact) if is_node else _sentinel(contact))
        except (ErrorReply, *UNREACHABLE) as error:
            state = f"does not answer: {error or type(error).__name__}"
    pid = None if process is None else process.pid
    rows[contact.name] = ServerStatus(contact.name, pid, role, serves, state)


async def _node(contact: Contact) -> tuple[str, str, str]:
    state = info_fields(await contact.call("CLUSTER", "INFO")).get("cluster_state", "unknown")
    lines = [line.split() for line in (await contact.call("CLUSTER", "NODES")).decode().splitlines()]
    role, serves = role_and_slots(lines)
    return role, serves, state


def role_and_slots(lines: Sequence[Sequence[str]]) -> tuple[str, str]:
    """Return what the node that answered CLUSTER NODES is and serves; `lines` are its lines split into fields."""
    addresses = {fields[0]: fields[1].partition("@")[0] for fields in lines}
    for fields in lines:
        flags = fields[2].split(",")
        if _FLAG_MYSELF in flags and "slave" in flags:
            return "replica", f"behind {addresses.get(fields[3], fields[3])}"
        if _FLAG_MYSELF in flags:
            return "primary", "slots " + (" ".join(fields[8:]) or "none")
    return "-", "-"


async def _sentinel(contact: Contact) -> tuple[str, str, str]:
    shards = [pairs(each) for each in await contact.call("SENTINEL", "MASTERS")]
    down = [shard["name"] for shard in shards if "down" in shard.get("flags", "")]
    return "sentinel", f"{len(shards)} shards", f"down: {', '.join(down)}" if down else "ok"

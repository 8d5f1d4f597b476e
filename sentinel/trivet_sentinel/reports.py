"""What a sentinel tells about itself and about what it watches: the fields of SENTINEL MASTERS and its kin, and INFO.

Names, order and meaning of the fields are Redis', because clients and dashboards read them; times are milliseconds ago.
"""

from collections.abc import Callable, Iterable
from typing import Final

from trivet_sentinel.sessions import Server
from trivet_sentinel.state import Failover, FailoverState, Group, Instance, Node, Peer, Reconfiguration, Sentinel
from trivet_wire.version import REDIS_VERSION

Fields = dict[str, str | int]

_RECONFIGURATION_FLAGS: Final = {
    Reconfiguration.SENT: "reconf_sent",
    Reconfiguration.IN_PROGRESS: "reconf_inprog",
    Reconfiguration.DONE: "reconf_done",
}


def primary_fields(sentinel: Sentinel, group: Group) -> Fields:
    """Return what SENTINEL MASTER tells about a group."""
    primary = group.primary
    fields: Fields = {
        "name": group.name,
        **_instance_fields(sentinel, group, primary),
        **_role_fields(sentinel, primary),
    }
    fields["config-epoch"] = group.config_epoch
    fields["num-slaves"] = len(group.replicas)
    fields["num-other-sentinels"] = len(group.peers)
    fields["quorum"] = group.settings.quorum
    fields["failover-timeout"] = group.settings.failover_timeout_ms
    fields["parallel-syncs"] = group.settings.parallel_syncs
    if group.settings.notification_script:
        fields["notification-script"] = group.settings.notification_script
    if group.settings.client_reconfig_script:
        fields["client-reconfig-script"] = group.settings.client_reconfig_script
    return fields


def replica_fields(sentinel: Sentinel, group: Group, node: Node) -> Fields:
    """Return what SENTINEL REPLICAS tells about a replica."""
    name = f"{sentinel.shown_host(node.address)}:{node.address.port}"
    fields: Fields = {"name": name, **_instance_fields(sentinel, group, node), **_role_fields(sentinel, node)}
    fields["master-link-down-time"] = node.primary_link_down_ms
    fields["master-link-status"] = "ok" if node.primary_link_up else "err"
    fields["master-host"] = node.primary_host or "?"
    fields["master-port"] = node.primary_port
    fields["slave-priority"] = node.priority
    fields["slave-repl-offset"] = node.offset
    fields["replica-announced"] = int(node.is_announced)
    return fields


def peer_fields(sentinel: Sentinel, group: Group, peer: Peer) -> Fields:
    """Return what SENTINEL SENTINELS tells about another sentinel."""
    fields: Fields = {"name": peer.run_id, **_instance_fields(sentinel, group, peer)}
    fields["last-hello-message"] = sentinel.now_ms - peer.hello_received_ms
    fields["voted-leader"] = peer.leader or "?"
    fields["voted-leader-epoch"] = peer.leader_epoch
    return fields


def _instance_fields(sentinel: Sentinel, group: Group, instance: Instance) -> Fields:
    link, now = instance.link, sentinel.now_ms
    fields: Fields = {
        "ip": sentinel.shown_host(instance.address),
        "port": instance.address.port,
        "runid": instance.run_id,
        "flags": ",".join(_flags(group, instance)),
        "link-pending-commands": len(link.pending),
        "link-refcount": link.users,
    }
    if group.failover is not None and instance is group.primary:
        fields["failover-state"] = group.failover.state.value
    fields["last-ping-sent"] = 0 if link.waiting_since_ms is None else now - link.waiting_since_ms
    fields["last-ok-ping-reply"] = now - link.last_valid_pong_ms
    fields["last-ping-reply"] = now - link.last_pong_ms
    if instance.down_since_ms is not None:
        fields["s-down-time"] = now - instance.down_since_ms
    if instance is group.primary and group.objectively_down_since_ms is not None:
        fields["o-down-time"] = now - group.objectively_down_since_ms
    fields["down-after-milliseconds"] = group.settings.down_after_ms
    return fields


def _role_fields(sentinel: Sentinel, node: Node) -> Fields:
    now = sentinel.now_ms
    return {
        "info-refresh": 0 if node.info_received_ms is None else now - node.info_received_ms,
        "role-reported": node.role or "?",
        "role-reported-time": now - node.role_since_ms,
    }


def _flags(group: Group, instance: Instance) -> Iterable[str]:
    """Yield the words of the `flags` field, in Redis' order."""
    if instance.down_since_ms is not None:
        yield "s_down"
    if instance is group.primary and group.objectively_down_since_ms is not None:
        yield "o_down"
    yield "sentinel" if isinstance(instance, Peer) else "master" if instance is group.primary else "slave"
    if not instance.link.is_open:
        yield "disconnected"
    if isinstance(instance, Peer) and instance.says_down:
        yield "master_down"
    yield from _failover_flags(group, group.failover, instance)
    if isinstance(instance, Node) and instance.script_kill_sent:
        yield "script_kill_sent"


def _failover_flags(group: Group, failover: Failover | None, instance: Instance) -> Iterable[str]:
    if failover is None:
        return
    if instance is group.primary:
        yield "failover_in_progress"
        if failover.is_forced:
            yield "force_failover"
    if instance is failover.promoted and failover.state is not FailoverState.SELECT_REPLICA:
        yield "promoted"
    if isinstance(instance, Node) and instance.reconfiguration in _RECONFIGURATION_FLAGS:
        yield _RECONFIGURATION_FLAGS[instance.reconfiguration]


def info(server: Server, sections: list[str]) -> str:
    """Return the INFO text; `sections` are lower-case names, none of them meaning all."""
    wanted = set(sections) - {"default", "all", "everything"}
    parts = [
        f"# {name.capitalize()}\r\n" + "".join(f"{key}:{value}\r\n" for key, value in section(server).items())
        for name, section in _SECTIONS.items()
        if not wanted or len(wanted) < len(set(sections)) or name in wanted
    ]
    return "\r\n".join(parts)


def _server_section(server: Server) -> Fields:
    uptime_s = (server.sentinel.now_ms - server.started_ms) // 1000
    return {
        "redis_version": REDIS_VERSION,
        "redis_mode": "sentinel",
        "process_id": server.process_id,
        "run_id": server.sentinel.my_id,
        "tcp_port": server.sentinel.options.port,
        "uptime_in_seconds": uptime_s,
        "uptime_in_days": uptime_s // 86_400,
        "config_file": server.config_path,
    }


def _clients_section(server: Server) -> Fields:
    subscribers = sum(1 for client in server.clients.values() if client.subscriptions)
    return {"connected_clients": len(server.clients), "pubsub_clients": subscribers}


def _stats_section(server: Server) -> Fields:
    return {
        "total_connections_received": server.connections_received,
        "total_commands_processed": server.commands_processed,
    }


def _sentinel_section(server: Server) -> Fields:
    sentinel = server.sentinel
    since = sentinel.tilt_since_ms
    fields: Fields = {
        "sentinel_masters": len(sentinel.groups),
        "sentinel_tilt": int(sentinel.in_tilt),
        "sentinel_tilt_since_seconds": -1 if since is None else (sentinel.now_ms - since) // 1000,
        "sentinel_current_epoch": sentinel.current_epoch,
        "sentinel_clusters": ",".join(sentinel.clusters),
    }
    for index, group in enumerate(sentinel.groups.values()):
        fields[f"master{index}"] = _summary(sentinel, group)
    return fields


def _summary(sentinel: Sentinel, group: Group) -> str:
    status = "ok"
    if group.objectively_down_since_ms is not None:
        status = "odown"
    elif group.primary.down_since_ms is not None:
        status = "sdown"
    address = group.current_primary().address
    place = f"{sentinel.shown_host(address)}:{address.port}"
    counts = f"slaves={len(group.replicas)},sentinels={group.voters()}"
    return f"name={group.name},status={status},address={place},{counts}"


_SECTIONS: Final[dict[str, Callable[[Server], Fields]]] = {
    "server": _server_section,
    "clients": _clients_section,
    "stats": _stats_section,
    "sentinel": _sentinel_section,
}

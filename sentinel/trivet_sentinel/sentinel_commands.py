"""The SENTINEL command: what clients ask to find a primary, what operators use, and how sentinels ask each other.

(Redis Sentinel documentation, "Sentinel commands"; texts and forms of replies of Redis 7.0.)
"""

from typing import Final

import attrs

from trivet_sentinel import clusters, election, failover, groups, reports, sides
from trivet_sentinel.reports import Fields
from trivet_sentinel.sessions import Client, Command, Server, container, text
from trivet_sentinel.settings import SCRIPT_OPTIONS, BadOption, find_row, port_number, yes_no, yes_or_no
from trivet_sentinel.state import Address, Group, Node, Options, Sentinel, Settings
from trivet_sentinel.state_file import check_host, check_new_name, positive_quorum, settings_named
from trivet_wire import errors
from trivet_wire.glob import glob_match

NO_SUCH_GROUP: Final = b"ERR No such master with that name"


def _find_group(server: Server, client: Client, name: bytes) -> Group | None:
    """Return the group called `name`; where there is none, reply the error."""
    group = server.sentinel.groups.get(text(name))
    if group is None:
        client.out.error(NO_SUCH_GROUP)
    return group


def _reply_fields(client: Client, fields: Fields) -> None:
    client.out.map(len(fields))
    for name, value in fields.items():
        client.out.bulk_text(name)
        client.out.bulk_text(str(value))


def _reply_node(server: Server, client: Client, node: Node, fields: Fields) -> None:
    told = sides.told_address(server.sentinel, client, node.address)
    shown: Fields = {**fields, "ip": told.host, "port": told.port}
    # Replicas are named by their address, primaries by their group.
    if fields["name"] == f"{fields['ip']}:{fields['port']}":
        shown["name"] = str(told)
    _reply_fields(client, shown)


def _masters(server: Server, client: Client, _arguments: list[bytes]) -> None:
    client.out.array(len(server.sentinel.groups))
    for group in server.sentinel.groups.values():
        _reply_node(server, client, group.primary, reports.primary_fields(server.sentinel, group))


def _master(server: Server, client: Client, arguments: list[bytes]) -> None:
    group = _find_group(server, client, arguments[2])
    if group is not None:
        _reply_node(server, client, group.primary, reports.primary_fields(server.sentinel, group))


def _replicas(server: Server, client: Client, arguments: list[bytes]) -> None:
    group = _find_group(server, client, arguments[2])
    if group is not None:
        announced = [node for node in group.replicas.values() if node.is_announced]
        client.out.array(len(announced))
        for node in announced:
            _reply_node(server, client, node, reports.replica_fields(server.sentinel, group, node))


def _sentinels(server: Server, client: Client, arguments: list[bytes]) -> None:
    group = _find_group(server, client, arguments[2])
    if group is not None:
        client.out.array(len(group.peers))
        for peer in group.peers.values():
            _reply_fields(client, reports.peer_fields(server.sentinel, group, peer))


def _my_id(server: Server, client: Client, _arguments: list[bytes]) -> None:
    client.out.bulk_text(server.sentinel.my_id)


def _get_address(server: Server, client: Client, arguments: list[bytes]) -> None:
    group = server.sentinel.groups.get(text(arguments[2]))
    if group is None:
        client.out.null_array()
        return
    told = sides.told_address(server.sentinel, client, group.current_primary().address)
    client.out.bulk_array([told.host.encode(), str(told.port).encode()])


def _is_down_by_address(server: Server, client: Client, arguments: list[bytes]) -> None:
    """Answer another sentinel: whether we think that a primary is down, and, where it asks for it, whom we vote for.

    The reply is an array: 1 or 0, the id of the sentinel that has our vote (`*` where none was asked for), its epoch.
    """
    sentinel = server.sentinel
    try:
        address, epoch = Address(text(arguments[2]), int(arguments[3])), int(arguments[4])
    except ValueError:
        client.out.error(errors.NOT_AN_INTEGER)
        return
    run_id = text(arguments[5])
    group = _group_at(sentinel, address)
    is_down = group is not None and group.primary.down_since_ms is not None and not sentinel.in_tilt
    leader, leader_epoch = "*", 0
    if group is not None and run_id != "*":
        leader, leader_epoch = election.vote(sentinel, group, epoch, run_id)
    client.out.array(3)
    client.out.integer(int(is_down))
    client.out.bulk_text(leader or "*")
    client.out.integer(leader_epoch)


def _group_at(sentinel: Sentinel, address: Address) -> Group | None:
    return next(
        (group for group in sentinel.groups.values() if sentinel.same_address(group.primary.address, address)), None
    )


def _check_quorum(server: Server, client: Client, arguments: list[bytes]) -> None:
    group = _find_group(server, client, arguments[2])
    if group is None:
        return
    usable = election.usable_voters(group)
    problem = election.majority_problem(group, usable)
    if problem:
        client.out.error(f"NOQUORUM {usable} usable Sentinels. {problem}".encode())
    else:
        client.out.simple(f"OK {usable} usable Sentinels. Quorum and failover authorization can be reached".encode())


def _failover(server: Server, client: Client, arguments: list[bytes]) -> None:
    group = _find_group(server, client, arguments[2])
    if group is None:
        return
    if group.failover is not None:
        client.out.error(b"INPROG Failover already in progress")
    elif failover.select_replica(server.sentinel, group) is None:
        client.out.error(b"NOGOODSLAVE No suitable replica to promote")
    else:
        failover.force(server.sentinel, group)
        client.out.ok()


def _monitor(server: Server, client: Client, arguments: list[bytes]) -> None:
    """Start to monitor a primary (SENTINEL MONITOR) or a cluster (SENTINEL MONITOR-CLUSTER)."""
    sentinel = server.sentinel
    name, host, port, quorum = (text(argument) for argument in arguments[2:])
    try:
        votes = _quorum(quorum)
        check_new_name(sentinel, name)
        check_host(sentinel, host)
        address = Address(host, port_number(port))
    except BadOption as error:
        client.out.error(f"ERR {error}".encode())
        return
    if arguments[1].lower() == b"monitor-cluster":
        clusters.add_cluster(sentinel, name, address, Settings(votes))
        sentinel.wake_at(sentinel.now_ms)
    else:
        groups.announce_monitor(sentinel, groups.add_group(sentinel, name, address, Settings(votes)))
    sentinel.save()
    client.out.ok()


def _quorum(word: str) -> int:
    if not word.lstrip("-").isdigit():
        raise BadOption("Invalid quorum")
    return positive_quorum(word)


def _remove(server: Server, client: Client, arguments: list[bytes]) -> None:
    cluster = server.sentinel.clusters.get(text(arguments[2]))
    if cluster is not None:
        clusters.remove_cluster(server.sentinel, cluster)
        client.out.ok()
        return
    group = _find_group(server, client, arguments[2])
    if group is not None:
        groups.remove_group(server.sentinel, group)
        client.out.ok()


def _reset(server: Server, client: Client, arguments: list[bytes]) -> None:
    every_group = server.sentinel.groups.values()
    matching = [group for group in every_group if glob_match(arguments[2], group.name.encode())]
    for group in matching:
        groups.reset_group(server.sentinel, group)
    server.sentinel.save()
    client.out.integer(len(matching))


def _set(server: Server, client: Client, arguments: list[bytes]) -> None:
    """Change options of a group, or of a cluster and all its shards; those before a wrong one are changed."""
    sentinel, name = server.sentinel, text(arguments[2])
    if name not in sentinel.groups and name not in sentinel.clusters:
        client.out.error(NO_SUCH_GROUP)
        return
    words = [text(argument) for argument in arguments[3:]]
    try:
        while words:
            taken = _set_one(sentinel, name, words)
            words = words[taken:]
    except BadOption as error:
        client.out.error(str(error).encode())
    else:
        client.out.ok()
    for group in sentinel.groups.values():
        if name in (group.name, group.cluster):
            groups.reconnect_nodes(sentinel, group)
            sentinel.touch(group)
    sentinel.save()


def _set_one(sentinel: Sentinel, name: str, words: list[str]) -> int:
    """Set the option that `words` start with; return how many words it took. BadOption holds the error reply."""
    option = words[0].lower()
    row = find_row(option)
    if row is None or len(words) <= row.arity:
        raise BadOption(f"ERR Unknown option or number of arguments for SENTINEL SET '{words[0]}'")
    if option in SCRIPT_OPTIONS and sentinel.options.deny_scripts_reconfig:
        raise BadOption(
            "ERR Reconfiguration of scripts path is denied for security reasons. Check the deny-scripts-reconfig "
            "configuration directive in your Sentinel configuration"
        )
    values = words[1 : row.arity + 1]
    try:
        for settings in settings_named(sentinel, name):
            row.assign(settings, values)
    except BadOption as error:
        raise BadOption(f"ERR Invalid argument '{values[0]}' for SENTINEL SET '{words[0]}'") from error
    shown = "******" if option == "auth-pass" else " ".join(values)
    for group in sentinel.groups.values():
        if name in (group.name, group.cluster):
            sentinel.announce_instance("+set", group, group.primary, f" {option} {shown}")
    return row.arity + 1


def _flush_config(server: Server, client: Client, _arguments: list[bytes]) -> None:
    server.sentinel.save()
    client.out.ok()


def _info_cache(server: Server, client: Client, arguments: list[bytes]) -> None:
    """Reply the last INFO of all nodes of the named groups, with its age in milliseconds."""
    names = {text(argument) for argument in arguments[2:]}
    chosen = [group for group in server.sentinel.groups.values() if group.name in names]
    client.out.map(len(chosen))
    for group in chosen:
        client.out.bulk_text(group.name)
        client.out.array(len(group.nodes()))
        for node in group.nodes():
            client.out.array(2)
            client.out.integer(0 if node.info_received_ms is None else server.sentinel.now_ms - node.info_received_ms)
            if node.info_text:
                client.out.bulk_text(node.info_text)
            else:
                client.out.null()


@attrs.frozen
class GlobalOption:
    """An option that SENTINEL CONFIG reads and sets: the field of Options, and how its text becomes a value."""

    field: str
    kind: type


_GLOBAL_OPTIONS: Final = {
    "announce-ip": GlobalOption("announce_ip", str),
    "announce-port": GlobalOption("announce_port", int),
    "resolve-hostnames": GlobalOption("resolve_hostnames", bool),
    "announce-hostnames": GlobalOption("announce_hostnames", bool),
    "sentinel-user": GlobalOption("sentinel_user", str),
    "sentinel-pass": GlobalOption("sentinel_pass", str),
}


def _config(server: Server, client: Client, arguments: list[bytes]) -> None:
    action = arguments[2].lower()
    if action == b"get" and len(arguments) == 4:
        _config_get(server.sentinel.options, client, arguments[3])
    elif action == b"set" and len(arguments) == 5:
        _config_set(server, client, text(arguments[3]).lower(), text(arguments[4]))
    elif action in (b"get", b"set"):
        client.out.error(b"ERR Only SENTINEL CONFIG GET <option> / SET <option> <value> are supported.")
    else:
        client.out.error(errors.wrong_arity("sentinel|config"))


def _config_get(options: Options, client: Client, pattern: bytes) -> None:
    names = [name for name in _GLOBAL_OPTIONS if glob_match(pattern.lower(), name.encode())]
    client.out.map(len(names))
    for name in names:
        value = getattr(options, _GLOBAL_OPTIONS[name].field)
        client.out.bulk_text(name)
        client.out.bulk_text(yes_no(value) if isinstance(value, bool) else str(value))


def _config_set(server: Server, client: Client, name: str, word: str) -> None:
    option = _GLOBAL_OPTIONS.get(name)
    if option is None:
        client.out.error(f"ERR Invalid argument '{name}' to SENTINEL CONFIG SET".encode())
        return
    try:
        value: str | int | bool = word
        if option.kind is bool:
            value = yes_or_no(word)
        elif option.kind is int:
            value = port_number(word, lowest=0)
    except BadOption:
        client.out.error(f"ERR Invalid value '{word}' to SENTINEL CONFIG SET '{name}'".encode())
        return
    setattr(server.sentinel.options, option.field, value)
    server.sentinel.save()
    client.out.ok()


_ADMIN: Final = ("admin",)
SUBCOMMANDS: Final = (
    Command("sentinel|ckquorum", 3, _check_quorum, "Checks whether enough sentinels can be reached.", _ADMIN),
    Command("sentinel|config", -3, _config, "Reads or sets a global option.", _ADMIN),
    Command("sentinel|failover", 3, _failover, "Fails over without asking the other sentinels.", _ADMIN),
    Command("sentinel|flushconfig", 2, _flush_config, "Writes the configuration file.", _ADMIN),
    Command("sentinel|get-master-addr-by-name", 3, _get_address, "Returns the address of a primary.", _ADMIN),
    Command("sentinel|info-cache", -3, _info_cache, "Returns the last INFO of a group's nodes.", _ADMIN),
    Command("sentinel|is-master-down-by-addr", 6, _is_down_by_address, "Answers another sentinel.", _ADMIN),
    Command("sentinel|master", 3, _master, "Returns the state of a primary.", _ADMIN),
    Command("sentinel|masters", 2, _masters, "Returns the state of all primaries.", _ADMIN),
    Command("sentinel|monitor", 6, _monitor, "Starts to monitor a primary.", _ADMIN),
    Command("sentinel|monitor-cluster", 6, _monitor, "Starts to monitor the shards of a cluster.", _ADMIN),
    Command("sentinel|myid", 2, _my_id, "Returns the sentinel's id.", _ADMIN),
    Command("sentinel|remove", 3, _remove, "Stops to monitor a primary or a cluster.", _ADMIN),
    Command("sentinel|replicas", 3, _replicas, "Returns the state of a primary's replicas.", _ADMIN),
    Command("sentinel|reset", 3, _reset, "Forgets what was found out about primaries.", _ADMIN),
    Command("sentinel|sentinels", 3, _sentinels, "Returns the other sentinels of a primary.", _ADMIN),
    Command("sentinel|set", -5, _set, "Sets options of a primary or a cluster.", _ADMIN),
    Command("sentinel|slaves", 3, _replicas, "Returns the state of a primary's replicas.", _ADMIN),
)
COMMANDS: Final = (container("sentinel", "A container for sentinel commands.", SUBCOMMANDS),)

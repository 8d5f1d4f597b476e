"""The server as a member of its cluster: what it tells the cluster machine, and what the machine's decisions do to it.

    join()      cluster mode begins; the shell has read nodes.conf
    happened()  the shell reports an event of the bus
    commit()    a CLUSTER subcommand has changed the machine's state
    adapt()     cluster-* settings have changed

Effects on data and roles are carried out here, in their order; files, links and messages are the host's.
"""

from random import Random
from typing import Final

from trivet_node.cluster.administration import apply_options
from trivet_node.cluster.config_file import decode_config
from trivet_node.cluster.effects import (
    BecomePrimary,
    Deliver,
    DeliverToShard,
    DropSlots,
    Effect,
    EmptyData,
    Event,
    FollowPrimary,
    Log,
    ReviewChannels,
    Wake,
)
from trivet_node.cluster.endpoint import EXTERNAL_ENDPOINT
from trivet_node.cluster.machine import ClusterMachine
from trivet_node.cluster.nodes import new_id
from trivet_node.cluster.options import ClusterOptions
from trivet_node.cluster.redirect import serves_channels_of
from trivet_node.cluster.slots import slots_in
from trivet_node.cluster.state import ANNOUNCE, SAVE, ClusterState, new_state
from trivet_node.config import Config
from trivet_node.replication.upstream import CONNECTED
from trivet_node.server import metering
from trivet_node.server.replicating import roles
from trivet_node.server.state import CHECK_CLUSTER, Server
from trivet_node.server.subscribers import close_shard_channel, deliver, deliver_to_shard
from trivet_wire.addresses import BUS_PORT_OFFSET
from trivet_wire.replies import encode_command
from trivet_wire.slots import key_slot

_MS_PER_S: Final = 1000
# The machine's clock is never older than this: it ticks at least once a second.
_STALE_MAX_MS: Final = 1000


def join(server: Server, config_text: str) -> None:
    """Begin cluster mode with the contents of nodes.conf, empty where there is none. Raises ConfigFileError."""
    options = options_of(server.config)
    state = _first_state(options, server.random, config_text)
    apply_options(state, options)
    state.todo |= SAVE
    server.cluster = ClusterMachine(state)
    server.checks |= CHECK_CLUSTER
    metering.follow(server)


def _first_state(options: ClusterOptions, random: Random, config_text: str) -> ClusterState:
    if config_text:
        return decode_config(config_text, options, random)
    state = new_state(options, random, new_id(random), new_id(random))
    state.log("notice", f"No cluster configuration found, I'm {state.myself.id}")
    return state


def options_of(config: Config) -> ClusterOptions:
    """Return the settings that the cluster machine works by."""
    options = ClusterOptions()
    options.port = config.port
    options.bus_port = config.cluster_port or config.port + BUS_PORT_OFFSET
    options.node_timeout_ms = config.cluster_node_timeout
    options.announce_host = config.cluster_announce_ip
    options.announce_port = config.cluster_announce_port
    options.announce_bus_port = config.cluster_announce_bus_port
    options.announce_hostname = config.cluster_announce_hostname
    options.preferred_endpoint = config.cluster_preferred_endpoint_type
    options.external_port = config.external_port
    if config.external_endpoint:
        options.metadata[EXTERNAL_ENDPOINT] = config.external_endpoint
    options.require_full_coverage = config.cluster_require_full_coverage
    options.allow_reads_when_down = config.cluster_allow_reads_when_down
    options.allow_pubsubshard_when_down = config.cluster_allow_pubsubshard_when_down
    options.replica_no_failover = config.cluster_replica_no_failover
    options.replica_validity_factor = config.cluster_replica_validity_factor
    options.replica_ping_period_ms = config.repl_ping_replica_period * _MS_PER_S
    return options


def adapt(server: Server) -> None:
    """Take over changed settings."""
    if server.cluster is not None:
        apply_options(server.cluster.state, options_of(server.config))
        commit(server)


def happened(server: Server, event: Event, now_ms: int) -> None:
    """Let the cluster machine know of an event at `now_ms`, monotonic milliseconds, and carry out what it decides."""
    machine = server.cluster
    if machine is not None:
        _report_replication(server, machine.state)
        machine.state.unix_offset_ms = int(server.keyspace.now_ms) - now_ms
        _carry_out(server, machine.step(event, now_ms))
        _follow_slots(server, machine.state)


def commit(server: Server) -> None:
    """Carry out what follows from a change that a command made to the machine's state."""
    machine = server.cluster
    if machine is not None:
        machine.settle()
        _carry_out(server, machine.take())
        _follow_slots(server, machine.state)
        server.host.perform(Wake())


def publish(server: Server, channel: bytes, message: bytes) -> None:
    """Let the subscribers of all other nodes hear what was published here."""
    machine = server.cluster
    if machine is not None:
        machine.publish(channel, message)
        _carry_out(server, machine.take())


def publish_to_shard(server: Server, channel: bytes, message: bytes) -> None:
    """Let the subscribers of the other nodes of this shard hear what was published here to a channel of the shard."""
    machine = server.cluster
    if machine is not None:
        machine.publish_to_shard(channel, message)
        _carry_out(server, machine.take())


def catch_up(server: Server, state: ClusterState) -> None:
    """Bring the machine's clock up to this moment: a command does not come with one."""
    elapsed_ms = int(server.keyspace.now_ms) - state.unix_offset_ms - state.now_ms
    # The time of day may have been set meanwhile; the machine's clock was right a moment ago.
    state.now_ms += min(max(elapsed_ms, 0), _STALE_MAX_MS)


def _report_replication(server: Server, state: ClusterState) -> None:
    """Tell the machine how far this node's data is."""
    replication = server.replication
    upstream = replication.upstream
    state.myself.offset = replication.applied_offset()
    if upstream is None or upstream.state == CONNECTED:
        state.primary_link_down_ms = 0
        if not state.myself.is_synced:
            # From now on clients may read here: the others tell them.
            state.myself.is_synced = True
            state.todo |= ANNOUNCE
    else:
        state.primary_link_down_ms = int(server.keyspace.now_ms) - upstream.down_since_ms


def _carry_out(server: Server, effects: list[Effect]) -> None:
    for effect in effects:
        if isinstance(effect, Log):
            server.host.log(effect.level, effect.text)
        elif isinstance(effect, Deliver):
            deliver(server, effect.channel, effect.message)
        elif isinstance(effect, DeliverToShard):
            deliver_to_shard(server, effect.channel, effect.message)
        elif isinstance(effect, ReviewChannels):
            _review_channels(server)
        elif isinstance(effect, FollowPrimary):
            roles.follow(server, effect.host, effect.port)
        elif isinstance(effect, BecomePrimary):
            roles.lead(server)
        elif isinstance(effect, DropSlots):
            _drop_slots(server, effect.slots)
        elif isinstance(effect, EmptyData):
            server.keyspace.flush()
        else:
            server.host.perform(effect)


def _follow_slots(server: Server, state: ClusterState) -> None:
    """Take over which slots are served; what commands on those that are gone have cost is forgotten."""
    server.served_slots = state.served_slots
    stats = server.slot_stats
    if stats is not None:
        slots = state.shard_slots()
        if stats.slots & ~slots:
            stats.forget(slots_in(stats.slots & ~slots))
        stats.slots = slots


def _review_channels(server: Server) -> None:
    """End the subscriptions to channels of shards that belong to another shard now."""
    machine = server.cluster
    if machine is not None:
        for slot, channel in sorted([(int(key_slot(name)), name) for name in server.pubsub.shard_channels.listeners]):
            if not serves_channels_of(machine.state, slot):
                close_shard_channel(server, channel)


def _drop_slots(server: Server, slots: int) -> None:
    """Delete the keys of slots that this primary has lost, here and on its replicas."""
    for database in server.keyspace.used_databases():
        for slot in slots_in(slots):
            for key in list(database.slots[slot]):
                database.delete(key)
                if server.propagation.enabled:
                    server.propagation.add(database.index, encode_command([b"DEL", key]))
    server.propagate()

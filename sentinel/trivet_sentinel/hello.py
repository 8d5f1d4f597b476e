"""Hello messages: how sentinels find each other and pass on which node is primary.

Every two seconds each sentinel publishes one line on `__sentinel__:hello` of every node it watches (and, by PUBLISH,
to the sentinels it knows): its own address, id and epoch, then the group's name, primary and configuration epoch. The
line with the highest configuration epoch wins: whoever hears it moves the group to the address it names. (Redis
Sentinel documentation, "Sentinels and replicas auto discovery".)
"""

from typing import Final

import attrs

from trivet_sentinel import election, groups, links
from trivet_sentinel.state import Address, Group, Instance, Node, Peer, Sentinel

PUBLISH_PERIOD_MS: Final = 2000


@attrs.frozen
class Hello:
    """One hello message: who sends it, and what it believes about one group."""

    address: Address
    run_id: str
    current_epoch: int
    group: str
    primary: Address
    config_epoch: int


def encode(message: Hello) -> str:
    """Return the message as the eight comma-separated fields that Redis publishes."""
    me, primary = message.address, message.primary
    epochs = (message.current_epoch, message.config_epoch)
    return f"{me.host},{me.port},{message.run_id},{epochs[0]},{message.group},{primary.host},{primary.port},{epochs[1]}"


def decode(payload: bytes) -> Hello | None:
    """Return the message in `payload`, or None where it is none."""
    fields = payload.decode(errors="replace").split(",")
    if len(fields) != 8:
        return None
    host, port, run_id, epoch, name, primary_host, primary_port, config_epoch = fields
    try:
        primary = Address(primary_host, int(primary_port))
        return Hello(Address(host, int(port)), run_id, int(epoch), name, primary, int(config_epoch))
    except ValueError:
        return None


def publish_if_due(sentinel: Sentinel, group: Group, instance: Instance) -> None:
    """Publish a hello on `instance` if the last one is two seconds old."""
    due = (instance.hello_sent_ms or 0) + PUBLISH_PERIOD_MS
    if instance.hello_sent_ms is not None and sentinel.now_ms < due - links.SLACK_MS:
        sentinel.wake_at(due)
    elif _publish(sentinel, group, instance):
        sentinel.wake_at(sentinel.now_ms + PUBLISH_PERIOD_MS)


def publish_everywhere(sentinel: Sentinel, group: Group) -> None:
    """Publish a hello at once, because what it says has changed."""
    for instance in (*group.nodes(), *group.peers.values()):
        _publish(sentinel, group, instance)


def _publish(sentinel: Sentinel, group: Group, instance: Instance) -> bool:
    primary = group.current_primary().address
    host = sentinel.options.announce_ip or instance.link.local_host
    message = Hello(
        Address(host, sentinel.options.announce_port or sentinel.options.port),
        sentinel.my_id,
        sentinel.current_epoch,
        group.name,
        Address(sentinel.shown_host(primary), primary.port),
        group.config_epoch,
    )
    request = ("PUBLISH", links.HELLO_CHANNEL, encode(message))
    if isinstance(instance, Node):
        was_sent = links.send_to_node(sentinel, group, instance, request)
    else:
        was_sent = links.send(sentinel, instance.link, request)
    if was_sent:
        instance.hello_sent_ms = sentinel.now_ms
    return was_sent


def receive(sentinel: Sentinel, payload: bytes) -> None:
    """Take a hello message, from whichever node or sentinel it came."""
    message = decode(payload)
    if message is None or message.run_id == sentinel.my_id:
        return
    group = sentinel.groups.get(message.group)
    if group is None:
        return
    peer = _introduce(sentinel, group, message)
    election.raise_epoch(sentinel, message.current_epoch)
    peer.config_epoch = message.config_epoch
    peer.hello_received_ms = sentinel.now_ms
    if message.config_epoch > group.config_epoch:
        _adopt_configuration(sentinel, group, peer, message)


def _introduce(sentinel: Sentinel, group: Group, message: Hello) -> Peer:
    """Return the peer that sent the message; one that is new, or has moved, is put in its place."""
    known = group.peers.get(message.run_id)
    if known is not None and sentinel.same_address(known.address, message.address):
        return known
    for peer in list(group.peers.values()):
        if peer is not known and sentinel.same_address(peer.address, message.address):
            sentinel.announce_instance("-dup-sentinel", group, peer, " #duplicate of a sentinel with another id")
            del group.peers[peer.run_id]
    newcomer = groups.add_peer(sentinel, group, message.run_id, message.address)
    if known is not None:
        newcomer.leader, newcomer.leader_epoch = known.leader, known.leader_epoch
        sentinel.announce_instance("+sentinel-address-switch", group, newcomer)
    else:
        sentinel.announce_instance("+sentinel", group, newcomer)
    # The newcomer may have begun to listen after our last hello: it learns of us now and not in two seconds.
    group.primary.hello_sent_ms = None
    sentinel.touch(group)
    sentinel.save()
    return newcomer


def _adopt_configuration(sentinel: Sentinel, group: Group, peer: Peer, message: Hello) -> None:
    group.config_epoch = message.config_epoch
    sentinel.save()
    same_primary = sentinel.same_address(group.current_primary().address, message.primary)
    if same_primary and (group.failover is None or group.failover.is_promoted()):
        return
    sentinel.announce_instance("+config-update-from", group, peer)
    # Whatever failover we lead was overtaken by one in a later epoch.
    group.failover = None
    new_primary = sentinel.find_node(group, message.primary)
    if new_primary is None:
        new_primary = groups.new_node(sentinel, message.primary, group.settings)
    if new_primary is not group.primary:
        groups.switch_primary(sentinel, group, new_primary)

"""Links: opening, keeping and reopening connections, PING, and the matching of replies to requests.

A link belongs to an address, not to an instance: the groups of a cluster share one link to each other sentinel.
Requests are answered in order, so a reply belongs to the oldest request in `Link.pending`; a subscribing link gets
messages besides.

A link that stays refused is tried again every 100 ms at first and every second later. A connection that is open but
silent is replaced, because after a partition TCP may wait for a minute before it tries again, while a new connection
answers at once.
"""

from collections.abc import Sequence
from typing import Final

from trivet_sentinel.events import CloseLink, OpenLink, Reply, Transmit
from trivet_sentinel.state import Address, Credentials, Group, Instance, Link, Node, OnReply, Sentinel

HELLO_CHANNEL: Final = "__sentinel__:hello"
PING_PERIOD_MS: Final = 1000
PING_PERIOD_MIN_MS: Final = 100
RETRY_MS: Final = 100
RETRY_SLOW_MS: Final = 1000
RETRY_SLOW_AFTER_MS: Final = 10_000
CONNECT_TIMEOUT_MS: Final = 2000
# A connection is given this long before silence on it counts as a reason to replace it.
REPLACE_AFTER_MS: Final = 2000
# Our own hello comes back on every subscription each two seconds; three missed ones mean that it is dead.
SUBSCRIPTION_SILENCE_MS: Final = 6000
PENDING_MAX: Final = 100
# Requests that fall due within this time of each other are sent in one step, so that the process wakes up less often.
SLACK_MS: Final = 50


def link_to(sentinel: Sentinel, address: Address, credentials: Credentials, subscribes: bool = False) -> Link:
    """Return the link to `address`, a new one where there is none yet."""
    key = (address, subscribes, credentials)
    link = sentinel.links.get(key)
    if link is None:
        now = sentinel.now_ms
        link = Link(sentinel.next_link_id, address, subscribes, credentials, now, now, now)
        sentinel.next_link_id += 1
        sentinel.links[key] = link
        sentinel.topology_changed = True
    return link


def maintain(sentinel: Sentinel, group: Group, instance: Instance) -> None:
    """Keep the links of `instance` open and alive: connect, send PING, replace what is silent."""
    link = instance.link
    open_if_due(sentinel, link)
    _replace_if_silent(sentinel, link, group.settings.down_after_ms)
    _ping_if_due(sentinel, link, group.settings.down_after_ms)
    if isinstance(instance, Node) and instance.subscription is not None and link.is_open:
        open_if_due(sentinel, instance.subscription)
        _resubscribe_if_silent(sentinel, instance.subscription)


def open_if_due(sentinel: Sentinel, link: Link) -> None:
    """Connect `link` where it is not connected and its next attempt is due."""
    if link.is_open or link.is_opening:
        return
    if sentinel.now_ms < link.retry_at_ms:
        sentinel.wake_at(link.retry_at_ms)
        return
    link.id = sentinel.next_link_id
    sentinel.next_link_id += 1
    sentinel.links_by_id[link.id] = link
    link.is_opening = True
    sentinel.effects.append(OpenLink(link.id, link.address.host, link.address.port, CONNECT_TIMEOUT_MS))


def ping_period_ms(down_after_ms: int) -> int:
    """Return how often to PING: each second as Redis does, more often where that would make detection coarse."""
    return max(PING_PERIOD_MIN_MS, min(PING_PERIOD_MS, down_after_ms // 2))


def _ping_if_due(sentinel: Sentinel, link: Link, down_after_ms: int) -> None:
    if not link.is_open:
        return
    due = (link.ping_sent_ms or 0) + ping_period_ms(down_after_ms)
    if link.ping_sent_ms is not None and sentinel.now_ms < due - SLACK_MS:
        sentinel.wake_at(due)
        return
    _ping(sentinel, link)
    sentinel.wake_at(sentinel.now_ms + ping_period_ms(down_after_ms))


def _ping(sentinel: Sentinel, link: Link) -> None:
    if send(sentinel, link, ("PING",), lambda reply: _pong(sentinel, link, reply)):
        link.ping_sent_ms = sentinel.now_ms
        link.ping_outstanding = True
        if link.waiting_since_ms is None:
            link.waiting_since_ms = sentinel.now_ms


def _pong(sentinel: Sentinel, link: Link, reply: Reply) -> None:
    """Take the answer to a PING. A server that loads, or has lost its primary, is alive; other errors do not count."""
    link.last_pong_ms = sentinel.now_ms
    link.ping_outstanding = False
    text = reply if isinstance(reply, bytes) else str(reply).encode()
    if text.startswith((b"PONG", b"LOADING", b"MASTERDOWN")):
        link.last_valid_pong_ms = sentinel.now_ms
        if link.waiting_since_ms is not None and sentinel.now_ms - link.waiting_since_ms > RETRY_MS:
            _touch_users(sentinel, link)
        link.waiting_since_ms = None
    elif text.startswith(b"BUSY"):
        _kill_busy_script(sentinel, link)


def _kill_busy_script(sentinel: Sentinel, link: Link) -> None:
    """Stop a script that blocks a node which is down because of it (once, as Redis does)."""
    for group in sentinel.groups.values():
        for node in group.nodes():
            if node.link is link and node.down_since_ms is not None and not node.script_kill_sent:
                node.script_kill_sent = send(sentinel, link, ("SCRIPT", "KILL"))
                sentinel.announce_instance("-script-kill-sent", group, node)


def _touch_users(sentinel: Sentinel, link: Link) -> None:
    for group in sentinel.groups.values():
        if any(instance.link is link for instance in (*group.nodes(), *group.peers.values())):
            sentinel.touch(group)


def _replace_if_silent(sentinel: Sentinel, link: Link, down_after_ms: int) -> None:
    if not link.is_open or link.waiting_since_ms is None or not link.ping_outstanding:
        return
    due = max(
        link.waiting_since_ms + max(down_after_ms // 2, 2 * PING_PERIOD_MIN_MS), link.opened_ms + REPLACE_AFTER_MS
    )
    if sentinel.now_ms < due:
        sentinel.wake_at(due)
        return
    close(sentinel, link)
    open_if_due(sentinel, link)


def _resubscribe_if_silent(sentinel: Sentinel, link: Link) -> None:
    if not link.is_open:
        return
    due = link.activity_ms + SUBSCRIPTION_SILENCE_MS
    if sentinel.now_ms >= due:
        close(sentinel, link)
        open_if_due(sentinel, link)
    else:
        sentinel.wake_at(due)


def close(sentinel: Sentinel, link: Link) -> None:
    """Close the link; it may be opened again at once."""
    if link.is_open or link.is_opening:
        sentinel.links_by_id.pop(link.id, None)
        sentinel.effects.append(CloseLink(link.id))
        _forget_connection(sentinel, link)


def _forget_connection(sentinel: Sentinel, link: Link) -> None:
    link.is_open = link.is_opening = link.ping_outstanding = False
    link.pending.clear()
    if link.waiting_since_ms is None:
        link.waiting_since_ms = sentinel.now_ms


def send(sentinel: Sentinel, link: Link, arguments: Sequence[str], on_reply: OnReply | None = None) -> bool:
    """Send a request on `link` and have its reply given to `on_reply`; return whether it could be sent.

    Where the connection breaks before the reply, `on_reply` is never called.
    """
    if not has_room(link):
        return False
    link.pending.append(on_reply or _ignore)
    sentinel.effects.append(Transmit(link.id, tuple(arguments)))
    return True


def has_room(link: Link, requests: int = 1) -> bool:
    """Return whether so many more requests may be sent on the link."""
    return link.is_open and len(link.pending) + requests <= PENDING_MAX * link.users


def send_to_node(
    sentinel: Sentinel, group: Group, node: Node, arguments: Sequence[str], on_reply: OnReply | None = None
) -> bool:
    """Send a command to a data node, under the name it has there (sentinel rename-command)."""
    command = group.settings.renamed_commands.get(arguments[0].lower(), arguments[0])
    return send(sentinel, node.link, (command, *arguments[1:]), on_reply)


def _ignore(_reply: Reply) -> None:
    """Take a reply that nobody waits for."""


def opened(sentinel: Sentinel, link_id: int, local_host: str, peer_host: str) -> None:
    """Take the news that a link is connected: authenticate, name the connection, then PING or subscribe."""
    link = sentinel.links_by_id.get(link_id)
    if link is None:
        return
    sentinel.resolved[link.address.host] = peer_host
    link.is_open, link.is_opening = True, False
    link.opened_ms = link.activity_ms = sentinel.now_ms
    link.local_host = local_host
    link.ping_sent_ms = None
    if link.credentials.password:
        user = (link.credentials.user,) if link.credentials.user else ()
        send(sentinel, link, ("AUTH", *user, link.credentials.password))
    kind = "pubsub" if link.subscribes else "cmd"
    send(sentinel, link, ("CLIENT", "SETNAME", f"sentinel-{sentinel.my_id[:8]}-{kind}"))
    if link.subscribes:
        send(sentinel, link, ("SUBSCRIBE", HELLO_CHANNEL), lambda _reply: _greet_at_once(sentinel, link))
    else:
        _ping(sentinel, link)
    _touch_users(sentinel, link)
    for cluster in sentinel.clusters.values():
        if cluster.link is link:
            sentinel.wake_at(sentinel.now_ms)


def _greet_at_once(sentinel: Sentinel, link: Link) -> None:
    """Make hellos due on the nodes that we now listen to: whoever answers them is heard, and nobody waits a period."""
    for group in sentinel.groups.values():
        for node in group.nodes():
            if node.subscription is link:
                node.hello_sent_ms = None
                sentinel.touch(group)


def lost(sentinel: Sentinel, link_id: int) -> None:
    """Take the news that a link broke or could not be opened."""
    link = sentinel.links_by_id.pop(link_id, None)
    if link is None:
        return
    _forget_connection(sentinel, link)
    lost_for_ms = sentinel.now_ms - (link.waiting_since_ms or sentinel.now_ms)
    link.retry_at_ms = sentinel.now_ms + (RETRY_MS if lost_for_ms < RETRY_SLOW_AFTER_MS else RETRY_SLOW_MS)
    sentinel.wake_at(link.retry_at_ms)
    _touch_users(sentinel, link)


def received(sentinel: Sentinel, link_id: int, reply: Reply) -> bytes | None:
    """Give a reply to whom it belongs; return the payload where it is a hello message instead."""
    link = sentinel.links_by_id.get(link_id)
    if link is None:
        return None
    link.activity_ms = sentinel.now_ms
    if link.subscribes and isinstance(reply, list) and len(reply) == 3 and reply[0] == b"message":
        payload: bytes = reply[2]
        return payload
    if link.pending:
        link.pending.popleft()(reply)
    return None


def collect_garbage(sentinel: Sentinel) -> None:
    """Close links that nobody uses any more, and count the users of the others."""
    sentinel.topology_changed = False
    for link in sentinel.links.values():
        link.users = 0
    for group in sentinel.groups.values():
        for instance in (*group.nodes(), *group.peers.values()):
            instance.link.users += 1
            if isinstance(instance, Node) and instance.subscription is not None:
                instance.subscription.users += 1
    for cluster in sentinel.clusters.values():
        if cluster.link is not None:
            cluster.link.users += 1
    for key, link in list(sentinel.links.items()):
        if link.users == 0:
            close(sentinel, link)
            del sentinel.links[key]

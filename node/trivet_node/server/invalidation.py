"""Client-side caching: clients that track are told which of the keys they may hold copies of have changed.

    start()                CLIENT TRACKING ON; Server.stop_tracking() ends it
    remember()             a command that only reads has read its keys
    send_own()             the command that a client waits for is answered: what it has invalidated itself follows
    send_broadcasts()      a batch of requests is done: those who wait for changes of prefixes hear of them
    limit()                tracking-table-max-keys

Whoever is told gets a push `invalidate` (RESP3), or a message of the channel `__redis__:invalidate` where it is told in
another client's place and has subscribed (RESP2). It is told at once, but not in the middle of an answer of its own.
The table hears of changes as the keyspace's follower, and only as long as there is anything to follow: while nobody
tracks, no command pays for it. (Redis: tracking.c.)
"""

from typing import Final, final

from mypy_extensions import i64

from trivet_node.client import SUBSCRIBED, TRACKING, Client
from trivet_node.command import Command
from trivet_node.keyspace import KeyFollower
from trivet_node.server.state import Server
from trivet_node.tracking import NOBODY, Tracking
from trivet_wire.replies import RESP2, encode_command

_INVALIDATE: Final = b">2\r\n$10\r\ninvalidate\r\n"
_MESSAGE: Final = b"*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n"
_BROKEN: Final = b">2\r\n$21\r\ntracking-redir-broken\r\n:%d\r\n"
# Keys that one call of limit() takes out of a table that is too large, at most.
_EFFORT: Final = 100


@final
class Invalidation(KeyFollower):
    """Tells the clients that track what happens to keys."""

    def __init__(self, server: Server) -> None:
        self._server: Server = server

    def changed(self, key: bytes) -> None:
        """Tell that the client whose command runs now has changed a key."""
        self._invalidate(key, self._server.caller_id())

    def vanished(self, key: bytes) -> None:
        """Tell that a key was deleted, by nobody."""
        self._invalidate(key, NOBODY)

    def flushed(self) -> None:
        """Tell everybody who tracks that no copy is good any more."""
        server = self._server
        for client in list(server.clients.values()):
            if client.flags & TRACKING != 0:
                _tell_in_time(server, client, None)
        server.tracking.forget_all()
        server.follow_no_more()

    def _invalidate(self, key: bytes, changed_by: int) -> None:
        table = self._server.tracking
        if table.audiences:
            table.note_change(key, changed_by)
        _tell_readers(self._server, key, self._server.caller)
        self._server.follow_no_more()


def start(server: Server, client: Client, tracking: Tracking) -> None:
    """Let a client track from now on, or in another way than before."""
    table = server.tracking
    if client.tracking is None:
        table.clients += 1
        client.flags |= TRACKING
    else:
        tracking.has_spoken = client.tracking.has_spoken
    client.tracking = tracking
    for prefix in tracking.prefixes:
        table.join(prefix, client.id)
    if server.keyspace.follower is None:
        server.keyspace.follow(Invalidation(server))


def remember(server: Server, client: Client, command: Command, arguments: list[bytes]) -> None:
    """Remember the keys of a reading command that a client which tracks has run."""
    tracking = client.tracking
    if tracking is not None and tracking.remembers():
        for key in command.keys(arguments):
            server.tracking.remember(key, client.id)
        limit(server)


def command_is_over(client: Client, command: Command) -> None:
    """Let CLIENT CACHING end with the command, or the transaction, that it was for."""
    if client.tracking is not None and not command.name.startswith("client|"):
        client.tracking.has_spoken = False


def send_own(server: Server) -> None:
    """Send what could not be sent while the command ran whose answer is complete now."""
    own = server.own_invalidations
    server.own_invalidations = []
    for client, key in own:
        if client.tracking is not None:
            _send(server, client, None if key is None else [key])


def send_broadcasts(server: Server) -> None:
    """Send what has changed since the last call to those who wait for changes of prefixes."""
    table = server.tracking
    table.has_news = False
    for _, audience in sorted(table.audiences.items()):
        changes = audience.keys
        audience.keys = {}
        keys = sorted(changes)
        for client_id in sorted(audience.client_ids) if keys else []:
            client = server.clients[client_id]
            if client.tracking is not None and client.tracking.skips_own:
                others = [key for key in keys if changes[key] != client_id]
                if others:
                    _send(server, client, others)
            else:
                _send(server, client, keys)


def limit(server: Server) -> None:
    """Take random keys out of a table that holds more than tracking-table-max-keys, as if they had changed."""
    table = server.tracking
    largest = server.config.tracking_table_max_keys
    effort: i64 = _EFFORT
    while largest != 0 and table.key_count() > largest and effort > 0:
        # Nobody has changed it, so the caller must hear of it even if it knows its own changes.
        _tell_readers(server, table.random_key(server.random), None)
        effort -= 1


def _tell_readers(server: Server, key: bytes, changed_by: Client | None) -> None:
    for client_id in server.tracking.forget(key):
        client = server.clients.get(client_id)
        if client is None or client.tracking is None or client.tracking.is_broadcast:
            continue
        if not (client.tracking.skips_own and client is changed_by):
            _tell_in_time(server, client, key)


def _tell_in_time(server: Server, client: Client, key: bytes | None) -> None:
    """Tell a client that a key has changed (None: all have); what must not get into the caller's answer follows it."""
    caller = server.caller
    is_own = client is caller
    if not is_own and caller is not None and server.call_depth > 1 and client.tracking is not None:
        # What the caller is told in another's place stands before its answer, as in Redis, but not amid that of EXEC.
        is_own = client.tracking.redirect == caller.id
    if is_own:
        server.own_invalidations.append((client, key))
    else:
        _send(server, client, None if key is None else [key])


def _send(server: Server, client: Client, keys: list[bytes] | None) -> None:
    """Tell a client, or the one in its place, that these keys have changed; None: all of them."""
    tracking = client.tracking
    assert tracking is not None, "only clients that track are told"
    is_redirected = tracking.redirect != NOBODY
    receiver = server.clients.get(tracking.redirect) if is_redirected else client
    if receiver is None:
        tracking.is_broken = True
        if client.reply.protocol != RESP2:
            _push(server, client, _BROKEN % tracking.redirect)
        return
    # As Redis does: all keys are a null in the form of the client that tracks, whoever is told.
    null = b"$-1\r\n" if client.reply.protocol == RESP2 else b"_\r\n"
    shown = null if keys is None else encode_command(keys)
    if receiver.reply.protocol != RESP2:
        _push(server, receiver, _INVALIDATE + shown)
    elif is_redirected and receiver.flags & SUBSCRIBED != 0:
        _push(server, receiver, _MESSAGE + shown)


def _push(server: Server, receiver: Client, encoded: bytes) -> None:
    if not receiver.is_closing():
        receiver.reply.push_encoded(encoded)
        server.mark_pending(receiver)

"""The link of a replica to its primary: made, and made again when it breaks, until the stream runs in the reactor.

    connect, introduce ourselves (handshake.py), receive a snapshot if the primary sends one (payload.py), load it
    beside the present data, exchange the two at once, hand the socket to the reactor

One task does that for as long as the node lives. It sleeps while there is no primary or the link is up;
primary_changed() cuts short whatever it does, link_lost() wakes it.
"""

import socket
import tempfile
import time
from typing import IO, Final

import trio

from trivet_node.client import Client
from trivet_node.engine import Engine
from trivet_node.persistence.rdb_format import RdbError
from trivet_node.persistence.rdb_reader import KEEP_EXPIRED, RdbReader
from trivet_node.replication.handshake import ASKS, FULL, Handshake, HandshakeError, Introduction
from trivet_node.replication.payload import Payload, PayloadError
from trivet_node.replication.upstream import CONNECT, CONNECTED, CONNECTING, HANDSHAKE, TRANSFER, Upstream
from trivet_node.server.replicating import failover, joining, roles
from trivet_node.server.replicating.cron import acknowledge
from trivet_node.shell.disk import load_keys
from trivet_node.shell.outgoing import open_stream
from trivet_node.shell.reactor import Reactor, set_keepalive
from trivet_wire.addresses import host_and_port
from trivet_wire.failures import first_of
from trivet_wire.process.clock import unix_ms

_RETRY_FIRST_S: Final = 0.1
_RETRY_MAX_S: Final = 1.0
# A snapshot that cannot be loaded will not be better the next moment.
_RETRY_AFTER_BAD_SNAPSHOT_S: Final = 5.0
_RECEIVE_BYTES: Final = 256 * 1024
_ANSWER_MAX: Final = 64 * 1024
_KEEPALIVE_S: Final = 1.0
# A link that breaks sooner than this after it was made is likely to break again.
_SHORT_LIFE_S: Final = 1.0


class LinkBroken(Exception):
    """The link cannot be used any further; the message is for the log."""


class PrimaryLink:
    """Keeps the server linked to the primary that its replication names."""

    def __init__(self, engine: Engine, reactor: Reactor) -> None:
        self.engine = engine
        self.server = engine.server
        self.reactor = reactor
        self._changed = trio.Event()
        self._attempt = trio.CancelScope()
        self._retry_s = _RETRY_FIRST_S
        self._established_s = 0.0
        self._died_young = False

    def primary_changed(self) -> None:
        """Follow the primary that the server has now, or none."""
        self._retry_s = _RETRY_FIRST_S
        self._died_young = False
        self._attempt.cancel()
        self._changed.set()

    def link_lost(self) -> None:
        """Make a new link: the reactor has lost the one it had."""
        roles.upstream_is_down(self.server)
        self._died_young = time.monotonic() - self._established_s < _SHORT_LIFE_S
        if not self._died_young:
            self._retry_s = _RETRY_FIRST_S
        self._changed.set()

    async def run(self) -> None:
        """Do this for ever."""
        while True:
            self._changed = trio.Event()
            upstream = self.server.replication.upstream
            if upstream is None or upstream.state == CONNECTED:
                await self._changed.wait()
                continue
            with trio.CancelScope() as self._attempt:
                if self._died_young:
                    self._died_young = False
                    await self._pause()
                await self._try(upstream)

    async def _try(self, upstream: Upstream) -> None:
        """Try once to bring the link up; where that fails, wait a while."""
        try:
            await self._establish(upstream)
            self._established_s = time.monotonic()
            return
        except (OSError, trio.BrokenResourceError) as error:
            self._log("warning", f"Error condition on socket for SYNC: {error}")
        except trio.TooSlowError:
            self._log("warning", "Timeout connecting to the MASTER...")
        except (HandshakeError, PayloadError, LinkBroken) as error:
            self._log("warning", str(error))
        except RdbError as error:
            self._log("warning", f"Failed trying to load the MASTER synchronization DB from disk: {error}")
            self._retry_s = _RETRY_AFTER_BAD_SNAPSHOT_S
        finally:
            if upstream.state != CONNECTED:
                upstream.state = CONNECT
        await self._pause()

    async def _pause(self) -> None:
        await trio.sleep(self._retry_s)
        self._retry_s = min(self._retry_s * 2, _RETRY_MAX_S)

    async def _establish(self, upstream: Upstream) -> None:
        upstream.state = CONNECTING
        self._log("notice", f"Connecting to MASTER {upstream.name()}")
        timeout_s = self.server.config.repl_timeout
        with trio.fail_after(timeout_s):
            stream = await open_stream(upstream.host, upstream.port, self.server.config.bind_source_addr)
        async with _Closing(stream):
            self._log("notice", "MASTER <-> REPLICA sync started")
            receiver = _Receiver(stream, timeout_s)
            handshake = await self._introduce(upstream, receiver)
            if handshake.outcome == FULL:
                rest = await self._synchronize(upstream, receiver, handshake)
            else:
                joining.go_on(self.server, handshake.replication_id)
                rest = receiver.take_rest()
            self._hand_over(upstream, stream, rest)

    async def _introduce(self, upstream: Upstream, receiver: "_Receiver") -> Handshake:
        """Do the handshake and return it, answered."""
        upstream.state = HANDSHAKE
        config = self.server.config
        replication_id, next_offset = self.server.replication.resume_point()
        introduction = Introduction(
            config.masteruser,
            config.masterauth,
            config.replica_announce_port or config.port,
            config.replica_announce_ip,
        )
        takes_over = failover.is_under_way(self.server)
        handshake = Handshake(introduction, replication_id, next_offset, takes_over)
        while handshake.outcome == ASKS:
            await receiver.stream.send_all(handshake.next_request())
            line = await receiver.line()
            try:
                handshake.answered(line)
            except HandshakeError:
                if handshake.asks_for_stream():
                    failover.target_refused(self.server)
                raise
        failover.target_accepted(self.server)
        return handshake

    async def _synchronize(self, upstream: Upstream, receiver: "_Receiver", handshake: Handshake) -> bytes:
        """Receive a snapshot, exchange the data set for it and return what has come of the stream behind it."""
        self._log("notice", f"Full resync from master: {handshake.replication_id.decode()}:{handshake.offset}")
        upstream.state = TRANSFER
        with tempfile.TemporaryFile(dir=".") as file:
            rest = await self._receive_snapshot(upstream, receiver, file)
            file.seek(0)
            keyspace = self.server.keyspace.beside()
            checks_sum = not self.server.debug.skips_checksums
            reader = RdbReader(file.read, keyspace, self.server.limits, KEEP_EXPIRED, checks_sum)
            with first_of(RdbError, trio.BrokenResourceError):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(receiver.keep_alive)
                    await load_keys(reader)
                    nursery.cancel_scope.cancel()
        joining.exchange(self.server, keyspace, reader, handshake.replication_id, handshake.offset)
        return rest

    async def _receive_snapshot(self, upstream: Upstream, receiver: "_Receiver", file: IO[bytes]) -> bytes:
        """Write the snapshot to `file` and return what came behind it."""
        payload = Payload()
        upstream.transfer_bytes = 0
        data = receiver.take_rest()
        announced = False
        while True:
            file.write(payload.feed(data))
            upstream.transferred_bytes = payload.received
            upstream.last_io_ms = int(self.server.keyspace.now_ms)
            if payload.is_announced and not announced:
                announced = True
                upstream.transfer_bytes = max(0, payload.length)
                size = f"{payload.length} bytes" if payload.length >= 0 else "streamed EOF"
                self._log("notice", f"MASTER <-> REPLICA sync: receiving {size} from master to disk")
            if payload.is_complete:
                return payload.rest
            data = await receiver.some()
            self.server.stats.replication_input_bytes += len(data)

    def _hand_over(self, upstream: Upstream, stream: trio.SocketStream, rest: bytes) -> None:
        """Let the reactor serve the link from here on."""
        peer, local = host_and_port(*stream.socket.getpeername()[:2]), host_and_port(*stream.socket.getsockname()[:2])
        sock = socket.socket(fileno=stream.socket.detach())
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        set_keepalive(sock, self.server.config.tcp_keepalive)
        client: Client = self.server.add_client(peer, local)
        client.last_active_ms = unix_ms()
        roles.upstream_is_up(self.server, client)
        self.reactor.adopt(sock, client)
        acknowledge(self.server, upstream, self.server.replication.history.offset)
        if rest:
            self.server.keyspace.now_ms = client.last_active_ms
            self.engine.feed(client, rest)
        self.reactor.flush_pending()

    def _log(self, level: str, message: str) -> None:
        self.server.host.log(level, message)


class _Receiver:
    """Bytes of the link: lines first, then whatever comes."""

    def __init__(self, stream: trio.SocketStream, timeout_s: float) -> None:
        self.stream = stream
        self._timeout_s = timeout_s
        self._buffer = b""

    async def line(self) -> bytes:
        """Return the next line without its end; empty lines only keep the link alive."""
        while True:
            self._buffer = self._buffer.lstrip(b"\n")
            line, found, rest = self._buffer.partition(b"\r\n")
            if found:
                self._buffer = rest
                return line
            if len(self._buffer) > _ANSWER_MAX:
                raise LinkBroken("The master's answer does not end")
            self._buffer += await self.some()

    async def some(self) -> bytes:
        """Return the next bytes."""
        with trio.fail_after(self._timeout_s):
            data = await self.stream.receive_some(_RECEIVE_BYTES)
        if not data:
            raise LinkBroken("I/O error trying to sync with MASTER: connection lost")
        return bytes(data)

    def take_rest(self) -> bytes:
        """Return what was received behind the last line."""
        rest, self._buffer = self._buffer, b""
        return rest

    async def keep_alive(self) -> None:
        """Tell the primary now and then that we are busy, not dead."""
        while True:
            await trio.sleep(_KEEPALIVE_S)
            await self.stream.send_all(b"\n")


class _Closing:
    """Closes a stream at the end, unless its socket was detached from it."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, *_: object) -> None:
        self._stream.socket.close()

"""The event loop of all client sockets: one epoll object, bursts, no task per client and none per request.

A burst polls, reads every socket that is ready, lets the engine run what came, and then writes all replies. A trio task
waits until the epoll object is readable and runs bursts; everything slow or rare is ordinary trio beside it.

The promise about order stands here: within a burst all requests are executed before any reply leaves, and what the
requests propagated is written to the replicas in the same pass as the replies.
"""

import contextlib
import os
import select
import socket
import time
from typing import Any, Final, final

from mypy_extensions import i64

from trivet_node.client import CLOSE_AFTER_REPLY, CLOSE_NOW, PENDING, PRIMARY, REPLICA, Client
from trivet_node.engine import Engine
from trivet_node.server.invalidation import send_broadcasts
from trivet_wire.addresses import host_and_port

# How long a burst waits for the next request of clients that answer at once, before it goes back to trio.
_LINGER_S: Final = 0.001
_BURST_S: Final = 0.005
_READ_BYTES: Final = 16 * 1024
_READ_BYTES_MAX: Final = 1024 * 1024
# What one call hands to the kernel, and what one client may be sent in one burst, at most.
_SEND_BYTES: Final = 256 * 1024
_SEND_PIECES: Final = 256
_FLUSH_BYTES: Final = 4 * 1024 * 1024
# Pieces that wait are put together up to this size.
_PIECE_BYTES: Final = 16 * 1024
_ACCEPTS_PER_BURST: Final = 1000
_US_PER_MS: Final = 1000
_READ_EVENTS: Final = select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR


@final
class ClientSocket:
    """One client's socket, and the encoded replies that the kernel did not take yet."""

    def __init__(self, sock: socket.socket, client: Client) -> None:
        self.sock: socket.socket = sock
        self.client: Client = client
        self.read_bytes: int = _READ_BYTES
        # What waits, and how much of the first piece has been sent.
        self.unsent: list[bytes] = []
        self.unsent_offset: i64 = 0
        self.waits_for_write: bool = False

    def keep(self, piece: bytes) -> None:
        """Let a piece wait. Many small ones, such as messages for a slow subscriber, become fewer large ones."""
        self.client.unsent_bytes += len(piece)
        last = len(self.unsent) - 1
        if last >= 0 and len(self.unsent[last]) + len(piece) <= _PIECE_BYTES:
            self.unsent[last] += piece
        else:
            self.unsent.append(piece)

    def next_buffers(self) -> list[bytes | memoryview]:
        """Return what is to be sent next, uncopied: about _SEND_BYTES, in not too many pieces."""
        first = self.unsent[0]
        offset: i64 = self.unsent_offset
        buffers: list[bytes | memoryview] = [memoryview(first)[offset : offset + _SEND_BYTES]]
        size: i64 = len(first) - offset
        for piece in self.unsent[1:_SEND_PIECES]:
            if size >= _SEND_BYTES:
                break
            buffers.append(piece)
            size += len(piece)
        return buffers

    def forget_sent(self, count: i64) -> None:
        """Drop the next `count` bytes: they have been sent."""
        self.client.unsent_bytes -= count
        self.unsent_offset += count
        done = 0
        while done < len(self.unsent) and self.unsent_offset >= len(self.unsent[done]):
            self.unsent_offset -= len(self.unsent[done])
            done += 1
        del self.unsent[:done]


@final
class Reactor:
    """All client sockets of a node. `epoll` is what a trio task waits for."""

    def __init__(self, engine: Engine) -> None:
        self.engine: Engine = engine
        self.epoll: Any = select.epoll()
        # Off while other work waits for its turn between bursts.
        self.lingers: bool = True
        self._listeners: dict[int, socket.socket] = {}
        self._sockets: dict[int, ClientSocket] = {}
        self._touched: list[ClientSocket] = []

    def listen(self, sock: socket.socket) -> None:
        """Accept clients on a listening socket."""
        sock.setblocking(False)
        self._listeners[sock.fileno()] = sock
        self.epoll.register(sock.fileno(), select.EPOLLIN)

    def stop_listening(self, *families: int) -> None:
        """Close the listening sockets of these address families."""
        for fd, listener in list(self._listeners.items()):
            if listener.family in families:
                self.epoll.unregister(fd)
                del self._listeners[fd]
                listener.close()

    def adopt(self, sock: socket.socket, client: Client) -> None:
        """Serve an open, non-blocking connection as `client`."""
        fd = sock.fileno()
        client.fd = fd
        self._sockets[fd] = ClientSocket(sock, client)
        self.epoll.register(fd, select.EPOLLIN)

    def close_all(self) -> None:
        """Close every socket, the listening ones first."""
        for listener in self._listeners.values():
            if listener.family == socket.AF_UNIX:
                with contextlib.suppress(OSError):
                    os.unlink(listener.getsockname())
            listener.close()
        self._listeners.clear()
        for entry in list(self._sockets.values()):
            self._close(entry)
        self.epoll.close()

    def run(self) -> None:
        """Run bursts while clients keep sending, for about _BURST_S at most."""
        clock = time.monotonic
        end = clock() + _BURST_S
        wait_s = 0.0
        while self.burst(wait_s) != 0 and clock() < end:
            wait_s = _LINGER_S if self.lingers else 0.0

    def burst(self, wait_s: float) -> int:
        """Serve what is ready within `wait_s` seconds; return how many sockets were."""
        events: list[tuple[int, int]] = self.epoll.poll(wait_s)
        if not events:
            return 0
        server = self.engine.server
        server.keyspace.now_ms = server.stopwatch.clock.now_us() // _US_PER_MS
        sockets = self._sockets
        touched = self._touched
        for fd, mask in events:
            entry = sockets.get(fd)
            if entry is None:
                self._accept(fd)
                continue
            if mask & _READ_EVENTS:
                self._read(entry)
            touched.append(entry)
        for entry in touched:
            self._flush(entry)
        touched.clear()
        self.flush_pending()
        return len(events)

    def flush_pending(self) -> None:
        """Write to, or close, the clients that the engine has marked; to be called after work outside a burst."""
        server = self.engine.server
        if server.tracking.has_news:
            send_broadcasts(server)
        while server.pending:
            pending = server.pending
            server.pending = []
            for client in pending:
                client.flags &= ~PENDING
                entry = self._sockets.get(client.fd)
                if entry is not None and entry.client is client:
                    self._flush(entry)

    def gather_packets(self, client: Client) -> None:
        """Let the kernel gather what is written to a client until a packet is full."""
        entry = self._sockets.get(client.fd)
        if entry is not None and entry.sock.family != socket.AF_UNIX:
            entry.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)

    def serve_others(self, busy: Client) -> None:
        """Serve what is ready now while a request of `busy` still runs, which is neither read nor written to."""
        for fd, mask in self.epoll.poll(0):
            entry = self._sockets.get(fd)
            if entry is None:
                self._accept(fd)
            elif entry.client is not busy and entry.client.flags & PRIMARY == 0:
                if mask & _READ_EVENTS:
                    self._read(entry)
                self._flush(entry)
        server = self.engine.server
        is_pending = busy.flags & PENDING != 0
        if is_pending:
            server.pending.remove(busy)
        self.flush_pending()
        if is_pending:
            server.pending.append(busy)

    def unsent_bytes(self, client: Client) -> int:
        """Return how many bytes of replies wait for a client to take them."""
        return int(client.unsent_bytes) + len(client.reply)

    def _accept(self, fd: int) -> None:
        listener = self._listeners.get(fd)
        if listener is None:
            return
        for _ in range(_ACCEPTS_PER_BURST):
            try:
                sock, address = listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                self.engine.server.host.log("warning", f"Accepting client connection: {error.strerror}")
                return
            self._welcome(sock, address)

    def _welcome(self, sock: socket.socket, address: object) -> None:
        sock.setblocking(False)
        server = self.engine.server
        refusal = server.connection_refusal(_host(address))
        if refusal:
            with contextlib.suppress(OSError):
                sock.send(b"-" + refusal + b"\r\n")
            sock.close()
            return
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            set_keepalive(sock, server.config.tcp_keepalive)
        local_address = _address_text(sock.getsockname())
        # A unix socket's peer has no address: Redis shows the path it came through.
        client = server.add_client(_address_text(address) if address else local_address, local_address)
        self.adopt(sock, client)

    def _read(self, entry: ClientSocket) -> None:
        client = entry.client
        try:
            data = entry.sock.recv(entry.read_bytes)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            client.flags |= CLOSE_NOW
            return
        stats = self.engine.server.stats
        stats.reads += 1
        if client.flags & PRIMARY != 0:
            stats.replication_input_bytes += len(data)
        else:
            stats.input_bytes += len(data)
        self.engine.feed(client, data)
        # Who sends this much may be sending a request without an end; who sends less is reviewed now and then.
        if len(data) >= _READ_BYTES and self.engine.server.exceeds_query_limit(client):
            client.flags |= CLOSE_NOW
        # A large value is read in large pieces; more small requests at once would hold up the other clients.
        entry.read_bytes = min(max(_READ_BYTES, client.parser.missing()), _READ_BYTES_MAX)

    def _flush(self, entry: ClientSocket) -> None:
        client = entry.client
        if client.flags & CLOSE_NOW != 0:
            self._close(entry)
            return
        if entry.unsent or client.reply.is_large():
            self._flush_parts(entry)
            return
        if len(client.reply) != 0:
            data = client.reply.take()
            sent = self._send(entry, data)
            if sent < 0:
                return
            if sent < len(data):
                entry.keep(data)
                entry.forget_sent(sent)
                self._wait_for_write(entry)
                return
        if client.flags & CLOSE_AFTER_REPLY != 0:
            self._close(entry)

    def _flush_parts(self, entry: ClientSocket) -> None:
        """Send to a client that was too slow for its replies, or for which much waits."""
        client = entry.client
        for piece in client.reply.take_parts():
            entry.keep(piece)
        allowance: i64 = _FLUSH_BYTES
        while entry.unsent and allowance > 0:
            buffers = entry.next_buffers()
            sent = self._send(entry, buffers)
            if sent < 0:
                return
            entry.forget_sent(sent)
            allowance -= sent
            if sent < sum([len(buffer) for buffer in buffers]):
                break
        if entry.unsent:
            self._wait_for_write(entry)
            return
        if entry.waits_for_write:
            entry.waits_for_write = False
            self.epoll.modify(client.fd, select.EPOLLIN)
        if client.flags & CLOSE_AFTER_REPLY != 0:
            self._close(entry)

    def _wait_for_write(self, entry: ClientSocket) -> None:
        server = self.engine.server
        if server.exceeds_output_limit(entry.client):
            self._close(entry)
        elif not entry.waits_for_write:
            entry.waits_for_write = True
            self.epoll.modify(entry.client.fd, select.EPOLLIN | select.EPOLLOUT)

    def _send(self, entry: ClientSocket, data: bytes | list[bytes | memoryview]) -> int:
        """Return how many bytes the kernel took, or -1 where the connection is gone and was closed."""
        try:
            sent = entry.sock.send(data) if isinstance(data, bytes) else entry.sock.sendmsg(data)
        except BlockingIOError:
            return 0
        except OSError:
            self._close(entry)
            return -1
        stats = self.engine.server.stats
        stats.writes += 1
        if entry.client.flags & REPLICA != 0:
            stats.replication_output_bytes += sent
        else:
            stats.output_bytes += sent
        return sent

    def _close(self, entry: ClientSocket) -> None:
        client = entry.client
        if self._sockets.pop(client.fd, None) is None:
            return
        client.flags |= CLOSE_NOW
        client.fd = -1
        entry.sock.close()
        self.engine.server.remove_client(client)


def set_keepalive(sock: socket.socket, interval_s: int) -> None:
    """Let the kernel notice dead peers after about `interval_s` seconds of silence; 0 switches that off."""
    if interval_s == 0:
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, interval_s)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(1, interval_s // 3))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)


def _address_text(address: object) -> str:
    """Return a socket address as CLIENT LIST shows it: `host:port`, `[v6]:port` or `path:0`."""
    if isinstance(address, tuple):
        return host_and_port(address[0], address[1])
    return f"{address}:0"


def _host(address: object) -> str:
    """Return the host of a peer's address, empty for a unix socket."""
    return str(address[0]) if isinstance(address, tuple) else ""

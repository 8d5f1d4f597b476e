"""The cluster bus: links on the bus port, nodes.conf on disk, and the clock of the cluster machine.

Links are plain non-blocking sockets: what is to be sent leaves at once, also in the middle of a burst of commands, and
only what the socket does not take waits for a task. One task reads each link; one task sleeps until the machine's
next deadline.
"""

import contextlib
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

import trio

from trivet_node.cluster.config_file import ConfigFileError, encode_config
from trivet_node.cluster.effects import (
    Connect,
    Disconnect,
    Effect,
    Event,
    LinkDown,
    LinkUp,
    Received,
    SaveConfig,
    Send,
    Tick,
    Wake,
)
from trivet_node.cluster.machine import ClusterMachine
from trivet_node.config import Config
from trivet_node.server import cluster_member
from trivet_node.server.state import Server
from trivet_node.shell.outgoing import open_stream
from trivet_wire.addresses import BUS_PORT_OFFSET
from trivet_wire.process import log
from trivet_wire.process.clock import monotonic_ms
from trivet_wire.process.files import replace_file
from trivet_wire.process.listeners import ListenError, open_tcp
from trivet_wire.requests import ProtocolError, RequestParser

_RECEIVE_BYTES: Final = 65536
_MS_PER_S: Final = 1000
_BACKLOG: Final = 128
# While files are short, say, the next attempt would fail as well.
_ACCEPT_AGAIN_S: Final = 0.1
_PORT_MAX: Final = 65535
# Whoever does not read so much will not be told more over this link, unless cluster-link-sendbuf-limit says how much.
_UNSENT_MAX_BYTES: Final = 64 * 1024 * 1024


def open_bus_listeners(config: Config) -> list[socket.socket]:
    """Return the sockets that listen on the bus port. Raises ListenError."""
    port = cluster_member.options_of(config).bus_port
    if port > _PORT_MAX:
        raise ListenError(f"port {port} does not exist: choose a port below {_PORT_MAX - BUS_PORT_OFFSET}")
    listeners = open_tcp(config.bind, port, _BACKLOG)
    for listener in listeners:
        listener.setblocking(False)
    return listeners


def join_cluster(server: Server) -> None:
    """Read nodes.conf and begin cluster mode. Raises OSError or ConfigFileError; the file is left as it is then."""
    path = Path(server.config.cluster_config_file)
    # Bytes that are no text are shown in the error that they lead to.
    text = path.read_text(encoding="utf-8", errors="backslashreplace") if path.exists() else ""
    try:
        cluster_member.join(server, text)
    except ConfigFileError as error:
        raise ConfigFileError(f"{path.absolute()}: {error}") from error


class BusLink:
    """One connection of the bus. `number` is the machine's name for it."""

    def __init__(self, number: int, sock: socket.socket) -> None:
        self.number = number
        self.sock = sock
        self.parser = RequestParser()
        self.peer_host = str(sock.getpeername()[0])
        self.local_host = str(sock.getsockname()[0])
        self.unsent = bytearray()
        self.is_closed = False
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self) -> None:
        """Close the connection; the tasks that wait for it end."""
        if not self.is_closed:
            self.is_closed = True
            trio.lowlevel.notify_closing(self.sock.fileno())
            self.sock.close()

    def send(self, data: bytes) -> bool:
        """Send as much as the socket takes and keep the rest; say whether there is a rest that nobody sends yet."""
        if self.is_closed:
            return False
        if self.unsent:
            self.unsent += data
            return False
        try:
            sent = self.sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            # The reading task hears of it, too.
            return False
        self.unsent += data[sent:]
        return bool(self.unsent)


class Bus:
    """The bus of one node in cluster mode. Effects come from cluster_member through perform().

    `flush` writes to the clients to whom something was said because of what came over the bus.
    """

    def __init__(self, server: Server, listeners: list[socket.socket], flush: Callable[[], None]) -> None:
        assert server.cluster is not None, "join_cluster() comes first"
        self._server = server
        self._machine: ClusterMachine = server.cluster
        self._listeners = listeners
        self._flush_clients = flush
        self._links: dict[int, BusLink] = {}
        # Connections that are being made, by the number of the link that they are for.
        self._attempts: dict[int, trio.CancelScope] = {}
        self._last_accepted = 0
        self._nursery: trio.Nursery | None = None
        self._alarm = trio.CancelScope()

    async def run(self) -> None:
        """Serve the bus until cancelled."""
        try:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                for listener in self._listeners:
                    nursery.start_soon(self._accept, listener)
                self._happened(Tick())
                await self._keep_time()
        finally:
            for link in list(self._links.values()):
                link.close()
            for listener in self._listeners:
                listener.close()

    def perform(self, effect: Effect) -> None:
        """Do what the machine wants done with files and links."""
        if isinstance(effect, Send):
            self._send(effect.link, effect.data)
        elif isinstance(effect, Connect):
            if self._nursery is not None:
                self._nursery.start_soon(self._connect, effect)
        elif isinstance(effect, Disconnect):
            self._disconnect(effect.link)
        elif isinstance(effect, SaveConfig):
            self._save(effect.durably)
        elif isinstance(effect, Wake):
            self._rearm()

    # Time.

    async def _keep_time(self) -> None:
        while True:
            with trio.CancelScope() as self._alarm:
                self._rearm()
                await trio.sleep_forever()
            self._happened(Tick())

    def _rearm(self) -> None:
        """Set the alarm to the machine's next deadline. It moves without waking anybody: mostly it moves away."""
        delay_s = max(0, self._machine.next_deadline() - monotonic_ms()) / _MS_PER_S
        self._alarm.deadline = trio.current_time() + delay_s

    def _happened(self, event: Event) -> None:
        self._step(event)
        self._conclude()

    def _step(self, event: Event) -> None:
        try:
            cluster_member.happened(self._server, event, monotonic_ms())
        except Exception:
            log.log_exception("The cluster machine failed on an event of the bus")

    def _conclude(self) -> None:
        """Do what follows from one event or from many."""
        self._rearm()
        self._flush_clients()

    # Links.

    async def _accept(self, listener: socket.socket) -> None:
        assert self._nursery is not None
        while True:
            await trio.lowlevel.wait_readable(listener.fileno())
            try:
                sock, _ = listener.accept()
            except BlockingIOError:
                continue
            except OSError as error:
                log.log("warning", f"Accepting a cluster bus connection: {error.strerror}")
                await trio.sleep(_ACCEPT_AGAIN_S)
                continue
            sock.setblocking(False)
            self._last_accepted -= 1
            try:
                link = BusLink(self._last_accepted, sock)
            except OSError:
                sock.close()
                continue
            self._links[link.number] = link
            self._nursery.start_soon(self._read, link)

    async def _connect(self, effect: Connect) -> None:
        scope = trio.CancelScope()
        self._attempts[effect.link] = scope
        stream: trio.SocketStream | None = None
        with scope:
            try:
                stream = await open_stream(effect.host, effect.port, self._server.config.bind_source_addr)
            except OSError:
                self._attempts.pop(effect.link, None)
                self._happened(LinkDown(effect.link))
                return
        self._attempts.pop(effect.link, None)
        if stream is None:
            return
        descriptor = stream.socket.detach()
        try:
            link = BusLink(effect.link, socket.socket(fileno=descriptor))
        except OSError:
            self._happened(LinkDown(effect.link))
            return
        self._links[link.number] = link
        self._happened(LinkUp(link.number))
        await self._read(link)

    async def _read(self, link: BusLink) -> None:
        try:
            while not link.is_closed:
                await trio.lowlevel.wait_readable(link.sock.fileno())
                data = link.sock.recv(_RECEIVE_BYTES)
                if not data:
                    break
                self._receive(link, data)
        except (OSError, trio.ClosedResourceError):
            pass
        except ProtocolError as error:
            log.log("warning", f"Bad bytes on the cluster bus from {link.peer_host}: {error}")
        self._lost(link)

    def _receive(self, link: BusLink, data: bytes) -> None:
        link.parser.feed(data)
        while not link.is_closed:
            arguments = link.parser.next()
            if arguments is None:
                break
            self._step(Received(link.number, arguments, link.peer_host, link.local_host))
        self._conclude()

    def _lost(self, link: BusLink) -> None:
        was_closed = link.is_closed
        link.close()
        self._links.pop(link.number, None)
        if not was_closed:
            self._happened(LinkDown(link.number))

    def _disconnect(self, number: int) -> None:
        scope = self._attempts.pop(number, None)
        if scope is not None:
            scope.cancel()
        link = self._links.pop(number, None)
        if link is not None:
            link.close()

    def _send(self, number: int, data: bytes) -> None:
        link = self._links.get(number)
        if link is None:
            return
        if link.send(data) and self._nursery is not None:
            self._nursery.start_soon(self._flush, link)
        limit = self._server.config.cluster_link_sendbuf_limit or _UNSENT_MAX_BYTES
        if len(link.unsent) > limit:
            log.log("warning", f"The cluster bus link to {link.peer_host} does not drain; closing it")
            link.sock.shutdown(socket.SHUT_RDWR)
        self._note_unsent(link)

    async def _flush(self, link: BusLink) -> None:
        """Send what the socket did not take at first."""
        try:
            while link.unsent and not link.is_closed:
                await trio.lowlevel.wait_writable(link.sock.fileno())
                with contextlib.suppress(BlockingIOError):
                    del link.unsent[: link.sock.send(link.unsent)]
                self._note_unsent(link)
        except (OSError, trio.ClosedResourceError):
            link.unsent.clear()

    def _note_unsent(self, link: BusLink) -> None:
        known = self._machine.state.links.get(link.number)
        if known is not None:
            known.unsent_bytes = len(link.unsent)

    # nodes.conf.

    def _save(self, durably: bool) -> None:
        path = Path(self._server.config.cluster_config_file)
        try:
            replace_file(path, [encode_config(self._machine.state).encode()], durably=durably)
        except OSError as error:
            # Without its epochs on disk this node could vote twice or claim what it has lost.
            log.log("warning", f"Fatal: can't update cluster config file {path}: {error.strerror}")
            raise SystemExit(1) from error

"""A node as a process: the engine, the reactor, and the trio tasks around them.

clients    waits for the epoll object and runs bursts
cron       ten times a second: time passes for the engine, idle clients go, garbage is collected
signals    SIGTERM and SIGINT shut down
"""

import gc
import random
import signal
import socket
import time
from typing import Final

import trio

from trivet_node.client import CLOSE_NOW
from trivet_node.config import Config
from trivet_node.engine import Engine
from trivet_node.host import Host
from trivet_node.server import Server
from trivet_node.shell import log
from trivet_node.shell.process import memory_facts
from trivet_node.shell.reactor import Reactor

_CRON_S: Final = 0.1
_COLLECT_YOUNG_EVERY: Final = 10
_COLLECT_MIDDLE_EVERY: Final = 600
_MS_PER_S: Final = 1000


class Node(Host):
    """One running node, and the outside world for its engine."""

    def __init__(self, config: Config) -> None:
        self.config = config
        source = random.SystemRandom()
        run_id = f"{source.getrandbits(160):040x}"
        self.server = Server(config, self, random.Random(source.getrandbits(64)), run_id, now_ms())
        self.engine = Engine(self.server)
        self.reactor = Reactor(self.engine)
        self._stop = trio.Event()

    async def run(self, listeners: list[socket.socket]) -> None:
        """Serve until a shutdown is requested."""
        gc.disable()
        gc.freeze()
        for listener in listeners:
            self.reactor.listen(listener)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._serve_clients)
                nursery.start_soon(self._cron)
                nursery.start_soon(self._handle_signals)
                log.log("notice", "Ready to accept connections")
                await self._stop.wait()
                nursery.cancel_scope.cancel()
        finally:
            self.reactor.close_all()
        log.log("warning", "Trivet is now ready to exit, bye bye...")

    def request_shutdown(self, save: bool) -> None:
        """End the process after the present burst."""
        log.log("warning", "User requested shutdown...")
        self._stop.set()

    def sleep(self, seconds: float) -> None:
        """Stop the whole node for a while."""
        time.sleep(seconds)

    def process_facts(self) -> dict[str, int]:
        """Return what INFO says of the process' memory, in bytes."""
        return memory_facts()

    def log(self, level: str, message: str) -> None:
        """Write a line to the log."""
        log.log(level, message)

    def log_exception(self, message: str) -> None:
        """Write a line and the traceback of the exception being handled to the log."""
        log.log_exception(message)

    async def _serve_clients(self) -> None:
        reactor = self.reactor
        while True:
            await trio.lowlevel.wait_readable(reactor.epoll)
            try:
                reactor.run()
            except Exception:
                log.log_exception("A burst failed; the clients it served may have lost replies")

    async def _cron(self) -> None:
        ticks = 0
        while True:
            await trio.sleep(_CRON_S)
            ticks += 1
            while self.engine.tick(now_ms()):
                self.reactor.flush_pending()
                await trio.lowlevel.checkpoint()
            self._close_idle_clients()
            self.reactor.flush_pending()
            if ticks % _COLLECT_MIDDLE_EVERY == 0:
                gc.collect(1)
            elif ticks % _COLLECT_YOUNG_EVERY == 0:
                gc.collect(0)

    def _close_idle_clients(self) -> None:
        timeout_s = self.config.timeout
        if timeout_s == 0:
            return
        deadline_ms = now_ms() - timeout_s * _MS_PER_S
        for client in list(self.server.clients.values()):
            if client.last_active_ms < deadline_ms and client.may_time_out():
                log.log("verbose", "Closing idle client")
                self.server.close_client(client, CLOSE_NOW)

    async def _handle_signals(self) -> None:
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as received:
            async for number in received:
                log.log("warning", f"Received {signal.Signals(number).name} scheduling shutdown...")
                self.request_shutdown(save=True)


def now_ms() -> int:
    """Return the time of day in Unix milliseconds."""
    return int(time.time() * _MS_PER_S)

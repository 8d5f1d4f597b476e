"""The process: the only place where the machine meets sockets, files, signals and the clock.

Everything runs in one thread, and a step with all its effects runs without a pause in between. That keeps the promise
of events.py: a saved state precedes every request and every reply that depends on it, because both leave only after
the effects before them.
"""

import os
import random
import secrets
import signal
import socket
import sys
from pathlib import Path
from typing import Final

import trio

from trivet_sentinel import groups, pubsub_commands, state_file
from trivet_sentinel.commands import execute
from trivet_sentinel.config import Config, ConfigError, load
from trivet_sentinel.events import (
    Announce,
    CloseLink,
    Effect,
    Event,
    LogLine,
    OpenLink,
    RunScript,
    SaveState,
    Tick,
    Transmit,
)
from trivet_sentinel.incoming import Clients
from trivet_sentinel.machine import SentinelMachine
from trivet_sentinel.outgoing import Links
from trivet_sentinel.scripts import Scripts
from trivet_sentinel.sessions import Client, Server
from trivet_sentinel.state import Sentinel
from trivet_wire.process import log
from trivet_wire.process.clock import monotonic_ms
from trivet_wire.process.listeners import ListenError, open_tcp
from trivet_wire.process.pid_file import pid_file

_BACKLOG: Final = 511
USAGE: Final = "usage: trivet sentinel /path/to/sentinel.conf [--option value ...]"


def _warn(text: str) -> None:
    """Write a line to the log that is there whatever `loglevel` says."""
    log.log("warning", text)


class Shell:
    """One sentinel process. `config` must have been restored into `sentinel`."""

    def __init__(self, config: Config, sentinel: Sentinel) -> None:
        self._config = config
        self._machine = SentinelMachine(sentinel)
        self._server = Server(self._machine, str(config.path), monotonic_ms(), os.getpid())
        self._clients = Clients(self._server, config.max_clients, monotonic_ms, self._execute)
        self._scripts = Scripts(_warn)
        self._deadline_moved = trio.Event()
        self._sleeping_until_ms = 0
        self._links: Links
        self._nursery: trio.Nursery

    async def run(self, sockets: list[socket.socket]) -> None:
        """Serve on listening `sockets` and watch until a signal or SHUTDOWN ends it."""
        listeners = [trio.SocketListener(trio.socket.from_stdlib_socket(listening)) for listening in sockets]
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                self._links = Links(nursery, self.deliver)
                self._start()
                nursery.start_soon(trio.serve_listeners, self._clients.serve, listeners)
                nursery.start_soon(self._tick_forever)
                async for number in signals:
                    _warn(f"Received {signal.Signals(number).name}, shutting down")
                    break
                self._stop()

    def _start(self) -> None:
        sentinel = self._machine.sentinel
        _warn(f"Sentinel ID is {sentinel.my_id}")
        self.carry_out(self._machine.run(self._announce_all, monotonic_ms()))

    def _announce_all(self) -> None:
        sentinel = self._machine.sentinel
        sentinel.save()
        for group in sentinel.groups.values():
            groups.announce_monitor(sentinel, group)
            sentinel.touch(group)
        sentinel.wake_at(sentinel.now_ms)

    def _stop(self) -> None:
        self._save()
        _warn("Sentinel is now ready to exit, bye bye...")
        self._nursery.cancel_scope.cancel()

    async def _tick_forever(self) -> None:
        while True:
            deadline = self._machine.next_deadline()
            self._sleeping_until_ms = deadline
            self._deadline_moved = trio.Event()
            with trio.move_on_after(max(0, deadline - monotonic_ms()) / 1000) as sleep:
                await self._deadline_moved.wait()
            if sleep.cancelled_caught:
                self.deliver(Tick())

    def deliver(self, event: Event) -> None:
        """Give an event to the machine and do what it wants. What fails costs the event, not the process."""
        try:
            effects = self._machine.step(event, monotonic_ms())
        except Exception:
            log.log_exception(f"Failed to handle {event!r}")
            effects = []
        self.carry_out(effects)

    def _execute(self, client: Client, request: list[bytes]) -> None:
        """Run a client's request and do what it caused; the reply waits in `client.out`."""
        try:
            effects = execute(self._server, client, request, monotonic_ms())
        except Exception:
            log.log_exception(f"Failed to run {request!r:.1000}")
            client.out.error(b"ERR internal error; the sentinel's log tells more")
            return
        self.carry_out(effects)

    def carry_out(self, effects: list[Effect]) -> None:
        """Do what the machine wants, in order."""
        for effect in effects:
            self._carry_out_one(effect)
        self._links.flush()
        self._clients.flush_woken()
        if self._machine.next_deadline() < self._sleeping_until_ms:
            self._deadline_moved.set()
        if self._server.shutdown_requested:
            self._server.shutdown_requested = False
            _warn("User requested shutdown...")
            self._stop()

    def _carry_out_one(self, effect: Effect) -> None:
        if isinstance(effect, Transmit):
            self._links.send(effect.link_id, effect.arguments)
        elif isinstance(effect, Announce):
            self._announce(effect)
        elif isinstance(effect, OpenLink):
            self._links.open(effect)
        elif isinstance(effect, CloseLink):
            self._links.close(effect.link_id)
        elif isinstance(effect, SaveState):
            self._save()
        elif isinstance(effect, LogLine):
            _warn(effect.text)
        elif isinstance(effect, RunScript):
            self._nursery.start_soon(self._scripts.run, effect)

    def _announce(self, effect: Announce) -> None:
        log.log("warning" if effect.warning else "notice", f"{effect.name} {effect.text}")
        pubsub_commands.publish(self._server, effect.name.encode(), effect.text.encode())

    def _save(self) -> None:
        """Write the state; a disk that fails is told, and does not stop the watch over the primaries."""
        try:
            state_file.write(self._config.path, state_file.render(self._config.lines, self._machine.sentinel))
        except OSError as error:
            _warn(f"WARNING: Sentinel was not able to save the new configuration on disk!!!: {error}")


def main(argv: list[str]) -> int:
    """Run `trivet sentinel`; `argv` is the configuration file and options. Return the exit code."""
    if not argv or argv[0].startswith("--"):
        print(f"Sentinel needs a config file on disk, even if empty. {USAGE}", file=sys.stderr)  # noqa: T201
        return 1
    try:
        config = load(Path(argv[0]), argv[1:])
        sentinel = _make_sentinel(config)
        log.start_logging(config.logfile, config.loglevel, role="X")
        ports = (config.port, config.external_port)
        sockets = [listening for port in ports for listening in open_tcp(config.bind, port, _BACKLOG)]
    except ListenError as error:
        _complain(f"Could not create server TCP listening socket {error}")
        _complain(f"Failed listening on port {config.port} (TCP), aborting.")
        return 1
    except (ConfigError, OSError) as error:
        _complain(str(error))
        return 1
    _warn(f"Running mode=sentinel, port={config.port}, pid={os.getpid()}.")
    with pid_file(config.pidfile):
        trio.run(Shell(config, sentinel).run, sockets)
    return 0


def _complain(text: str) -> None:
    print(f"trivet sentinel: {text}", file=sys.stderr)  # noqa: T201


def _make_sentinel(config: Config) -> Sentinel:
    my_id = config.my_id or secrets.token_hex(20)
    sentinel = Sentinel(my_id, random.Random(secrets.randbits(64)), config.options, now_ms=monotonic_ms())
    state_file.restore(config, sentinel)
    return sentinel

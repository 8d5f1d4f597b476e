"""What the engine asks of its shell. The engine itself opens no file, no socket and no process.

The shell subclasses `Host`; tests use a fake. A method that returns a bool says whether it worked.
"""

from typing import BinaryIO, Final, final

from mypy_extensions import mypyc_attr

from trivet_node.client import Client
from trivet_node.cluster.effects import Effect

# How far an exchange with another instance came.
ANSWERED: Final = 0
NOT_CONNECTED: Final = 1
NOT_WRITTEN: Final = 2
NOT_READ: Final = 3


@final
class Exchange:
    """The lines that another instance answered, without their ends, and how far it came: fewer lines are NOT_READ."""

    def __init__(self, outcome: int, lines: list[bytes]) -> None:
        self.outcome: int = outcome
        self.lines: list[bytes] = lines


@mypyc_attr(allow_interpreted_subclasses=True)
class Host:
    """The outside world as commands need it."""

    def save(self) -> bool:
        """Write a snapshot now, while everything waits (SAVE)."""
        raise NotImplementedError

    def start_background_save(self) -> bool:
        """Fork a child that writes a snapshot (BGSAVE); saving.background_save_ended() is called when it is done."""
        raise NotImplementedError

    def stop_background_save(self) -> None:
        """End the child that writes a snapshot, which would overwrite a later one; returns when it is gone."""
        raise NotImplementedError

    def request_shutdown(self) -> None:
        """End the process after the present burst; a snapshot that was asked for is written already."""
        raise NotImplementedError

    def tell_supervisor(self, text: str) -> None:
        """Tell the supervisor of the process, if it has one that listens, what the node is about to do."""
        raise NotImplementedError

    def restart_at_end(self, delay_ms: int) -> None:
        """Start the process again `delay_ms` after it has ended."""
        raise NotImplementedError

    def restart_now(self, delay_ms: int) -> None:
        """Start the process again after `delay_ms` without ending it in an orderly way; returns where that failed."""
        raise NotImplementedError

    def crash(self, signal_number: int, reason: str) -> None:
        """End the process at once, by a signal, with `reason` in its log."""
        raise NotImplementedError

    def open_snapshot(self) -> BinaryIO:
        """Open the snapshot on disk for reading. Raises OSError."""
        raise NotImplementedError

    def print_text(self, text: bytes) -> None:
        """Write to the standard output."""
        raise NotImplementedError

    def rewrite_config(self, every: bool = False) -> str:
        """Write the configuration back to its file; return an error text, or an empty string.

        With `every` there is a line for each setting, defaults included.
        """
        raise NotImplementedError

    def sleep(self, seconds: float) -> None:
        """Stop the whole node for a while (DEBUG SLEEP)."""
        raise NotImplementedError

    def process_facts(self) -> dict[str, int]:
        """Return what INFO says of the process: process_id, used_memory, used_memory_rss, used_memory_peak,
        used_memory_startup and total_system_memory in bytes, used_cpu_sys_us, used_cpu_user_us and both for children
        and for the main thread in microseconds, and migrate_cached_sockets.
        """
        raise NotImplementedError

    def allocator_report(self) -> str:
        """Return what the memory allocator tells of itself, for people (MEMORY MALLOC-STATS)."""
        raise NotImplementedError

    def release_memory(self) -> None:
        """Give memory that is not used back to the system (MEMORY PURGE)."""
        raise NotImplementedError

    def settings_changed(self, attributes: list[str]) -> str:
        """Follow the new values of these attributes of Config; return an error text, or an empty string."""
        raise NotImplementedError

    def primary_changed(self) -> None:
        """Follow the primary that Server.replication names now, or none."""
        raise NotImplementedError

    def primary_link_lost(self) -> None:
        """Connect to the primary again; the link to it is gone."""
        raise NotImplementedError

    def start_replica_snapshot(self) -> bool:
        """Fork a child that writes a snapshot for the replicas that wait for one; false while another child runs.

        The shell calls replication.sync.snapshot_began() right after the fork, and snapshot_ended() when it is done.
        """
        raise NotImplementedError

    def gather_packets(self, client: Client) -> None:
        """Send what is written to a client in few large packets rather than at once (repl-disable-tcp-nodelay)."""
        raise NotImplementedError

    def perform(self, effect: Effect) -> None:
        """Do what the cluster machine wants done with files and links (cluster/effects.py), before the next effect."""
        raise NotImplementedError

    def exchange(self, host: str, port: int, requests: bytes, answers: int, timeout_ms: int) -> Exchange:
        """Send requests to another instance and return its answers, one line each, while everything waits (MIGRATE).

        Every step, connecting and each answer, takes `timeout_ms` at most. The connection may be one used before.
        """
        raise NotImplementedError

    def serve_others(self, busy: Client) -> bool:
        """Serve whoever has sent something while the command of `busy` still runs; say whether the node goes on.

        Nothing is read of `busy`, nor of our primary.
        """
        raise NotImplementedError

    def log(self, level: str, message: str) -> None:
        """Write a line to the log; `level` is debug, verbose, notice or warning."""
        raise NotImplementedError

    def log_exception(self, message: str) -> None:
        """Write a line and the traceback of the exception being handled to the log."""
        raise NotImplementedError

"""INFO persistence: how the data reaches the disk, and how far a load or a snapshot is."""

from typing import Final

from trivet_node.server.information.fields import Fields, flag, ratio
from trivet_node.server.state import CHECK_LOADING, Server

_MS_PER_S: Final = 1000


def persistence_info(server: Server) -> Fields:
    """Return how the data reaches the disk."""
    snapshots = server.snapshots
    child = snapshots.child
    now_ms = int(server.keyspace.now_ms)
    return [
        ("loading", flag(server.checks & CHECK_LOADING != 0)),
        ("async_loading", "0"),
        ("current_cow_peak", str(child.copied_peak_bytes)),
        ("current_cow_size", str(child.copied_bytes)),
        ("current_cow_size_age", str(child.age_s(now_ms))),
        ("current_fork_perc", f"{100 * ratio(child.keys_done, child.keys_total):.2f}"),
        ("current_save_keys_processed", str(child.keys_done)),
        ("current_save_keys_total", str(child.keys_total)),
        ("rdb_changes_since_last_save", str(snapshots.changes(int(server.keyspace.dirty)))),
        ("rdb_bgsave_in_progress", flag(snapshots.in_progress)),
        ("rdb_last_save_time", str(snapshots.last_save_ms // _MS_PER_S)),
        ("rdb_last_bgsave_status", "ok" if snapshots.last_succeeded else "err"),
        ("rdb_last_bgsave_time_sec", str(snapshots.last_duration_s)),
        ("rdb_current_bgsave_time_sec", str(snapshots.running_s(now_ms))),
        ("rdb_saves", str(snapshots.count)),
        ("rdb_last_cow_size", str(snapshots.last_copied_bytes)),
        ("rdb_last_load_keys_expired", str(snapshots.keys_expired)),
        ("rdb_last_load_keys_loaded", str(snapshots.keys_loaded)),
        ("aof_enabled", "0"),
        ("aof_rewrite_in_progress", "0"),
        ("aof_rewrite_scheduled", "0"),
        ("aof_last_rewrite_time_sec", "-1"),
        ("aof_current_rewrite_time_sec", "-1"),
        ("aof_last_bgrewrite_status", "ok"),
        ("aof_rewrites", "0"),
        ("aof_rewrites_consecutive_failures", "0"),
        ("aof_last_write_status", "ok"),
        ("aof_last_cow_size", "0"),
        *_loading_fields(server),
    ]


def _loading_fields(server: Server) -> Fields:
    """Return how far the load at the start is, nothing where it is over."""
    snapshots = server.snapshots
    loader = snapshots.loader
    if loader is None:
        return []
    loaded, total = loader.source.offset(), snapshots.load_bytes
    elapsed_ms = int(server.keyspace.now_ms) - snapshots.load_started_ms
    left_s = elapsed_ms * (total - loaded) // loaded // _MS_PER_S if loaded else 1
    return [
        ("loading_start_time", str(snapshots.load_started_ms // _MS_PER_S)),
        ("loading_total_bytes", str(total)),
        ("loading_loaded_bytes", str(loaded)),
        ("loading_loaded_perc", f"{100 * ratio(loaded, total):.2f}"),
        ("loading_eta_seconds", str(left_s)),
    ]

"""Snapshots of the running node: when they begin, and what their end means for writes.

The shell forks and writes; it calls background_save_ended() when the child is done. While snapshots fail, writes are
refused where stop-writes-on-bgsave-error asks for that. (Redis: rdb.c, serverCron.)
"""

from trivet_node.server.state import CHECK_DISK, Server


def save(server: Server) -> bool:
    """Write a snapshot now, while everything waits; say whether that worked."""
    succeeded = _save(server)
    if succeeded:
        server.snapshots.count += 1
    return succeeded


def forget_saved(server: Server) -> None:
    """All keys were deleted: let no snapshot bring them back. (Redis: flushAllDataAndResetRDB.)

    The new snapshot is written when the outermost command is over and in the stream, so that it belongs to its offset.
    """
    stop_background_save(server)
    if server.config.save:
        server.snapshots.must_be_replaced = True


def replace_snapshot(server: Server) -> None:
    """Write the snapshot that forget_saved() has asked for, unless it is too early; a failure changes nothing."""
    snapshots = server.snapshots
    if server.call_depth == 0:
        snapshots.must_be_replaced = False
        # As in Redis it is none of the saves that INFO counts.
        _save(server)


def stop_background_save(server: Server) -> None:
    """End the child that writes a snapshot, if there is one, so that it does not overwrite a later one."""
    if server.snapshots.in_progress:
        server.snapshots.stopped()
        server.host.stop_background_save()


def start_background_save(server: Server) -> bool:
    """Begin a snapshot in the background; say whether that worked."""
    now_ms = int(server.keyspace.now_ms)
    # The shell may report the end before start_background_save() returns: the start is noted first.
    server.snapshots.started(now_ms, int(server.keyspace.dirty))
    started = server.host.start_background_save()
    if not started:
        server.snapshots.failed_to_start(now_ms)
        update_disk_check(server)
    return started


def background_save_ended(server: Server, succeeded: bool) -> None:
    """Take note of how the snapshot in the background ended."""
    server.snapshots.ended(int(server.keyspace.now_ms), succeeded)
    update_disk_check(server)


def save_if_due(server: Server) -> None:
    """Begin a snapshot in the background if one was scheduled or a save point has come."""
    snapshots = server.snapshots
    if snapshots.in_progress:
        return
    if snapshots.scheduled:
        start_background_save(server)
        return
    point = snapshots.due(int(server.keyspace.now_ms), int(server.keyspace.dirty))
    if point is not None:
        server.host.log("notice", f"{point[1]} changes in {point[0]} seconds. Saving...")
        start_background_save(server)


def _save(server: Server) -> bool:
    """Write a snapshot; say whether that worked."""
    succeeded = server.host.save()
    if succeeded:
        server.snapshots.saved(int(server.keyspace.now_ms), int(server.keyspace.dirty))
        update_disk_check(server)
    return succeeded


def update_disk_check(server: Server) -> None:
    """Refuse writes from now on, or no longer, as the last snapshot and the settings say."""
    config = server.config
    if config.stop_writes_on_bgsave_error and config.save and not server.snapshots.last_succeeded:
        server.checks |= CHECK_DISK
    else:
        server.checks &= ~CHECK_DISK

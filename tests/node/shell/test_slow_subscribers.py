"""Subscribers that do not read, over real sockets: they are cut off at their limits, and until then bounded."""

import os
import socket
from pathlib import Path

from tests.processes import ServerProcess, read_replies, start_trivet_node, wait_until
from trivet_wire.connection import encode_request

_TIMEOUT_S = 20.0


def test_a_listener_that_does_not_read_is_cut_off(tmp_path: Path) -> None:
    limit = ("--client-output-buffer-limit", "pubsub", "1mb", "0", "0")
    with start_trivet_node(tmp_path, *limit) as node, socket.create_connection(node.address, _TIMEOUT_S) as deaf:
        deaf.sendall(b"SUBSCRIBE news\r\n")
        wait_until(lambda: node.call("PUBSUB", "NUMSUB", "news") == [b"news", 1], 5, "subscribed")
        # The kernel takes some megabytes before anything waits in the node.
        wait_until(lambda: node.call("PUBLISH", "news", b"x" * 500_000) == 0, _TIMEOUT_S, "cut off")
        assert b"client_output_buffer_limit_disconnections:1" in node.call("INFO", "stats")
        assert "is too slow for its replies" in node.log()


def test_a_soft_limit_cuts_off_who_stays_above_it_in_silence(tmp_path: Path) -> None:
    limit = ("--client-output-buffer-limit", "pubsub", "0", "1mb", "1")
    with start_trivet_node(tmp_path, *limit) as node, socket.create_connection(node.address, _TIMEOUT_S) as deaf:
        deaf.sendall(b"SUBSCRIBE news\r\n")
        wait_until(lambda: node.call("PUBSUB", "NUMSUB", "news") == [b"news", 1], 5, "subscribed")
        for _ in range(40):
            node.call("PUBLISH", "news", b"x" * 500_000)
        # Nothing more is written to it from here on.
        wait_until(lambda: node.call("PUBSUB", "NUMSUB", "news") == [b"news", 0], _TIMEOUT_S, "cut off")


def test_many_small_messages_to_who_does_not_read_take_no_more_memory_than_the_limit(tmp_path: Path) -> None:
    limit = ("--client-output-buffer-limit", "pubsub", "1mb", "0", "0")
    with (
        start_trivet_node(tmp_path, *limit) as node,
        socket.create_connection(node.address, _TIMEOUT_S) as deaf,
        socket.create_connection(node.address, _TIMEOUT_S) as publisher,
    ):
        deaf.sendall(b"SUBSCRIBE news\r\n")
        wait_until(lambda: node.call("PUBSUB", "NUMSUB", "news") == [b"news", 1], 5, "subscribed")
        before = _resident_bytes(node)
        most = 0
        listening = True
        while listening:
            publisher.sendall(encode_request(["PUBLISH", "news", "x" * 100]) * 2_000)
            listening = read_replies(publisher, 2_000)[-1] == 1
            most = max(most, _resident_bytes(node))
        assert most - before < 12 * 2**20
        assert b"client_output_buffer_limit_disconnections:1" in node.call("INFO", "stats")


def test_a_script_of_messages_is_cut_short_before_it_fills_the_memory(tmp_path: Path) -> None:
    """All of a transaction is published in one burst: nothing can be written meanwhile."""
    limit = ("--client-output-buffer-limit", "pubsub", "1mb", "0", "0")
    with start_trivet_node(tmp_path, *limit) as node, socket.create_connection(node.address, _TIMEOUT_S) as listener:
        listener.sendall(b"SUBSCRIBE news\r\n")
        wait_until(lambda: node.call("PUBSUB", "NUMSUB", "news") == [b"news", 1], 5, "subscribed")
        with socket.create_connection(node.address, _TIMEOUT_S) as publisher:
            count = 200
            publish = encode_request(["PUBLISH", "news", "x" * 20_000])
            publisher.sendall(encode_request(["MULTI"]) + publish * count + encode_request(["EXEC"]))
            assert read_replies(publisher, count + 2)[-1] == [1] * count
        wait_until(lambda: node.call("PUBSUB", "NUMSUB", "news") == [b"news", 0], 5, "cut off")
        assert b"client_output_buffer_limit_disconnections:1" in node.call("INFO", "stats")


def _resident_bytes(node: ServerProcess) -> int:
    pages = int(Path(f"/proc/{node.pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")

"""What two servers send their replicas: the same commands, but for deadlines that were computed from two clocks."""

import itertools
from typing import Final

from tests.differential.generator import CHANCE
from tests.differential.peers import Peer
from tests.differential.replies import Reply
from tests.differential.rules import TOLERANCE_MS

_COUNTERS: Final = (b"keyspace_hits", b"keyspace_misses", b"expired_keys", b"total_error_replies")

# Commands whose third word is a deadline.
_DEADLINE_THIRD: Final = (b"PEXPIREAT", b"RESTORE", b"RESTORE-ASKING")


def counted(peer: Peer, client: int) -> dict[bytes, int]:
    """Return counters of a peer since its start which both sides count alike."""
    reply = peer.run(client, [(b"INFO", b"stats")])[0]
    assert isinstance(reply.value, bytes), reply
    fields = dict(line.split(b":", 1) for line in reply.value.split(b"\r\n") if b":" in line)
    return {name: int(fields[name]) for name in _COUNTERS}


def difference(ours: list[Reply], real: list[Reply]) -> str:
    """Return what differs between two propagated streams, or an empty string; deadlines may by TOLERANCE_MS."""
    for number, (one, other) in enumerate(itertools.zip_longest(ours, real)):
        if one is None or other is None or not _same_command(one, other):
            context = "\n".join(f"  {_words(left)}   {_words(right)}" for left, right in zip(ours, real, strict=False))
            shown = context.split("\n")[max(0, number - 3) : number + 3]
            return "\n".join([f"command {number}: {_words(one)} instead of {_words(other)}", *shown])
    return ""


def _same_command(one: Reply, other: Reply) -> bool:
    """Say whether two propagated commands are equal but for chance and for times."""
    words, others = _words(one), _words(other)
    if len(words) != len(others):
        return False
    if len(words) > 1 and words[1].startswith(CHANCE):
        return words[:2] == others[:2]
    if words[:1] and words[0].upper() != others[0].upper():
        return False
    return all(
        left == right or (left.isdigit() and right.isdigit() and _is_time(words[:index], int(left) - int(right)))
        for index, (left, right) in enumerate(zip(words[1:], others[1:], strict=True), 1)
    )


def _is_time(before: list[bytes], distance: int) -> bool:
    """Say whether the word behind `before` is a time that was computed, and may differ so much."""
    is_third = len(before) == 2 and before[0].upper() in _DEADLINE_THIRD
    is_deadline = before[-1] == b"PXAT" or is_third
    is_delivery = before[-1] == b"TIME" and before[0] == b"XCLAIM"
    return (is_deadline or is_delivery) and abs(distance) <= TOLERANCE_MS


def _words(command: Reply | None) -> list[bytes]:
    return [] if command is None else command.words()

"""The parts of replication one by one: backlog, history, the snapshot on its way, handshake, the upstream's offsets."""

import random

import pytest

from trivet_node.replication.backlog import SMALLEST_BYTES, Backlog
from trivet_node.replication.handshake import ASKS, CONTINUES, FULL, Handshake, HandshakeError, Introduction
from trivet_node.replication.history import NO_ID, History, new_replication_id
from trivet_node.replication.payload import Payload, PayloadError
from trivet_node.replication.upstream import Upstream
from trivet_wire.replies import encode_command


@pytest.mark.parametrize("seed", range(10))
def test_backlog_holds_the_last_bytes_of_the_stream(seed: int) -> None:
    choice = random.Random(seed)
    backlog = Backlog(SMALLEST_BYTES, 101)
    stream = b""
    for _ in range(200):
        data = choice.randbytes(choice.choice((0, 1, 100, 5000, SMALLEST_BYTES - 1, SMALLEST_BYTES, 40_000)))
        stream += data
        backlog.append(data)
        kept = min(len(stream), SMALLEST_BYTES)
        assert backlog.length == kept
        assert backlog.next_offset == 101 + len(stream)
        assert backlog.since(backlog.first_offset()) == stream[len(stream) - kept :]
        wanted = choice.randint(0, kept)
        assert backlog.has(101 + len(stream) - wanted)
        assert backlog.since(101 + len(stream) - wanted) == stream[len(stream) - wanted :]
        assert not backlog.has(backlog.first_offset() - 1)
        assert not backlog.has(backlog.next_offset + 1)


@pytest.mark.parametrize("size", [SMALLEST_BYTES, 20_000, 100_000])
def test_a_resized_backlog_keeps_the_newest_bytes(size: int) -> None:
    backlog = Backlog(50_000, 1)
    stream = random.Random(1).randbytes(70_000)
    backlog.append(stream)
    backlog.resize(size)
    kept = min(size, 50_000)
    assert backlog.since(backlog.first_offset()) == stream[-kept:]
    backlog.append(b"more")
    assert backlog.next_offset == 70_005
    assert backlog.since(70_001) == b"more"


def test_a_branch_serves_those_who_are_not_beyond_it() -> None:
    history = History(b"a" * 40)
    history.offset = 100
    assert history.includes(b"a" * 40, 5000)
    history.branch(b"b" * 40)
    history.offset = 200
    assert history.includes(b"b" * 40, 201)
    assert history.includes(b"A" * 40, 101)
    assert not history.includes(b"a" * 40, 102)
    assert not history.includes(NO_ID, 1)


def test_a_new_beginning_serves_nobody_else() -> None:
    history = History(b"a" * 40)
    history.offset = 100
    history.branch(b"b" * 40)
    history.begin(b"c" * 40)
    assert not history.includes(b"a" * 40, 1)
    assert not history.includes(b"b" * 40, 1)
    assert history.offset == 100


def test_replication_ids_are_forty_digits() -> None:
    assert len(new_replication_id(random.Random(1))) == 40
    assert new_replication_id(random.Random(1)) != new_replication_id(random.Random(2))


SNAPSHOT = b"REDIS0010 and so on \r\n$5\r\n" * 20
MARK = b"m" * 39 + b"!"


@pytest.mark.parametrize("step", [1, 2, 7, 39, 40, 41, 1000])
@pytest.mark.parametrize(
    ("data", "rest"),
    [
        (b"\n\n\n$%d\r\n%s" % (len(SNAPSHOT), SNAPSHOT), b""),
        (b"$%d\r\n%s*1\r\n" % (len(SNAPSHOT), SNAPSHOT), b"*1\r\n"),
        (b"\n$EOF:%s\r\n%s%s" % (MARK, SNAPSHOT, MARK), b""),
    ],
)
def test_a_snapshot_in_any_fragments(data: bytes, rest: bytes, step: int) -> None:
    payload = Payload()
    received = b""
    position = 0
    while not payload.is_complete:
        received += payload.feed(data[position : position + step])
        position += step
    assert received == SNAPSHOT
    assert payload.received == len(SNAPSHOT)
    assert payload.rest + data[position:] == rest


@pytest.mark.parametrize("data", [b"-ERR no\r\n", b"+OK\r\n", b"$-1\r\n", b"$EOF:short\r\n", b"x" * 2000])
def test_what_is_no_snapshot(data: bytes) -> None:
    with pytest.raises(PayloadError):
        Payload().feed(data)


def talk(handshake: Handshake, answers: dict[bytes, bytes]) -> list[bytes]:
    requests = []
    while handshake.outcome == ASKS:
        request = handshake.next_request()
        requests.append(request)
        word = request.split(b"\r\n")[2]
        handshake.answered(answers.get(word, b"+OK"))
    return requests


def test_handshake_for_everything() -> None:
    handshake = Handshake(Introduction("", "", 7001, ""), b"?", -1)
    requests = talk(handshake, {b"PING": b"+PONG", b"PSYNC": b"+FULLRESYNC %s 77" % (b"f" * 40)})
    assert requests == [
        encode_command([b"PING"]),
        encode_command([b"REPLCONF", b"listening-port", b"7001"]),
        encode_command([b"REPLCONF", b"capa", b"eof", b"capa", b"psync2"]),
        encode_command([b"PSYNC", b"?", b"-1"]),
    ]
    assert (handshake.outcome, handshake.replication_id, handshake.offset) == (FULL, b"f" * 40, 77)


def test_handshake_with_password_and_address() -> None:
    handshake = Handshake(Introduction("me", "secret", 7001, "host"), b"a" * 40, 12)
    requests = talk(handshake, {b"PING": b"-NOAUTH Authentication required.", b"PSYNC": b"+CONTINUE " + b"b" * 40})
    assert requests[1] == encode_command([b"AUTH", b"me", b"secret"])
    assert requests[3] == encode_command([b"REPLCONF", b"ip-address", b"host"])
    assert requests[-1] == encode_command([b"PSYNC", b"a" * 40, b"12"])
    assert (handshake.outcome, handshake.replication_id) == (CONTINUES, b"b" * 40)


def test_an_old_primary_continues_without_an_id() -> None:
    handshake = Handshake(Introduction("", "", 1, ""), b"a" * 40, 12)
    talk(handshake, {b"REPLCONF": b"-ERR unknown command", b"PSYNC": b"+CONTINUE"})
    assert (handshake.outcome, handshake.replication_id) == (CONTINUES, b"a" * 40)


@pytest.mark.parametrize(
    "answers",
    [
        {b"PING": b"-LOADING Redis is loading"},
        {b"AUTH": b"-WRONGPASS no"},
        {b"PSYNC": b"-NOMASTERLINK Can't SYNC"},
        {b"PSYNC": b"-ERR unknown command"},
        {b"PSYNC": b"+FULLRESYNC"},
        {b"PSYNC": b"garbage"},
    ],
)
def test_a_primary_that_does_not_serve_us(answers: dict[bytes, bytes]) -> None:
    with pytest.raises(HandshakeError):
        talk(Handshake(Introduction("", "x", 1, ""), b"?", -1), answers)


@pytest.mark.parametrize("seed", range(10))
def test_the_upstream_passes_on_what_was_applied_byte_for_byte(seed: int) -> None:
    choice = random.Random(seed)
    stream = choice.randbytes(5000)
    upstream = Upstream("host", 1)
    received = applied = 0
    passed = b""
    while applied < len(stream):
        count = choice.randint(1, 400)
        upstream.receive(stream[received : received + count])
        received = min(len(stream), received + count)
        applied = choice.randint(applied, received) if received < len(stream) else len(stream)
        upstream.applied_to(applied)
        assert upstream.unpassed() == applied - len(passed)
        passed += upstream.take_applied()
        assert passed == stream[:applied]

"""The request parser: any fragmentation, Redis' own errors, no allocation for announcements, linear time."""

import itertools
import random
import time
import tracemalloc
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import require_redis_server
from tests.processes import ServerProcess, start_redis_server
from tests.wire.streams import (
    ARRAYS,
    BROKEN,
    INLINES,
    answer_of_server,
    expected_answer,
    parse,
    random_sizes,
    random_stream,
)
from trivet_wire.replies import encode_command
from trivet_wire.requests import INLINE_MAX_BYTES, PROTO_MAX_BULK_LEN, ProtocolError, RequestParser, split_words

CASES = [*ARRAYS, *INLINES, *BROKEN]
UNAUTHENTICATED = [
    b"*10\r\n" + b"$1\r\na\r\n" * 10,
    b"*11\r\n" + b"$1\r\na\r\n" * 11,
    b"*2\r\n$4\r\nECHO\r\n$16384\r\n" + b"a" * 16384 + b"\r\n",
    b"*2\r\n$4\r\nECHO\r\n$16385\r\n",
    b"*2147483648\r\n",
    b"*2\r\n$4\r\nECHO\r\n$536870913\r\n",
    b"*2\r\n$4\r\nECHO\r\n$-1\r\n",
]


@pytest.fixture(scope="module")
def locked_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server that wants a password."""
    require_redis_server()
    with start_redis_server(tmp_path_factory.mktemp("locked"), "--requirepass", "secret") as server:
        yield server


@pytest.fixture(scope="module")
def small_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A server whose bulk strings have at most 1 MB, the least that can be configured."""
    require_redis_server()
    with start_redis_server(tmp_path_factory.mktemp("small"), "--proto-max-bulk-len", "1mb") as server:
        yield server


def test_the_plainest_requests() -> None:
    assert parse(b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n") == [[b"GET", b"k"]]
    assert parse(b"GET k\r\nGET 'a b'\n") == [[b"GET", b"k"], [b"GET", b"a b"]]


@pytest.mark.parametrize("stream", CASES)
def test_byte_by_byte_gives_the_same(stream: bytes) -> None:
    assert parse(stream, itertools.repeat(1)) == parse(stream)


@pytest.mark.parametrize("stream", CASES)
def test_random_pieces_give_the_same(stream: bytes) -> None:
    for seed in range(20):
        assert parse(stream, random_sizes(random.Random(seed))) == parse(stream), f"seed {seed}"


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_request_given_back_comes_again_whatever_follows(size: int) -> None:
    canonical = [[b"SET", b"k", b"value"], [b"GET", b"k"], [b"PING"], [b"ECHO", b"x" * 100]]
    data = b"".join(encode_command(request) for request in canonical)
    parser = RequestParser()
    found: list[list[bytes]] = []
    for position in range(0, len(data), size):
        parser.feed(data[position : position + size])
        while (request := parser.next()) is not None:
            before = parser.consumed()
            parser.unread()
            assert parser.consumed() == before - len(encode_command(request))
            assert parser.buffered() >= len(encode_command(request))
            parser.feed(b"")
            assert parser.next() == request
            assert parser.raw() == encode_command(request)
            assert parser.consumed() == before
            found.append(request)
    assert found == canonical


def test_a_line_given_back_comes_again() -> None:
    parser = RequestParser()
    parser.feed(b"SET k 'a b'\r\nGE")
    assert parser.next() == [b"SET", b"k", b"a b"]
    parser.unread()
    parser.feed(b"T k\r\n")
    assert [parser.next(), parser.next(), parser.next()] == [[b"SET", b"k", b"a b"], [b"GET", b"k"], None]


@pytest.mark.parametrize("stream", CASES)
def test_answers_are_the_servers(stream: bytes, redis_server: ServerProcess) -> None:
    assert expected_answer(parse(stream)) == answer_of_server(redis_server.address, stream)


def test_answers_to_random_streams_are_the_servers(redis_server: ServerProcess) -> None:
    for seed in range(1500):
        choice = random.Random(seed)
        stream = random_stream(choice)
        requests = parse(stream)
        assert parse(stream, random_sizes(choice)) == requests, f"seed {seed}: {stream!r}"
        assert expected_answer(requests) == answer_of_server(redis_server.address, stream), f"seed {seed}: {stream!r}"


@pytest.mark.parametrize("stream", UNAUTHENTICATED)
def test_limits_before_authentication_are_the_servers(stream: bytes, locked_server: ServerProcess) -> None:
    results = parse(stream, authenticated=False)
    assert parse(stream, itertools.repeat(1), authenticated=False) == results
    answer = answer_of_server(locked_server.address, stream)
    if isinstance(results[-1], str):
        assert answer == expected_answer(results)
    else:
        assert answer.startswith((b"-NOAUTH ", b"-ERR unknown command"))


def test_authentication_lifts_its_limits_at_once() -> None:
    parser = RequestParser(authenticated=False)
    parser.feed(encode_command([b"AUTH", b"secret"]) + encode_command([b"a"] * 11))
    assert parser.next() == [b"AUTH", b"secret"]
    parser.authenticated = True
    assert parser.next() == [b"a"] * 11


@pytest.mark.parametrize("bulk", [b"$1048576\r\n" + b"x" * 1048576 + b"\r\n", b"$1048577\r\n"])
def test_proto_max_bulk_len_is_the_servers(bulk: bytes, small_server: ServerProcess) -> None:
    stream = b"*2\r\n$4\r\nECHO\r\n" + bulk
    assert expected_answer(parse(stream, bulk_max=1024 * 1024)) == answer_of_server(small_server.address, stream)


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"", "too big inline request"),
        (b"*", "too big mbulk count string"),
        (b"*1\r\n$", "too big bulk count string"),
        (b"*1\r\n", "too big bulk count string"),
    ],
)
@pytest.mark.parametrize("has_end", [False, True])
@pytest.mark.parametrize(
    ("first", "following"),
    [(2 * INLINE_MAX_BYTES, 1), (4096, 4096), (INLINE_MAX_BYTES - 50, 1)],
    ids=["whole", "in pieces", "its end in single bytes"],
)
def test_a_line_is_too_long_by_its_length_alone(
    head: bytes, reason: str, has_end: bool, first: int, following: int
) -> None:
    """A line of 64 KB is not too long, one byte more is, whether its end came with it or not."""
    end = b"" if not has_end else b"\r\n" if head else b"\n"
    kept = INLINE_MAX_BYTES - (1 if head.endswith((b"*", b"$")) else 0)
    found = [
        parse(head + b"1" * length + end, itertools.chain([first], itertools.repeat(following)))
        for length in (kept, kept + 1)
    ]
    assert reason not in found[0]
    assert found[1] == [reason]


HOSTILE: dict[str, Callable[[], bytes]] = {
    "elements announced": lambda: b"*2147483647\r\n",
    "a bulk announced": lambda: b"*1\r\n$536870912\r\n",
    "a bulk begun": lambda: b"*1\r\n$536870912\r\n" + b"x" * 1_000_000,
    "digits": lambda: b"*" + b"1" * 60_000,
    "an endless line": lambda: b"x" * 65_000,
    "quotes": lambda: b"'" * 60_000,
    "escapes": lambda: b'"' + b"\\x41" * 16_000 + b'"\n',
    "empty lines": lambda: b"\r\n" * 200_000,
    "empty arrays": lambda: b"*0\r\n" * 100_000,
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
def test_hostile_bytes_allocate_no_more_than_they_are(name: str) -> None:
    stream = HOSTILE[name]()
    allocated = peak_allocation(stream)
    # The constant is for one line of the longest, which is held several times while its words are made.
    assert allocated <= len(stream) + 4 * INLINE_MAX_BYTES


def test_elements_that_never_end_allocate_in_proportion() -> None:
    """The worst that one byte sent can cost: two-byte elements, a bytes object each, behind a six-byte frame."""
    stream = b"*2147483647\r\n" + b"$2\r\nab\r\n" * 100_000
    assert peak_allocation(stream) <= 8 * len(stream)


def peak_allocation(stream: bytes) -> int:
    """Return how much memory the parser takes at most while `stream` is fed to it in pieces of 16 KB."""
    parser = RequestParser()
    pieces = [stream[first : first + 16_384] for first in range(0, len(stream), 16_384)]
    tracemalloc.start()
    try:
        for piece in pieces:
            # A copy, because a server's bytes come from its receive call: they count as the parser keeps them.
            parser.feed(bytes(bytearray(piece)))
            try:
                while parser.next() is not None:
                    pass
            except ProtocolError:
                break
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("stream", "size"),
    [
        (b"*2\r\n$4\r\nECHO\r\n$33554432\r\n" + b"x" * 33_554_432 + b"\r\n", 512),
        (b"*200001\r\n$4\r\nPING\r\n" + b"$4\r\nabcd\r\n" * 200_000, 7),
        (b"PING\r\n" * 200_000, 3),
    ],
    ids=["one bulk", "many elements", "many lines"],
)
def test_small_pieces_take_linear_time(stream: bytes, size: int) -> None:
    """Copying what came before with every piece would take minutes here."""
    started = time.process_time()
    requests = parse(stream, itertools.repeat(size))
    assert requests
    assert isinstance(requests[-1], list)
    assert time.process_time() - started < 10


@given(st.lists(st.lists(st.binary(max_size=40), min_size=1, max_size=6), max_size=6), st.randoms())
def test_what_is_encoded_is_parsed(commands: list[list[bytes]], choice: random.Random) -> None:
    stream = b"".join(encode_command(command) for command in commands)
    assert parse(stream, random_sizes(choice)) == commands
    assert parse(stream) == commands


@given(st.binary(max_size=300), st.randoms())
def test_any_bytes_end_in_requests_or_a_protocol_error(stream: bytes, choice: random.Random) -> None:
    assert parse(stream, random_sizes(choice)) == parse(stream)


@given(st.lists(st.sampled_from([b"*1\r\n", b"$1\r\n", b"a\r\n", b"*", b"$", b"-1", b"\r\n", b"\0", b"'", b"x"])))
def test_any_pieces_of_resp_end_in_requests_or_a_protocol_error(pieces: list[bytes]) -> None:
    stream = b"".join(pieces)
    assert parse(stream, itertools.repeat(1)) == parse(stream)


def requests_and_raw(stream: bytes, size: int) -> list[tuple[list[bytes], bytes]]:
    """Return each request with its raw bytes."""
    parser = RequestParser()
    results = []
    for first in range(0, len(stream), size):
        parser.feed(stream[first : first + size])
        while (request := parser.next()) is not None:
            results.append((request, parser.raw()))
    return results


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize("stream", [*ARRAYS, *INLINES])
def test_raw_is_the_request_as_a_strict_array(stream: bytes, size: int) -> None:
    """What is propagated goes to files and replicas, which do not forgive what a server forgives its clients."""
    for request, raw in requests_and_raw(stream, size):
        assert raw == encode_command(request)


def test_raw_does_not_encode_what_came_in_one_piece() -> None:
    parser = RequestParser()
    parser.feed(encode_command([b"SET", b"k", b"v"]) + encode_command([b"GET", b"k"]))
    parser.next()
    assert parser.raw() == b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n"
    parser.next()
    assert parser.raw() == b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_consumed_counts_every_byte_of_the_requests(size: int) -> None:
    stream = b"".join(
        [encode_command([b"SET", b"k", b"v" * 20]), b"PING\r\n", b"*0\r\n", b"\r\n", b"*1\r\n$1\r\nx\r\n"]
    )
    ends = [len(encode_command([b"SET", b"k", b"v" * 20]))]
    ends += [ends[0] + 6, len(stream)]
    parser = RequestParser()
    seen = []
    for first in range(0, len(stream), size):
        parser.feed(stream[first : first + size])
        while parser.next() is not None:
            seen.append(parser.consumed())
    assert seen == ends


def test_buffered_is_what_waits_for_its_end() -> None:
    parser = RequestParser()
    assert parser.buffered() == 0
    parser.feed(b"*2\r\n$4\r\nECHO\r\n$100\r\nabc")
    assert parser.next() is None
    assert parser.buffered() == 23
    parser.feed(b"x" * 90)
    assert parser.next() is None
    assert parser.buffered() == 113
    parser.feed(b"x" * 7 + b"\r\nPI")
    assert parser.next() is not None
    assert parser.next() is None
    assert parser.buffered() == 2


def test_lengths_beyond_the_limit_are_refused_before_anything_is_read() -> None:
    assert parse(b"*1\r\n$%d\r\n" % (PROTO_MAX_BULK_LEN + 1)) == ["invalid bulk length"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"", []),
        (b"save 60 1", [b"save", b"60", b"1"]),
        (b'requirepass "a b"', [b"requirepass", b"a b"]),
        (b"a 'b\\'c' \"\\x00\\xFf\"", [b"a", b"b'c", b"\x00\xff"]),
        (b'"unbalanced', None),
        (b"'a'b", None),
    ],
)
def test_words_of_a_line(line: bytes, words: list[bytes] | None) -> None:
    assert split_words(line) == words


def test_missing_says_what_a_bulk_string_lacks() -> None:
    parser = RequestParser()
    parser.feed(b"*2\r\n$3\r\nGET\r\n$100000\r\nabc")
    assert parser.next() is None
    assert parser.missing() == 100000 - 3 + 2
    parser.feed(b"x" * (100000 - 3) + b"\r\n")
    assert parser.missing() == 0
    assert parser.next() == [b"GET", b"abc" + b"x" * (100000 - 3)]

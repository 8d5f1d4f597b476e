"""String values: their forms, and the numbers and subsequences in them."""

import random
import re
import socket

import pytest

from tests.node.engines import Node
from tests.processes import ServerProcess, read_replies
from trivet_node.values import long_double
from trivet_node.values.lcs import common_length, common_matches
from trivet_node.values.strings import (
    encode_string,
    mutable_string,
    parse_integer,
    string_bytes,
    string_encoding,
    string_length,
)
from trivet_wire.connection import encode_request

_CANONICAL = re.compile(rb"0|-?[1-9][0-9]*")


def reference_integer(text: bytes) -> int | None:
    if _CANONICAL.fullmatch(text) is None:
        return None
    value = int(text)
    return value if -(2**63) <= value < 2**63 else None


def test_integers_are_canonical_and_of_64_bits() -> None:
    choice = random.Random(1)
    texts = [
        b"",
        b"-",
        b"-0",
        b"00",
        b"+1",
        b" 1",
        b"1 ",
        b"1\n",
        b"0x1",
        b"\xb2",
        b"1_0",
        b"--1",
        b"9" * 20,
        b"9" * 19,
    ]
    for power in (7, 8, 31, 32, 62, 63, 64):
        texts += [b"%d" % (sign * 2**power + delta) for sign in (1, -1) for delta in (-1, 0, 1)]
    texts += [bytes(choice.choice(b"0123456789-") for _ in range(choice.randrange(22))) for _ in range(20_000)]
    for text in texts:
        assert parse_integer(text) == reference_integer(text), text


@pytest.mark.parametrize("text", [b"", b"0", b"-5", b"9223372036854775807", b"05", b"hello", b"x" * 44, b"x" * 45])
def test_a_string_keeps_its_bytes_in_every_form(text: bytes) -> None:
    stored = encode_string(text)
    assert string_bytes(stored) == text
    assert string_length(stored) == len(text)
    changed = mutable_string(stored)
    assert (string_bytes(changed), string_length(changed)) == (text, len(text))
    assert mutable_string(changed) is changed
    assert string_encoding(changed) == b"raw"


def test_what_is_no_string_says_so() -> None:
    assert (string_bytes([]), string_length([]), string_encoding([])) == (None, -1, None)


def table_of_lengths(first: bytes, second: bytes) -> list[list[int]]:
    table = [[0] * (len(second) + 1) for _ in range(len(first) + 1)]
    for i, one in enumerate(first, 1):
        for j, other in enumerate(second, 1):
            table[i][j] = table[i - 1][j - 1] + 1 if one == other else max(table[i - 1][j], table[i][j - 1])
    return table


def reference_matches(first: bytes, second: bytes) -> list[tuple[int, int, int, int]]:
    """Redis' walk back through its table."""
    table = table_of_lengths(first, second)
    i, j = len(first), len(second)
    pairs: list[tuple[int, int]] = []
    while i > 0 and j > 0:
        if first[i - 1] == second[j - 1]:
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif table[i - 1][j] > table[i][j - 1]:
            i -= 1
        else:
            j -= 1
    matches: list[tuple[int, int, int, int]] = []
    for i, j in pairs:
        if matches and matches[-1][0] == i + 1 and matches[-1][2] == j + 1:
            matches[-1] = (i, matches[-1][1], j, matches[-1][3])
        else:
            matches.append((i, i, j, j))
    return matches


def test_common_subsequences_are_those_of_the_table() -> None:
    choice = random.Random(2)
    for _ in range(400):
        alphabet = choice.choice((b"ab", b"abcd", bytes(range(256))))
        first, second = [bytes(choice.choice(alphabet) for _ in range(choice.randrange(130))) for _ in range(2)]
        assert common_length(first, second) == table_of_lengths(first, second)[-1][-1]
        matches = common_matches(first, second)
        found = [(m.first_start, m.first_end, m.second_start, m.second_end) for m in matches]
        assert found == reference_matches(first, second)


def random_float(choice: random.Random) -> bytes:
    kind = choice.randrange(6)
    if kind == 0:
        return b"%d" % choice.randint(-(10 ** choice.randrange(1, 20)), 10 ** choice.randrange(1, 20))
    if kind == 1:
        return repr(choice.gauss(0, 1) * 10 ** choice.randrange(-25, 25)).encode()
    if kind == 2:
        return b"%d.%d" % (choice.randint(-1000, 1000), choice.randrange(10 ** choice.randrange(1, 30)))
    if kind == 3:
        return b"%de%d" % (choice.randint(-1000, 1000), choice.choice((1, 1, 250)) * choice.randint(-20, 20))
    if kind == 4:
        return b"0x%x.%xp%d" % (choice.getrandbits(60), choice.getrandbits(60), choice.randint(-80, 80))
    return choice.choice(
        [
            *[
                b"inf",
                b"-Infinity",
                b"nan",
                b" 1",
                b"1 ",
                b"",
                b".",
                b".5",
                b"5.",
                b"0x",
                b"0x.",
                b"1e",
                b"--1",
                b"-0.0",
            ],
            *[
                b"1e99999999999999999999",
                b"0e99999999999999999999",
                b"1e-99999999999999999999",
                b"0x1p16383",
                b"0x1p16384",
            ],
            *[b"0x1p-16445", b"0x1p-16446", b"0x1.8p-16446", b"1.2e4932", b"3e-4951", b"5e-18", b"-5e-18", b"1e-17"],
        ]
    )


def incremented(one: bytes, other: bytes) -> bytes:
    """Return what INCRBYFLOAT answers to `other` where `one` is stored."""
    first, second = long_double.parse(one), long_double.parse(other)
    if first is None or second is None:
        return b"ERR value is not a valid float"
    total = long_double.add(first, second)
    return b"ERR increment would produce NaN or Infinity" if total is None else long_double.format_fixed(total)


def test_floats_add_up_to_the_digits_of_redis(redis_server: ServerProcess) -> None:
    choice = random.Random(4)
    cases = [(random_float(choice), random_float(choice)) for _ in range(3000)]
    with socket.create_connection(redis_server.address, 10) as connection:
        for start in range(0, len(cases), 100):
            batch = cases[start : start + 100]
            requests = [[[b"SET", b"float", one], [b"INCRBYFLOAT", b"float", other]] for one, other in batch]
            connection.sendall(b"".join(encode_request(request) for pair in requests for request in pair))
            replies = read_replies(connection, 2 * len(batch))[1::2]
            expected = [str(reply).encode() if isinstance(reply, Exception) else reply for reply in replies]
            assert [incremented(*case) for case in batch] == expected


def test_encodings_follow_the_commands() -> None:
    node = Node()
    steps = [
        ("SET k 12345", b"int"),
        ("APPEND k 6", b"raw"),
        ("INCR k", b"int"),
        ("INCRBYFLOAT k 1", b"embstr"),
        ("SET k 1.5", b"embstr"),
        ("SETRANGE k 0 2", b"raw"),
        ("SET k " + "x" * 44, b"embstr"),
        ("SET k " + "x" * 45, b"raw"),
    ]
    for request, encoding in steps:
        node.asks(request)
        assert node.asks("OBJECT ENCODING k") == encoding, request


def test_a_string_may_not_outgrow_the_limit_but_for_the_primary() -> None:
    node = Node()
    node.server.config.proto_max_bulk_len = 1024 * 1024
    error = "ERR string exceeds maximum allowed size (proto-max-bulk-len)"
    node.ask("SET", "k", b"x" * (1024 * 1024 - 1))
    assert node.asks("APPEND k yy") == error
    assert node.asks("SETRANGE k 1048575 yy") == error
    assert node.asks("SETRANGE other 1048575 yy") == error
    assert node.asks("APPEND k y") == 1024 * 1024
    assert node.asks("SETRANGE k 9223372036854775807 y") == error
    assert node.asks("EXISTS other") == 0


def test_lcs_refuses_what_would_take_redis_too_much_memory() -> None:
    node = Node()
    node.server.config.proto_max_bulk_len = 1024 * 1024
    node.ask("SET", "a", b"x" * 511)
    node.ask("SET", "b", b"x" * 511)
    assert node.asks("LCS a b LEN") == 511
    node.ask("APPEND", "b", "x")
    assert node.asks("LCS a b LEN") == ("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len")


def test_values_in_place_do_not_leak_into_copies() -> None:
    node = Node()
    node.asks("SETRANGE k 0 hello")
    node.asks("COPY k other")
    node.asks("APPEND k !")
    assert (node.asks("GET k"), node.asks("GET other")) == (b"hello!", b"hello")

"""SORT: by weights, of patterns, into lists."""

from collections.abc import Iterable
from typing import Final

from tests.differential.generator import Arguments, Form, Generator, Script, form
from tests.differential.replies import Reply
from tests.differential.rules import Rule, same_shape, unordered

# With the elements in it these name keys and fields that are there, and others.
_PATTERNS: Final = [
    *[b"k*", b"k*", b"weight_*", b"k*->m1", b"k*->*", b"*", b"nosort", b"#", b"{tag}*", b"k*->", b"->*", b"k*->m1->m2"],
    *[b"", b"k\x00*", b"k*\x00x", b"#x", b"k*->\x00m1", b"**"],
]
# What strtod takes and what it does not, but nothing out of range: that would be an error in what follows, too.
_NUMBERS: Final = [
    *[b"0", b"1", b"2", b"3", b"4", b"5", b"6", b"10", b"-1", b"2.5", b"1e3", b"0x10", b" 7", b"inf", b"-inf", b"-0"],
    *[b"", b"1\x00x", b"0.1", b"3.0e3", b"9223372036854775807", b".5", b"5."],
]
# A key that always holds a list.
_LIST: Final = b"{sorted}list"
_NO_NUMBERS: Final = [b"x", b"1 ", b"nan", b"1e", b"0x", b"-", b" "]


def _number(gen: Generator) -> bytes:
    return gen.random.choice(_NO_NUMBERS if gen.random.random() < 0.02 else _NUMBERS)


def _numbers(gen: Generator) -> list[bytes]:
    return [_number(gen) for _ in range(gen.random.choice((1, 2, 3, 5)))]


def _fill(gen: Generator) -> Arguments:
    name = gen.random.choice((b"RPUSH", b"RPUSH", b"LPUSH", b"SADD"))
    return (name, gen.key(), *_numbers(gen))


def _score(gen: Generator) -> Arguments:
    pairs = [word for number in _numbers(gen) for word in (gen.random.choice((b"1", b"2", b"3.5", b"-inf")), number)]
    return (b"ZADD", gen.key(), *pairs)


def _weights(gen: Generator) -> Arguments:
    return (b"MSET", *[word for number in _numbers(gen) for word in (b"weight_" + number, _number(gen))])


def _fields(gen: Generator) -> Arguments:
    fields = gen.random.choice((b"m1", b"m2", b"m1->m2", b"\x00m1"))
    return (b"HSET", gen.key(), fields, _number(gen))


def _options(gen: Generator) -> list[bytes]:
    arguments: list[bytes] = []
    # Where equal elements come in an order of chance, LIMIT decides which keys GET looks up: no more than one of them.
    limits = gen.random.random() < 0.5
    for _ in range(gen.random.choice((0, 1, 1, 2, 3, 4))):
        way = gen.random.randrange(10)
        if way < 3:
            arguments += [gen.option(b"BY"), gen.random.choice(_PATTERNS)]
        elif way < 6 and limits:
            arguments += [gen.option(b"LIMIT"), gen.position(), gen.count()]
        elif way < 6:
            arguments += [gen.option(b"GET"), gen.random.choice(_PATTERNS)]
        elif way == 6:
            arguments += [gen.option(b"STORE"), gen.key()]
        else:
            arguments.append(gen.option(b"ASC", b"DESC", b"DESC", b"ALPHA", b"ALPHA", b"ALPHA", b"NOSUCH"))
    return arguments


def _sort(gen: Generator) -> Arguments:
    options = _options(gen)
    # What is stored of elements that are equal would depend on the order of a set, which is chance.
    name = b"SORT_RO" if {b"BY", b"ALPHA"} <= _words(options) else gen.random.choice((b"SORT", b"SORT", b"SORT_RO"))
    return (name, gen.key(), *options)


def _sort_words(gen: Generator) -> Arguments:
    return (b"SORT_RO", gen.key(), *_options(gen), b"ALPHA")


def _words(arguments: Iterable[bytes]) -> set[bytes]:
    return {argument.partition(b"\x00")[0].upper() for argument in arguments}


def _sorts(gen: Generator) -> list[Arguments]:
    """Return several sorts.

    Redis takes an errno that an earlier command has left for an error of its own; SCAN sets it to zero.
    """
    requests = [request for _ in range(6) for request in ((b"SCAN", b"0", b"COUNT", b"1000000"), _sort(gen))]
    return [(b"MULTI",), *requests, (b"EXEC",)] if gen.random.random() < 0.1 else requests


def _sorts_of_equals(gen: Generator) -> list[Arguments]:
    """Return sorts of a list in which many elements are equal to ALPHA: nothing about their order is chance."""
    length = gen.random.choice((3, 7, 8, 20, 41, 100))
    elements = [b"%d" % number for number in range(length)]
    gen.random.shuffle(elements)
    weights = [word for number in elements for word in (b"weight_" + number, gen.random.choice((b"a", b"b", b"c")))]
    requests: list[Arguments] = [(b"DEL", _LIST), (b"RPUSH", _LIST, *elements), (b"MSET", *weights[:-2])]
    for _ in range(4):
        first, count = gen.random.randrange(length), gen.random.randrange(length)
        limit = (b"LIMIT", b"%d" % first, b"%d" % count)
        stored = gen.random.choice(((), (b"STORE", gen.key()), (b"GET", b"weight_*", b"GET", b"#")))
        requests.append((b"SORT", _LIST, b"BY", b"weight_*", b"ALPHA", *limit, gen.option(b"ASC", b"DESC"), *stored))
    return requests


def _same_order_but_of_equals(arguments: Arguments, one: Reply, other: Reply) -> bool:
    """Elements that are equal to ALPHA, and sets that are not sorted, come in any order; a LIMIT takes any of them."""
    words = _words(arguments[2:])
    if arguments[1] == _LIST or not words & {b"ALPHA", b"BY"}:
        return False
    return same_shape(arguments, one, other) if b"LIMIT" in words else unordered(arguments, one, other)


FORMS: Final[list[Form]] = [
    *[_fill] * 6,
    *[_score] * 2,
    *[_weights] * 3,
    *[_fields] * 2,
    *[_sort_words] * 3,
    form(b"LRANGE", Generator.key, Generator.position, Generator.position),
    form(b"DEL", Generator.key),
]
SCRIPTS: Final[list[Script]] = [_sorts, _sorts, _sorts_of_equals]
RULES: Final[dict[bytes, Rule]] = {b"SORT": _same_order_but_of_equals, b"SORT_RO": _same_order_but_of_equals}

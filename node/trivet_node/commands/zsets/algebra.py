"""Unions, intersections and differences of sorted sets, with sets as operands too, whose members all have score 1.

A score that comes out as NaN, from infinities of opposite sign or from an infinity times zero, counts as 0.
(Redis: t_zset.c zunionInterDiffGenericCommand.)
"""

from typing import Final, final

from mypy_extensions import i64

from trivet_node.client import Client
from trivet_node.command import DENYOOM, READONLY, WRITE, Command, CommandError, KeySpec
from trivet_node.commands.arguments import INTEGER_MAX, double, integer, integer_in, option
from trivet_node.commands.zsets.lookup import reply_pairs, store_zset
from trivet_node.keyspace import Database
from trivet_node.server.state import Server
from trivet_node.values.sets import Set
from trivet_node.values.zsets import SortedSet, from_items
from trivet_wire import errors

_UNION: Final = 0
_INTERSECTION: Final = 1
_DIFFERENCE: Final = 2

_SUM: Final = 0
_MIN: Final = 1
_MAX: Final = 2
_AGGREGATES: Final[dict[bytes, int]] = {b"SUM": _SUM, b"MIN": _MIN, b"MAX": _MAX}
_SET_SCORE: Final = 1.0


@final
class Operand:
    """One input: a sorted set, a set, or, where the key is missing, neither."""

    def __init__(self, value: object) -> None:
        self.weight: float = 1.0
        self.zset: SortedSet | None = None
        self.set: Set | None = None
        if isinstance(value, SortedSet):
            self.zset = value
        elif isinstance(value, Set):
            self.set = value
        elif value is not None:
            raise CommandError(errors.WRONG_TYPE)

    def size(self) -> int:
        """Return the number of members."""
        if self.zset is not None:
            return len(self.zset)
        return 0 if self.set is None else len(self.set)

    def items(self) -> list[tuple[bytes, float]]:
        """Return the members with their scores, unweighted."""
        if self.zset is not None:
            return self.zset.items()
        return [] if self.set is None else [(member, _SET_SCORE) for member in self.set.members()]

    def score(self, member: bytes) -> float | None:
        """Return the score of a member, unweighted, or None where it is missing."""
        if self.zset is not None:
            return self.zset.score(member)
        return _SET_SCORE if self.set is not None and self.set.has(member) else None


@final
class Operation:
    """The operands of a request, whose number stands at `position`, and the options behind them."""

    def __init__(self, database: Database, arguments: list[bytes], position: int, kind: i64, name: bytes) -> None:
        self.kind: i64 = kind
        self.aggregate: int = _SUM
        self.with_scores: bool = False
        # ZINTERCARD: where to stop counting; 0 for never.
        self.limit: int = 0
        number = integer(arguments[position])
        if number < 1:
            raise CommandError(b"ERR at least 1 input key is needed for '%s' command" % name)
        if number > len(arguments) - position - 1:
            raise CommandError(errors.SYNTAX)
        keys = arguments[position + 1 : position + 1 + number]
        self.operands: list[Operand] = [Operand(database.read(key)) for key in keys]

    def parse_options(self, arguments: list[bytes], position: int, stores: bool) -> None:
        """Read [WEIGHTS weight ...] [AGGREGATE SUM | MIN | MAX] [WITHSCORES], as far as the operation has them."""
        has_weights = self.kind != _DIFFERENCE
        number = len(self.operands)
        while position < len(arguments):
            word = option(arguments[position])
            left = len(arguments) - position - 1
            if has_weights and word == b"WEIGHTS" and left >= number:
                for operand, text in zip(self.operands, arguments[position + 1 :], strict=False):
                    operand.weight = double(text, b"ERR weight value is not a float")
                position += number
            elif has_weights and word == b"AGGREGATE" and left >= 1:
                aggregate = _AGGREGATES.get(option(arguments[position + 1]), -1)
                if aggregate < 0:
                    raise CommandError(errors.SYNTAX)
                self.aggregate = aggregate
                position += 1
            elif word == b"WITHSCORES" and not stores:
                self.with_scores = True
            else:
                raise CommandError(errors.SYNTAX)
            position += 1

    def parse_limit(self, arguments: list[bytes], position: int) -> None:
        """Read [LIMIT limit]."""
        while position < len(arguments):
            if option(arguments[position]) != b"LIMIT" or position + 1 == len(arguments):
                raise CommandError(errors.SYNTAX)
            self.limit = integer_in(arguments[position + 1], 0, INTEGER_MAX, errors.LIMIT_NEGATIVE)
            position += 2

    def result(self) -> list[tuple[bytes, float]]:
        """Return the members of the result with their scores, in no order."""
        if self.kind == _DIFFERENCE:
            return self._difference()
        # As in Redis the smaller ones come first: sums of floating-point numbers depend on the order.
        self.operands.sort(key=Operand.size)
        return self._union() if self.kind == _UNION else self._intersection()

    def cardinality(self) -> int:
        """Return the number of members of an intersection, or the limit where there are more."""
        self.operands.sort(key=Operand.size)
        others = self.operands[1:]
        found = 0
        for member, _ in self.operands[0].items():
            if _is_in_all(others, member):
                found += 1
                if found == self.limit:
                    break
        return found

    def _union(self) -> list[tuple[bytes, float]]:
        scores: dict[bytes, float] = {}
        for operand in self.operands:
            for member, score in operand.items():
                weighted = _number(score * operand.weight)
                known = scores.get(member)
                scores[member] = weighted if known is None else self._aggregated(known, weighted)
        return list(scores.items())

    def _intersection(self) -> list[tuple[bytes, float]]:
        first = self.operands[0]
        found: list[tuple[bytes, float]] = []
        for member, score in first.items():
            total = self._total(member, _number(score * first.weight))
            if total is not None:
                found.append((member, total))
        return found

    def _total(self, member: bytes, total: float) -> float | None:
        """Return the score of a member of the first operand, `total` there, or None where another one has it not."""
        for operand in self.operands[1:]:
            score = operand.score(member)
            if score is None:
                return None
            total = self._aggregated(total, score * operand.weight)
        return total

    def _difference(self) -> list[tuple[bytes, float]]:
        left = dict(self.operands[0].items())
        for operand in self.operands[1:]:
            if operand.size() < len(left):
                for member, _ in operand.items():
                    left.pop(member, None)
            else:
                left = {member: score for member, score in left.items() if operand.score(member) is None}
        return list(left.items())

    def _aggregated(self, one: float, other: float) -> float:
        if self.aggregate == _SUM:
            return _number(one + other)
        if self.aggregate == _MIN:
            return other if other < one else one
        return other if other > one else one


def _number(value: float) -> float:
    """Return `value`, or 0 for NaN."""
    return value if value == value else 0.0  # noqa: PLR0124 (only NaN differs from itself)


def _is_in_all(operands: list[Operand], member: bytes) -> bool:
    return all(operand.score(member) is not None for operand in operands)


def zunion(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZUNION numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM | MIN | MAX] [WITHSCORES]."""
    _reply_result(client, arguments, _UNION, b"zunion")


def zinter(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZINTER numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM | MIN | MAX] [WITHSCORES]."""
    _reply_result(client, arguments, _INTERSECTION, b"zinter")


def zdiff(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZDIFF numkeys key [key ...] [WITHSCORES]."""
    _reply_result(client, arguments, _DIFFERENCE, b"zdiff")


def _reply_result(client: Client, arguments: list[bytes], kind: i64, name: bytes) -> None:
    operation = Operation(client.database, arguments, 1, kind, name)
    operation.parse_options(arguments, 2 + len(operation.operands), False)
    pairs = [(score, member) for member, score in operation.result()]
    pairs.sort()
    members = [member for _, member in pairs]
    if operation.with_scores:
        reply_pairs(client.reply, members, [score for score, _ in pairs])
    else:
        client.reply.bulk_array(members)


def zintercard(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZINTERCARD numkeys key [key ...] [LIMIT limit]."""
    operation = Operation(client.database, arguments, 1, _INTERSECTION, b"zintercard")
    operation.parse_limit(arguments, 2 + len(operation.operands))
    client.reply.integer(operation.cardinality())


def zunionstore(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZUNIONSTORE destination numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM | MIN | MAX]."""
    _store_result(server, client, arguments, _UNION, b"zunionstore")


def zinterstore(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZINTERSTORE destination numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM | MIN | MAX]."""
    _store_result(server, client, arguments, _INTERSECTION, b"zinterstore")


def zdiffstore(server: Server, client: Client, arguments: list[bytes]) -> None:
    """ZDIFFSTORE destination numkeys key [key ...]."""
    _store_result(server, client, arguments, _DIFFERENCE, b"zdiffstore")


def _store_result(server: Server, client: Client, arguments: list[bytes], kind: i64, name: bytes) -> None:
    operation = Operation(client.database, arguments, 2, kind, name)
    operation.parse_options(arguments, 3 + len(operation.operands), True)
    items = operation.result()
    store_zset(server, client.database, arguments[1], from_items(items, server.limits), name)
    client.reply.integer(len(items))


COMMANDS: Final[tuple[Command, ...]] = (
    Command(
        "zunion",
        -3,
        zunion,
        READONLY,
        group="sorted-set",
        categories="sortedset",
        since="6.2.0",
        summary="Add multiple sorted sets",
        complexity="O(N)+O(M*log(M)) with N being the sum of the sizes of the input sorted sets, and M being the "
        "number of elements in the resulting sorted set.",
        keys=(KeySpec("RO access", keynum=0, first=1),),
        arguments="numkeys:integer key:key#0* weight:integer=WEIGHTS?* aggregate:oneof=AGGREGATE?(sum:pure-token=SUM "
        "min:pure-token=MIN max:pure-token=MAX) withscores:pure-token=WITHSCORES?",
    ),
    Command(
        "zinter",
        -3,
        zinter,
        READONLY,
        group="sorted-set",
        categories="sortedset",
        since="6.2.0",
        summary="Intersect multiple sorted sets",
        complexity="O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being the number of "
        "input sorted sets and M being the number of elements in the resulting sorted set.",
        keys=(KeySpec("RO access", keynum=0, first=1),),
        arguments="numkeys:integer key:key#0* weight:integer=WEIGHTS?* aggregate:oneof=AGGREGATE?(sum:pure-token=SUM "
        "min:pure-token=MIN max:pure-token=MAX) withscores:pure-token=WITHSCORES?",
    ),
    Command(
        "zdiff",
        -3,
        zdiff,
        READONLY,
        group="sorted-set",
        categories="sortedset",
        since="6.2.0",
        summary="Subtract multiple sorted sets",
        complexity="O(L + (N-K)log(N)) worst case where L is the total number of elements in all the sets, N is the "
        "size of the first set, and K is the size of the result set.",
        keys=(KeySpec("RO access", keynum=0, first=1),),
        arguments="numkeys:integer key:key#0* withscores:pure-token=WITHSCORES?",
    ),
    Command(
        "zintercard",
        -3,
        zintercard,
        READONLY,
        group="sorted-set",
        categories="sortedset",
        since="7.0.0",
        summary="Intersect multiple sorted sets and return the cardinality of the result",
        complexity="O(N*K) worst case with N being the smallest input sorted set, K being the number of input sorted "
        "sets.",
        keys=(KeySpec("RO access", keynum=0, first=1),),
        arguments="numkeys:integer key:key#0* limit:integer=LIMIT?",
    ),
    Command(
        "zunionstore",
        -4,
        zunionstore,
        WRITE | DENYOOM,
        group="sorted-set",
        categories="sortedset",
        since="2.0.0",
        summary="Add multiple sorted sets and store the resulting sorted set in a new key",
        complexity="O(N)+O(M log(M)) with N being the sum of the sizes of the input sorted sets, and M being the "
        "number of elements in the resulting sorted set.",
        keys=(
            KeySpec("OW update"),
            KeySpec("RO access", begin=2, keynum=0, first=1),
        ),
        arguments="destination:key#0 numkeys:integer key:key#1* weight:integer=WEIGHTS?* "
        "aggregate:oneof=AGGREGATE?(sum:pure-token=SUM min:pure-token=MIN max:pure-token=MAX)",
    ),
    Command(
        "zinterstore",
        -4,
        zinterstore,
        WRITE | DENYOOM,
        group="sorted-set",
        categories="sortedset",
        since="2.0.0",
        summary="Intersect multiple sorted sets and store the resulting sorted set in a new key",
        complexity="O(N*K)+O(M*log(M)) worst case with N being the smallest input sorted set, K being the number of "
        "input sorted sets and M being the number of elements in the resulting sorted set.",
        keys=(
            KeySpec("OW update"),
            KeySpec("RO access", begin=2, keynum=0, first=1),
        ),
        arguments="destination:key#0 numkeys:integer key:key#1* weight:integer=WEIGHTS?* "
        "aggregate:oneof=AGGREGATE?(sum:pure-token=SUM min:pure-token=MIN max:pure-token=MAX)",
    ),
    Command(
        "zdiffstore",
        -4,
        zdiffstore,
        WRITE | DENYOOM,
        group="sorted-set",
        categories="sortedset",
        since="6.2.0",
        summary="Subtract multiple sorted sets and store the resulting sorted set in a new key",
        complexity="O(L + (N-K)log(N)) worst case where L is the total number of elements in all the sets, N is the "
        "size of the first set, and K is the size of the result set.",
        keys=(
            KeySpec("OW update"),
            KeySpec("RO access", begin=2, keynum=0, first=1),
        ),
        arguments="destination:key#0 numkeys:integer key:key#1*",
    ),
)

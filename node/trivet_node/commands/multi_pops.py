"""How LMPOP, BLMPOP, ZMPOP and BZMPOP are asked. (Redis: lmpopGenericCommand, zmpopGenericCommand.)"""

from typing import final

from trivet_node.command import CommandError
from trivet_node.commands.arguments import INTEGER_MAX, integer_in, option
from trivet_wire import errors


@final
class MultiPop:
    """The arguments from `start` on: numkeys key [key ...] word [COUNT count], the word being one of `words`."""

    def __init__(self, arguments: list[bytes], start: int, words: tuple[bytes, bytes]) -> None:
        number = integer_in(arguments[start], 1, INTEGER_MAX, errors.NUMKEYS_NOT_POSITIVE)
        end = start + 1 + number
        if end >= len(arguments):
            raise CommandError(errors.SYNTAX)
        self.keys: list[bytes] = arguments[start + 1 : end]
        self.word: bytes = option(arguments[end])
        self.count: int = 1
        if self.word not in words:
            raise CommandError(errors.SYNTAX)
        options = arguments[end + 1 :]
        if len(options) > 1 and option(options[0]) == b"COUNT":
            self.count = integer_in(options[1], 1, INTEGER_MAX, errors.COUNT_NOT_POSITIVE)
            del options[:2]
        if options:
            raise CommandError(errors.SYNTAX)

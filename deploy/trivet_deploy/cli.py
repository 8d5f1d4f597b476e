"""The `trivet` command.

`trivet node` and `trivet sentinel` hand everything that follows to the server and import nothing else: what only the
other commands need (click, rich, docker) would cost a server start-up time and memory for nothing.
"""

import sys
from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line `argv` (without the program's name) and return the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["node"]:
        from trivet_node.__main__ import main as node  # noqa: PLC0415 (see above)

        return node(arguments[1:])
    if arguments[:1] == ["sentinel"]:
        from trivet_sentinel.shell import main as sentinel  # noqa: PLC0415

        return sentinel(arguments[1:])
    from trivet_deploy.commands import trivet  # noqa: PLC0415

    trivet(arguments, prog_name="trivet")
    return 0


if __name__ == "__main__":
    sys.exit(main())

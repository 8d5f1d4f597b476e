"""Compare with redis-server for as long as one likes, outside of pytest.

    python -m tests.differential [--seeds 0-1000] [--steps 400] [FAMILY ...]

Runs mixtures of the families named, each beside the generic commands; without names, of all. Prints every difference.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.differential.families import FAMILIES, mixture
from tests.differential.peers import EnginePeer, lazy_redis_server
from tests.differential.sequences import check


def main() -> int:
    """Run what the command line asks for; the status says whether nothing differed."""
    names = [family.name for family in FAMILIES]
    parser = argparse.ArgumentParser(description="Compare generated commands with redis-server.")
    parser.add_argument("families", nargs="*", metavar="FAMILY", help=" ".join(names))
    parser.add_argument("--seeds", default="0-200", metavar="FIRST-LAST")
    parser.add_argument("--steps", type=int, default=400, metavar="N")
    options = parser.parse_args()
    if unknown := set(options.families) - set(names):
        parser.error(f"no such families: {' '.join(unknown)}; there are {' '.join(names)}")
    first, _, last = options.seeds.partition("-")
    among = [family for family in FAMILIES if not options.families or family.name in options.families]
    compared = differences = 0
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as directory, lazy_redis_server(Path(directory)) as real:
        ours = EnginePeer()
        for seed in range(int(first), int(last or first) + 1):
            report, length = check(ours, real, seed, options.steps, mixture(seed, among))
            compared += length
            if report:
                differences += 1
                sys.stdout.write(report + "\n\n")
    seconds = time.monotonic() - started
    sys.stdout.write(f"{compared} commands compared in {seconds:.0f} s, {differences} sequences differ\n")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())

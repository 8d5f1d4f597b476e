"""Sequences from seeds, and reports of where they differ."""

import time
from collections.abc import Sequence as Several

from tests.differential.comparison import Sequence, run, shortest
from tests.differential.difference import Difference, show
from tests.differential.generator import Family, Generator
from tests.differential.peers import Peer


def generated(seed: int, count: int, families: Several[Family], *, expired: bool = True) -> Sequence:
    """Return the sequence of a seed, which has at least `count` commands."""
    generator = Generator(seed, int(time.time() * 1000), families, expired)
    return Sequence(generator.limits(), generator.steps(count))


def check(
    ours: Peer, real: Peer, seed: int, count: int, families: Several[Family], *, expired: bool = True
) -> tuple[str, int]:
    """Run a sequence on both; return a report of the difference, empty where there is none, and the sequence's length.

    The report names the seed and shows the shortest sequence that was found to differ.
    """
    sequence = generated(seed, count, families, expired=expired)
    try:
        run(ours, real, sequence)
    except Difference as difference:
        lines = [f"seed {seed}: {difference}", "shortest sequence found:"]
        fewer = shortest(ours, real, sequence, difference.begun)
    else:
        return "", sum(len(step.requests) for step in sequence.steps)
    lines += [f"  {show(fewer.settings)}"]
    lines += [f"  {step.client}: {show(request)}" for step in fewer.steps for request in step.requests]
    try:
        run(ours, real, fewer)
    except Difference as difference:
        lines.append(f"which shows: {difference}")
    return "\n".join(lines), 0

"""The families of commands whose arguments are generated: one module each, found by being here.

A module of a family has

- FORMS: functions that make one command of the family each, from the helpers of the generator. Repeating one gives it
  weight. Together they must make valid commands, wrong types, numbers at their limits, binary data, missing keys; the
  generator breaks some commands further by itself;
- SCRIPTS, where needed: functions that make several commands which make sense only together, such as one that draws by
  chance, under a key that nobody else uses, and one that deletes what is left by it;
- RULES, where needed: by command name, what may differ between the replies (see rules.py).
"""

import importlib
import pkgutil
import random
from collections.abc import Sequence
from typing import Final

from tests.differential.generator import Form, Script
from tests.differential.rules import Rule

# What works on keys of any type, and is part of every mixture.
_GENERIC: Final = "keys"


class CommandFamily:
    """One module of this folder."""

    def __init__(self, name: str) -> None:
        module = importlib.import_module(f"{__name__}.{name}")
        self.name = name
        self.forms: Sequence[Form] = module.FORMS
        self.scripts: Sequence[Script] = getattr(module, "SCRIPTS", [])
        self.rules: dict[bytes, Rule] = getattr(module, "RULES", {})


FAMILIES: Final = [CommandFamily(module.name) for module in pkgutil.iter_modules(__path__)]
RULES: Final = {name: rule for family in FAMILIES for name, rule in family.rules.items()}


def mixture(seed: int, among: Sequence[CommandFamily] = FAMILIES) -> list[CommandFamily]:
    """Return the families of one sequence, the generic one last; every other one of `among` leads in its turn."""
    others = [family for family in among if family.name != _GENERIC]
    chosen = []
    if others:
        chosen = [others[seed % len(others)]]
        second = random.Random(seed).choice([None, *others])
        if second not in (None, chosen[0]):
            chosen.append(second)
    return [*chosen, *(family for family in FAMILIES if family.name == _GENERIC)]

"""docs/architecture.md names every room there is, and none that is not."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "architecture.md").read_text()
# Blocks of code have backticks of their own.
NAMED = set(re.findall(r"`([^`\s]+)`", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)))
SOURCE_ROOTS = ("wire", "node", "sentinel", "cluster_client", "deploy")


def rooms(folder: Path) -> set[str]:
    """Return the names of the modules and packages in `folder`, packages with a slash behind them."""
    modules = {path.name for path in folder.glob("*.py") if not path.name.startswith("__")}
    return modules | {f"{path.parent.name}/" for path in folder.glob("*/__init__.py")}


@pytest.mark.parametrize(
    "folder", ["wire/trivet_wire", "wire/trivet_wire/process", "node/trivet_node", "node/trivet_node/server"]
)
def test_every_room_is_named(folder: str) -> None:
    assert rooms(ROOT / folder) - NAMED == set()


def test_every_name_is_a_room() -> None:
    paths = [path for root in SOURCE_ROOTS for path in (ROOT / root).rglob("*")]
    paths += [*ROOT.glob("*"), *ROOT.glob("tests/*")]
    there = [f"/{path.relative_to(ROOT)}{'/' if path.is_dir() else ''}" for path in paths]
    places = {name for name in NAMED if name.endswith((".py", "/"))}
    assert {name for name in places if not any(path.endswith(f"/{name}") for path in there)} == set()

"""The `trivet` command itself."""

import re
import subprocess
import sys

import pytest

TRIVET = [sys.executable, "-m", "trivet_deploy.cli"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*TRIVET, *arguments], capture_output=True, text=True, check=False, timeout=30)


def test_the_version_says_how_the_hot_modules_are_installed() -> None:
    assert re.fullmatch(r"trivet \d+\.\d+\.\d+ \((compiled|interpreted)\)\n", run("--version").stdout)


def test_help_lists_every_command() -> None:
    text = run("--help").stdout
    for command in ("node", "sentinel", "up", "down", "status", "form", "demo", "hotkeys", "bench"):
        assert re.search(rf"^  {command} ", text, re.MULTILINE), command
    assert run("up", "--help").returncode == 0


def test_an_unknown_command_is_an_error() -> None:
    result = run("upp")
    assert result.returncode == 2
    assert "No such command 'upp'" in result.stderr


def test_servers_get_their_arguments_untouched() -> None:
    node = run("node", "--no-such-option", "yes")
    assert node.returncode == 1
    assert "no-such-option" in node.stderr
    sentinel = run("sentinel", "/no/such/file.conf")
    assert sentinel.returncode == 1
    assert "/no/such/file.conf" in sentinel.stderr


@pytest.mark.parametrize(
    ("arguments", "foreign"),
    [
        (["node", "--no-such-option", "yes"], ["click", "rich", "docker", "trivet_client", "trivet_sentinel"]),
        (["sentinel", "/no/such/file.conf"], ["click", "rich", "docker", "trivet_client", "trivet_node"]),
    ],
)
def test_a_server_imports_nothing_that_only_the_other_commands_need(arguments: list[str], foreign: list[str]) -> None:
    code = f"""
import sys
from trivet_deploy.cli import main
main({arguments!r})
print([name for name in {foreign!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == "[]\n"


def test_forming_refuses_nodes_that_cannot_be_shared_out() -> None:
    result = run("form", "a:1", "b:2", "c:3", "--replicas", "1")
    assert result.returncode == 2
    assert "3 nodes cannot be shared out" in result.stderr
    assert "not an address" in run("form", "a", "b:2").stderr

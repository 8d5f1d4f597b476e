"""The redis.conf that Debian ships, unchanged: a node starts with it, and has the settings that redis-server has."""

import os
import re
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.conftest import require_redis_server
from tests.processes import ServerProcess, free_port
from trivet_node.config import SETTINGS

_SHIPPED: Final = Path("/etc/redis/redis.conf")
# What only Trivet has.
_OWN: Final = {"cluster-databases", "cluster-slot-stats-enabled", "external-endpoint", "external-port"}
# A line that may be an option, in use or not: it begins with a word that has a dash.
_OPTION: Final = re.compile(r"^#? ?([a-z]+(?:-[a-z]+)+)(?: \S.*)?$", re.MULTILINE)
# Other words that lines begin with.
_VALUES_NAMED: Final = {
    *("allkeys-lfu", "allkeys-lru", "allkeys-random", "client-only"),
    *("volatile-lfu", "volatile-lru", "volatile-random", "volatile-ttl"),
}
# What differs because the tests must.
_PLACES: Final = {"port", "dir", "pidfile"}


def test_a_node_starts_with_it_and_has_the_settings_of_redis(tmp_path: Path) -> None:
    require_redis_server()
    if not os.access(_SHIPPED, os.R_OK):
        pytest.skip(f"{_SHIPPED} is not there, or not for this user")
    ours, log = _settings([sys.executable, "-m", "trivet_node"], tmp_path / "ours")
    real, _ = _settings(["redis-server"], tmp_path / "real")
    assert {name: value for name, value in ours.items() if name not in _OWN} == real
    told = [line for line in log.splitlines() if "without effect here" in line]
    assert len(told) == 1
    assert "jemalloc-bg-thread (memory is Python's, not jemalloc's)" in told[0]
    assert "appendonly" not in told[0]


def test_every_option_that_it_names_is_known_also_in_comments() -> None:
    if not os.access(_SHIPPED, os.R_OK):
        pytest.skip(f"{_SHIPPED} is not there, or not for this user")
    named = {match[1] for match in re.finditer(_OPTION, _SHIPPED.read_text())}
    assert len(named) > 140
    assert named - set(SETTINGS) == {"rename-command"} | _VALUES_NAMED


def _settings(program: list[str], place: Path) -> tuple[dict[str, str], str]:
    """Start a server with the file; only where it would go to the background or to Debian's folders it is told others.

    Return all its settings, and its log.
    """
    port = free_port()
    own = ["--daemonize", "no", "--logfile", "", "--dir", str(place), "--pidfile", str(place / "pid"), "--save", ""]
    with ServerProcess([*program, str(_SHIPPED), *own, "--port", str(port)], port, place) as server:
        server.start()
        words = [word.decode() for word in server.call("CONFIG", "GET", "*")]
        found = dict(zip(words[::2], words[1::2], strict=True))
        return {name: value for name, value in found.items() if name not in _PLACES}, server.log()

"""docker-compose.yml as it stands: six nodes and three sentinels on their published ports, broken and healed.

Everything is asked by redis-cli, from this machine and from containers of the network: what a user would do.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import require_redis_server
from tests.processes import HOST, call, wait_until
from tests.tools import compose_command, has_docker

pytestmark = [pytest.mark.docker, pytest.mark.timeout(240)]

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "trivet-test"
NODE_PORTS = range(7001, 7007)
SENTINEL_PORTS = range(26379, 26382)
IMAGE = "trivet:latest"
CLI_IMAGE = "trivet-test-redis-cli"


def require_docker() -> None:
    """Skip where there is no Docker engine or no image; in CI that is a failure."""
    problem = ""
    if not has_docker():
        problem = "no Docker engine answers, or there is no docker-compose"
    elif subprocess.run(["docker", "image", "inspect", IMAGE], capture_output=True, check=False).returncode != 0:
        problem = f"there is no image {IMAGE}: `make image` builds it"
    if problem and os.environ.get("CI") == "true":
        pytest.fail(problem)
    if problem:
        pytest.skip(problem)


def compose(*arguments: str) -> str:
    command = compose_command()
    assert command is not None
    done = subprocess.run(
        [*command, "-p", PROJECT, "-f", str(ROOT / "docker-compose.yml"), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    require_docker()
    require_redis_server()
    compose("down", "--volumes", "--remove-orphans", "--timeout", "2")
    try:
        compose("up", "-d")
        wait_until(lambda: all(map(is_ready, NODE_PORTS)), 60.0, "every node says cluster_state:ok")
        wait_until(lambda: all(map(watches_all, SENTINEL_PORTS)), 60.0, "every sentinel knows every shard")
        yield
    finally:
        # Shown by pytest where the test fails.
        sys.stdout.write(compose("logs", "--tail", "20"))
        compose("down", "--volumes", "--remove-orphans", "--timeout", "2")


def is_ready(port: int) -> bool:
    try:
        return b"cluster_state:ok" in call(port, "CLUSTER", "INFO")
    except (OSError, TypeError):
        return False


def watches_all(port: int) -> bool:
    try:
        masters = [dict(zip(each[::2], each[1::2], strict=True)) for each in call(port, "SENTINEL", "MASTERS")]
    except OSError:
        return False
    return len(masters) == 3 and all(
        (each[b"num-slaves"], each[b"num-other-sentinels"]) == (b"1", b"2") for each in masters
    )


def from_host(*arguments: str) -> str:
    done = subprocess.run(["redis-cli", *arguments], capture_output=True, text=True, check=True, timeout=20)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def redis_cli_image(cluster: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An image that holds redis-cli with its libraries and nothing else, for asking from inside the network."""
    root = tmp_path_factory.mktemp("redis-cli")
    binary = shutil.which("redis-cli")
    assert binary is not None
    linked = subprocess.run(["ldd", binary], capture_output=True, text=True, check=True).stdout
    for path in [binary, *re.findall(r"(/\S+) \(0x", linked)]:
        target = root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(path).resolve(), target)
    with subprocess.Popen(["tar", "-C", str(root), "-c", "."], stdout=subprocess.PIPE) as tar:
        subprocess.run(["docker", "import", "-", CLI_IMAGE], stdin=tar.stdout, capture_output=True, check=True)
    yield CLI_IMAGE
    subprocess.run(["docker", "rmi", "-f", CLI_IMAGE], capture_output=True, check=True)


def from_inside(image: str, *arguments: str) -> str:
    binary = shutil.which("redis-cli")
    assert binary is not None
    command = ["docker", "run", "--rm", "--network", f"{PROJECT}_default", image, binary, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()


def test_clients_on_this_machine_follow_redirections(cluster: None) -> None:
    for number in range(30):
        port = str(NODE_PORTS[number % 6])
        assert from_host("-c", "-p", port, "set", f"host:{number}", str(number)) == "OK"
    for port in NODE_PORTS:
        assert [from_host("-c", "-p", str(port), "get", f"host:{number}") for number in range(5)] == list("01234")


def test_clients_in_the_network_follow_redirections(cluster: None, redis_cli_image: str) -> None:
    for number in range(6):
        host = f"node-{1 + number}"
        assert from_inside(redis_cli_image, "-c", "-h", host, "set", f"inside:{number}", str(number)) == "OK"
        assert from_host("-c", "-p", "7001", "get", f"inside:{number}") == str(number)


def test_sentinels_name_primaries_that_their_client_can_reach(cluster: None, redis_cli_image: str) -> None:
    names = [each[1].decode() for each in call(SENTINEL_PORTS[0], "SENTINEL", "MASTERS")]
    for name in names:
        for port in SENTINEL_PORTS:
            host, told_port = from_host("-p", str(port), "sentinel", "get-master-addr-by-name", name).split()
            assert host == HOST
            assert from_host("-p", told_port, "role").startswith("master")
        inside = from_inside(
            redis_cli_image, "-h", "sentinel-2", "-p", "26379", "sentinel", "get-master-addr-by-name", name
        )
        assert from_inside(redis_cli_image, "-h", *_host_and_port(inside), "role").startswith("master")


def _host_and_port(text: str) -> tuple[str, str, str]:
    host, port = text.split()
    return host, "-p", port


def test_a_primary_whose_container_is_killed_is_replaced(cluster: None, redis_cli_image: str) -> None:
    key = "the key whose primary dies"
    assert from_host("-c", "-p", "7001", "set", key, "before") == "OK"
    assert from_host("-c", "-p", "7001", "wait", "0", "100") is not None
    service, survivor = primary_of(key)
    compose("kill", "-s", "SIGKILL", service)
    try:
        wait_until(lambda: try_set(survivor, key, "after"), 30.0, "the slot takes writes again")
        live = [port for port in NODE_PORTS if port != 7000 + int(service[-1])]
        assert all(b"cluster_slots_ok:16384" in call(port, "CLUSTER", "INFO") for port in live)
        assert from_inside(redis_cli_image, "-c", "-h", f"node-{survivor - 7000}", "get", key) == "after"
    finally:
        compose("start", service)
    # It comes back as a replica, perhaps under another IP address, and the cluster is whole again.
    wait_until(lambda: "slave" in role(7000 + int(service[-1])), 60.0, f"{service} follows its successor")
    wait_until(lambda: all(map(watches_all, SENTINEL_PORTS)), 60.0, "every sentinel sees the cluster whole")


def primary_of(key: str) -> tuple[str, int]:
    """Return the service that serves `key`, and the port of another node."""
    slot = int(from_host("-p", "7001", "cluster", "keyslot", key))
    for first, last, primary, *_ in call(7001, "CLUSTER", "SLOTS"):
        if first <= slot <= last:
            port = int(primary[1])
            return f"node-{port - 7000}", next(other for other in NODE_PORTS if other != port)
    raise AssertionError(f"nobody serves slot {slot}")


def try_set(port: int, key: str, value: str) -> bool:
    done = subprocess.run(
        ["redis-cli", "-c", "-p", str(port), "set", key, value], capture_output=True, text=True, check=False, timeout=20
    )
    return done.stdout.strip() == "OK"


def role(port: int) -> str:
    try:
        return from_host("-p", str(port), "role")
    except subprocess.CalledProcessError:
        return ""


def test_forming_again_changes_nothing(cluster: None) -> None:
    before = sorted(line.split()[0] for line in from_host("-p", "7001", "cluster", "nodes").splitlines())
    compose("up", "-d")
    container = compose("ps", "-q", "form").strip()
    wait_until(lambda: exit_status(container) is not None, 60.0, "the forming container ends")
    assert exit_status(container) == 0
    after = sorted(line.split()[0] for line in from_host("-p", "7001", "cluster", "nodes").splitlines())
    assert after == before


def exit_status(container: str) -> int | None:
    done = subprocess.run(["docker", "inspect", container], capture_output=True, text=True, check=True)
    state = json.loads(done.stdout)[0]["State"]
    return None if state["Running"] or state.get("Restarting") else int(state["ExitCode"])

"""The programs that tests run beside our own: found on this machine, or fetched from Debian."""

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Beside the virtual environments, and ignored by git like them.
UNPACKED = ROOT / ".venv-redis"
REDIS_PACKAGES = ("redis-server", "redis-tools")
# What the packages need that a minimal Debian or Ubuntu may lack.
REDIS_LIBRARIES = ("libjemalloc2", "liblzf1", "libatomic1")
_REDIS_PROGRAMS = ("redis-server", "redis-cli", "redis-benchmark", "redis-check-rdb")


def redis_environment() -> dict[str, str] | None:
    """Return the environment variables to run redis-server with, fetching it where it is missing; None if it can't."""
    if _has_redis(os.environ.get("PATH", "")):
        return {}
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        _install_redis()
        return {} if _has_redis(os.environ.get("PATH", "")) else None
    _unpack_redis()
    libraries = ":".join(str(path) for path in (UNPACKED / "usr/lib").glob("*-linux-gnu"))
    environment = {"PATH": f"{UNPACKED}/usr/bin:{os.environ.get('PATH', '')}", "LD_LIBRARY_PATH": libraries}
    return environment if _has_redis(environment["PATH"]) else None


def has_docker() -> bool:
    """Return whether a Docker engine answers and a Compose tool is there."""
    if shutil.which("docker") is None or compose_command() is None:
        return False
    return subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0


def compose_command() -> list[str] | None:
    """Return how Compose is called here: version 2 as a plugin of docker, or version 1 by itself."""
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    if plugin.returncode == 0:
        return ["docker", "compose"]
    return ["docker-compose"] if shutil.which("docker-compose") else None


def _has_redis(path: str) -> bool:
    return all(shutil.which(program, path=path) for program in _REDIS_PROGRAMS)


def _install_redis() -> None:
    quiet = {"DEBIAN_FRONTEND": "noninteractive", **os.environ}
    subprocess.run(["apt-get", "update", "-qq"], env=quiet, check=False)
    command = ["apt-get", "install", "-qq", "--no-install-recommends", *REDIS_PACKAGES]
    subprocess.run(command, env=quiet, check=False, stdout=subprocess.DEVNULL)


def _unpack_redis() -> None:
    if _has_redis(str(UNPACKED / "usr/bin")):
        return
    UNPACKED.mkdir(exist_ok=True)
    subprocess.run(["apt-get", "download", "-q", *REDIS_PACKAGES, *REDIS_LIBRARIES], cwd=UNPACKED, check=False)
    for package in UNPACKED.glob("*.deb"):
        subprocess.run(["dpkg", "-x", package, UNPACKED], check=False)

"""The whole test run: lint, types, layers, and the tests, compiled and, at the same time, interpreted.

    python3 tests/run.py [--only lint|tests|soak|bench] [--seconds N]

Runs with the Python of an environment that has `trivet[test]` installed, compiled where a C compiler is there; started
by another Python, it makes that environment, .venv, first. A second one, .venv-pure, holds the same sources
interpreted. Tests that meet no compiled module run once.

What the tests need of the machine is found, or fetched (redis-server, by tests/tools.py), or else the tests that need
it are skipped and the run ends by naming them; with CI=true anything missing is a failure.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Never

ROOT = Path(__file__).resolve().parent.parent
# tests/ is a package, but this file is run as a script.
sys.path.insert(0, str(ROOT))

from tests import tools  # noqa: E402

BIN = Path(sys.executable).parent
PURE = ROOT / ".venv-pure"
IN_CI = os.environ.get("CI") == "true"
PACKAGES = ("trivet_wire", "trivet_node", "trivet_sentinel", "trivet_client", "trivet_deploy")
# The tests of what is compiled; the others would only do the same again, as would those of sentinels and their clients:
# these are interpreted in either form.
INTERPRETED_TESTS = ("wire", "node", "simulation", "differential", "interop")
NOT_AGAIN = ("interop/test_redis_sentinel.py", "interop/test_sentinel_clusters.py")
CONTAINER_TESTS = "tests/docker"
# Many tests wait for processes, so two runs beside each other with a worker for each processor keep all of them busy.
# A file's tests stay together, with the servers that they share, in the order of tests/conftest.py.
SHARED = (f"--numprocesses={os.cpu_count() or 1}", "--dist=loadfile", "--no-loadscope-reorder")
PYTEST = ("-m", "pytest", "-q", "--durations=10", *SHARED)


class Run:
    """Steps done so far: what failed, and what was not run and why."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.results: list[tuple[str, bool, float]] = []
        self.not_run: list[str] = []

    def step(self, name: str, *command: str | Path, **extra: str) -> bool:
        """Run one command in the project's folder and remember how it went."""
        print(f"\n=== {name}", flush=True)
        started = time.monotonic()
        arguments = [str(part) for part in command]
        status = subprocess.run(arguments, cwd=ROOT, env=self.environment | extra, check=False).returncode
        self.results.append((name, status == 0, time.monotonic() - started))
        return status == 0

    @contextmanager
    def beside(self, name: str, *command: str | Path, **extra: str) -> Iterator[None]:
        """Run one command while the body of the `with` does, and print what it said behind what the body says."""
        started = time.monotonic()
        arguments = [str(part) for part in command]
        with tempfile.TemporaryFile("w+") as output:
            process = subprocess.Popen(
                arguments, cwd=ROOT, env=self.environment | extra, stdout=output, stderr=subprocess.STDOUT
            )
            try:
                yield
                status = process.wait()
            finally:
                process.kill()
                process.wait()
            output.seek(0)
            print(f"\n=== {name}\n{output.read()}", flush=True)
        self.results.append((name, status == 0, time.monotonic() - started))

    def missing(self, what: str) -> None:
        """Remember something that could not be run on this machine."""
        self.not_run.append(what)

    def conclude(self) -> int:
        """Print how every step went and what was not run; return the exit status."""
        print("\n=== summary")
        for name, passed, seconds in self.results:
            print(f"{'ok    ' if passed else 'FAILED'} {seconds:6.1f} s  {name}")
        for what in self.not_run:
            print(f"not run: {what}")
        failed = not all(passed for _, passed, _ in self.results)
        return 1 if failed or (IN_CI and self.not_run) else 0


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description="Run Trivet's checks and tests.")
    parser.add_argument("--only", choices=("lint", "tests", "soak", "bench"))
    parser.add_argument("--seconds", type=int, help="how long the soak takes: 600 by itself, else 60")
    options = parser.parse_args()
    only = options.only
    if sys.prefix == sys.base_prefix:
        continue_in_environment()
    run = Run(dict(os.environ))
    if only in {None, "lint"}:
        lint(run)
    if only in {None, "tests", "bench"}:
        find_redis(run)
    if only in {None, "tests"}:
        tests(run)
    if only == "soak":
        soak(run, options.seconds or 600)
    elif only is None and build_of(BIN) == "compiled":
        soak(run, options.seconds or 60)
    if only == "bench":
        run.step("speed", BIN / "trivet", "bench")
        run.step("memory", BIN / "trivet", "bench", "--memory")
    return run.conclude()


def continue_in_environment() -> Never:
    """Start again with the Python of .venv, with the sources as they are now installed in it."""
    environment = ROOT / ".venv"
    if not (environment / "bin/python").exists():
        venv.create(environment, with_pip=True)
    subprocess.run([environment / "bin/pip", "install", "--quiet", ".[test]"], cwd=ROOT, check=True)
    python = environment / "bin/python"
    os.execv(python, [str(python), *sys.argv])


def lint(run: Run) -> None:
    """Check format, lint, types and layers."""
    run.step("ruff format", BIN / "ruff", "format", "--check", ".")
    run.step("ruff check", BIN / "ruff", "check", ".")
    run.step("mypy --strict", BIN / "mypy", *(part for package in PACKAGES for part in ("-p", package)))
    run.step("layers", BIN / "lint-imports")


def find_redis(run: Run) -> None:
    """Put redis-server and its tools on the path of the steps that follow."""
    found = tools.redis_environment()
    if found is None:
        run.missing("tests and benchmarks beside redis-server: it is not installed, and could not be fetched")
    else:
        run.environment |= found


def tests(run: Run) -> None:
    """Run all tests as installed here, and those of compiled modules once more interpreted."""
    installed_as = build_of(BIN)
    if installed_as != "compiled":
        run.missing("tests of compiled modules: there was no C compiler, or TRIVET_PURE=1 was set, at installation")
    with image_made(run):
        runs_both = installed_as == "compiled" and make_pure_environment(run)
    beside: AbstractContextManager[None] = nullcontext()
    if runs_both:
        paths = [f"tests/{room}" for room in INTERPRETED_TESTS]
        ignored = [f"--ignore=tests/{file}" for file in NOT_AGAIN]
        # What tests do many times they do compiled; a part shows that both forms do the same: see tests/amount.py.
        beside = run.beside("tests, interpreted", PURE / "bin/python", *PYTEST, *paths, *ignored, TRIVET_PART="4")
    # Nine containers that find each other want the processors for themselves.
    run.step("tests of containers", BIN / "python", "-m", "pytest", "-q", CONTAINER_TESTS)
    with beside:
        run.step(f"tests, {installed_as}", BIN / "python", *PYTEST, f"--ignore={CONTAINER_TESTS}")


def soak(run: Run, seconds: int) -> None:
    """Put a node under a mixed load, and see how it is afterwards."""
    run.step("soak", BIN / "python", "-m", "tests.soak", "--seconds", str(seconds))


def image_made(run: Run) -> AbstractContextManager[None]:
    """Build trivet:latest from the wheels in build/wheels while the body of the `with` runs, where there is Docker."""
    if not tools.has_docker():
        run.missing("tests with containers: there is no Docker engine here, or no docker-compose")
        return nullcontext()
    wheels = ROOT / "build/wheels"
    if not list(wheels.glob("trivet-*.whl")):
        run.step("wheel", BIN / "pip", "wheel", "--quiet", "--wheel-dir", wheels, ".")
    if not list(wheels.glob("pip-*.whl")):
        run.step("wheels of dependencies", BIN / "pip", "wheel", "-q", "-w", wheels, *wheels.glob("trivet-*"), "pip")
    return run.beside("image", ROOT / "deploy/image/build.sh", wheels)


def make_pure_environment(run: Run) -> bool:
    """Make .venv-pure with the sources as they are now, interpreted."""
    if not (PURE / "bin/python").exists():
        venv.create(PURE, with_pip=True)
    # Modules that were since removed or renamed would be installed from here.
    shutil.rmtree(ROOT / "build/lib", ignore_errors=True)
    return run.step("interpreted installation", PURE / "bin/pip", "install", "--quiet", ".[test]", TRIVET_PURE="1")


def build_of(folder: Path) -> str:
    """Return `compiled` or `interpreted`, as the environment's own `trivet --version` says."""
    text = subprocess.run([folder / "trivet", "--version"], capture_output=True, text=True, check=True).stdout
    return text.rpartition("(")[2].rstrip(")\n")


if __name__ == "__main__":
    sys.exit(main())

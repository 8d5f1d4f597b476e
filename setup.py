"""Compile the hot modules with mypyc where a C compiler is there; everything else stands in pyproject.toml.

TRIVET_PURE=1, or a machine without a working C compiler, installs the same modules interpreted.
"""

import os
import sys
import tempfile
from glob import glob
from pathlib import Path

from setuptools import Extension, setup
from setuptools._distutils.ccompiler import new_compiler
from setuptools._distutils.errors import CCompilerError, DistutilsError
from setuptools._distutils.sysconfig import customize_compiler, get_python_inc

INTERPRETED = set(glob("node/trivet_node/config*.py"))
# Whole folders, so that a new file needs no line here; what is left interpreted is settings, start-up and slow I/O.
# Groups, so that processors compile at the same time; calls within a group are plain C calls. The largest one comes
# first: the tables of commands are long.
CORE = [
    "wire/trivet_wire/addresses.py",
    "wire/trivet_wire/glob.py",
    "wire/trivet_wire/pushes.py",
    "wire/trivet_wire/quoting.py",
    "wire/trivet_wire/replies.py",
    "wire/trivet_wire/requests.py",
    "wire/trivet_wire/slots.py",
    *sorted(set(glob("node/trivet_node/*.py")) - set(glob("node/trivet_node/_*.py")) - INTERPRETED),
    *sorted(glob("node/trivet_node/server/**/*.py", recursive=True)),
    *sorted(glob("node/trivet_node/timing/*.py")),
    *sorted(glob("node/trivet_node/metering/*.py")),
    "node/trivet_node/shell/clock.py",
    "node/trivet_node/shell/reactor.py",
]
VALUES = sorted(glob("node/trivet_node/values/*.py"))
COMMANDS = sorted(glob("node/trivet_node/commands/**/*.py", recursive=True))
AROUND = [
    *sorted(glob("node/trivet_node/cluster/*.py")),
    *sorted(glob("node/trivet_node/persistence/*.py")),
    *sorted(glob("node/trivet_node/replication/*.py")),
    *sorted(glob("node/trivet_node/scripting/*.py")),
]
# Handlers call more than they compute: optimizing them hard takes the compiler twice as long and makes none faster.
MOSTLY_CALLS = {"trivet_commands", "trivet_around"}


def extensions() -> list[Extension]:
    """Return mypyc's extensions for the hot modules, or none where they are to run interpreted."""
    reason = reason_not_to_compile()
    if reason:
        print(f"trivet: {reason}: installing interpreted", file=sys.stderr)
        return []
    from mypyc.build import mypycify  # noqa: PLC0415 (an interpreted install does not need mypyc)

    groups = [
        (COMMANDS, "trivet_commands"),
        (CORE, "trivet_core"),
        (AROUND, "trivet_around"),
        (VALUES, "trivet_values"),
    ]
    modules = [module for group, _ in groups for module in group]
    made = mypycify(["--strict", *modules], opt_level="3", debug_level="0", separate=groups)
    for extension in made:
        if extension.name.removesuffix("__mypyc") in MOSTLY_CALLS:
            extension.extra_compile_args = ["-O1" if part == "-O3" else part for part in extension.extra_compile_args]
    return made


def reason_not_to_compile() -> str:
    """Return why the hot modules are not to be compiled, or an empty string."""
    if os.environ.get("TRIVET_PURE") == "1":
        return "TRIVET_PURE=1 is set"
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "probe.c")
        source.write_text("#include <Python.h>\nint main(void) { return 0; }\n")
        compiler = new_compiler()
        customize_compiler(compiler)
        try:
            compiler.compile([str(source)], output_dir=folder, include_dirs=[get_python_inc()])
        except (CCompilerError, DistutilsError, OSError):
            return "no C compiler with Python's headers was found"
    return ""


setup(ext_modules=extensions(), options={"build_ext": {"parallel": os.cpu_count() or 1}})

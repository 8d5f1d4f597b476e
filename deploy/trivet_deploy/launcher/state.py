"""The file that remembers a cluster: its plan, whether it has been formed, and its processes.

It lies in the cluster's folder and is replaced in one step, so a reader finds an old state or a new one, never half.
"""

import json
import os
from pathlib import Path

import attrs

from trivet_deploy.launcher.plan import ClusterPlan, plan_from_document
from trivet_deploy.launcher.processes import ProcessId
from trivet_wire.process.files import replace_file

_FILE_NAME = "cluster.json"
_VERSION = 1


class StateError(Exception):
    """The state file cannot be used; the message names it."""


@attrs.frozen
class ClusterState:
    """What is known of the cluster in a folder. `processes` maps names of the plan to the processes last started."""

    plan: ClusterPlan
    formed: bool
    processes: dict[str, ProcessId]

    def running(self) -> dict[str, ProcessId]:
        """Return the processes that still run, by name."""
        return {name: process for name, process in self.processes.items() if process.is_running()}


def default_folder(port: int) -> Path:
    """Return where the cluster at `port` is kept: a folder of its own in the user's state folder (XDG)."""
    state_home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state_home) / "trivet" / f"cluster-{port}"


def load(folder: Path) -> ClusterState | None:
    """Return the state of the cluster in `folder`; None if there is none. StateError if it cannot be read."""
    path = folder / _FILE_NAME
    try:
        document = json.loads(path.read_text())
        if document["version"] != _VERSION:
            raise StateError(f"{path} was written by another version of Trivet")
        return ClusterState(
            plan_from_document(document["plan"]),
            bool(document["formed"]),
            {name: ProcessId(**process) for name, process in document["processes"].items()},
        )
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise StateError(f"{path} is not a state file of Trivet: {error}") from error


def save(folder: Path, state: ClusterState) -> None:
    """Write `state` into `folder`."""
    document = {"version": _VERSION, **attrs.asdict(state)}
    replace_file(folder / _FILE_NAME, [(json.dumps(document, indent=2) + "\n").encode()], durably=False)

"""`trivet demo`: a primary dies under load, and the cluster heals within two seconds."""

import re
import subprocess
import sys

import pytest


@pytest.mark.parametrize("seed", [1, 2])
def test_the_demo_heals_within_two_seconds_and_says_so(seed: int) -> None:
    command = [sys.executable, "-m", "trivet_deploy.cli", "demo", "--seed", str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=90)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "HEALED: all 16384 slots serve again" in done.stdout
    healed = re.search(r"first successful write on that shard +(\d+\.\d+) s", done.stdout)
    assert healed is not None
    # Silence counts as down after one second, so nothing sooner could be a failover.
    assert 0.9 < float(healed[1]) <= 2.0, done.stdout
    lost = re.search(r"acknowledged writes lost +(\d+) of (\d+)", done.stdout)
    assert lost is not None
    assert int(lost[2]) > 500
    assert "+switch-master" in done.stdout

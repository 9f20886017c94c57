"""A socket that takes no more: the relay drops, counts and goes on."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest

OWN_NETWORK = ["unshare", "--map-root-user", "--net"]


def has_own_network() -> bool:
    """Whether this machine lets us make a network namespace with a pair of interfaces."""
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return False
    trial = [*OWN_NETWORK, "ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1"]
    return subprocess.run(trial, capture_output=True, check=False).returncode == 0


def test_a_full_socket_drops_and_never_waits() -> None:
    if not has_own_network():
        pytest.skip("no network namespace of our own on this machine")
    command = [*OWN_NETWORK, sys.executable, "-m", "tests.unit.media.relay.full_socket"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["full"] >= 100  # what the silent neighbour holds up is lost and counted
    assert found["before"] + found["full"] <= 400
    assert found["after"] == 3  # and when the buffer is free again all is as before
    assert found["slowest_s"] < 1.0

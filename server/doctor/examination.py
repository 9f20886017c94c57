"""Every check in order."""

from __future__ import annotations

from server.config import Config
from server.doctor import machine, network
from server.doctor.finding import Finding, State


async def examine(config: Config) -> list[Finding]:
    """All findings; takes some seconds. Nothing is changed but for files that are removed at once."""
    server = network.answers(config)
    found = [
        server,
        *network.ports(config, runs=server.state is not State.LOOK),
        network.addresses(config),
        network.secure_context(config),
        network.certificate(config),
        *await network.turn(config),
        machine.loopback(),
        machine.clock(),
        machine.disk(config),
        machine.writable(config),
        machine.buffers(),
        machine.open_files(),
        machine.fonts(),
    ]
    return [each for each in found if each is not None]

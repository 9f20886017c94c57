"""One installation for all tests that hold whole lessons: starting one costs more than a lesson."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from server.drill.own_server import OwnServer, own_server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def installation() -> AsyncIterator[OwnServer]:
    """`lianke serve` with the sample county, on free ports."""
    async with own_server() as server:
        yield server

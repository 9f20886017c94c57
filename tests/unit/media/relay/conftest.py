from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.media.relay.loopback import Wire, wired


@pytest.fixture
def wire() -> Iterator[Wire]:
    with wired() as made:
        yield made

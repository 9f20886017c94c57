"""A device that hangs is noticed at once; one that refuses the login is left in peace."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import cast

import pytest
from av.packet import Packet
from av.stream import Stream

from server.ingest import pulling
from server.ingest.contract import SourceState
from server.ingest.faults import SourceFault
from server.ingest.opening import READ_S
from server.ingest.outlet import Outlet
from server.ingest.pulling import LOCKED_PAUSE_S, Puller, SourceNews


def test_what_comes_only_when_a_read_timed_out_ends_the_opening(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(pulling.time, "monotonic", lambda: now[0])

    def packets() -> Iterator[Packet[Stream]]:
        for waited in (0.04, 2.0, READ_S, 0.0):
            now[0] += waited
            yield Packet(b"x")

    puller = Puller("rtsp://camera.invalid/live", None, cast(Outlet, None), lambda news: None)
    heard = puller._heard(packets())
    assert next(heard)
    now[0] += 60.0  # however long was worked on it
    assert next(heard), "a short silence is none"
    with pytest.raises(SourceFault) as caught:
        next(heard)
    assert caught.value.code == "no_answer"


class AtOnce(threading.Event):
    """Nothing is waited for; set after eight waits."""

    waits = 0

    def wait(self, timeout: float | None = None) -> bool:
        self.waits += 1
        if self.waits == 8:
            self.set()
        return True


@pytest.mark.parametrize(("code", "long"), [("wrong_password", 6), ("no_answer", 0)])
def test_a_login_that_was_refused_thrice_is_not_tried_until_the_device_locks(
    code: str, long: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: Puller) -> None:
        raise SourceFault(code, zh="", en="")

    monkeypatch.setattr(Puller, "_once", refused)
    news = list[SourceNews]()
    Puller("rtsp://camera.invalid/live", None, cast(Outlet, None), news.append, stop=AtOnce())._pull()
    waits = [each.retry_in_s for each in news if each.state is SourceState.RETRYING]
    assert len([wait for wait in waits if wait > LOCKED_PAUSE_S / 2]) == long

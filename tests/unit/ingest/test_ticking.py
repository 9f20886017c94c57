"""One clock for all sources: each is called while it is served, and one that fails stops nobody else's."""

from __future__ import annotations

import threading

import pytest

from server.ingest.ticking import Ticker

LONG_S = 20.0


def test_each_is_called_again_and_again_until_its_block_ends() -> None:
    ticker, calls, enough = Ticker(), list[float](), threading.Event()

    def tick(now: float) -> None:
        calls.append(now)
        if len(calls) == 3:
            enough.set()

    with ticker.serving(tick):
        assert enough.wait(LONG_S)
    seen = len(calls)
    assert calls == sorted(calls)
    again = threading.Event()
    with ticker.serving(lambda now: again.set()):
        assert again.wait(LONG_S)
    assert len(calls) == seen


def test_one_that_fails_is_tried_again_told_once_and_the_others_go_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ticker, fell, times, enough = Ticker(), list[float](), list[float](), threading.Event()

    def fails(now: float) -> None:
        fell.append(now)
        raise RuntimeError("broken")

    def goes_on(now: float) -> None:
        times.append(now)
        if len(times) == 3:
            enough.set()

    with ticker.serving(fails), ticker.serving(goes_on):
        assert enough.wait(LONG_S)
    assert len(fell) >= 3
    assert len(caplog.records) == 1

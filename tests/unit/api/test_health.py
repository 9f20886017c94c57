"""server.api.health: ready means that a lesson could be held and recorded now."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.unit.api.conftest import Campus, Opener


async def test_campus_alone_is_healthy_but_not_ready(campus: Campus) -> None:
    async with campus.browser.get("/healthz") as reply:
        assert (reply.status, await reply.json()) == (200, {"ok": True})
    async with campus.browser.get("/readyz") as reply:
        told = await reply.json()
        assert reply.status == 503
    assert told == {"ok": False, "workers": False, "recorder": False, "store": True, "disk": told["disk"]}


async def test_a_disk_that_is_nearly_full_is_not_ready(open_campus: Opener) -> None:
    campus = await open_campus(data={"least_free_bytes": 1 << 60})
    async with campus.browser.get("/readyz") as reply:
        assert not (await reply.json())["disk"]


async def test_metrics_count_answers_and_problems(campus: Campus) -> None:
    await campus.browser.get("/api/v1/rooms")
    async with campus.browser.get("/metrics") as reply:
        text = await reply.text()
    assert 'lianke_http_problems_total{code="not_found"} 1.0' in text
    assert 'lianke_http_responses_total{method="GET",status="404"} 1.0' in text

"""/healthz: campus answers. /readyz: it can hold and record a lesson. /metrics: Prometheus."""

from __future__ import annotations

import asyncio

from aiohttp import web

from server.api.guarding import answer
from server.api.keys import CONFIG, FREE_BYTES, LIVE, METRICS, STORE
from server.api.rights import Action, require
from server.ops.metrics import CONTENT_TYPE


async def healthz(request: web.Request) -> web.Response:
    require(request, Action.READ_HEALTH)
    return answer({"ok": True})


async def readyz(request: web.Request) -> web.Response:
    """200 where every part is there, else 503; the same body either way."""
    require(request, Action.READ_HEALTH)
    config, live = request.app[CONFIG], request.app[LIVE]
    free = await asyncio.to_thread(request.app[FREE_BYTES])
    parts = {
        "workers": live.workers_connected >= config.worker_count,
        "recorder": live.recorder_connected,
        "store": await request.app[STORE].is_well(),
        "disk": free >= config.data.least_free_bytes,
    }
    ok = all(parts.values())
    return answer({"ok": ok, **parts}, status=200 if ok else 503)


async def metrics(request: web.Request) -> web.Response:
    """For this machine, the operator and the admin."""
    require(request, Action.READ_METRICS)
    return web.Response(body=request.app[METRICS].text(), headers={"Content-Type": CONTENT_TYPE})


def routes() -> list[web.RouteDef]:
    return [web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)]

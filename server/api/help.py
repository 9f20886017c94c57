"""The help page over plain HTTP: for panels whose clock is dead or that do not know our CA.

HTTPS fails there before any page of ours can explain. It shows the panel's clock beside the server's, offers
the CA's certificate and says what to do; it serves nothing else, knows no session and sets no cookie.
"""

from __future__ import annotations

import asyncio
import html
import logging
from pathlib import Path

from aiohttp import web

from server.api.rights import Action, NoRight, allows
from server.api.roles import ANYONE
from server.clock import Clock
from server.config import Config

log = logging.getLogger("help")

MOST_CA_BYTES = 64 * 1024
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src 'self'"
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Server": "Lianke",
}
PAGE = Path(__file__).with_name("help.html")


def build_help(clock: Clock, own_url: str, ca: Path | None) -> web.Application:
    """The little application: `/` and, where there is a private CA, `/lianke-ca.crt`."""
    page = PAGE.read_text().replace("{url}", html.escape(own_url))
    page = page.replace("{ca}", "" if ca is not None else "hidden")

    async def show(request: web.Request) -> web.Response:
        _ask()
        text = page.replace("{now}", str(clock.wall_ms()))
        status = 200 if request.path == "/" else 404
        return web.Response(
            text=text, content_type="text/html", charset="utf-8", status=status, headers=HEADERS
        )

    async def certificate(request: web.Request) -> web.Response:
        _ask()
        if ca is None:
            raise NoRight
        body = await asyncio.to_thread(_read_ca, ca)
        kind = {"Content-Type": "application/x-x509-ca-cert"}
        return web.Response(body=body, headers={**HEADERS, **kind})

    app = web.Application(client_max_size=1024)
    if ca is not None:
        app.router.add_get("/lianke-ca.crt", certificate)
    app.router.add_get("/{rest:.*}", show)
    return app


def _ask() -> None:
    if not allows(ANYONE, Action.READ_HELP):
        raise NoRight


def _read_ca(path: Path) -> bytes:
    """Only a certificate: whatever else stands in the file, a key above all, is not served."""
    begin, end = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"
    with path.open("rb") as file:
        data = file.read(MOST_CA_BYTES)
    start, stop = data.find(begin), data.find(end)
    if not 0 <= start < stop:
        raise web.HTTPNotFound
    return data[start : stop + len(end)] + b"\n"


async def serve_help(config: Config, clock: Clock) -> None:
    """Until cancelled; where its port cannot be had, campus goes on without it and the log says so."""
    ca = Path(config.http.ca) if config.http.ca else None
    runner = web.AppRunner(build_help(clock, config.own_url, ca), access_log=None, keepalive_timeout=5.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, config.http.listen, config.http.help_port).start()
        await asyncio.Event().wait()
    except OSError as error:
        log.error("no help page: port %d: %s", config.http.help_port, error.strerror)
    finally:
        await runner.cleanup()

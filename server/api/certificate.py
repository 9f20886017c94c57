"""The server's certificate from the pages: made here under a private CA, or a pair that somebody brings.

Files go into the data directory's `tls`. Where the configuration names them already they are used within
seconds; else the answer says which lines to write. The CA's key never leaves the machine.
"""

from __future__ import annotations

import asyncio
import ipaddress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web

from server import certificates
from server.api.guarding import answer, body_of
from server.api.keys import CLOCK, CONFIG, STORE
from server.api.rights import Action, NoRight, require
from server.protocol.accounts import CertificateView, MakeCertificate, OwnCertificate


def _folder(request: web.Request) -> Path:
    """Where the configured certificate lies; else a folder of our own."""
    config = request.app[CONFIG]
    configured = Path(config.http.certificate)
    if config.http.certificate and configured.name == certificates.SERVER_CERTIFICATE:
        return configured.parent
    return Path(config.data.directory) / "tls"


def _host(request: web.Request) -> str:
    """The name or address by which the asker opened this page."""
    public = request.app[CONFIG].http.public_url
    return (urlsplit(public).hostname if public else urlsplit(f"//{request.host}").hostname) or ""


def covers(names: tuple[str, ...], host: str) -> bool:
    """Whether a browser takes a certificate of these names for this host (RFC 6125, 6.4.3)."""
    try:
        wanted = ipaddress.ip_address(host)
    except ValueError:
        low = host.lower()
        wild = f"*.{low.partition('.')[2]}"
        return any(name.lower() in (low, wild) for name in names)
    return any(name == str(wanted) for name in names)


async def _view(request: web.Request) -> CertificateView:
    http, folder, host = request.app[CONFIG].http, _folder(request), _host(request)
    path = folder / certificates.SERVER_CERTIFICATE
    used = http.certificate == str(path)
    lines = [f'certificate = "{path}"', f'key = "{folder / certificates.SERVER_KEY}"']
    ca = folder / certificates.CA_CERTIFICATE
    if await asyncio.to_thread(ca.is_file):
        lines.append(f'ca = "{ca}"')
    lines.append("help_port = 80")
    secure = request.secure or http.public_url.startswith("https:")
    try:
        found = await asyncio.to_thread(certificates.read, path)
    except (OSError, ValueError):
        return CertificateView(secure=secure, host=host, made=False, used=False, names=[], expires=None,
                               private=False, covers=False, lines=[])  # fmt: skip
    expires = int(found.expires.timestamp() * 1000)
    return CertificateView(
        secure=secure, host=host, made=True, used=used, names=list(found.names), expires=expires,
        private=found.private, covers=covers(found.names, host), lines=[] if used else lines,
    )  # fmt: skip


async def read(request: web.Request) -> web.Response:
    """What there is, whether it fits the address of this page, and what to do next."""
    require(request, Action.MANAGE_CERTIFICATE)
    view: CertificateView = await _view(request)
    return answer(view)


async def make(request: web.Request) -> web.Response:
    """A certificate for these names under our own CA, which is made once."""
    actor = require(request, Action.MANAGE_CERTIFICATE)
    body = await body_of(request, MakeCertificate)
    names = [name.strip() for name in body.names if name.strip()] or [_host(request)]
    now = datetime.fromtimestamp(request.app[CLOCK].wall_ms() / 1000, UTC)
    await asyncio.to_thread(certificates.make, _folder(request), names, now)
    await request.app[STORE].audit(
        actor.name, Action.MANAGE_CERTIFICATE, "certificate", made=", ".join(names)
    )
    view: CertificateView = await _view(request)
    return answer(view, status=201)


async def bring(request: web.Request) -> web.Response:
    """Somebody's own pair (PEM), kept where it fits together and is good for some time."""
    actor = require(request, Action.MANAGE_CERTIFICATE)
    body = await body_of(request, OwnCertificate)
    now = datetime.fromtimestamp(request.app[CLOCK].wall_ms() / 1000, UTC)
    folder = _folder(request)
    names = await asyncio.to_thread(certificates.keep, folder, body.certificate, body.key, now)
    await request.app[STORE].audit(
        actor.name, Action.MANAGE_CERTIFICATE, "certificate", brought=", ".join(names)[:200]
    )
    view: CertificateView = await _view(request)
    return answer(view, status=201)


async def ca(request: web.Request) -> web.Response:
    """The CA's certificate, for panels to trust; its key stays where it is."""
    actor = require(request, Action.MANAGE_CERTIFICATE)
    path = _folder(request) / certificates.CA_CERTIFICATE
    try:
        data = await asyncio.to_thread(path.read_bytes)
    except OSError:
        raise NoRight from None
    await request.app[STORE].audit(actor.name, Action.MANAGE_CERTIFICATE, "ca", what="download")
    headers = {"Content-Disposition": 'attachment; filename="lianke-ca.crt"'}
    return web.Response(body=data, content_type="application/x-x509-ca-cert", headers=headers)


def routes() -> list[web.RouteDef]:
    return [
        web.get("/api/v1/certificate", read),
        web.post("/api/v1/certificate", make),
        web.put("/api/v1/certificate", bring),
        web.get("/api/v1/certificate/ca", ca),
    ]

"""The screen's side of pairing: six digits to show, the token once they were entered, and the way back of a
wiped browser. Nobody is known here yet: everything is bounded and slowed.
"""

from __future__ import annotations

from aiohttp import web

from server.api.device_keys import is_restore_secret, point_of
from server.api.guarding import answer, body_of
from server.api.identity import address_of
from server.api.keys import CLOCK, CONFIG, PAIRINGS, RESTORE_KEY, SLOWING, STANDINGS, STORE, TOKENS
from server.api.rights import Action, NoRight, require
from server.api.tokens import TokenKind
from server.domain.device import Device, rebound
from server.domain.pairing import Waiting
from server.protocol import devices as d
from server.protocol.messages import Words

DAY_S = 86_400


def device_token(app: web.Application, device: Device) -> str:
    """Good with the device's present key only."""
    days = app[CONFIG].security.room_token_days
    return app[TOKENS].issue(TokenKind.DEVICE, lifetime_s=days * DAY_S, device=device.id, epoch=device.number)


def _told(waiting: Waiting) -> d.Pairing:
    return d.Pairing(waiting.id, waiting.code, waiting.expires_at, waiting.device, waiting.token)


async def open_pairing(request: web.Request) -> web.Response:
    """A screen asks for six digits; the same screen gets the same ones until they are over."""
    require(request, Action.ASK_PAIRING)
    body = await body_of(request, d.NewPairing)
    now = request.app[CLOCK].wall_ms()
    waiting = request.app[PAIRINGS].open(point_of(body.key), body.browser, address_of(request), now)
    return answer(_told(waiting), status=201)


async def look(request: web.Request) -> web.Response:
    """Whether somebody entered the digits; 404 once they are over."""
    require(request, Action.ASK_PAIRING)
    waiting = request.app[PAIRINGS].of(request.match_info["pairing"], request.app[CLOCK].wall_ms())
    if waiting is None:
        raise NoRight
    return answer(_told(waiting))


async def restore(request: web.Request) -> web.Response:
    """A wiped browser proves by its launcher's secret that it is this device; its new key takes the old
    one's place. Wrong secrets are slowed per address."""
    require(request, Action.ASK_PAIRING)
    body = await body_of(request, d.RestoreDevice)
    address = f"restore {address_of(request)}"
    request.app[SLOWING].attempt(address, request.app[CLOCK].monotonic())
    device = request.app[STANDINGS].known(body.device)
    if device is None or not is_restore_secret(request.app[RESTORE_KEY], device, body.secret):
        raise NoRight
    request.app[SLOWING].right(address)
    now = request.app[CLOCK].wall_ms()
    after = rebound(device, point_of(body.key), body.browser, now)
    suspect = await request.app[STANDINGS].rebind(after)
    said = {"device": device.id, "key": str(after.number), "suspect": str(suspect).lower()}
    await request.app[STORE].audit(f"device:{device.id}", "rebind_device", device.room, **said)
    return answer(d.DeviceToken(after.id, device_token(request.app, after)))


def wrong_digits() -> Words:
    return Words(
        zh="没有屏幕显示这六位数字。请看教室屏幕上现在的数字，十分钟换一次。",
        en="No screen shows these six digits. Look at the room’s screen: they change every ten minutes.",
    )


def routes() -> list[web.RouteDef]:
    return [
        web.post("/api/v1/pairings", open_pairing),
        web.get("/api/v1/pairings/{pairing}", look),
        web.post("/api/v1/devices/restore", restore),
    ]

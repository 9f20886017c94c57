"""How every receiving room stands, lesson or not: its pages, its devices, what it said of itself.

One for all of campus, kept in memory and told to the store; nothing here waits. Who may be a device is
decided from here, so a revoked one is out at once. Bounds: rooms and devices of the store, a page a room.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from server.clock import Clock
from server.domain.device import Device, is_suspect
from server.live.ports import PagePort
from server.protocol import devices as d
from server.protocol.messages import Refused as RefusedMessage
from server.protocol.messages import Role, Words
from server.protocol.session import CloseCode

SEEN_EVERY_MS = 60_000
MOVED_KEPT_MS = 86_400_000


class DeviceRows(Protocol):
    """Where devices are kept (`store.devices.Devices`)."""

    async def all(self) -> list[Device]: ...
    async def put(self, device: Device) -> None: ...
    async def seen(self, at: dict[str, int]) -> None: ...
    async def add_fault(self, room: str, fault: d.LastFault) -> None: ...
    async def last_faults(self) -> dict[str, d.LastFault]: ...
    async def put_hear_check(self, room: str, check: d.HearCheck) -> None: ...
    async def hear_checks(self) -> dict[str, d.HearCheck]: ...


@dataclass(frozen=True, slots=True)
class Stand:
    """One room. `said`: its page's last word of its machine; `moved_at`: when a key took another's place that
    was at work."""

    online_since: int | None = None
    seen_at: int | None = None
    browser: str = ""
    said: d.Standing | None = None
    hear: d.HearCheck | None = None
    fault: d.LastFault | None = None
    moved_at: int | None = None


class Standings:
    """Load once, then told by the pages' shell."""

    def __init__(self, rows: DeviceRows, clock: Clock) -> None:
        self._rows = rows
        self._clock = clock
        self._devices: dict[str, Device] = {}
        self._of_room: dict[str, dict[str, Device]] = {}
        self._stands: dict[str, Stand] = {}
        self._pages: dict[str, tuple[PagePort, str]] = {}  # room -> its newest page and that page's device
        self._seen_told: dict[str, int] = {}

    async def load(self) -> None:
        for device in await self._rows.all():
            self._know(device)
        faults, checks = await self._rows.last_faults(), await self._rows.hear_checks()
        for device in self._devices.values():
            self._change(device.room, seen_at=device.seen_at, browser=device.browser)
        for room, fault in faults.items():
            self._change(room, fault=fault)
        for room, check in checks.items():
            self._change(room, hear=check)

    # -- devices

    def device(self, device: str | None, number: int) -> Device | None:
        """The device of a token, while that token's key is the present one."""
        found = self._devices.get(device or "")
        return found if found is not None and found.number == number else None

    def known(self, device: str) -> Device | None:
        return self._devices.get(device)

    def of_room(self, room: str) -> list[Device]:
        return list(self._of_room.get(room, {}).values())

    def _know(self, device: Device) -> None:
        self._devices[device.id] = device
        self._of_room.setdefault(device.room, {})[device.id] = device

    async def add(self, device: Device) -> None:
        await self._rows.put(device)
        self._know(device)
        self._change(device.room, browser=device.browser)

    async def rebind(self, device: Device) -> bool:
        """A new key took the old one's place; True where a person should look at it."""
        now = self._clock.wall_ms()
        page, by = self._pages.get(device.room, (None, ""))
        in_use = page is not None and by == device.id
        suspect = is_suspect(device.moves, now, in_use=in_use)
        await self.add(device)
        if suspect:
            self._change(device.room, moved_at=now)
            await self._fault(device.room, d.LastFault(now, d.AlarmKind.KEY_MOVED))
        if page is not None and in_use:
            page.hang_up(_moved(), CloseCode.REFUSED)
        return suspect

    async def renew_restore(self, device: Device) -> None:
        """Launchers handed out so far bring nobody back any more."""
        await self.add(replace(device, restore=device.restore + 1))

    async def revoke(self, device: Device) -> None:
        """From now on it opens nothing, and its page is hung up."""
        await self._rows.put(replace(device, revoked_at=self._clock.wall_ms()))
        self._devices.pop(device.id, None)
        self._of_room.get(device.room, {}).pop(device.id, None)
        page, by = self._pages.get(device.room, (None, ""))
        if page is not None and by == device.id:
            page.hang_up(_revoked(), CloseCode.REFUSED)

    # -- pages

    def came(self, page: PagePort, device: str, browser: str) -> None:
        """A receiving room's page is welcome; `device` "": of the demo. Acting rooms are none."""
        if page.identity.role is not Role.ROOM or page.identity.lesson is not None:
            return
        now, room = self._clock.wall_ms(), page.identity.room
        self._pages[room] = (page, device)
        self._change(room, online_since=now, seen_at=now, browser=browser, said=None)

    def left(self, page: PagePort) -> str:
        """Its device, where it was the room's page; "" else."""
        room = page.identity.room
        here, device = self._pages.get(room, (None, ""))
        if here is not page:
            return ""
        del self._pages[room]
        self._change(room, online_since=None, seen_at=self._clock.wall_ms())
        return device

    async def said(self, page: PagePort, message: d.ToServer, lesson: str) -> None:
        """What a room tells of itself."""
        room, now = page.identity.room, self._clock.wall_ms()
        match message:
            case d.Standing():
                self._change(room, said=message, seen_at=now)
                await self._tell_seen(room, now)
            case d.HearChecked(result=result, delay_ms=delay_ms, above_db=above_db):
                check = d.HearCheck(now, result, delay_ms, round(above_db, 1))
                self._change(room, hear=check)
                await self._rows.put_hear_check(room, check)
                if result is d.Heard.NOT_HEARD:
                    await self._fault(room, d.LastFault(now, d.AlarmKind.NOT_HEARD, lesson))
            case _:
                pass

    async def complained(self, room: str, kind: str, lesson: str) -> None:
        """Its fault button: "sound" or "picture"."""
        await self._fault(room, d.LastFault(self._clock.wall_ms(), kind, lesson))

    def hear_now(self, room: str) -> bool:
        """Ask the room to listen to itself; False where it is off."""
        page, _ = self._pages.get(room, (None, ""))
        if page is not None:
            page.send(d.HearNow())
        return page is not None

    # -- what is known

    def stand(self, room: str) -> Stand:
        found = self._stands.get(room, Stand())
        if found.moved_at is not None and self._clock.wall_ms() - found.moved_at > MOVED_KEPT_MS:
            found = replace(found, moved_at=None)
        return found

    def is_online(self, room: str) -> bool:
        return room in self._pages

    def moved(self) -> set[str]:
        """Rooms whose key went to another browser while it was at work."""
        return {room for room, stand in self._stands.items() if stand.moved_at is not None}

    def seen_the_move(self, room: str) -> None:
        """A person looked at the new key."""
        self._change(room, moved_at=None)

    @property
    def online(self) -> int:
        return len(self._pages)

    def stands(self, rooms: Iterable[str]) -> Mapping[str, Stand]:
        return {room: self.stand(room) for room in rooms}

    async def _fault(self, room: str, fault: d.LastFault) -> None:
        self._change(room, fault=fault)
        await self._rows.add_fault(room, fault)

    async def _tell_seen(self, room: str, now: int) -> None:
        _, device = self._pages.get(room, (None, ""))
        if device and now - self._seen_told.get(device, 0) >= SEEN_EVERY_MS:
            self._seen_told[device] = now
            await self._rows.seen({device: now})

    def _change(self, room: str, **values: object) -> None:
        self._stands[room] = replace(self._stands.get(room, Stand()), **values)  # type: ignore[arg-type]


def _revoked() -> RefusedMessage:
    words = Words(zh="这台设备已取消配对。", en="This device is no longer paired.")
    return RefusedMessage(code="bad_token", words=words, fatal=True)


def _moved() -> RefusedMessage:
    words = Words(zh="这台设备的钥匙换到了另一个浏览器。", en="Another browser holds this device’s key now.")
    return RefusedMessage(code="bad_token", words=words, fatal=True)

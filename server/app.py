"""Campus: the one place that builds and joins its parts (`python -m server.app --config FILE`).

Prints one line `READY` on standard output once it can hold a lesson; logs go to standard error. Ends at once
when standard input ends (the supervisor died), drains on SIGTERM.
"""

from __future__ import annotations

import gc

if __name__ == "__main__":
    gc.disable()

import argparse
import asyncio
import logging
import os
import shutil
import signal
import socket
import sys
from functools import partial
from pathlib import Path

import msgspec
import uvloop

from recorder import heartbeat, lifeline
from recorder.archive.storage import Storage, StorageFailed, StoreAt
from server.api import keys
from server.api.application import Application, Parts, build, serve
from server.api.codes import RoomCodes
from server.api.help import serve_help
from server.api.tls import Certificate, certificate_of
from server.api.tokens import TokenKind, Tokens
from server.clock import SystemClock
from server.config import Config, bad_setting, load
from server.domain.invitation import callable_rooms
from server.errors import LiankeError, UserFault
from server.ingest import apart
from server.live.acting import Troupe
from server.live.checking import Checking
from server.live.ingest_link import IngestLink
from server.live.publishing import PublishingService
from server.live.service import LiveService
from server.live.standings import Standings
from server.ops import logs
from server.protocol.messages import Words
from server.protocol.parameters import Source
from server.protocol.sources import ProbePoint, ProbeReport
from server.running import OPERATOR_TOKEN
from server.store.box_checks import BoxChecks
from server.store.devices import Devices
from server.store.edits import Edits
from server.store.guest_links import GuestLinks
from server.store.library import Library
from server.store.publishings import Publishings
from server.store.records import BoxSource, Classroom
from server.store.rehearsals import Rehearsals
from server.store.sealing import Seal
from server.store.sources import Sources
from server.store.spans import Spans
from server.store.store import Store

OPERATOR_LIFETIME_S = 3650 * 86400.0
ACTING_LIFETIME_S = 3 * 3600.0
LOOK_S = 3.0  # at a camera before its lesson
READY = "READY"
SOURCES_KEY = "sources.key"
CARD = ("title", "school", "teacher", "subject")
BAD_CONFIGURATION = 2
SUPERVISOR_DIED = 70

log = logging.getLogger("app")


def free_bytes(folder: Path) -> int:
    """Free bytes of the disk on which `folder` is or will be."""
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def _write_private(path: Path, text: str) -> None:
    """A file for this user alone (0600), replaced in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    beside.replace(path)


async def make_parts(config: Config, store: Store) -> Parts:
    """Rooms into the store, keys out of it, the live service on top."""
    clock = SystemClock()
    named = [Classroom(room.id, room.name, room.main) for room in config.rooms]
    await store.county.settle(named, *_names_of(config), points=config.demo.enabled)
    rooms = await store.classrooms()
    spans = Spans(store.database)
    token_key = await store.key("tokens")
    troupe = Troupe(partial(_acting_pass, Tokens(token_key, clock)))
    live = LiveService(
        config=config,
        store=store,
        clock=clock,
        spans=spans,
        call_lists=partial(_callable, store),
        troupe=troupe,
        rehearsals=Rehearsals(store.database),
    )
    store.county.listeners.append(live.refresh_rooms)
    seal = await asyncio.to_thread(Seal.of, config.store_path.with_name(SOURCES_KEY))
    sources = Sources(store.database, seal)
    live.ingest.configure(await sources.all())
    checking = Checking(
        BoxChecks(store.database),
        store,
        live.ingest,
        partial(_look, live.ingest, config.ingest.networks),
        clock,
        config.ingest.check_before_s * 1000,
    )
    await checking.load()
    standings = Standings(Devices(store.database), clock)
    await standings.load()
    guest_links = GuestLinks(store.database, clock)
    await guest_links.load()
    return Parts(
        config=config,
        clock=clock,
        store=store,
        sources=sources,
        checking=checking,
        live=live,
        standings=standings,
        spans=spans,
        storage=_storage(config),
        publishing=PublishingService(
            config=config,
            rows=Publishings(store.database),
            lessons=store,
            clock=clock,
            lessons_live=lambda: [room.lesson.id for room in live.lessons if room.lesson.on_air],
            said_of=partial(_said_of, Library(store.database, clock)),
            edits_of=Edits(store.database, clock).edits,
        ),
        guest_links=guest_links,
        closed=await Library(store.database, clock).withdrawn(),
        token_key=token_key,
        troupe=troupe,
        media_key=await store.key("media"),
        restore_key=await store.key("restore"),
        codes=RoomCodes(room.room for room in rooms),
        free_bytes=lambda: free_bytes(config.archive_path),
    )


async def _look(ingest: IngestLink, networks: list[str], box: BoxSource) -> list[ProbePoint] | None:
    """What the probe says of a source, watched for a moment in a process of its own."""
    voice = box.source is Source.VOICE
    try:
        if box.key:
            said = await ingest.probed(box, LOOK_S)
        else:
            said = await apart.probed(box.address, networks, LOOK_S, udp=box.udp, sound_only=voice)
    except (apart.NoAnswer, UserFault) as error:
        log.warning("%s was not looked at: %s", box.name, error)
        return None
    return msgspec.json.decode(said, type=ProbeReport).points


def _acting_pass(tokens: Tokens, room: str, lesson: str) -> str:
    return tokens.issue(TokenKind.ACTING, lifetime_s=ACTING_LIFETIME_S, room=room, lesson=lesson)


def _names_of(config: Config) -> tuple[Words, Words]:
    """The county and the school that rooms of a configuration stand in."""
    if config.demo.enabled:
        return Words(zh="星光县", en="Starlight County"), Words(zh="星光小学", en="Starlight Primary")
    return Words(zh="本县", en="The county"), Words(zh="本校", en="The school")


async def _callable(store: Store, main_room: str) -> dict[str, Words]:
    """The rooms that this one may call into a lesson, with the names of their schools."""
    county, organisation = store.county, await store.county.load()
    day = county.today()
    allowed = callable_rooms(main_room, organisation, day) | await store.terms.call_list(main_room)
    schools = {room: organisation.school(room, day) for room in allowed}
    return {room: school.name(day) for room, school in schools.items() if school is not None}


def _storage(config: Config) -> Storage | None:
    """The object store of the configuration. LiankeError in words where its address is none."""
    at = config.storage
    if not at.url:
        return None
    try:
        return Storage(StoreAt(at.url, at.endpoint, at.region, at.access_key, at.secret_key))
    except StorageFailed as error:
        raise bad_setting("storage.url", zh=f"不能使用:{error}", en=f"cannot be used: {error}") from error


async def _said_of(library: Library, lesson: str) -> dict[str, str]:
    """What the catalogue says of a lesson, for the title card."""
    row = await library.row(lesson)
    return {} if row is None else {name: getattr(row.catalogue, name) for name in CARD}


async def _announce(app: Application) -> None:
    """Tell the supervisor once workers and recorder are connected; tell people the set-up code."""
    live, config = app[keys.LIVE], app[keys.CONFIG]
    while live.workers_connected < config.worker_count or not live.recorder_connected:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    print(READY, flush=True)
    if await app[keys.STORE].people.is_empty() and not config.demo.enabled:
        log.info("first run: the set-up code is %s", app[keys.SETUP_CODE])


def bind(config: Config) -> socket.socket:
    """The listening socket of the pages. LiankeError in words where the port is taken."""
    family = socket.AF_INET6 if ":" in config.http.listen else socket.AF_INET
    try:
        return socket.create_server((config.http.listen, config.http.port), family=family, backlog=1024)
    except OSError as error:
        raise LiankeError(
            "port_taken",
            zh=f"网页端口 {config.http.listen}:{config.http.port} 用不了({error.strerror})。"
            "请关闭占用它的程序,或修改 http.port。",
            en=f"Cannot listen on {config.http.listen}:{config.http.port} ({error.strerror}). "
            "Stop the program that uses it, or change http.port.",
        ) from error


def own_url(listening: socket.socket, *, tls: bool) -> str:
    """Campus' WebSocket for processes of this machine."""
    address, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(address, f"[{address}]" if ":" in address else address)
    return f"{'wss' if tls else 'ws'}://{host}:{port}/ws"


async def run(
    config: Config, listening: socket.socket, stop: asyncio.Event, certificate: Certificate | None = None
) -> None:
    """Everything of campus, until `stop`."""
    store = await Store.open(config.store_place, SystemClock(), config.county.time_zone)
    try:
        parts = await make_parts(config, store)
        parts.troupe.url = own_url(listening, tls=certificate is not None)
        app = build(parts)
        operator = app[keys.TOKENS].issue(
            TokenKind.OPERATOR, lifetime_s=OPERATOR_LIFETIME_S, epoch=app[keys.BOOT]
        )
        await asyncio.to_thread(_write_private, config.run_path / OPERATOR_TOKEN, operator)
        async with asyncio.TaskGroup() as group:
            live = group.create_task(parts.live.run(), name="live")
            others = [
                group.create_task(_announce(app), name="announce"),
                group.create_task(heartbeat.beat(), name="heartbeat"),
                group.create_task(parts.publishing.run(), name="publishing"),
                group.create_task(parts.checking.run(), name="checking"),
            ]
            if certificate is not None:
                others.append(group.create_task(certificate.follow(), name="certificate"))
            if config.http.help_port:
                others.append(group.create_task(serve_help(config, parts.clock), name="help page"))
            await serve(app, listening, stop, certificate.context if certificate is not None else None)
            for task in (*others, live):
                task.cancel()
    finally:
        await store.close()


async def _main(config: Config, listening: socket.socket, certificate: Certificate | None) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await run(config, listening, stop, certificate)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m server.app", description="Lianke's campus process.")
    parser.add_argument("--config", type=Path)
    gc.freeze()
    gc.enable()
    lifeline.watch(lambda: os._exit(SUPERVISOR_DIED))  # whatever it is doing
    try:
        config = load(parser.parse_args().config)
        logs.set_up("campus", config.logs.level, config.logs.format)
        certificate = certificate_of(config.http)
        with bind(config) as listening:
            uvloop.run(_main(config, listening, certificate))
    except LiankeError as error:
        print(f"{error.words.zh}\n{error.words.en}", file=sys.stderr)
        return BAD_CONFIGURATION
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A receiving room behind a router that closes one road after the other: down the ladder and up again.

Campus, media worker, coturn and the teacher live in one network, the room's Chromium in another; the router
between them drops what the test says, silently.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from playwright.async_api import Error, Page, async_playwright, expect

from server import certificates
from tests.e2e.conftest import ARTIFACTS, FLAGS, STUDIO_SIZE, Shoot
from tests.e2e.kiosk import digits_of
from tests.fakes.town import SERVER, WHY_NOT, Town, town

ROOT = Path(__file__).parents[2]
SECRET = "for this test alone"
FRESH_S = 40.0


def write_settings(folder: Path) -> Path:
    """HTTPS, one worker, TURN over TLS on 443."""
    text = f"""
[http]
listen = "{SERVER}"
port = 8443
certificate = "{folder / "server.pem"}"
key = "{folder / "server.key"}"
ca = "{folder / "ca.pem"}"
[media]
listen = "{SERVER}"
workers = 1
[turn]
urls = ["turns:{SERVER}:443?transport=tcp"]
secret = "{SECRET}"
[data]
directory = "{folder / "data"}"
run_directory = "{folder / "run"}"
least_free_bytes = 1000000
[[rooms]]
id = "main"
zh = "录播室"
en = "Recording room"
main = true
[[rooms]]
id = "shahe"
zh = "沙河教学点"
en = "Shahe point"
"""
    path = folder / "lianke.toml"
    path.write_text(text)
    return path


def write_coturn(folder: Path) -> Path:
    """The shipped configuration with the three changes it asks for, and its files in the test's folder."""
    text = (ROOT / "configs" / "coturn.conf").read_text()
    for before, after in (
        ("CHANGE-ME", SECRET),
        ("/etc/lianke/tls", str(folder)),
        ("allowed-peer-ip=192.0.2.5", f"allowed-peer-ip={SERVER}\nlistening-ip={SERVER}\nrelay-ip={SERVER}"),
        ("syslog", f"log-file={folder / 'coturn.log'}\npidfile={folder / 'coturn.pid'}"),
    ):
        assert before in text
        text = text.replace(before, after)
    path = folder / "coturn.conf"
    path.write_text(text)
    return path


def fingerprint(certificate: Path) -> str:
    """What `--ignore-certificate-errors-spki-list` wants: it counts for TURN's TLS too."""
    key = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    return base64.b64encode(hashlib.sha256(key.public_bytes(*form)).digest()).decode()


@asynccontextmanager
async def running(there: Town, command: list[str]) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *there.inside("server", command),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        if command[0] == "turnserver":
            process.terminate()
        async with asyncio.timeout(30):
            await process.wait()


@asynccontextmanager
async def room_page(there: Town, folder: Path) -> AsyncIterator[Page]:
    chromium = shutil.which("chromium")
    assert chromium, "these tests need Debian's chromium: apt-get install chromium"
    flags = [
        *FLAGS,
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--ignore-certificate-errors-spki-list={fingerprint(folder / 'server.pem')}",
    ]
    program = there.program("room", chromium, folder)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=flags)
        context = await browser.new_context(locale="zh-CN", viewport=STUDIO_SIZE)
        page = await context.new_page()
        try:
            yield page
        finally:
            ARTIFACTS.mkdir(exist_ok=True)
            await page.screenshot(path=ARTIFACTS / "ladder-last.png")
            await browser.close()


LOOK_AGAIN = "() => window.dispatchEvent(new Event('online'))"


async def stands(page: Page, road: str, *, moving: bool = True) -> float:
    """Seconds until the room says that it receives by this road (and the picture really moves)."""
    began = asyncio.get_running_loop().time()
    seen = '[data-motion="moving"]' if moving else ""
    try:
        await page.wait_for_selector(
            f'[data-testid="room"][data-road="{road}"]{seen}', timeout=FRESH_S * 1000
        )
    except Error as error:
        room = await page.evaluate("() => ({...document.querySelector('[data-testid=room]')?.dataset})")
        raise AssertionError(f"not on {road}: {room}") from error
    return asyncio.get_running_loop().time() - began


async def joins(page: Page) -> float:
    """Seconds until the picture moves, by whichever of the two open roads. Where the relay was quicker
    than TCP the page is told to look again, as it does by itself some time later."""
    began = asyncio.get_running_loop().time()
    moving = '[data-testid="room"][data-motion="moving"]'
    await page.wait_for_selector(moving, timeout=FRESH_S * 1000)
    took = asyncio.get_running_loop().time() - began
    if await page.locator(moving).get_attribute("data-road") != "tcp":
        await page.evaluate(LOOK_AGAIN)
    return took


async def the_doctor_tries_the_relay(there: Town, settings: Path) -> None:
    """`lianke doctor` beside the running server: coturn takes our credentials, and every port is ours."""
    command = [sys.executable, "-m", "server", "doctor", "--json", "--config", str(settings)]
    doctor = await asyncio.create_subprocess_exec(
        *there.inside("server", command), stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    said, _ = await doctor.communicate()
    states = {each["check"]: each["state"] for each in json.loads(said)}
    wanted = {"server", "port", "turn", "https", "certificate", "addresses"}
    assert {name: states[name] for name in wanted} == dict.fromkeys(wanted, "well"), said


async def the_self_test_says_what_works(room: Page, shoot: Shoot) -> None:
    """The room's own screen, with UDP blocked: each road with its figure, and the verdict in words."""
    seat = await room.evaluate("sessionStorage.getItem('lianke.seat')")
    page = await room.context.new_page()
    await page.add_init_script(f"sessionStorage.setItem('lianke.seat', {json.dumps(seat)})")
    await page.goto(f"https://{SERVER}:8443/network")
    await page.get_by_test_id("test").click()
    await page.wait_for_selector('[data-testid="network"][data-state="done"]', timeout=FRESH_S * 1000)
    rows = {
        road: await page.get_by_test_id(f"road-{road}").get_attribute("data-state")
        for road in ("https", "udp", "tcp", "turn")
    }
    assert rows == {"https": "works", "udp": "closed", "tcp": "works", "turn": "works"}
    for road in ("https", "tcp", "turn"):
        assert "Mbit/s" in await page.get_by_test_id(f"road-{road}").inner_text(), road
    assert "UDP" in await page.get_by_test_id("verdict").inner_text()
    await shoot(page, "network")
    await page.close()


@pytest.mark.skipif(shutil.which("turnserver") is None, reason="Debian's coturn is not installed")
async def test_a_room_climbs_down_the_ladder_and_up_again_by_itself(tmp_path: Path, shoot: Shoot) -> None:
    certificates.make(tmp_path, [SERVER], datetime.now(UTC))
    settings, coturn = write_settings(tmp_path), write_coturn(tmp_path)
    campus = [sys.executable, "-m", "tests.e2e.far_campus", str(settings), str(tmp_path / "ca.pem"), "shahe"]
    with town() as there:
        if there is None:
            pytest.skip(WHY_NOT)
        there.block("udp")
        async with (
            running(there, ["turnserver", "-c", str(coturn)]),
            running(there, campus) as serving,
            room_page(there, tmp_path) as page,
        ):
            assert serving.stdout is not None
            assert serving.stdin is not None
            await asyncio.wait_for(serving.stdout.readline(), 90)
            await the_doctor_tries_the_relay(there, settings)
            took: dict[str, float] = {}
            await page.goto(f"https://{SERVER}:8443/room")
            serving.stdin.write(f"{await digits_of(page)}\n".encode())
            took["without UDP, joining"] = await joins(page)
            await stands(page, "tcp")
            await shoot(page, "ladder-tcp")

            await the_self_test_says_what_works(page, shoot)

            there.open("udp")
            before = await page.evaluate("() => performance.now()")
            await page.evaluate(LOOK_AGAIN)
            took["udp, from tcp"] = await stands(page, "udp")
            assert before > 0

            there.block("udp")
            there.block("tcp", "40000-49999")
            took["turn, from udp"] = await stands(page, "turn")
            await shoot(page, "ladder-turn")

            there.block("tcp", "443")
            took["hls, from turn"] = await stands(page, "hls", moving=False)
            playing = '[data-testid="live-hls"][data-playing="true"]'
            await page.wait_for_selector(playing, state="attached", timeout=FRESH_S * 1000)
            await expect(page.get_by_test_id("road-hls")).to_contain_text(re.compile(r"\d"))
            await shoot(page, "ladder-hls")

            for protocol, ports in (("tcp", "443"), ("tcp", "40000-49999"), ("udp", "1-65534")):
                there.open(protocol, ports)
            took["udp, from hls"] = await stands(page, "udp")
            assert await page.get_by_test_id("broadcast").count() == 0
            print({name: round(seconds, 1) for name, seconds in took.items()})

"""The rooms' page: pairing by hand, a room that hears itself; and no device is held after End."""

from __future__ import annotations

import asyncio
import math
import random
import shutil
import struct
import wave
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from playwright.async_api import BrowserContext, Page, async_playwright, expect

from server.drill.own_server import OwnServer
from tests.e2e.conftest import FLAGS, STUDIO_SIZE, Shoot, Window
from tests.e2e.kiosk import digits_of
from tests.e2e.pictures import observe, shown
from tests.e2e.sample import demo_of, sees
from tests.e2e.speaking import in_both_languages, speak
from tests.e2e.test_accessibility import AXE, well
from tests.fakes.camera import Camera, serving, stream
from tests.fakes.onvif_camera import OnvifCamera, onvif_camera

RATE = 48_000
WATCHED = """const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
window.tracks = [];
navigator.mediaDevices.getUserMedia = async (what) => {
  const stream = await ask(what);
  window.tracks.push(...stream.getTracks());
  return stream;
};"""
ASKED = """window.asked = 0;
for (const name of ['getUserMedia', 'getDisplayMedia']) {
  const ask = navigator.mediaDevices[name].bind(navigator.mediaDevices);
  navigator.mediaDevices[name] = what => { window.asked += 1; return ask(what); };
}"""
MOVES = "() => document.querySelector('[data-testid=card-camera] video').currentTime > 0.5"
CAMERA = Camera(
    options={"preset": "ultrafast", "bf": "0", "g": "25", "keyint_min": "25", "sc_threshold": "0"},
    seconds=60.0,
)
NUMBERED = "() => document.querySelector('[data-testid=picture-stage]').seen.length > 10"
STICKS_OUT_PX = """() => Math.max(...[...document.querySelectorAll('.device-card')].flatMap(card =>
  [...card.querySelectorAll('.button')].map(button =>
    button.getBoundingClientRect().bottom - card.getBoundingClientRect().bottom)))"""
SCROLLS_PX = "() => (check => check.scrollHeight - check.clientHeight)(document.querySelector('.check'))"
HELD = "() => window.tracks.filter(track => track.readyState === 'live').length"


def write_sound(path: Path, *, chirps: bool) -> None:
    """What the microphone hears, for ten seconds: a classroom's noise, with the room's own chirp every
    second (1 to 5 kHz in 0.4 s)."""
    noise = random.Random(7)
    samples = []
    for k in range(10 * RATE):
        t = (k % RATE) / RATE
        phase = 2 * math.pi * (1_000 * t + 4_000 * t * t / 0.8)
        loud = 6_000 * math.sin(phase) if chirps and t < 0.4 else 0.0
        samples.append(round(loud + noise.gauss(0, 400)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))


@asynccontextmanager
async def room_with(sound: Path) -> AsyncIterator[BrowserContext]:
    """A browser whose microphone hears this file."""
    chromium = shutil.which("chromium")
    flags = [
        *FLAGS,
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={sound}",
    ]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=flags)
        try:
            yield await browser.new_context(locale="zh-CN", viewport=STUDIO_SIZE)
        finally:
            await browser.close()


@asynccontextmanager
async def taught_by_a_box(
    server: OwnServer, desk: Page, studio: Page, shoot: Shoot, axe: str
) -> AsyncIterator[None]:
    """A lesson by the room's own camera: found by its address and password, seen and heard in the studio
    before Start, and the browser is asked for nothing."""
    pieces = await asyncio.to_thread(stream, CAMERA)
    async with serving(pieces) as url, onvif_camera(OnvifCamera(stream=url)) as address:
        token = await asyncio.to_thread((server.folder / "run" / "operator.token").read_text)
        await desk.set_extra_http_headers({"Authorization": f"Bearer {token.strip()}"})
        await desk.goto(f"{server.url}/cameras/main")
        card = desk.get_by_test_id("camera-camera")
        await card.get_by_test_id("find-camera").locator("summary").click()
        await card.get_by_test_id("find-address").fill(address)
        await card.get_by_test_id("find-password").fill("camera-pass")
        await card.get_by_test_id("find-now").click()
        await card.get_by_test_id("found-stream").first.get_by_role("button").first.click()
        await in_both_languages(desk, shoot, "cameras")
        await expect(card.get_by_test_id("address-camera")).to_have_value(
            url.replace("http://", "http://admin:camera-pass@")
        )
        await card.get_by_test_id("sound-camera").check()
        await card.get_by_test_id("save-camera").click()
        await expect(card.get_by_test_id("state-camera")).to_contain_text("待用")
        await well(desk, axe, "a room's cameras")
        await desk.set_extra_http_headers({})
        await studio.add_init_script(ASKED)
        demo = await demo_of(server)
        await studio.goto(f"{server.url}/studio#token={demo.studio.token}&volume=0")
        for name in ("camera", "microphone"):
            await expect(studio.get_by_test_id(f"card-{name}")).to_have_attribute("data-well", "true")
        await studio.wait_for_function(MOVES)
        meter = studio.get_by_test_id("card-microphone").locator(".level-meter")
        await expect(meter).not_to_have_attribute("data-level", "0")
        await in_both_languages(studio, shoot, "studio-check-box")
        await speak(studio, "en")  # its words are longer
        assert await studio.evaluate(STICKS_OUT_PX) <= 0
        assert await studio.evaluate(SCROLLS_PX) == 0, "Start is in sight"
        await speak(studio, "zh")
        await studio.get_by_test_id("start").click()
        await expect(studio.get_by_test_id("own-camera")).to_be_visible()
        assert await studio.evaluate("window.asked") == 0
        microphone = studio.get_by_test_id("microphone")
        await microphone.click()
        await expect(microphone).to_have_attribute("aria-pressed", "false")
        await expect(microphone.locator(".level-meter")).to_have_attribute("data-level", "0")
        await in_both_languages(studio, shoot, "studio-lesson-box")
        await microphone.click()
        await expect(microphone.locator(".level-meter")).not_to_have_attribute("data-level", "0")
        yield


async def is_online(desk: Page, word: str) -> None:
    row = desk.get_by_test_id("room-shahe")
    await expect(row).to_have_attribute("data-online", word)


async def hears(desk: Page, room: str, words: str) -> None:
    """Ask the room to listen to itself; what the list says then."""
    await desk.get_by_test_id(f"open-{room}").click()
    await desk.get_by_test_id("hear").click()
    await desk.get_by_test_id("close").click()
    await expect(desk.get_by_test_id(f"hear-{room}")).to_contain_text(words)


async def test_a_room_is_paired_by_hand_hears_itself_and_lets_go_of_its_devices(
    server: OwnServer, window: Window, shoot: Shoot, tmp_path: Path
) -> None:
    write_sound(tmp_path / "chirps.wav", chirps=True)
    axe = await asyncio.to_thread(AXE.read_text)
    desk, studio = await window(), await window()
    await desk.goto(f"{server.url}/rooms")
    await expect(desk.get_by_test_id("rooms")).to_be_visible()
    async with room_with(tmp_path / "chirps.wav") as context, AsyncExitStack() as stack:
        page = await context.new_page()
        await page.add_init_script(WATCHED)
        await page.goto(f"{server.url}/room")
        digits = await digits_of(page)
        await desk.get_by_test_id("open-shahe").click()
        await desk.get_by_test_id("digits").fill("000000" if digits != "000000" else "111111")
        await desk.get_by_test_id("pair").click()
        await expect(desk.get_by_test_id("problem")).to_be_visible()
        await desk.get_by_test_id("digits").fill(f"{digits[:3]} {digits[3:]}")
        await desk.get_by_test_id("pair").click()
        await expect(desk.get_by_test_id("launcher-linux")).to_be_visible()
        await well(desk, axe, "a room's devices")
        await in_both_languages(desk, shoot, "room-devices")
        await desk.get_by_test_id("close").click()
        await expect(page.get_by_test_id("waiting-face")).to_be_visible()
        await expect(desk.get_by_test_id("room-shahe")).to_have_attribute("data-online", "true")
        await hears(desk, "shahe", "正常")
        await page.wait_for_function(f"() => ({HELD})() === 0")  # held for those seconds only

        await stack.enter_async_context(taught_by_a_box(server, desk, studio, shoot, axe))
        room = page.get_by_test_id("room")
        await sees(room)
        await expect(room).to_have_attribute("data-devices", "true")
        stage = page.get_by_test_id("picture-stage")
        await observe(stage)
        await page.wait_for_function(NUMBERED)
        numbers = [picture.number for picture in await shown(stage)]
        assert numbers == sorted(numbers), "the camera's pictures, by their numbers, in the room's canvas"
        await expect(studio.get_by_test_id("hear-shahe")).to_have_attribute("data-hear", "heard")
        await page.mouse.move(300, 300)
        await page.get_by_test_id("heads").click()
        for _ in range(3):
            await page.get_by_test_id("heads-5").click()
        await page.get_by_test_id("heads-done").click()
        await expect(studio.get_by_test_id("heads-shahe")).to_contain_text("15")
        await in_both_languages(page, shoot, "room-sign-in")
        await stack.aclose()  # the camera is unplugged
        await expect(studio.get_by_test_id("trouble-camera")).to_be_visible()
        await shoot(studio, "studio-lesson-trouble")
        await studio.get_by_test_id("end").click()
        await studio.get_by_test_id("end-confirm").click()
        await page.wait_for_function(f"() => ({HELD})() === 0", timeout=5_000)
        await expect(room).to_have_attribute("data-devices", "false")
    await desk.goto(f"{server.url}/rooms")
    await is_online(desk, "false")
    await well(desk, axe, "rooms and devices")
    await in_both_languages(desk, shoot, "rooms")
    await desk.get_by_test_id("nav-alarms").click()
    await expect(desk.get_by_test_id("no-alarms").or_(desk.get_by_test_id("alarms"))).to_be_visible()
    await well(desk, axe, "alarms")
    await in_both_languages(desk, shoot, "alarms")


async def test_a_room_whose_loudspeaker_is_off_does_not_hear_itself(
    server: OwnServer, window: Window, tmp_path: Path
) -> None:
    write_sound(tmp_path / "noise.wav", chirps=False)
    desk = await window()
    await desk.goto(f"{server.url}/rooms")
    async with room_with(tmp_path / "noise.wav") as context:
        page = await context.new_page()
        await page.goto(f"{server.url}/room")
        digits = await digits_of(page)
        await desk.get_by_test_id("open-shahe").click()
        await desk.get_by_test_id("digits").fill(digits)
        await desk.get_by_test_id("pair").click()
        await expect(desk.get_by_test_id("launcher-linux")).to_be_visible()
        await desk.get_by_test_id("close").click()
        await expect(desk.get_by_test_id("room-shahe")).to_have_attribute("data-online", "true")
        await hears(desk, "shahe", "听不到")

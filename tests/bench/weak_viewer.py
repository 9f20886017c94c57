"""A viewer on a bad line beside one on a good line, all three pages in Chromium, one real worker.

    python -m tests.bench.weak_viewer thin [--seconds 25] [--rate 500000]
    python -m tests.bench.weak_viewer lossy [--seconds 60] [--seed 7]
    python -m tests.bench.weak_viewer throttled [--seconds 200]

The publisher's page sends a moving picture in three layers and a steady tone. `thin`: the viewer's line
falls to `--rate` for `--seconds` and comes back. `lossy`: 10 % lost and 50 ms each way. `throttled`:
the viewer's page has a quarter of the processor (Emulation.setCPUThrottlingRate). The proxy is seeded.
What is heard is listened to in the page (Web Audio), what is seen is counted there
(requestVideoFrameCallback).
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Page

from server.media.contract import DownFigures, Figures, PeerState, TrackName
from server.protocol.parameters import Kind
from tests.fakes.lossy_proxy import DOWN, UP, Line, LossyProxy, lossy_proxy
from tests.peers.test_chromium import ANSWERED, blank_page, browser
from tests.peers.test_connections import by_way_of, worker_address
from tests.peers.workers import RunningWorker, running_worker

PUBLISH = """async () => {
  const canvas = document.createElement('canvas');
  Object.assign(canvas, {width: 1280, height: 720});
  const context = canvas.getContext('2d');
  let n = 0;
  setInterval(() => {
    n += 1;
    for (let i = 0; i < 60; i++) {
      context.fillStyle = `hsl(${(i * 47 + n * 3) % 360} 60% ${30 + (i + n) % 40}%)`;
      context.fillRect((i * 211 + n * (1 + i % 7)) % 1280, (i * 97 + n * (i % 5)) % 720, 180, 120);
    }
  }, 40);
  const audio = new AudioContext();
  const tone = audio.createOscillator();
  const out = audio.createMediaStreamDestination();
  tone.frequency.value = 330;
  tone.connect(out);
  tone.start();
  const pc = window.pc = new RTCPeerConnection();
  pc.addTransceiver(out.stream.getAudioTracks()[0], {direction: 'sendonly'});
  const video = pc.addTransceiver(canvas.captureStream(25).getVideoTracks()[0], {direction: 'sendonly',
    sendEncodings: [{rid: 'l', maxBitrate: 150000, scaleResolutionDownBy: 4},
      {rid: 'm', maxBitrate: 600000, scaleResolutionDownBy: 2}, {rid: 'h', maxBitrate: 2500000}]});
  const {codecs} = RTCRtpSender.getCapabilities('video');
  video.setCodecPreferences(codecs.filter(each => ['video/H264', 'video/rtx'].includes(each.mimeType)));
  const {codecs: voices} = RTCRtpSender.getCapabilities('audio');
  const first = name => voices.filter(each => each.mimeType == name);
  pc.getTransceivers()[0].setCodecPreferences([...first('audio/red'), ...first('audio/opus')]);
  await pc.setLocalDescription(await pc.createOffer());
  return pc.localDescription.sdp;
}"""
WATCH = """async sdp => {
  const pc = window.pc = new RTCPeerConnection();
  window.seen = {frames: 0, lastAt: null, longest: 0};
  window.heard = {longest: 0, run: 0, samples: 0, silent: 0};
  pc.ontrack = ({track}) => {
    const stream = new MediaStream([track]);
    const element = document.createElement(track.kind);
    Object.assign(element, {autoplay: true, muted: true, srcObject: stream});
    document.body.append(element);
    track.kind == 'video' ? look(element) : listen(stream);
  };
  const look = video => {
    const frame = now => {
      if (seen.lastAt !== null) seen.longest = Math.max(seen.longest, now - seen.lastAt);
      seen.lastAt = now;
      seen.frames += 1;
      video.requestVideoFrameCallback(frame);
    };
    video.requestVideoFrameCallback(frame);
  };
  const listen = stream => {
    const context = new AudioContext();
    const node = context.createScriptProcessor(1024, 1, 1);
    const block = context.sampleRate / 1000 * 2;
    node.onaudioprocess = ({inputBuffer}) => {
      const samples = inputBuffer.getChannelData(0);
      heard.samples += samples.length;
      for (let at = 0; at < samples.length; at += block) {
        let loud = 0;
        const end = Math.min(at + block, samples.length);
        for (let i = at; i < end; i++) loud = Math.max(loud, Math.abs(samples[i]));
        if (loud < 0.002) {
          heard.run += 2;
          heard.silent += 2;
          heard.longest = Math.max(heard.longest, heard.run);
        } else heard.run = 0;
      }
    };
    context.createMediaStreamSource(stream).connect(node);
    node.connect(context.destination);
  };
  await pc.setRemoteDescription({type: 'offer', sdp});
  await pc.setLocalDescription(await pc.createAnswer());
  return pc.localDescription.sdp;
}"""
RESET = """() => {
  Object.assign(seen, {longest: 0, frames: 0});
  Object.assign(heard, {longest: 0, run: 0, samples: 0, silent: 0});
}"""
LOOK = """async () => {
  const all = [...(await pc.getStats()).values()].filter(each => each.type == 'inbound-rtp');
  const of = kind => all.find(each => each.kind == kind) ?? {};
  return {video: of('video'), audio: of('audio'), seen: {...seen}, heard: {...heard}};
}"""
SLOTS = [("stage", Kind.VIDEO), ("main", Kind.AUDIO)]


@dataclass
class Viewing:
    """Both viewers' pages, and what the worker told."""

    worker: RunningWorker
    proxy: LossyProxy
    weak: Page
    good: Page

    def figures(self, peer: str = "weak") -> DownFigures | None:
        """The newest of its stage."""
        for event in reversed(self.worker.events):
            if isinstance(event, Figures):
                found = [d for d in event.down if d.peer == peer and d.slot == "stage"]
                if found:
                    return found[0]
        return None

    async def look(self, page: Page) -> dict[str, Any]:
        found: dict[str, Any] = await page.evaluate(LOOK)
        return found

    async def height(self, page: Page) -> int:
        return int((await self.look(page))["video"].get("frameHeight", 0))


@asynccontextmanager
async def viewing(line: Line | None = None, seed: int = 7) -> AsyncIterator[Viewing]:
    """A publisher and its two viewers; the weak one behind a proxy."""
    async with (
        running_worker() as worker,
        browser() as chromium,
        lossy_proxy(await worker_address(worker), down=line or Line(), up=line or Line(), seed=seed) as proxy,
    ):
        main, weak, good = [await blank_page(chromium) for _ in range(3)]
        answer = await worker.take_offer(await main.evaluate(PUBLISH), "up", "L")
        await main.evaluate(ANSWERED, answer.sdp)
        await worker.state("up", PeerState.CONNECTED)
        tracks = {track.kind: TrackName("up", track.mid) for track in answer.tracks}
        for name, page in (("weak", weak), ("good", good)):
            through = by_way_of(proxy) if name == "weak" else lambda local: local
            plan, offer = await worker.make_offer(name, "L", SLOTS, through)
            await worker.take_answer(await page.evaluate(WATCH, offer), name, plan)
            worker.point(name, "stage", tracks[Kind.VIDEO])
            worker.point(name, "main", tracks[Kind.AUDIO])
        yield Viewing(worker, proxy, weak, good)


async def until(condition: Any, timeout_s: float) -> float | None:
    """Seconds until it held; None: it did not."""
    began = time.monotonic()
    while time.monotonic() - began < timeout_s:
        if await condition():
            return time.monotonic() - began
        await asyncio.sleep(0.1)
    return None


async def thin(rate_bps: int, seconds: float) -> None:
    async with viewing() as found:
        weak, good = found.weak, found.good

        async def shows(page: Page, height: int) -> bool:
            return await found.height(page) == height

        first = await until(lambda: shows(weak, 720), 30)
        print(f"both at 720 lines after {first} s")
        await asyncio.sleep(4)
        for page in (weak, good):
            await page.evaluate(RESET)
        began = time.monotonic()
        found.proxy.lines[DOWN] = Line(rate_bps=rate_bps, queue_bytes=64_000, delay_s=0.025)
        print("layer below 720 after", await until(lambda: _differs(found, weak, 720), 20), "s")
        while time.monotonic() - began < seconds:
            await asyncio.sleep(1)
            await _tell(found, began)
        before = await found.look(weak)
        await weak.evaluate(RESET)
        found.proxy.lines[DOWN] = Line()
        began = time.monotonic()
        back = await until(lambda: shows(weak, 720), 40)
        print(f"back at 720 lines {back} s after the line's recovery")
        print(f"while thin: silence at most {before['heard']['longest']} ms, picture still at most "
              f"{before['seen']['longest']:.0f} ms")  # fmt: skip
        await _tell_good(found)


async def _differs(found: Viewing, page: Page, height: int) -> bool:
    shown = await found.height(page)
    return shown not in (0, height)


async def _tell(found: Viewing, began: float) -> None:
    now = await found.look(found.weak)
    told = found.figures()
    video, heard = now["video"], now["heard"]
    print(
        f"{time.monotonic() - began:5.1f} s: {video.get('frameHeight')} lines, "
        f"{now['seen']['frames']} frames, "
        f"silent {heard['silent']} ms of {heard['samples'] / 48:.0f}, lost {video.get('packetsLost')}, "
        f"estimate {told.estimate_bps / 1e3 if told else 0:.0f} kbit/s, "
        f"{told.bitrate_bps / 1e3 if told else 0:.0f} sent, layer {told.layer if told else '-'}"
        f"{' held' if told and told.held else ''}"
    )


async def _tell_good(found: Viewing) -> None:
    now = await found.look(found.good)
    print(
        f"the other viewer: {sum(now[kind].get('packetsLost', 0) for kind in ('video', 'audio'))} lost, "
        f"freezes {now['video'].get('totalFreezesDuration', 0):.2f} s, longest still "
        f"{now['seen']['longest']:.0f} ms, silence at most {now['heard']['longest']} ms"
    )


async def lossy(seconds: float, seed: int) -> None:
    async with viewing(seed=seed) as found:
        await until(lambda: _differs(found, found.weak, 1), 30)
        await asyncio.sleep(4)
        line = Line(loss=0.1, delay_s=0.05)
        found.proxy.lines = {UP: line, DOWN: line}
        await asyncio.sleep(6)
        before = await found.look(found.weak)
        for page in (found.weak, found.good):
            await page.evaluate(RESET)
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            await asyncio.sleep(5)
            await _tell(found, began)
        after = await found.look(found.weak)
        samples = after["audio"]["totalSamplesReceived"] - before["audio"]["totalSamplesReceived"]
        concealed = after["audio"]["concealedSamples"] - before["audio"]["concealedSamples"]
        print(
            f"concealed {concealed / samples:.2%} of samples, "
            f"silence at most {after['heard']['longest']} ms, "
            f"picture still at most {after['seen']['longest']:.0f} ms, "
            f"{after['seen']['frames'] / seconds:.1f} frames/s of {after['video']['frameHeight']} lines"
        )
        await _tell_good(found)


async def throttled(seconds: float) -> None:
    """Milliseconds from a packet's arrival to its picture (jitter buffer and decoding), in parts of 20 s."""
    async with viewing() as found:
        await until(lambda: _differs(found, found.weak, 1), 30)
        await asyncio.sleep(6)
        devtools = await found.weak.context.new_cdp_session(found.weak)
        await devtools.send("Emulation.setCPUThrottlingRate", {"rate": 4})
        before, began = (await found.look(found.weak))["video"], time.monotonic()
        while time.monotonic() - began < seconds:
            await asyncio.sleep(20)
            now = (await found.look(found.weak))["video"]

            def since(field: str, old: dict[str, Any] = before, new: dict[str, Any] = now) -> float:
                return float(new[field]) - float(old[field])

            shown = max(1.0, since("framesDecoded"))
            print(
                f"{time.monotonic() - began:5.0f} s: {now['frameHeight']} lines, {shown / 20:.1f} frames/s, "
                f"dropped {since('framesDropped'):.0f}, from arrival to picture "
                f"{since('totalProcessingDelay') / shown * 1e3:.0f} ms, of it in the buffer "
                f"{since('jitterBufferDelay') / max(1.0, since('jitterBufferEmittedCount')) * 1e3:.0f} ms"
            )
            before = now


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["thin", "lossy", "throttled"])
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--rate", type=int, default=500_000)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    if given.what == "thin":
        asyncio.run(thin(given.rate, given.seconds or 25))
    elif given.what == "lossy":
        asyncio.run(lossy(given.seconds or 60, given.seed))
    else:
        asyncio.run(throttled(given.seconds or 200))


if __name__ == "__main__":
    main()

"""GStreamer's webrtcbin as WHIP publisher or WHEP viewer; run by Debian's Python, which has its bindings.

    python3 gstreamer_webrtc.py publish|watch URL TOKEN

It offers whole (no trickle) and hangs up (DELETE) when its standard input ends. A line each: "posted STATUS",
"connected", "video N" and "audio N" (packets that came), "deleted STATUS".
"""

from __future__ import annotations

import sys
import threading
import urllib.parse
import urllib.request
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstSdp", "1.0")
gi.require_version("GstWebRTC", "1.0")
from gi.repository import GLib, Gst, GstSdp, GstWebRTC  # noqa: E402 - after the versions

PUBLISH = """
  webrtcbin name=rtc bundle-policy=max-bundle
  videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=25/1
    ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 bitrate=300
    ! video/x-h264,profile=constrained-baseline ! rtph264pay aggregate-mode=zero-latency config-interval=-1
    ! application/x-rtp,media=video,encoding-name=H264,payload=102 ! rtc.
  audiotestsrc is-live=true freq=440 ! audioconvert ! audioresample ! opusenc ! rtpopuspay
    ! application/x-rtp,media=audio,encoding-name=OPUS,payload=111 ! rtc.
"""
TAKEN = (
    "application/x-rtp,media=video,encoding-name=H264,payload=102,clock-rate=90000,packetization-mode=(string)1,"
    "profile-level-id=(string)42e01f,rtcp-fb-nack=true,rtcp-fb-nack-pli=true",
    "application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000,encoding-params=(string)2",
)
EVERY = 25  # packets a line

# Looked up here: a name's first use makes its binding, which two of GStreamer's threads must not do at once.
ANSWER = GstWebRTC.WebRTCSDPType.ANSWER
CONNECTED = GstWebRTC.WebRTCPeerConnectionState.CONNECTED
GATHERED = GstWebRTC.WebRTCICEGatheringState.COMPLETE
BUFFERS, GO_ON, OUTWARD = Gst.PadProbeType.BUFFER, Gst.PadProbeReturn.OK, Gst.PadDirection.SRC


def say(*words: object) -> None:
    print(*words, flush=True)


def alone() -> Any:
    """A pipeline of nothing but the connection."""
    pipeline, rtc = Gst.Pipeline.new(), Gst.ElementFactory.make("webrtcbin", "rtc")
    rtc.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
    pipeline.add(rtc)
    return pipeline


class Client:
    """One connection; everything but the HTTP requests runs in the main loop's thread."""

    def __init__(self, mode: str, url: str, token: str) -> None:
        self.url, self.token, self.session = url, token, ""
        self.loop = GLib.MainLoop()
        self.pipeline: Any = Gst.parse_launch(PUBLISH) if mode == "publish" else alone()
        self.rtc: Any = self.pipeline.get_by_name("rtc")
        self.posted = False
        self.rtc.connect("notify::ice-gathering-state", lambda *_: self.post_once())
        self.rtc.connect("notify::connection-state", lambda *_: self.tell_state())
        self.rtc.connect("pad-added", self.take)
        if mode == "watch":
            for caps in TAKEN:
                direction = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
                self.rtc.emit("add-transceiver", direction, Gst.Caps.from_string(caps))
            self.pipeline.set_state(Gst.State.PLAYING)
            self.offer()
        else:
            self.rtc.connect("on-negotiation-needed", lambda *_: self.offer())
            self.pipeline.set_state(Gst.State.PLAYING)

    def offer(self) -> None:
        self.rtc.emit("create-offer", None, Gst.Promise.new_with_change_func(self.offered))

    def offered(self, promise: Any) -> None:
        reply = promise.get_reply()  # the offer lives as long as this
        self.rtc.emit("set-local-description", reply.get_value("offer"), None)

    def post_once(self) -> None:
        done = self.rtc.get_property("ice-gathering-state") == GATHERED
        if done and not self.posted:
            self.posted = True
            threading.Thread(target=self.post, daemon=True).start()

    def post(self) -> None:
        text = self.rtc.get_property("local-description").sdp.as_text()
        with self.ask(self.url, "POST", text.encode()) as answer:
            say("posted", answer.status)
            self.session = urllib.parse.urljoin(self.url, answer.headers["Location"])
            told = answer.read().decode()
        _, parsed = GstSdp.SDPMessage.new_from_text(told)
        description = GstWebRTC.WebRTCSessionDescription.new(ANSWER, parsed)
        self.rtc.emit("set-remote-description", description, None)

    def ask(self, url: str, method: str, body: bytes | None = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/sdp"}
        asked = urllib.request.Request(url, body, headers, method=method)
        return urllib.request.urlopen(asked, timeout=20)

    def tell_state(self) -> None:
        if self.rtc.get_property("connection-state") == CONNECTED:
            say("connected")

    def take(self, _rtc: Any, pad: Any) -> None:
        """Count the packets of a line that comes."""
        if pad.get_direction() is not OUTWARD:
            return
        kind = pad.get_current_caps().get_structure(0).get_string("media")
        sink = Gst.ElementFactory.make("fakesink")
        sink.set_property("sync", False)
        sink.set_property("async", False)
        self.pipeline.add(sink)
        sink.sync_state_with_parent()
        pad.link(sink.get_static_pad("sink"))
        count = 0

        def counted(*_: Any) -> Any:
            nonlocal count
            count += 1
            if count % EVERY == 0:
                say(kind, count)
            return GO_ON

        pad.add_probe(BUFFERS, counted)

    def hang_up(self) -> None:
        sys.stdin.read()
        with self.ask(self.session, "DELETE") as answer:
            say("deleted", answer.status)
        GLib.idle_add(self.loop.quit)

    def run(self) -> None:
        threading.Thread(target=self.hang_up, daemon=True).start()
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)


if __name__ == "__main__":
    Gst.init(None)
    Client(*sys.argv[1:]).run()

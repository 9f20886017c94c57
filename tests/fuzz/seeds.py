"""Where fuzzing begins: well-formed inputs of each target, for mutation."""

from __future__ import annotations

import struct

import msgspec
from aioice import stun

from server.protocol import messages as m
from tests.unit.media.relay.loopback import build_nack, build_pli, build_rtp, build_sr
from tests.unit.protocol.offers import CHROME_79_UP, CHROMIUM_UP, FIREFOX_UP

LOCAL_CREDENTIALS = ("our1", "our-password-our-password")
FRAGMENT = (
    b"a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n"
    b"a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host generation 0\r\n"
    b"a=end-of-candidates\r\n"
)

CLIENT_HELLO = bytes.fromhex(  # as OpenSSL writes it; its random is not
    "16feff0000000000000000009a0100008e000000000000008efefd"
    + "5a" * 32
    + "00000008c02bcca9c009c00a0100005cff01"
    "000100000b00020100000a000c000a001d0017001e00180019000e00070004000700010000160000"
    "00170000000d002a0028040305030603080708080809080a080b080408050806040105010601030303010302040205020602"
)


def packed(*pieces: bytes) -> bytes:
    """The form `targets.pieces` takes apart."""
    return b"".join(struct.pack("!H", len(each) - 1) + each for each in pieces)


def check() -> bytes:
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    message.attributes.update({"USERNAME": "our1:them", "PRIORITY": 1, "ICE-CONTROLLING": 7})
    message.attributes["USE-CANDIDATE"] = None
    message.add_message_integrity(LOCAL_CREDENTIALS[1].encode())
    message.add_fingerprint()
    return bytes(message)


def feedback() -> bytes:
    """Transport-wide feedback: run length, both status vectors, small and large deltas."""
    chunks = struct.pack("!HHH", 0x2004, 0b1010_1010_1010_1010, 0b1101_1010_0000_0000)
    body = struct.pack("!IIHHI", 1, 5000, 0, 18, 0x000001_00) + chunks + bytes([4] * 10) + b"\x00\x10\xff\xf0"
    body += bytes(-len(body) % 4)
    return struct.pack("!BBH", 0x8F, 205, len(body) // 4) + body


def _rtp() -> list[bytes]:
    extensions = {1: b"\x30", 3: b"\x00\x07", 4: b"v", 5: b"h"}
    sent: dict[str, int] = {"ssrc": 1111, "payload_type": 102}
    return [
        build_rtp(1, 9000, b"\x65" + bytes(40), marker=True, extensions=extensions, **sent),
        build_rtp(2, 9000, b"\x78\x00\x04\x67\x42\xe0\x1f\x00\x02\x68\xce\x00\x02\x65\x01", **sent),
        build_rtp(3, 9000, b"\x7c\x85" + bytes(40), **sent),
        build_rtp(4, 9000, b"\x00\x01\x65" + bytes(9), ssrc=2222, payload_type=103),
        build_rtp(5, 9000, b"\x90\x80\x81\x01\x9d\x01\x2a" + bytes(9), ssrc=1111, payload_type=104),
        build_rtp(6, 960, b"\xef\x03\xc0\x04\x6f\x01\x02\x03\x04\x05", ssrc=3333, payload_type=63),
        build_rtp(7, 960, b"\x78" * 40, ssrc=3333, payload_type=111, padding=8),
    ]


def _rtcp() -> list[bytes]:
    report = struct.pack("!BBHIIIIIII", 0x81, 201, 7, 1, 5000, 0x10000003, 70_000, 9, 0, 0)
    remb = struct.pack("!BBHII4sII", 0x8F, 206, 5, 1, 0, b"REMB", 0x01048000, 5000)
    bye = struct.pack("!BBHI", 0x81, 203, 1, 1111)
    nack, pli = build_nack(5000, [1, 2, 9]), build_pli(5000)
    return [build_sr(1111, 7 << 32, 9000) + report, report + nack + pli + remb, feedback(), bye + nack]


SEEDS: dict[str, list[bytes]] = {
    "stun": [check()],
    "sdp": [each.encode() for each in (CHROMIUM_UP, CHROME_79_UP, FIREFOX_UP)],
    "fragment": [FRAGMENT],
    "websocket": [
        msgspec.json.encode(m.Hello(token="t" * 20, resume="s1"))
        + b"\n"
        + msgspec.json.encode(m.OfferUp(offer=1, sdp="v=0", sources={}))
        + b"\n"
        + msgspec.json.encode(m.Hand(up=True)),
    ],
    "dtls": [packed(CLIENT_HELLO), packed(CLIENT_HELLO[:100], CLIENT_HELLO)],
    "relay_datagrams": [packed(check(), *_rtp(), *_rtcp())],
    "relay_rtp": [packed(*_rtp())],
    "relay_rtcp": [packed(*_rtcp())],
    "relay_tcp": [packed(struct.pack("!H", 100) + check()[:100], struct.pack("!H", 3) + b"abc", b"\xff\xff")],
}

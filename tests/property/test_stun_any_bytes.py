"""Whatever comes as STUN, RTCP or a control frame: dropped or refused, never an exception of another kind."""

from __future__ import annotations

import asyncio

import msgspec
from aioice import stun
from hypothesis import given, settings
from hypothesis import strategies as st

from recorder.framing import MAX_MESSAGE, BadFrame, encode_frame, read_frame
from server.media import contract
from server.media.ice import Check, Credentials, Dropped, IceLite
from server.protocol.parameters import Codec, CodecName, DownSlot, Extensions, Kind, Source, UpTrack

OURS = Credentials("our1", "our-password-our-password")


def check_bytes(pwd: str = OURS.pwd) -> bytes:
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    message.attributes.update({"USERNAME": "our1:them", "PRIORITY": 1, "ICE-CONTROLLING": 7})
    message.add_message_integrity(pwd.encode())
    return bytes(message)


@st.composite
def damaged_check(draw: st.DrawFn) -> bytes:
    data = bytearray(check_bytes())
    for _ in range(draw(st.integers(1, 5))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data)))] + draw(st.binary(max_size=40)))


@given(st.one_of(damaged_check(), st.binary(max_size=200)))
@settings(max_examples=400)
def test_any_stun_is_dropped_by_name_or_was_ours(data: bytes) -> None:
    found = IceLite([OURS], ["them"]).receive(data, ("192.0.2.1", 9))
    if isinstance(found, Check):
        assert stun.parse_message(data).check_message_integrity(OURS.pwd.encode())
        assert len(found.reply) <= 100
    else:
        assert found in Dropped


@st.composite
def attributes(draw: st.DrawFn) -> bytes:
    """A message whose header is right and whose attributes are not."""
    kinds = st.sampled_from([1, 6, 8, 9, 0x20, 0x24, 0x25, 0x8028, 0x8029, 0x802A, 0x7777])
    body = b""
    for _ in range(draw(st.integers(0, 6))):
        value = draw(st.binary(max_size=24))
        length = draw(st.sampled_from([len(value), 0, 65_535]))
        body += draw(kinds).to_bytes(2, "big") + length.to_bytes(2, "big") + value
        body += bytes(-len(value) % 4)
    return b"\x00\x01" + len(body).to_bytes(2, "big") + b"\x21\x12\xa4\x42" + bytes(12) + body


@given(attributes())
@settings(max_examples=300)
def test_any_attributes_are_dropped(data: bytes) -> None:
    assert IceLite([OURS], []).receive(data, ("192.0.2.1", 9)) in Dropped


NAMES = st.text(max_size=20)
TRACKS = st.builds(contract.TrackName, NAMES, NAMES)
CODECS = st.builds(Codec, st.sampled_from(CodecName), st.integers(0, 127), st.just(90_000))
UPS = st.builds(
    UpTrack,
    NAMES,
    st.sampled_from(Source),
    st.sampled_from(Kind),
    st.lists(CODECS, max_size=3),
    st.builds(Extensions, st.integers(0, 14)),
    st.dictionaries(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), max_size=3),
)
DOWNS = st.builds(
    DownSlot,
    NAMES,
    NAMES,
    st.sampled_from(Kind),
    st.lists(CODECS, max_size=3),
    st.builds(Extensions),
    st.integers(0, 2**32 - 1),
)
COMMANDS = st.one_of(
    st.builds(contract.OpenPeer, st.integers(0, 99), NAMES, NAMES),
    st.builds(contract.SetUpTracks, st.integers(0, 99), NAMES, st.lists(UPS, max_size=3)),
    st.builds(contract.SetDownSlots, st.integers(0, 99), NAMES, st.lists(DOWNS, max_size=3)),
    st.builds(contract.Point, NAMES, NAMES, st.none() | TRACKS),
    st.builds(
        contract.TapTrack,
        st.integers(0, 99),
        NAMES,
        TRACKS,
        st.integers(-(2**63), 2**63),
        st.binary(max_size=9),
    ),
)


def decode(data: bytes) -> contract.Command | None:
    async def read() -> contract.Command | None:
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        return await read_frame(reader, msgspec.msgpack.Decoder(contract.Command))

    return asyncio.run(read())


@given(COMMANDS)
@settings(max_examples=100)
def test_every_command_comes_through_as_it_was(command: contract.Command) -> None:
    assert decode(encode_frame(command)) == command


@given(st.one_of(st.binary(max_size=80), COMMANDS.map(encode_frame)), st.integers(0, 60), st.integers(0, 255))
@settings(max_examples=150)
def test_any_control_bytes_are_a_command_the_end_or_a_bad_frame(data: bytes, place: int, value: int) -> None:
    changed = bytearray(data)
    if place < len(changed):
        changed[place] = value
    try:
        found = decode(bytes(changed))
    except BadFrame:
        return
    assert found is None or isinstance(found, msgspec.Struct)
    assert len(data) <= MAX_MESSAGE

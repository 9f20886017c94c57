"""RTMP's bytes, our side of a connection, and what lies between it and its reader."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.ingest.rtmp import amf, chunks
from server.ingest.rtmp.chunks import BadRtmp, ChunkReader, Message, chunked
from server.ingest.rtmp.session import HANDSHAKE, Asked, Ended, Media, RtmpSession, RtmpState
from server.ingest.rtmp.slot import MOST_READERS, MOST_WAITING, PushReader, PushSlot, tag

KEYFRAME = Media(chunks.VIDEO, 40, b"\x17\x01\0\0\0" + b"k" * 100)
PICTURE = Media(chunks.VIDEO, 80, b"\x27\x01\0\0\0" + b"p" * 100)
PARAMETERS = Media(chunks.VIDEO, 0, b"\x17\x00\0\0\0avcC")
values = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.dictionaries(st.text(min_size=1, max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(values, max_size=5))
def test_amf_says_what_was_said(said: list[amf.Value]) -> None:
    assert amf.decode(amf.encode(said)) == said


@given(st.binary(max_size=200))
def test_any_bytes_are_amf_or_not(data: bytes) -> None:
    with contextlib.suppress(amf.BadAmf):
        amf.decode(data)


@given(
    st.lists(st.tuples(st.sampled_from([8, 9, 18]), st.integers(0, 2**32 - 1), st.binary(max_size=600))),
    st.integers(1, 300),
)
def test_messages_come_whole_however_they_are_cut(said: list[tuple[int, int, bytes]], cut: int) -> None:
    messages = [Message(kind, 1, at, payload) for kind, at, payload in said]
    data = b"".join(chunked(message, 6) for message in messages)
    reader = ChunkReader()
    heard = [one for at in range(0, len(data), cut) for one in reader.feed(data[at : at + cut])]
    assert heard == messages


@given(st.binary(max_size=3000), st.integers(1, 500))
def test_any_bytes_are_rtmp_or_not(data: bytes, cut: int) -> None:
    for start in (b"", b"\3" + bytes(2 * HANDSHAKE)):
        session = RtmpSession()
        try:
            for at in range(0, len(start + data), cut):
                list(session.receive((start + data)[at : at + cut]))
        except BadRtmp:
            pass


def test_a_message_larger_than_anybody_needs_ends_the_connection() -> None:
    head = b"\x06" + bytes(3) + (chunks.MOST_MESSAGE + 1).to_bytes(3, "big") + b"\x09" + bytes(4)
    with pytest.raises(BadRtmp):
        list(ChunkReader().feed(head))


def test_what_is_in_the_making_on_many_chunk_streams_is_bounded() -> None:
    reader = ChunkReader(chunk_size=1 << 20)
    heads = [bytes([n]) + bytes(3) + (3 << 20).to_bytes(3, "big") + b"\x09" + bytes(4) for n in range(3, 30)]
    with pytest.raises(BadRtmp):
        list(reader.feed(b"".join(head + bytes(1 << 20) for head in heads)))


def connected() -> RtmpSession:
    session = RtmpSession()
    assert not list(session.receive(b"\3" + bytes(2 * HANDSHAKE)))
    assert len(session.take()) == 1 + 2 * HANDSHAKE
    say(session, "connect", 1.0, {"app": "live"})
    return session


def say(session: RtmpSession, *said: amf.Value) -> list[object]:
    return list(session.receive(chunked(Message(chunks.COMMAND, 0, 0, amf.encode(said)), 3)))


def send(session: RtmpSession, media: Media) -> list[object]:
    return list(session.receive(chunked(Message(media.kind, 1, media.timestamp, media.payload), 6)))


def test_an_encoder_asks_is_let_in_sends_and_leaves() -> None:
    session = connected()
    say(session, "releaseStream", 2.0, None, "word")
    say(session, "createStream", 4.0, None)
    assert say(session, "publish", 5.0, None, "word", "live") == [Asked("live", "word")]
    session.accept()
    assert b"NetStream.Publish.Start" in session.take()
    assert send(session, KEYFRAME) == [KEYFRAME]
    assert say(session, "deleteStream", 6.0, None, 1.0) == [Ended()]
    assert session.state is RtmpState.ENDED


def test_media_before_a_key_was_accepted_ends_the_connection() -> None:
    with pytest.raises(BadRtmp):
        send(connected(), KEYFRAME)


def test_a_key_is_in_no_text_of_what_was_asked() -> None:
    assert "word" not in repr(Asked("live", "word"))


def at_rest() -> bool:
    return False


def all_of(slot: PushSlot, reader: PushReader) -> bytes:
    return b"".join(iter(lambda: slot.taken(reader), b""))


def reading(slot: PushSlot, *, at_once: bool = False) -> PushReader:
    reader = PushReader(at_once)
    assert slot.joined(reader)
    return reader


def pushed(*said: Media) -> PushSlot:
    slot = PushSlot()
    slot.begin()
    for media in said:
        slot.put(media)
    return slot


def test_a_reader_is_given_the_parameters_and_then_all_from_a_keyframe_on() -> None:
    slot = pushed(PARAMETERS)
    assert slot.opened(at_rest, 0.0) is None, "no picture yet"
    reader = reading(slot)
    for media in (PICTURE, KEYFRAME, PICTURE):
        slot.put(media)
    said = all_of(slot, reader)
    assert said.startswith(b"FLV\x01\x01")
    assert said.endswith(tag(KEYFRAME) + tag(PICTURE))
    assert said.count(b"avcC") == 1
    slot.put(PICTURE)
    slot.end()
    assert slot.next_piece(reader, at_rest) == tag(PICTURE), "what came before the end is its to have"
    assert slot.next_piece(reader, at_rest) == b""


def test_two_readers_are_each_given_everything_whenever_they_come_and_go() -> None:
    slot = pushed(PARAMETERS)
    lesson = reading(slot)
    slot.put(KEYFRAME)
    probe = reading(slot, at_once=True)
    for media in (PICTURE, KEYFRAME, PICTURE):
        slot.put(media)
    assert all_of(slot, probe).endswith(
        b"avcC" + tag(PARAMETERS)[-4:] + tag(PICTURE) + tag(KEYFRAME) + tag(PICTURE)
    )
    slot.left(probe)
    slot.put(PICTURE)
    assert all_of(slot, lesson).endswith(
        tag(KEYFRAME) + tag(PICTURE) + tag(KEYFRAME) + tag(PICTURE) + tag(PICTURE)
    )
    assert all_of(slot, probe) == b""
    assert lesson.dropped == 0


def test_a_reader_that_is_too_slow_loses_pictures_up_to_a_keyframe_and_it_alone() -> None:
    slot = pushed(PARAMETERS)
    slow, quick = reading(slot), reading(slot)
    large = Media(chunks.VIDEO, 40, KEYFRAME.payload + bytes(1 << 20))
    had = 0
    for _ in range(20):
        slot.put(large)
        had += all_of(slot, quick).count(tag(large))
    assert (had, quick.dropped) == (20, 0)
    assert slow.dropped
    assert slow.waiting < MOST_WAITING + 2 * (1 << 20)
    assert all_of(slot, slow)
    changed = Media(chunks.VIDEO, 60, PARAMETERS.payload + b"changed")
    for media in (PICTURE, changed, PICTURE, KEYFRAME, PICTURE):
        slot.put(media)
    resumed = Media(changed.kind, KEYFRAME.timestamp, changed.payload)
    assert all_of(slot, slow) == tag(resumed) + tag(KEYFRAME) + tag(PICTURE)


def test_readers_are_bounded_and_who_left_makes_room() -> None:
    slot = pushed(PARAMETERS)
    readers = [reading(slot) for _ in range(MOST_READERS)]
    assert not slot.joined(PushReader())
    assert slot.opened(at_rest, 0.0) is None
    slot.left(readers[0])
    assert slot.joined(PushReader())


def test_what_comes_while_nobody_reads_is_let_go() -> None:
    slot = pushed(PARAMETERS, KEYFRAME, PICTURE)
    reader = reading(slot)
    assert all_of(slot, reader) == b""


def test_a_reader_has_one_push_and_who_waits_has_the_next_one() -> None:
    slot = pushed(PARAMETERS, KEYFRAME)
    reader, waiting, probe = reading(slot), reading(slot), reading(slot, at_once=True)
    slot.end()
    assert probe.over, "it is of this push"
    assert not reader.over, "no keyframe came to begin with"
    slot.begin()
    for media in (PARAMETERS, KEYFRAME):
        slot.put(media)
    slot.left(waiting)
    slot.end()
    slot.begin()
    for media in (PARAMETERS, KEYFRAME):
        slot.put(media)
    assert all_of(slot, reader).count(tag(KEYFRAME)) == 1
    assert reader.over


async def test_a_push_without_a_keyframe_is_read_from_any_picture_on_after_a_while() -> None:
    slot = pushed(PARAMETERS)
    reader = None
    while reader is None:
        opening = asyncio.create_task(asyncio.to_thread(slot.opened, at_rest, 0.0))
        while not opening.done():
            slot.put(PICTURE)
            await asyncio.sleep(0.01)
        reader = await opening
    assert reader.read(1 << 20).startswith(b"FLV")
    reader.close()
    slot.put(PICTURE)
    assert not slot._readers

"""Whatever text comes as SDP: it is read, or `BadSdp` says why; nothing else, and never for long."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from aiortc.sdp import SessionDescription
from hypothesis import given, settings
from hypothesis import strategies as st

from server.protocol.parameters import Candidate, Fingerprint, Kind, LocalTransport, Source
from server.protocol.sdp import (
    BadSdp,
    SlotPlan,
    answer_up,
    answer_whep,
    offer_down,
    read_down_answer,
    read_fragment,
    read_offer,
)
from tests.unit.protocol.offers import CHROME_79_UP, CHROMIUM_UP, FIREFOX_UP, SIMULCAST_UP

LOCAL = LocalTransport(
    "worker01", "p" * 24, [Fingerprint("sha-256", ":".join(["AB"] * 32))], [Candidate("192.0.2.7", 40000)]
)
PLAN = [
    SlotPlan("stage", "0", Kind.VIDEO, 1001, 1002, "main"),
    SlotPlan("main", "1", Kind.AUDIO, 1003, 0, "main"),
]
OFFERS = [CHROMIUM_UP, CHROME_79_UP, FIREFOX_UP, SIMULCAST_UP, CHROMIUM_UP.replace("sendonly", "recvonly")]
LINES = sorted({line for offer in OFFERS for line in offer.split("\r\n") if line})


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A browser's offer with some lines lost, moved, doubled or changed."""
    lines = draw(st.sampled_from(OFFERS)).split("\r\n")
    for _ in range(draw(st.integers(1, 6))):
        place = draw(st.integers(0, len(lines) - 1))
        match draw(st.integers(0, 4)):
            case 0:
                del lines[place]
                lines = lines or ["v=0"]
            case 1:
                lines.insert(place, draw(st.sampled_from(LINES)))
            case 2:
                at = draw(st.integers(0, len(lines[place])))
                lines[place] = lines[place][:at] + draw(st.text(max_size=8)) + lines[place][at + 1 :]
            case 3:
                lines[place] = lines[place][: draw(st.integers(0, len(lines[place])))]
            case 4:
                number = draw(st.sampled_from(["0", "-1", "127", "255", "65536", "4294967296", "1e9", "*"]))
                head, colon, tail = lines[place].partition(":")
                lines[place] = head + colon + number + tail[1:]
    return "\r\n".join(lines)


def use(text: str) -> None:
    """Everything that is done with a stranger's SDP."""
    offer = read_offer(text)
    kinds = {section.mid: section.kind for section in offer.sections}
    free = iter([Source.CAMERA, Source.SCREEN, Source.CAMERA2])
    sources = {}
    for mid, kind in kinds.items():
        source = next(free, None) if kind == "video" else Source.VOICE
        if source and source not in sources.values():
            sources[mid] = source
    with suppress(BadSdp):
        answer = answer_up(offer, sources, LOCAL, version=1)
        again = SessionDescription.parse(answer.sdp)
        assert [str(media.rtp.muxId) for media in again.media] == list(kinds)
        assert len(answer.sdp) < 64 * 1024
        assert answer.sdp.count("\r\nm=") == len(kinds)
    SessionDescription.parse(answer_whep(offer, PLAN, LOCAL, version=1).sdp)


@given(st.one_of(damaged(), st.text(max_size=400)))
@settings(max_examples=250)
def test_any_offer_is_answered_or_refused(text: str) -> None:
    with suppress(BadSdp):
        use(text)


@given(damaged())
@settings(max_examples=100)
def test_any_answer_is_taken_or_refused(text: str) -> None:
    with suppress(BadSdp):
        read_down_answer(text, PLAN)


@given(st.one_of(st.text(max_size=300), damaged()))
@settings(max_examples=100)
def test_any_fragment_is_taken_or_refused(text: str) -> None:
    with suppress(BadSdp):
        assert 4 <= len(read_fragment(text).ufrag) <= 256


@given(
    st.lists(
        st.tuples(st.sampled_from([Kind.AUDIO, Kind.VIDEO]), st.integers(1, 2**32 - 2)),
        min_size=1,
        max_size=12,
        unique_by=lambda each: each[1],
    )
)
@settings(max_examples=40)
def test_our_offer_echoed_gives_every_slot_back(slots: list[tuple[Kind, int]]) -> None:
    plan = [SlotPlan(f"s{n}", str(n), kind, ssrc, 0, "g") for n, (kind, ssrc) in enumerate(slots)]
    offer = offer_down(plan, LOCAL, version=1)
    echoed = offer.replace("a=sendonly", "a=recvonly").replace("a=setup:actpass", "a=setup:active")
    found = read_down_answer(echoed, plan)
    assert [(slot.name, slot.kind, slot.ssrc) for slot in found.slots] == [
        (s.name, s.kind, s.ssrc) for s in plan
    ]
    assert (found.remote.ufrag, found.remote.pwd) == (LOCAL.ufrag, LOCAL.pwd)


@pytest.mark.parametrize(
    "line", ["a=ssrc:{n} cname:x", "a=rtcp-fb:* nack", "a=rtpmap:96 x/{n}", "a=extmap:{n} x", "a=mid:{n}"]
)
def test_text_made_to_cost_much_is_refused_soon(line: str) -> None:
    many = "\r\n".join(line.format(n=n) for n in range(3_000))
    codecs = "\r\n".join(f"a=rtpmap:{n % 60} x/{n}" for n in range(200))
    began = time.process_time()
    with pytest.raises(BadSdp):
        use(CHROMIUM_UP + codecs + "\r\n" + many[:40_000] + "\r\n")
    assert time.process_time() - began < 0.5

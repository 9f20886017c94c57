"""SDP text <-> typed parameters: the door campus uses. Pure.

Four exchanges, all BUNDLEd on one transport with rtcp-mux, and we are ICE-lite in each:

- a page (or a WHIP client) offers what it sends: `read_offer`, `answer_up`;
- we offer the fixed slots of a down connection: `offer_down`, `read_down_answer`;
- a WHEP client offers to receive: `read_offer`, `answer_whep`;
- a WHIP or WHEP client restarts ICE by PATCH (RFC 8840): `read_fragment`, `write_fragment`.

Every function raises `BadSdp` for text the other side should not have sent, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from server.protocol.parameters import (
    Codec,
    CodecName,
    DownSlot,
    Kind,
    LocalTransport,
    RemoteTransport,
    Source,
    UpTrack,
)
from server.protocol.sdp_codecs import (
    UP_BITRATES_BPS,
    choose_audio,
    choose_video,
    down_codecs,
    kept_extensions,
    offered_down_extensions,
)
from server.protocol.sdp_fragment import Fragment, read_fragment, write_fragment
from server.protocol.sdp_text import BadSdp, Description, Section, read_description
from server.protocol.sdp_write import Line, media_section, rejected_section, session_head

__all__ = [
    "BadSdp",
    "DownAnswer",
    "Fragment",
    "Offer",
    "SlotPlan",
    "UpAnswer",
    "WhepAnswer",
    "answer_up",
    "answer_whep",
    "offer_down",
    "read_down_answer",
    "read_fragment",
    "read_offer",
    "write_fragment",
]

Offer = Description


@dataclass(frozen=True, slots=True)
class UpAnswer:
    """`remote` goes to the worker (`SetRemote`), `tracks` too (`SetUpTracks`); `bitrates`: MID ->
    most bits a second the page should send."""

    sdp: str
    remote: RemoteTransport
    tracks: list[UpTrack]
    bitrates: dict[str, int]


@dataclass(frozen=True, slots=True)
class SlotPlan:
    """A slot to be offered. `group` is its MediaStream id: equal groups are synchronised by the
    browser. `rtx_ssrc` 0: no RTX (audio)."""

    name: str
    mid: str
    kind: Kind
    ssrc: int
    rtx_ssrc: int
    group: str


@dataclass(frozen=True, slots=True)
class DownAnswer:
    """`slots`: those the viewer took, in the plan's order."""

    remote: RemoteTransport
    slots: list[DownSlot]


@dataclass(frozen=True, slots=True)
class WhepAnswer:
    sdp: str
    remote: RemoteTransport
    slots: list[DownSlot] = field(default_factory=list)


def read_offer(sdp: str) -> Offer:
    """Read an offer. It must bundle (RFC 9143) all its media, or have one section only."""
    offer = read_description(sdp)
    used = [section.mid for section in offer.sections if section.port != 0 and section.is_media]
    if len(used) > 1 and not set(used) <= set(offer.bundle):
        raise BadSdp("bundle_required", "m-sections outside one BUNDLE group")
    return offer


def answer_up(
    offer: Offer,
    sources: Mapping[str, Source],
    local: LocalTransport,
    *,
    version: int,
    music: bool = False,
    start_bitrate_kbps: int = 2_000,
) -> UpAnswer:
    """Answer a publisher. `sources`: MID -> what it carries; other sections are rejected (port 0).

    `version`: rises by one with each description of a connection. `music`: stereo and 128 kbit/s
    Opus on the voice. A section in `sources` that does not send at the moment is answered inactive
    and makes no track. BadSdp "source_mismatch" where a MID's kind does not fit its source.
    """
    unknown = set(sources) - {section.mid for section in offer.sections}
    if unknown:
        raise BadSdp("source_unknown_mid", "a source for a MID that is not in the offer")
    if len(set(sources.values())) != len(sources):
        raise BadSdp("source_twice", "one source on two m-sections")
    chosen = {s.mid: _up_codecs(s, sources[s.mid], music) for s in offer.sections if s.mid in sources}
    accepted = [s for s in offer.sections if s.port != 0 and chosen.get(s.mid)]
    remote = _transport(offer, accepted)
    tracks: list[UpTrack] = []
    blocks: list[list[Line]] = []
    for section in offer.sections:
        if section not in accepted:
            blocks.append(rejected_section(section))
            continue
        source, codecs = sources[section.mid], chosen[section.mid]
        track = _up_track(section, source, codecs, music)
        if section.sends:
            tracks.append(track)
        blocks.append(
            media_section(
                local,
                kind=track.kind,
                mid=section.mid,
                codecs=[_with_start_bitrate(codec, start_bitrate_kbps) for codec in codecs],
                extensions=track.extensions,
                direction="recvonly" if section.sends else "inactive",
                our_role=remote.our_role,
                transport_cc=track.extensions.transport_cc != 0,
                rids=section.rids if track.rids else (),
                protocol=section.protocol,
            )
        )
    head = session_head([section.mid for section in accepted], version)
    bitrates = {track.mid: track.max_bitrate_bps for track in tracks}
    return UpAnswer(_text(head, blocks), remote, tracks, bitrates)


def offer_down(plan: Sequence[SlotPlan], local: LocalTransport, *, version: int) -> str:
    """Our offer of a down connection: one sendonly m-section a slot, in the plan's order."""
    blocks = [
        media_section(
            local,
            kind=slot.kind,
            mid=slot.mid,
            codecs=down_codecs(slot.kind, rtx=slot.rtx_ssrc != 0),
            extensions=offered_down_extensions(slot.kind),
            direction="sendonly",
            our_role=None,
            transport_cc=True,
            ssrcs=(slot.ssrc, slot.rtx_ssrc),
            stream=(slot.group, slot.name),
        )
        for slot in plan
    ]
    return _text(session_head([slot.mid for slot in plan], version), blocks)


def read_down_answer(sdp: str, plan: Sequence[SlotPlan]) -> DownAnswer:
    """Read the viewer's answer to `offer_down(plan)`. A slot it rejects, or for which it has no
    codec of ours, is left out. BadSdp where the sections are not the plan's."""
    answer = read_description(sdp)
    if [section.mid for section in answer.sections] != [slot.mid for slot in plan]:
        raise BadSdp("answer_mismatch", "the answer's m-sections are not the offer's")
    slots: list[DownSlot] = []
    taken: list[Section] = []
    for section, slot in zip(answer.sections, plan, strict=True):
        offered = down_codecs(slot.kind, rtx=slot.rtx_ssrc != 0)
        codecs = _answered_codecs(section, offered)
        if section.receives and codecs and section.kind == slot.kind:
            taken.append(section)
            slots.append(_down_slot(slot, section, codecs))
    return DownAnswer(_transport(answer, taken), slots)


def answer_whep(offer: Offer, plan: Sequence[SlotPlan], local: LocalTransport, *, version: int) -> WhepAnswer:
    """Answer a WHEP client: its first receiving section of each kind gets the plan's next slot of
    that kind (whose `mid` is replaced by the client's); what has no slot is rejected."""
    waiting = list(plan)
    matched: dict[str, tuple[SlotPlan, list[Codec]]] = {}
    for section in offer.sections:
        slot = next((each for each in waiting if each.kind == section.kind), None)
        codecs = _whep_codecs(section, slot) if section.receives and slot else []
        if slot and codecs:
            waiting.remove(slot)
            matched[section.mid] = (slot, codecs)
    remote = _transport(offer, [s for s in offer.sections if s.mid in matched])
    slots: list[DownSlot] = []
    blocks: list[list[Line]] = []
    for section in offer.sections:
        if section.mid not in matched:
            blocks.append(rejected_section(section))
            continue
        slot, codecs = matched[section.mid]
        down = _down_slot(slot, section, codecs)
        slots.append(down)
        blocks.append(
            media_section(
                local,
                kind=slot.kind,
                mid=section.mid,
                codecs=codecs,
                extensions=down.extensions,
                direction="sendonly",
                our_role=remote.our_role,
                transport_cc=down.extensions.transport_cc != 0,
                remb=slot.kind is Kind.VIDEO
                and down.extensions.transport_cc == 0
                and any("goog-remb" in c.feedback for c in section.codecs),
                ssrcs=(down.ssrc, down.rtx_ssrc),
                stream=(slot.group, slot.name),
                protocol=section.protocol,
            )
        )
    head = session_head([mid for mid in (s.mid for s in offer.sections) if mid in matched], version)
    return WhepAnswer(_text(head, blocks), remote, slots)


def _up_codecs(section: Section, source: Source, music: bool) -> list[Codec]:
    if section.kind != (Kind.AUDIO if source is Source.VOICE else Kind.VIDEO):
        raise BadSdp("source_mismatch", f"the source {source} on an m-section of another kind")
    return choose_audio(section, music=music) if section.kind == Kind.AUDIO else choose_video(section)


def _up_track(section: Section, source: Source, codecs: list[Codec], music: bool) -> UpTrack:
    extensions = kept_extensions(section, up=True)
    rids = list(section.rids) if extensions.rid else []
    bitrate = 128_000 if music and source is Source.VOICE else UP_BITRATES_BPS[source]
    return UpTrack(
        mid=section.mid,
        source=source,
        kind=Kind(section.kind),
        codecs=codecs,
        extensions=extensions,
        ssrcs={} if rids else dict(section.ssrcs),
        rids=rids,
        max_bitrate_bps=bitrate,
    )


def _with_start_bitrate(codec: Codec, kbps: int) -> Codec:
    """Chromium begins sending at this rate, so that the picture is full within 2 s and not 12."""
    if codec.name in (CodecName.OPUS, CodecName.RED):
        return codec
    fmtp = ";".join(part for part in (codec.fmtp, f"x-google-start-bitrate={kbps}") if part)
    return msgspec.structs.replace(codec, fmtp=fmtp)


def _answered_codecs(section: Section, offered: list[Codec]) -> list[Codec]:
    """Ours that the answer repeats, in the answer's order, with their RTX where it took that too."""
    by_type = {codec.payload_type: codec for codec in offered}
    repeated = {codec.payload_type: codec.name for codec in section.codecs}
    found: list[Codec] = []
    for payload_type, name in repeated.items():
        ours = by_type.get(payload_type)
        if ours is not None and ours.name.lower() == name:
            rtx = ours.rtx if ours.rtx in repeated else None
            found.append(msgspec.structs.replace(ours, rtx=rtx))
    if not any(codec.name is not CodecName.RED for codec in found):
        return []
    return found


def _whep_codecs(section: Section, slot: SlotPlan) -> list[Codec]:
    if slot.kind is Kind.AUDIO:
        return choose_audio(section, music=False)
    return choose_video(section)


def _down_slot(slot: SlotPlan, section: Section, codecs: list[Codec]) -> DownSlot:
    rtx = slot.rtx_ssrc if any(codec.rtx is not None for codec in codecs) else 0
    return DownSlot(
        name=slot.name,
        mid=section.mid,
        kind=slot.kind,
        codecs=codecs,
        extensions=kept_extensions(section, up=False),
        ssrc=slot.ssrc,
        rtx_ssrc=rtx,
    )


def _transport(description: Description, accepted: Sequence[Section]) -> RemoteTransport:
    """The transport of the first accepted section in the BUNDLE group (RFC 9143, 7.3)."""
    if not accepted:
        raise BadSdp("nothing_accepted", "no m-section with a codec and a use of ours")
    order = {mid: place for place, mid in enumerate(description.bundle)}
    ranked = sorted(accepted, key=lambda section: order.get(section.mid, len(order)))
    for section in ranked:
        if section.remote is not None:
            return section.remote
    raise BadSdp("bad_ice", "no ICE parameters")


def _text(head: list[Line], blocks: list[list[Line]]) -> str:
    lines = [*head, *(line for block in blocks for line in block)]
    return "\r\n".join(lines) + "\r\n"

"""What the worker measures: levels, figures by room, reports to publishers, silence of tracks.

Reads the relay's totals and turns them into the last interval's figures; decides nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from server.media import rtcp
from server.media.contract import DownFigures, Event, Figures, Levels, TrackChanged, TrackName, UpFigures
from server.media.forwarding import Down, Forwarding, Up
from server.media.relay.tables import LayerFigures
from server.media.rows import NAMES
from server.protocol.parameters import CodecName, Kind

SILENT_US = 2_000_000


def levels(tables: Forwarding) -> Iterator[Event]:
    """Loudness of each room's voices since last asked, and tracks that fell silent or came back."""
    rooms: dict[str, list[tuple[TrackName, int]]] = defaultdict(list)
    for up in tables.ups.values():
        if up.codec is None:
            continue  # nothing came yet
        figures = tables.relay.layer_figures(up.handle)
        live = 0 <= figures.last_packet_age_us < SILENT_US
        if live != up.live:
            up.live = live
            yield TrackChanged(up.name, up.track.source, live, up.codec)
        if up.track.kind is Kind.AUDIO and live:
            up.level_dbov = max(up.level_dbov, figures.level_dbov)
            rooms[up.room].append((up.name, figures.level_dbov))
    for room, found in rooms.items():
        yield Levels(room, found)


def measure(tables: Forwarding, seconds: float) -> Iterator[Figures]:
    """Each room's figures over the last `seconds`; what carried nothing is left out."""
    ups: dict[str, list[UpFigures]] = defaultdict(list)
    downs: dict[str, list[DownFigures]] = defaultdict(list)
    for up in tables.ups.values():
        found = _up(tables, up, seconds)
        if found is not None:
            ups[up.room].append(found)
    for down in tables.all_downs():
        sent = _down(tables, down, seconds)
        if sent is not None:
            downs[down.room].append(sent)
    for room in {**ups, **downs}:
        yield Figures(room, ups[room], downs[room])


def reports(tables: Forwarding) -> Iterator[tuple[str, bytes]]:
    """A receiver report for each publishing peer, over all its tracks."""
    blocks: dict[str, list[rtcp.ReportBlock]] = defaultdict(list)
    for up in tables.ups.values():
        if up.live:
            now = tables.relay.layer_figures(up.handle)
            if now.ssrc:
                blocks[up.name.peer].append(_block(now, up.reported))
                up.reported = now
    for peer, found in blocks.items():
        yield peer, rtcp.receiver_report(found)


def codec_name(number: int) -> CodecName | None:
    """The codec of a relay's number; None for NONE and for numbers that are none."""
    return next((name for known, name in NAMES.items() if known == number), None)


def _block(now: LayerFigures, before: LayerFigures | None) -> rtcp.ReportBlock:
    lost, expected = now.lost, now.packets + now.lost
    if before is not None and before.ssrc == now.ssrc:
        lost -= before.lost
        expected -= before.packets + before.lost
    loss = lost / expected if expected > 0 and lost > 0 else 0.0
    delay = now.sr_age_us * 65_536 // 1_000_000 if now.sr_ntp_mid else 0
    return rtcp.ReportBlock(now.ssrc, loss, now.lost, now.highest_sequence, now.jitter, now.sr_ntp_mid, delay)


def _up(tables: Forwarding, up: Up, seconds: float) -> UpFigures | None:
    now, before = tables.relay.layer_figures(up.handle), up.before
    up.before = now
    level, up.level_dbov = up.level_dbov, -127
    if before is None or now.packets == before.packets:
        return None
    return UpFigures(
        up.name,
        up.track.source,
        up.track.kind,
        bitrate_bps=int((now.octets - before.octets) * 8 / seconds),
        packets=now.packets - before.packets,
        lost=max(0, now.lost - before.lost),
        keyframes=now.keyframes - before.keyframes,
        level_dbov=level,
    )


def _down(tables: Forwarding, down: Down, seconds: float) -> DownFigures | None:
    now, before = tables.relay.down_figures(down.handle), down.before
    down.before = now
    if before is None or now.packets == before.packets:
        return None
    return DownFigures(
        down.peer,
        down.slot.name,
        bitrate_bps=int((now.octets - before.octets) * 8 / seconds),
        packets=now.packets - before.packets,
        resent=now.resent - before.resent,
        loss=now.loss,
        round_trip_ms=max(0, now.round_trip_us) / 1_000,
    )

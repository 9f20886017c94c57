"""What the worker measures: levels, figures by room, reports to publishers, silence of tracks.

Reads the relay's totals and turns them into the last interval's figures; decides nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from server.media import rtcp
from server.media.contract import (
    DownFigures,
    Event,
    Figures,
    Levels,
    TrackChanged,
    TrackName,
    UpFigures,
    UpLayer,
)
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
        live = bool(up.living) or 0 <= figures.last_packet_age_us < SILENT_US
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
    viewers = _viewers(tables)
    for up in tables.ups.values():
        found = _up(tables, up, seconds, viewers)
        if found is not None:
            ups[up.room].append(found)
    for down in tables.all_downs():
        sent = _down(tables, down, seconds)
        if sent is not None:
            downs[down.room].append(sent)
    for room in {**ups, **downs}:
        yield Figures(room, ups[room], downs[room])


def layer_totals(tables: Forwarding) -> dict[str, float]:
    """For the metrics: what comes and who gets it, by layer (0: the lowest, or a track's only one)."""
    totals: Counter[str] = Counter()
    for up in tables.ups.values():
        if up.track.kind is Kind.VIDEO:
            for layer, bitrate in enumerate(up.meter.bitrates()):
                totals[f"layer{layer}_bitrate_bps"] += bitrate
            totals.update(f"layer{layer}_tracks" for layer in up.living)
    for (handle, layer), viewers in _viewers(tables).items():
        if layer >= 0 and tables.up_by_handle[handle].track.kind is Kind.VIDEO:
            totals[f"layer{layer}_viewers"] += viewers
    return {name: float(value) for name, value in totals.items()}


def reports(tables: Forwarding) -> Iterator[tuple[str, bytes]]:
    """A receiver report for each publishing peer, over all its tracks."""
    blocks: dict[str, list[rtcp.ReportBlock]] = defaultdict(list)
    for up in tables.ups.values():
        if up.live:
            before, up.reported = up.reported, _layers(tables, up)
            for layer, now in enumerate(up.reported):
                if now.ssrc and now.packets:
                    blocks[up.name.peer].append(_block(now, before[layer] if before else None))
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


def _viewers(tables: Forwarding) -> Counter[tuple[int, int]]:
    """By track handle and layer: how many slots and taps get it now."""
    found: Counter[tuple[int, int]] = Counter()
    for down in tables.all_downs():
        if down.pointed is not None and down.slot.kind is Kind.VIDEO:
            found[tables.ups[down.pointed].handle, tables.showing(down)] += 1
    for tap in tables.taps.values():
        for slot in tap.slots.values():
            up = tables.ups.get(slot.track)
            if up is not None and slot.handle is not None:
                found[up.handle, tables.relay.showing(slot.handle, up.handle)[0]] += 1
    return found


def _layers(tables: Forwarding, up: Up) -> list[LayerFigures]:
    return [tables.relay.layer_figures(up.handle, layer) for layer in range(up.layers)]


def _up(tables: Forwarding, up: Up, seconds: float, viewers: Counter[tuple[int, int]]) -> UpFigures | None:
    before, up.before = up.before, _layers(tables, up)
    level, up.level_dbov = up.level_dbov, -127
    if not before or all(a.packets == b.packets for a, b in zip(before, up.before, strict=True)):
        return None
    layers = [
        UpLayer(
            rid,
            bitrate_bps=int((now.octets - then.octets) * 8 / seconds),
            packets=now.packets - then.packets,
            lost=max(0, now.lost - then.lost),
            keyframes=now.keyframes - then.keyframes,
            living=number in up.living,
            viewers=viewers[up.handle, number],
        )
        for number, (rid, then, now) in enumerate(zip(up.track.rids or [""], before, up.before, strict=True))
    ]
    return UpFigures(
        up.name,
        up.track.source,
        up.track.kind,
        bitrate_bps=sum(each.bitrate_bps for each in layers),
        packets=sum(each.packets for each in layers),
        lost=sum(each.lost for each in layers),
        keyframes=sum(each.keyframes for each in layers),
        level_dbov=level,
        layers=layers if up.track.kind is Kind.VIDEO else [],
    )


def _down(tables: Forwarding, down: Down, seconds: float) -> DownFigures | None:
    now, before = tables.relay.down_figures(down.handle), down.before
    down.before = now
    if before is None or (now.packets == before.packets and not down.held):
        return None
    return DownFigures(
        down.peer,
        down.slot.name,
        bitrate_bps=int((now.octets - before.octets) * 8 / seconds),
        packets=now.packets - before.packets,
        resent=now.resent - before.resent,
        loss=now.loss,
        round_trip_ms=max(0, now.round_trip_us) / 1_000,
        layer=max(0, tables.showing(down)),
        estimate_bps=down.estimate_bps,
        held=down.held,
        reason=down.reason,
    )

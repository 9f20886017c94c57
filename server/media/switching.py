"""Layers over time: which are coming, who moves to which, and what publishers need not send.

A few times a second; a packet that is forwarded never comes here. Slots are moved by `Forwarding.step`,
recordings always have the best layer that lives.
"""

from __future__ import annotations

from collections.abc import Iterator

from server.media.contract import TrackName
from server.media.forwarding import Forwarding, Up
from server.media.layers import best, living_s, next_step
from server.media.taps import Tap, TapSlot
from server.protocol.parameters import Kind

EVERY_S = 1.0
"""So often every slot is looked at; those that are not where they are to be, each time."""


def observe(tables: Forwarding, now: float) -> None:
    """See which layers are coming; slots and taps of tracks with several move on."""
    moved = {
        up.name for up in tables.ups.values() if up.track.kind is Kind.VIDEO and _observe(tables, up, now)
    }
    if now - tables.stepped_at >= EVERY_S:
        tables.stepped_at = now
        moved = set(tables.ups)
    for down in tables.all_downs():
        if down.pointed is not None and (not down.settled or down.pointed in moved):
            tables.step(down)
    for tap in tables.taps.values():
        for slot in tap.slots.values():
            _step_tap(tables, tap, slot, now)


def _observe(tables: Forwarding, up: Up, now: float) -> bool:
    """Whether other layers are coming than before."""
    found = [tables.relay.layer_figures(up.handle, layer) for layer in range(up.layers)]
    up.meter.add((each.octets for each in found), now)
    most_us = living_s(up.track.source) * 1e6
    before = up.living
    up.living = frozenset(layer for layer, each in enumerate(found) if 0 <= each.last_packet_age_us < most_us)
    return up.living != before


def _step_tap(tables: Forwarding, tap: Tap, slot: TapSlot, now: float) -> None:
    """Back at a better layer not before the recording was away from it for a while."""
    up = tables.ups.get(slot.track)
    if up is None or slot.handle is None or up.layers == 1:
        return
    step = next_step(up.layers - 1, up.living, *tables.relay.showing(slot.handle, up.handle))
    if step is not None and tap.move(slot, up.handle, step, now):
        tables.keyframes.every(up.handle, step, slot.keyframe_every_s)
        tables.keyframes.want(up.handle, step)


def layers_to_send(tables: Forwarding, now: float) -> Iterator[tuple[Up, tuple[int, ...]]]:
    """Tracks whose publisher is to send other layers than it was last told."""
    several = {up.name: up for up in tables.ups.values() if up.layers > 1}
    if not several:
        return
    wanted: dict[TrackName, set[int]] = {name: set() for name in several}
    for down in tables.all_downs():
        up = several.get(down.pointed) if down.pointed else None
        if up is not None:
            wanted[up.name].update(_needed(down.layer(up), up))
    for tap in tables.taps.values():
        for slot in tap.slots.values():
            up = several.get(slot.track)
            if up is not None:
                wanted[up.name].update(_needed(up.layers - 1, up))
    for name, layers in wanted.items():
        keep = several[name].wishes.update(layers, now)
        if keep is not None:
            yield several[name], keep


def _needed(wanted: int, up: Up) -> range:
    """The wanted layer and, while it does not come, those between it and the best that does."""
    if wanted in up.living:
        return range(wanted, wanted + 1)
    near = best(wanted, up.living)
    return range(0 if near is None else min(near, wanted), wanted + 1)

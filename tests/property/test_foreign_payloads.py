"""VP8, VP9 and AV1 out of RTP: any bytes are taken or refused, and units come out as they went in."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recorder.assemble.foreign import FOREIGN, ForeignUnits
from recorder.assemble.reorder import Ordered
from tests.fakes.foreign_rtp import foreign_pictures, payloads

QUICK = settings(max_examples=80)
PACKETS = st.lists(st.tuples(st.binary(max_size=60), st.booleans(), st.booleans()), max_size=12)


@QUICK
@given(st.sampled_from(sorted(FOREIGN)), PACKETS)
def test_any_payloads_are_taken_or_thrown_away(codec: str, packets: list[tuple[bytes, bool, bool]]) -> None:
    units = ForeignUnits(codec)
    for number, (payload, marker, lost) in enumerate(packets):
        units.push(Ordered(int(lost), number, number // 3, marker, payload, 0.0))


@pytest.mark.parametrize("codec", sorted(FOREIGN))
def test_pictures_come_out_as_the_encoder_made_them(codec: str) -> None:
    units, found = ForeignUnits(codec), []
    pictures = foreign_pictures(codec, 1.0)
    for k, picture in enumerate(pictures):
        parts = payloads(codec, picture, k)
        for number, payload in enumerate(parts):
            unit = units.push(Ordered(0, number, 3600 * k, number == len(parts) - 1, payload, k / 25))
            found += [unit] if unit is not None else []
    assert [unit.data for unit in found] == list(pictures)
    assert [unit.key for unit in found] == [k == 0 for k in range(len(pictures))]
    assert {unit.codec for unit in found} == {codec}

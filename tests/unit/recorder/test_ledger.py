"""recorder.publish.ledger: what an attempt makes again, and what it lets stand."""

from __future__ import annotations

from pathlib import Path

import msgspec

from recorder.archive.published import Published, Rendition, RenditionKind, StepName, StepState, Stretch
from recorder.publish.contract import Card
from recorder.publish.jobs import Outcome
from recorder.publish.ledger import Ledger

CARD = Card(title="我的家", teacher="王小明")
KINDS = {StepName.FILM: RenditionKind.FILM, StepName.EXPORT: RenditionKind.EXPORT}


def planned(folder: Path, attempt: int, card: Card, kept: tuple[Stretch, ...] = ()) -> Ledger:
    ledger = Ledger(folder, attempt, lambda _: None, lambda: False)
    ledger.plan(store=False, export=True, kept=kept, card=card.digest)
    return ledger


def made(folder: Path) -> None:
    """The first attempt: film and export are there."""
    ledger = planned(folder, 1, CARD)
    for step, kind in KINDS.items():
        (folder / f"{kind}.mp4").write_bytes(b"film")
        ledger.settle(step, Outcome(renditions=[Rendition(kind, f"{kind}.mp4")]))


def waits(ledger: Ledger) -> list[StepName]:
    return ledger.waiting(list(KINDS))


def test_an_export_with_another_title_card_is_gone_until_it_is_made_again_and_the_film_stays(
    tmp_path: Path,
) -> None:
    made(tmp_path)
    assert waits(planned(tmp_path, 2, CARD)) == []
    again = planned(tmp_path, 3, msgspec.structs.replace(CARD, teacher="已删除"))
    assert waits(again) == [StepName.EXPORT]
    assert not (tmp_path / "export.mp4").exists()
    assert [one.kind for one in again.published.renditions] == [RenditionKind.FILM]
    assert "王小明" not in msgspec.json.encode(again.published).decode()


def test_another_stretch_makes_film_and_export_again(tmp_path: Path) -> None:
    made(tmp_path)
    again = planned(tmp_path, 2, CARD, (Stretch(3.0, 9.0),))
    assert waits(again) == [StepName.FILM, StepName.EXPORT]
    assert again.published.renditions == []
    assert again.published.step(StepName.POSTER) is not None
    assert again.published.steps[0].state is StepState.WAITING
    assert isinstance(again.published, Published)

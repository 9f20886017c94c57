"""The "excellent lesson" export: the film as competitions want it, behind a title card."""

from __future__ import annotations

from pathlib import Path

from recorder.archive.manifest import Manifest
from recorder.archive.published import Rendition
from recorder.publish.contract import Card
from recorder.publish.encoding import Quality
from recorder.publish.problems import StepFailed


def quality(manifest: Manifest, preset: str, threads: int) -> Quality:
    return Quality(1920, 1080, 18.0, 8000, preset, threads)


def export(folder: Path, manifest: Manifest, card: Card) -> Rendition:
    raise StepFailed("fault", "not there yet")

"""What is made of a recording, as the REST API tells it (pure; docs/api.md)."""

from __future__ import annotations

import msgspec

from server.protocol.messages import Words


class PublishingStep(msgspec.Struct, frozen=True):
    """One step. `state`: recorder.archive.published.StepState; `words`: why it failed, or null."""

    name: str
    lane: str
    state: str
    progress: float
    seconds: float
    problem: str = ""
    words: Words | None = None


class PublishingView(msgspec.Struct, frozen=True):
    """How far it is. `state`: recorder.archive.published.PublishingState; `retry`: something failed and may
    be tried again."""

    lesson: str
    state: str
    progress: float
    retry: bool
    steps: list[PublishingStep]


class RetentionView(msgspec.Struct, frozen=True):
    """`kept_as`: server.domain.retention.KeptAs; `hold`: why it may not be deleted, "" where it may;
    `expires_at`: when it will be deleted, null: never; `days`: how long each class is kept, 0: for ever."""

    lesson: str
    kept_as: str
    hold: str
    expires_at: int | None
    days: dict[str, int]


class RetentionChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `PUT retention`; null: as it is."""

    kept_as: str | None = None
    hold: str | None = None


PublishingResource = PublishingView | RetentionView
BODIES: list[type[msgspec.Struct]] = [RetentionChange]

"""What the REST API says of the library in JSON (pure; docs/api.md). TypeScript types come from here too.

Times are milliseconds since 1970 by the server's clock, positions and lengths in a lesson are seconds.
"""

from __future__ import annotations

import msgspec

from server.protocol.messages import Words
from server.protocol.resources import ReplayTruth


class Processing(msgspec.Struct, frozen=True):
    """What happens to a recording after class. `step` is the one at work, else the one that failed, else "";
    `progress` 0 to 1 over all of them; `problem` a stable code."""

    step: str
    progress: float
    failed: bool
    problem: str


class LibraryCard(msgspec.Struct, frozen=True):
    """A lesson in the library. `poster`: a signed path or ""; `recording`: recorder.contract.RecordingState;
    `processing`: null once all is made; `watched_s`: where this viewer stopped; `yours`: may be changed;
    `hold`: why it may not be deleted, "" where it may; `expires_at`: when it will be, null: never; `version`:
    to be given back with a change."""

    lesson: str
    title: Words
    room: str
    room_name: Words
    teacher: str
    school: str
    subject: str
    grade: str
    edition: str
    volume: str
    chapter: str
    series: str | None
    position: int
    held_at: int
    seconds: float
    recording: str
    problem: str
    poster: str
    processing: Processing | None
    watched_s: float
    visibility: str  # domain.visibility.Visibility
    download: bool
    deletion_asked: bool
    yours: bool
    hold: str
    expires_at: int | None
    version: int


class LibraryPage(msgspec.Struct, frozen=True):
    """One page of what was asked for; `total`: of all pages."""

    cards: list[LibraryCard]
    total: int
    admin: bool


class FacetValue(msgspec.Struct, frozen=True):
    value: str
    lessons: int


class LibraryFacets(msgspec.Struct, frozen=True):
    """The values there are for each filter."""

    subject: list[FacetValue]
    grade: list[FacetValue]
    teacher: list[FacetValue]
    school: list[FacetValue]


class SeriesRow(msgspec.Struct, frozen=True):
    """Lessons in an order. `yours`: it may be changed."""

    series: str
    name: str
    lessons: int
    yours: bool


class SeriesChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST` and `PATCH series`: its name, and its lessons in order (null: as they are)."""

    name: str | None = None
    lessons: list[str] | None = None


class CatalogueChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `PATCH library`: these lessons get these words (null: as they are). `versions`: as they were
    read, of those that were; where one of them has changed since, nothing is."""

    lessons: list[str]
    versions: dict[str, int] = {}
    title: str | None = None
    teacher: str | None = None
    school: str | None = None
    subject: str | None = None
    grade: str | None = None
    edition: str | None = None
    volume: str | None = None
    chapter: str | None = None
    visibility: str | None = None
    download: bool | None = None


class ChapterName(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    start_s: float
    title: str


class ChapterNames(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `PUT chapters`: the titles of a lesson's chapters, by where they begin."""

    titles: list[ChapterName]


class Watched(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `PUT watched`: where this viewer is."""

    at_s: float


class EditCut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    start_s: float
    end_s: float


class Edit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `PUT edit`: what is shown is from `in_s` to `out_s` (null: the end) without the cuts."""

    in_s: float = 0.0
    out_s: float | None = None
    cuts: list[EditCut] = []


class Edited(msgspec.Struct, frozen=True):
    """The edit list that counts now, and how many versions can be undone and done again."""

    in_s: float
    out_s: float | None
    cuts: list[EditCut]
    undo: int
    redo: int


class Captions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `PUT captions`: a WebVTT file's text."""

    vtt: str


class ReplayChapter(msgspec.Struct, frozen=True):
    """A slide; `picture` is a signed path or ""."""

    start_s: float
    end_s: float
    title: str
    picture: str


class ReplaySprites(msgspec.Struct, frozen=True):
    """Hover thumbnails of a track: the signed path of a WebVTT file."""

    track: str
    vtt: str


class ReplayCaptions(msgspec.Struct, frozen=True):
    language: str
    vtt: str


class ReplayRendition(msgspec.Struct, frozen=True):
    """A derived track that a player can play: recorder.archive.published.RenditionKind; `track`: of which, ""
    for the whole lesson; `playlist` a signed path."""

    kind: str
    track: str
    codec: str
    playlist: str
    width: int
    height: int


class ReplayDownload(msgspec.Struct, frozen=True):
    """A file that may be downloaded: `film`, `export`, `sound` or `track`."""

    file: str
    kind: str
    track: str
    bytes: int


class ReplayPublished(msgspec.Struct, frozen=True):
    """What was made of the recording after class, as far as it is."""

    poster: str = ""
    chapters: list[ReplayChapter] = []
    sprites: list[ReplaySprites] = []
    renditions: list[ReplayRendition] = []
    downloads: list[ReplayDownload] = []
    processing: Processing | None = None


class ReplayRights(msgspec.Struct, frozen=True):
    """What this viewer may do with the recording besides watching it. `keep`: say how long it stays;
    `publish`: have made of it again what failed, and the export."""

    edit: bool
    download: bool
    delete: bool
    ask_deletion: bool
    receipt: bool
    keep: bool
    publish: bool


class SeriesPlace(msgspec.Struct, frozen=True):
    """The series a lesson stands in, with the lessons before and after it."""

    series: str
    name: str
    before: str | None
    after: str | None


class ReplayExtras(msgspec.Struct, frozen=True):
    """All the replay page shows besides the tracks."""

    published: ReplayPublished
    edited: Edited
    captions: list[ReplayCaptions]
    rights: ReplayRights
    watched_s: float
    card: LibraryCard
    series: SeriesPlace | None = None


class MediaRenewal(msgspec.Struct, frozen=True):
    """New signatures for the same visit: the part of a media path between `/media/` and the lesson; `truth`:
    what the verification has found by now."""

    signature: str
    expires_at: int
    truth: ReplayTruth | None = None


class DownloadWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST download`: the name of a file that the replay told."""

    file: str


class Download(msgspec.Struct, frozen=True):
    """A signed path that a browser saves as a file."""

    url: str


class ExportWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST library/export`: these lessons, or all of the week in which this day (YYYY-MM-DD) is."""

    lessons: list[str] | None = None
    week: str | None = None


class NewUpload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Body of `POST uploads`: a film of so many bytes for this main room."""

    title: str
    room: str
    bytes: int


class Upload(msgspec.Struct, frozen=True):
    """A film on its way. `received`: go on from this byte; `state`: store.library_records.UploadState."""

    upload: str
    title: str
    bytes: int
    received: int
    state: str
    lesson: str | None
    words: Words | None = None  # why it was refused


class ReceptionHole(msgspec.Struct, frozen=True):
    """A room received nothing, or only a part (`kind`: server.domain.reception.Kind), from `start_s` to
    `end_s` after the lesson's start; `cause`, `side`: as the span of it says."""

    start_s: float
    end_s: float
    kind: str
    cause: str
    side: str


class ReceiptRoom(msgspec.Struct, frozen=True):
    """`present_s`: how long it received picture or sound while the lesson was on; null where nobody knows.
    `more`: holes beyond those told."""

    room: str
    name: Words
    present_s: float | None
    called: int
    spoke_s: float
    holes: list[ReceptionHole] = []
    more: int = 0


class ReceiptHole(msgspec.Struct, frozen=True):
    """`side`: recorder.archive.manifest.Side."""

    start_s: float
    end_s: float
    subject: str
    room: str
    cause: str
    side: str


class Receipt(msgspec.Struct, frozen=True):
    """The proof of a lesson on one page. `qr`: an SVG of the replay's address."""

    lesson: str
    title: Words
    room_name: Words
    teacher: str
    subject: str
    grade: str
    started_at: int | None
    ended_at: int | None
    seconds: float
    rooms: list[ReceiptRoom]
    holes: list[ReceiptHole]
    verified_at: int | None
    whole: bool | None
    pictures: int
    url: str
    qr: str
    printed_at: int


LibraryResource = (
    LibraryPage
    | LibraryFacets
    | SeriesRow
    | ReplayExtras
    | MediaRenewal
    | Download
    | Upload
    | Receipt
    | Edited
)
LibraryBody = (
    SeriesChange
    | CatalogueChange
    | ChapterNames
    | Watched
    | Edit
    | Captions
    | DownloadWish
    | ExportWish
    | NewUpload
)

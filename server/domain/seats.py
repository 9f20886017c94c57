"""A tile's state: one table of facts, thresholds and sentences. Pure; `now` is milliseconds since 1970.

`Facts` are kept by the live room from what was measured (connection states, the page's reports, the worker's
figures); `seat_state` reads the first row of `TABLE` that holds. The thresholds are chosen so that a state is
true within 3 s of its fact and cleared within 2 s: reports come every second.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from server.protocol.messages import SeatState, Words

DECODED_WITHIN_MS = 2_000
SILENT_MS = 2_500
JOINING_MS = 10_000
WEAK_LOSS = 0.05
WEAK_AFTER_MS = 10_000
THIN_AFTER_MS = 2_000
HELP_MS = 120_000


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one receiving room. Times are when something was last so; None: never.

    `joined_at`: when the page came in, or was last told to connect again. `media_up`: its down connection is
    CONNECTED. `weak_since`, `held_since`: since when the worker gives it less for its line, and no moving
    stage at all. `picture_due`, `sound_due`: since when its slots carry something that is really sent.
    """

    present: bool = False
    was_here: bool = False
    joined_at: int | None = None
    on_air: bool = True
    media_up: bool = False
    reported_at: int | None = None
    picture_due: int | None = None
    decoded_at: int | None = None
    sound_due: int | None = None
    sounded_at: int | None = None
    sound_blocked: bool = False
    codec_missing: bool = False
    sends_voice_only: bool = False
    lossy_since: int | None = None
    weak_since: int | None = None
    held_since: int | None = None
    muted: bool = False
    help_kind: str = ""
    help_since: int | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One state: when it holds, the detail's message id, and the sentence in both languages."""

    state: SeatState
    detail: str
    holds: Callable[[Facts, int], bool]
    words: Words


def _older(since: int | None, now: int, limit_ms: int) -> bool:
    return since is not None and now - since > limit_ms


def _asks(facts: Facts, now: int) -> bool:
    return facts.present and facts.help_since is not None and now - facts.help_since <= HELP_MS


def _connecting(facts: Facts, now: int) -> bool:
    waiting = not facts.media_up or facts.reported_at is None
    return facts.on_air and waiting and not _older(facts.joined_at, now, JOINING_MS)


def _not_decoded(facts: Facts, now: int, due: int | None, last: int | None) -> bool:
    """Something is due for longer than the threshold, and nothing came out within it."""
    if not facts.on_air or due is None or facts.reported_at is None:
        return False
    newest = due if last is None else max(due, last)
    return now - newest > DECODED_WITHIN_MS


TABLE: tuple[Row, ...] = (
    Row(
        SeatState.ASKS_HELP,
        "help_sound",
        lambda f, now: _asks(f, now) and f.help_kind == "sound",
        Words(zh="教室按了“没有声音”。", en="The room says: no sound."),
    ),
    Row(
        SeatState.ASKS_HELP,
        "help_picture",
        lambda f, now: _asks(f, now) and f.help_kind == "picture",
        Words(zh="教室按了“没有画面”。", en="The room says: no picture."),
    ),
    Row(
        SeatState.AWAY,
        "not_connected",
        lambda f, _: f.was_here and not f.present,
        Words(zh="教室已断开，正在自动重连。", en="Not connected; it tries again by itself."),
    ),
    Row(
        SeatState.EXPECTED,
        "",
        lambda f, _: not f.present,
        Words(zh="等待教室接入。", en="Expected, not yet connected."),
    ),
    Row(
        SeatState.JOINING,
        "",
        _connecting,
        Words(zh="正在接入。", en="Joining."),
    ),
    Row(
        SeatState.AWAY,
        "media_not_connected",
        lambda f, _: f.on_air and not f.media_up,
        Words(
            zh="网页在线，但音视频连不上，请检查这个教室的网络。",
            en="The page is there, but picture and sound cannot connect: look at this room’s network.",
        ),
    ),
    Row(
        SeatState.AWAY,
        "not_heard",
        lambda f, now: f.on_air and (f.reported_at is None or _older(f.reported_at, now, SILENT_MS)),
        Words(zh="教室没有回音，可能断网了。", en="Nothing is heard of the room: its line may be cut."),
    ),
    Row(
        SeatState.NO_PICTURE,
        "codec_missing",
        lambda f, _: f.on_air and f.codec_missing,
        Words(
            zh="这个教室的浏览器解不了这种画面，请升级浏览器。",
            en="This room’s browser cannot decode the picture: update the browser.",
        ),
    ),
    Row(
        SeatState.NO_PICTURE,
        "picture_not_decoded",
        lambda f, now: _not_decoded(f, now, f.picture_due, f.decoded_at),
        Words(zh="这个教室看不到画面。", en="This room sees no picture."),
    ),
    Row(
        SeatState.NO_SOUND,
        "sound_blocked",
        lambda f, _: f.on_air and f.sound_blocked and f.reported_at is not None,
        Words(zh="浏览器不让出声，请助教点一下屏幕。", en="Ask the assistant to touch the screen."),
    ),
    Row(
        SeatState.NO_SOUND,
        "sound_not_playing",
        lambda f, now: _not_decoded(f, now, f.sound_due, f.sounded_at),
        Words(zh="这个教室没有声音，请助教看看音箱。", en="This room has no sound: look at its loudspeaker."),
    ),
    Row(
        SeatState.SOUND_ONLY,
        "camera_absent",
        lambda f, _: f.on_air and f.sends_voice_only,
        Words(zh="这个教室只有声音，没有摄像头画面。", en="This room sends its voice only, no picture."),
    ),
    Row(
        SeatState.WEAK_LINE,
        "held",
        lambda f, now: f.on_air and _older(f.held_since, now, THIN_AFTER_MS),
        Words(
            zh="网络太慢，只保住了声音和课件。",
            en="The line is too thin: sound and courseware only.",
        ),
    ),
    Row(
        SeatState.WEAK_LINE,
        "thin",
        lambda f, now: f.on_air and _older(f.weak_since, now, THIN_AFTER_MS),
        Words(
            zh="网络慢，画面已调小，声音不受影响。",
            en="The line is thin: a smaller picture, the sound is whole.",
        ),
    ),
    Row(
        SeatState.WEAK_LINE,
        "loss",
        lambda f, now: f.on_air and _older(f.lossy_since, now, WEAK_AFTER_MS),
        Words(zh="网络不好，画面可能卡顿。", en="The line is weak; the picture may stutter."),
    ),
    Row(
        SeatState.MUTED,
        "",
        lambda f, _: f.muted,
        Words(zh="已被您静音。", en="Muted by you."),
    ),
    Row(SeatState.HERE, "", lambda _f, _now: True, Words(zh="在线。", en="Here.")),
)


def seat_state(facts: Facts, now: int) -> tuple[SeatState, str]:
    """The first row of TABLE that holds, and its detail."""
    row = next(row for row in TABLE if row.holds(facts, now))
    return row.state, row.detail


def lossy_since(before: int | None, loss: float, now: int) -> int | None:
    """Since when the line lost more than the threshold; None as soon as it does not."""
    if loss <= WEAK_LOSS:
        return None
    return now if before is None else before

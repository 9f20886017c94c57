"""Names stay in their folder and never meet; a manifest is read whole or refused with a code."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from recorder.archive import layout
from recorder.archive.layout import BadName, derived_file, init_file, is_derived, media_file
from recorder.archive.manifest import (
    BadManifest,
    Gap,
    GapCause,
    Manifest,
    Track,
    decode_manifest,
    encode_manifest,
    read_manifest,
    write_manifest,
)
from recorder.archive.reading import JOURNALLED, foreign_tracks, list_recordings, served_file
from recorder.assemble import samples as assembled
from recorder.assemble.foreign import FOREIGN
from recorder.assemble.samples import VIDEO_RATE
from recorder.contract import RecordingState, Subject
from recorder.playlist import (
    PICTURE_TARGET_S,
    MediaPlaylist,
    Part,
    Rendition,
    SectionFiles,
    Segment,
    keyed,
    multivariant_playlist,
)
from recorder.writer import TrackWriter
from tests.fakes.archived_lesson import screen_units

TRACK = Track(
    name="camera", subject=Subject.TEACHER, kind="video", codec="H264", gaps=[Gap(1.0, 2.5, GapCause.LOSS)]
)
MANIFEST = Manifest(
    "L1", "分数", "2026-11-21T08:00:00+08:00", RecordingState.READY, 60.0, 0.4, tracks=[TRACK]
)


@pytest.mark.parametrize("bad", ["", "..", "../L1", "a/b", "a.b", "L1\n", "-a", "x" * 65, "课"])
def test_a_lesson_id_that_leads_elsewhere_is_refused(bad: str, tmp_path: Path) -> None:
    with pytest.raises(layout.BadName):
        layout.lesson_folder(tmp_path, bad)


@pytest.mark.parametrize(
    "bad", ["", "Camera", "a.b", "../a", "a-init", "lesson", "manifest", "a" * 41, "a\n"]
)
def test_a_track_name_that_could_meet_another_file_is_refused(bad: str) -> None:
    with pytest.raises(layout.BadName):
        layout.media_file(bad)


def test_no_two_names_meet() -> None:
    names = [
        make(track, section)
        for track in ("camera", "camera-2", "camera2", "room-shahe-camera")
        for section in (1, 2, 22)
        for make in (layout.media_file, layout.init_file)
    ]
    names += [layout.playlist_file(t) for t in ("camera", "camera-2")] + [
        layout.MULTIVARIANT,
        layout.MANIFEST,
    ]
    assert len(set(names)) == len(names)


def test_only_files_for_players_are_served(tmp_path: Path) -> None:
    for good in ("camera.mp4", "camera.2-init.mp4", "voice.m3u8", "lesson.m3u8", "manifest.json"):
        assert served_file(tmp_path, good) == tmp_path / good
    (tmp_path / "link.mp4").symlink_to("/etc/passwd")
    for bad in (
        "journal/000001.lkj",
        "../x.mp4",
        "manifest.json.new",
        ".mp4",
        "a.exe",
        "link.mp4",
        "000001.lkj",
    ):
        with pytest.raises(layout.BadName):
            served_file(tmp_path, bad)


def test_derived_files_meet_no_recorded_one_and_stay_in_the_folder(tmp_path: Path) -> None:
    for what in ("720p.mp4", "aac-init.mp4", "sprites-1.jpg", "sprites.vtt", "sound.m4a"):
        name = derived_file("camera", what)
        assert is_derived(name)
        assert served_file(tmp_path, name) == tmp_path / name
    for recorded in (media_file("camera", 2), init_file("camera", 12), "lesson.m3u8", "manifest.json"):
        assert not is_derived(recorded)
    for of, what in (("..", "720p.mp4"), ("camera", "2.mp4"), ("camera", "../x.mp4"), ("camera", "x.exe")):
        with pytest.raises(BadName):
            derived_file(of, what)


def test_a_manifest_comes_back_as_it_was_written(tmp_path: Path) -> None:
    write_manifest(tmp_path, MANIFEST, durable=True)
    assert read_manifest(tmp_path) == MANIFEST
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "damaged"),
        (b"[]", "damaged"),
        (b"{}", "damaged"),
        (b'{"version": 1}', "damaged"),
        (encode_manifest(MANIFEST)[:100], "damaged"),
        (msgspec.json.encode({"version": 2, "shape": "new"}), "newer_version"),
        (b"\xff\xfe", "damaged"),
        (b"[" * 100_000, "damaged"),
    ],
)
def test_a_manifest_that_cannot_be_read_says_why(data: bytes, code: str) -> None:
    with pytest.raises(BadManifest) as caught:
        decode_manifest(data)
    assert caught.value.code == code


def test_a_listing_goes_on_past_what_it_cannot_read(tmp_path: Path) -> None:
    for name in ("L1", "L2", "not.a.lesson"):
        (tmp_path / name).mkdir()
    write_manifest(tmp_path / "L2", msgspec.structs.replace(MANIFEST, lesson="L2"))
    bad, good = list_recordings(tmp_path)
    assert isinstance(bad, tuple)
    assert (bad[0], bad[1].code) == ("L1", "missing")
    assert isinstance(good, Manifest)
    assert good.lesson == "L2"
    assert list(list_recordings(tmp_path / "none")) == []


def test_a_media_playlist_names_ranges_and_each_init_once() -> None:
    files = [SectionFiles("camera.mp4", "camera-init.mp4"), SectionFiles("camera.2.mp4", "camera.2-init.mp4")]
    segments = [Segment(1, 4.0, 800, 1000), Segment(1, 12.4, 1800, 50), Segment(2, 4.0, 801, 900)]
    text = MediaPlaylist().text(segments, files, ended=True)
    assert text.splitlines() == [
        "#EXTM3U", "#EXT-X-VERSION:9", "#EXT-X-TARGETDURATION:13", "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-MEDIA-SEQUENCE:0",
        '#EXT-X-MAP:URI="camera-init.mp4"',
        "#EXTINF:4.00000,", "#EXT-X-BYTERANGE:1000@800", "camera.mp4",
        "#EXTINF:12.40000,", "#EXT-X-BYTERANGE:50@1800", "camera.mp4",
        "#EXT-X-DISCONTINUITY", '#EXT-X-MAP:URI="camera.2-init.mp4"',
        "#EXTINF:4.00000,", "#EXT-X-BYTERANGE:900@801", "camera.2.mp4",
        "#EXT-X-ENDLIST",
    ]  # fmt: skip


def test_a_growing_playlist_tells_parts_and_becomes_the_recordings() -> None:
    files = [SectionFiles("camera.mp4", "camera-init.mp4"), SectionFiles("camera.2.mp4", "camera.2-init.mp4")]
    part = Part(0.96, 1800, 300, True)
    playlist = MediaPlaylist()
    first = playlist.text([], files[:1], [[part]], ended=False, began=[1_700_000_000.0])
    assert first.splitlines() == [
        "#EXTM3U", "#EXT-X-VERSION:9", "#EXT-X-TARGETDURATION:42", "#EXT-X-PLAYLIST-TYPE:EVENT",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK=3.0,CAN-SKIP-UNTIL=252.0",
        "#EXT-X-PART-INF:PART-TARGET=1.0",
        '#EXT-X-MAP:URI="camera-init.mp4"', "#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:20.000+00:00",
        '#EXT-X-PART:DURATION=0.96000,URI="camera.mp4",BYTERANGE="300@1800",INDEPENDENT=YES',
        "# more comes",
    ]  # fmt: skip
    segments = [Segment(1, 60.0, 800, 1000)] + [Segment(1, 4.0, 1800 + 9 * k, 9) for k in range(5)]
    parts = [[part], [part], [part], [part._replace(key=False)]]
    later = playlist.text(segments, files[:1], parts, ended=False)
    assert later.count("#EXTINF") == 6
    assert later.count("#EXT-X-PART:") == 4
    assert "#EXT-X-TARGETDURATION:42\n" in later, "a still picture changes nothing while live"
    assert later.endswith(
        '#EXT-X-PART:DURATION=0.96000,URI="camera.mp4",BYTERANGE="300@1800"\n# more comes\n'
    )
    sound = MediaPlaylist(audio=True).text(segments, files[:1], ended=False)
    assert "#EXT-X-TARGETDURATION:10\n" in sound
    other = playlist.text(segments, files, [[part], [part], [part], [part]], ended=False)
    assert other.splitlines()[-4:-2] == ["#EXT-X-DISCONTINUITY", '#EXT-X-MAP:URI="camera.2-init.mp4"']
    segments.append(Segment(2, 4.0, 801, 900))
    ended = playlist.text(segments, files, [[part], [part], [part], []], ended=True)
    assert ended == MediaPlaylist().text(segments, files, ended=True)
    assert "PART" not in ended
    assert "#EXT-X-SERVER-CONTROL" not in ended
    assert "#EXT-X-TARGETDURATION:60\n" in ended


def test_only_what_lies_in_the_journal_alone_waits_for_transcoding() -> None:
    codecs = ("H264", "opus", "AAC", "VP8", "VP9", "AV1")
    tracks = [msgspec.structs.replace(TRACK, name=codec.lower(), codec=codec) for codec in codecs]
    broken = msgspec.structs.replace(TRACK, gaps=[Gap(1.0, 9.0, GapCause.UNPLAYABLE)])
    waiting = foreign_tracks(msgspec.structs.replace(MANIFEST, tracks=[*tracks, broken]))
    assert [track.name for track in waiting] == ["vp8", "vp9", "av1", "camera"], "no sound of an upload"
    assert set(JOURNALLED) == set(FOREIGN)


def still_screen(folder: Path, seconds: int, key_every_s: int) -> TrackWriter:
    """The written track of five pictures a second."""
    folder.mkdir(exist_ok=True)
    key, other, *_ = screen_units(1.0)
    writer = TrackWriter(folder, "screen", audio=False)
    writer.take(assembled.Section("screen", 0, key))
    for number in range(seconds * 5):
        is_key = number % (key_every_s * 5) == 0
        at = number * VIDEO_RATE // 5
        writer.take(assembled.Sample("screen", at, key if is_key else other, is_key))
    return writer


def test_who_seeks_gets_segments_that_begin_with_a_keyframe(tmp_path: Path) -> None:
    writer = still_screen(tmp_path, 46, key_every_s=60)
    writer.take(assembled.Closed("screen", 46 * VIDEO_RATE))
    first, second = writer.segments
    assert (first.key, second.key) == (True, False), "a keyframe that is later than any page allows"
    assert first.seconds <= PICTURE_TARGET_S
    writer.write_playlist()
    assert writer.seekable == "screen.seek.m3u8"
    assert is_derived(writer.seekable) is False
    seeking = served_file(tmp_path, writer.seekable).read_text()
    assert seeking.count("#EXTINF") == 1
    assert "#EXT-X-TARGETDURATION:46\n" in seeking
    parts = [Segment(1, 9.0, 0, 10), Segment(1, 9.0, 10, 5, key=False), Segment(2, 4.0, 0, 7, key=False)]
    assert keyed(parts) == [Segment(1, 18.0, 0, 15), Segment(2, 4.0, 0, 7, key=False)]


def test_a_live_picture_has_a_keyframe_in_every_segment_and_tells_the_newest_seconds_in_parts(
    tmp_path: Path,
) -> None:
    beginning = still_screen(tmp_path / "beginning", 3, key_every_s=30)
    assert not beginning.playable, "hls.js takes a playlist of parts alone for a fault"
    assert not beginning.write_playlist()
    beginning.abandon()
    writer = still_screen(tmp_path, 200, key_every_s=30)
    assert [segment.seconds for segment in writer.segments] == [30.0] * 6
    assert all(segment.key for segment in writer.segments)
    assert writer.seekable == ""
    writer.write_playlist()
    told = (tmp_path / "screen.m3u8").read_text()
    assert told.count("#EXTINF") == 6
    assert told.count("#EXT-X-PART:") == 30 + 19, "the newest segment's, and those of the one that grows"
    assert told.count("INDEPENDENT=YES") == 2
    writer.abandon()


def test_the_multivariant_playlist_joins_pictures_with_the_voices() -> None:
    camera = Rendition("camera", False, "camera.m3u8", "avc1.42e01f", 3_000_000, 1280, 720)
    voice = Rendition("voice", True, "voice.m3u8", "opus", 40_000)
    both = multivariant_playlist([camera, voice])
    assert (
        'BANDWIDTH=3040000,CODECS="avc1.42e01f,opus",RESOLUTION=1280x720,AUDIO="voice"\ncamera.m3u8' in both
    )
    assert both.count("#EXT-X-MEDIA") == 1
    assert "voice.m3u8" in multivariant_playlist([voice]).splitlines()

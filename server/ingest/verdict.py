"""What a source's facts mean for a lesson, and which setting of the device to change (pure).

Rows of one table each: a fact, whether it holds, its code, and its words in zh and en. DOMAIN.md's "hazards
of what rooms send" as code; thresholds are here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator

from server.ingest.facts import AudioFacts, Fitness, Point, VideoFacts, shown
from server.protocol.messages import Words

LONGEST_KEYFRAME_S = 4.0
MOST_BITRATE_BPS = 8_000_000
MOST_JITTER_MS = 150.0
MOST_DRIFT_PPM = 300.0
LEAST_FPS, MOST_FPS = 10.0, 31.0
MOST_PIXELS = 1920 * 1088
READABLE_PIXELS = 4096 * 2304  # beyond it nothing is decoded
LEAST_PIXELS = 640 * 360
QUIET_DBFS = -60.0
MOST_CLIPPED = 0.01  # of the samples
COPIED_PROFILES = frozenset({"", "Constrained Baseline", "Baseline", "Main", "High"})
"""Of H.264, what browsers decode: 4:2:0 with 8 bits. "": not told."""

NO_PICTURE = Words(
    zh="收到了视频流，但没有一幅可解码的画面。请把编码设为 H.264，关闭“智能编码/H.264+”，I 帧间隔设为 2 秒；"
    "仍不行就重启设备。",
    en="A picture stream comes, but no picture of it can be decoded. Set the codec to H.264, turn off Smart "
    "Codec/H.264+, set an I-frame each 2 s; if that is no help, restart the device.",
)
OPUS_RATES = frozenset({8000, 12000, 16000, 24000, 48000})
CORES_PER_MEGAPIXEL_25 = 0.45  # decode, scale and x264 veryfast at 25 pictures a second


def judge(
    video: VideoFacts | None, audio: AudioFacts | None, *, sound_only: bool = False, pushed: bool = False
) -> tuple[Fitness, list[Point]]:
    """The worst fitness and every point, the worst first. `sound_only`: its picture is of no use. `pushed`:
    the device comes to us, so it has no address, and its road is TCP."""
    seen = () if sound_only else _video(video, pushed=pushed) if video else _no_video(pushed=pushed)
    heard = _audio(audio) if audio else _no_audio(Fitness.UNFIT if sound_only else Fitness.NOTE)
    points = [*seen, *heard]
    order = list(Fitness)
    points.sort(key=lambda point: -order.index(point.fitness))
    return points[0].fitness, points


def transcode_cores(video: VideoFacts) -> float:
    """CPU that making H.264 of this picture costs, in cores of this machine, about."""
    return round(video.width * video.height / 1e6 * max(video.fps, 1.0) / 25 * CORES_PER_MEGAPIXEL_25, 2)


def _video(video: VideoFacts, *, pushed: bool) -> Iterator[Point]:
    if not video.pictures and (video.keyframes or not video.width):
        yield _point(
            "no_picture_decoded",
            Fitness.UNFIT,
            NO_PICTURE.zh,
            NO_PICTURE.en,
        )
        return
    if video.width * video.height > READABLE_PIXELS:
        yield _point(
            "too_big",
            Fitness.UNFIT,
            f"画面 {video.width}×{video.height} 太大，请把主码流分辨率设为 1920×1080。",
            f"{video.width}x{video.height} is too big. Set the main stream's resolution to 1920x1080.",
        )
        return
    structure = list(_structure(video))
    yield _codec(video, copied=all(point.fitness is not Fitness.TRANSCODE for point in structure))
    yield from structure
    yield from _look(video, pushed=pushed)
    yield from _road(video, pushed=pushed)


def _codec(video: VideoFacts, *, copied: bool) -> Point:
    name = shown(video.codec, video.profile)
    if video.codec == "h264" and video.profile not in COPIED_PROFILES:
        setting = (
            "请把编码档次设为 Main 或 High（8 位、4:2:0）。",
            "Set profile to Main or High (8 bits, 4:2:0).",
        )
        said = f"{name}: browsers do not decode this profile"
        return _transcoded(video, "h264_profile", f"{name}：浏览器不能解码这种档次。", setting, said)
    if video.codec == "h264":
        return _point(
            "codec_h264",
            Fitness.GOOD,
            f"{name}：{'浏览器能直接播放' if copied else '编码格式合适'}。",
            f"{name}: {'browsers play it as it is' if copied else 'the right codec'}.",
        )
    setting = {
        "hevc": ("请把编码格式由 H.265 改为 H.264。", "Set the codec to H.264 instead of H.265."),
        "mjpeg": ("请改用 H.264 码流（通常是主码流）。", "Use the H.264 stream (usually the main one)."),
    }.get(video.codec, ("请把编码格式设为 H.264。", "Set the codec to H.264."))
    said = f"{name}: browsers do not play it"
    return _transcoded(video, f"codec_{video.codec}"[:32], f"{name}：浏览器不能直接播放。", setting, said)


def _structure(video: VideoFacts) -> Iterator[Point]:
    if video.b_frames and video.codec == "h264":
        yield _transcoded(
            video,
            "b_frames",
            "含 B 帧，实时播放会卡顿。",
            ("请把编码档次设为 Main，B 帧数设为 0。", "Set profile to Main, B-frames to 0."),
            "It has B-frames, with which a live picture stutters",
        )
    every = round(video.keyframe_every_s * max(video.fps, 1.0))
    if video.keyframes >= 2 and video.keyframe_every_s <= LONGEST_KEYFRAME_S:
        yield _point(
            "keyframes",
            Fitness.GOOD,
            f"关键帧最长间隔 {video.keyframe_every_s:.1f} 秒。",
            f"A keyframe at least every {video.keyframe_every_s:.1f} s.",
        )
    elif not video.keyframes and not video.pictures:
        yield _transcoded(
            video,
            "no_keyframe",
            f"{video.keyframe_every_s:.0f} 秒内没有关键帧，还没有画面。",
            (
                "请关闭“智能编码/H.264+”，并把 I 帧间隔设为 2 秒。",
                "Turn off Smart Codec/H.264+ and set an I-frame each 2 s.",
            ),
            f"No keyframe within {video.keyframe_every_s:.0f} s, so no picture yet",
        )
    elif video.codec == "h264":
        wanted = round(2 * (video.fps or 25))
        seen = "" if video.keyframes >= 2 else "以上"
        yield _transcoded(
            video,
            "long_keyframes",
            f"关键帧间隔 {video.keyframe_every_s:.0f} 秒（{every} 帧）{seen}，新教室要等很久才有画面。",
            (
                f"请关闭“智能编码/H.264+”，并把 I 帧间隔设为 {wanted}（2 秒）。",
                f"Turn off Smart Codec/H.264+ and set I-frame interval to {wanted} (2 s).",
            ),
            f"{'' if video.keyframes >= 2 else 'Over '}{video.keyframe_every_s:.0f} s between keyframes",
        )
    if video.width * video.height > MOST_PIXELS:
        yield _transcoded(
            video,
            "over_1080p",
            f"{video.width}×{video.height} 超过 1080p，教学点的屏幕放不动。",
            ("请把主码流分辨率设为 1920×1080。", "Set the main stream's resolution to 1920x1080."),
            f"{video.width}x{video.height} is more than a point's screen can play",
        )


def _look(video: VideoFacts, *, pushed: bool) -> Iterator[Point]:
    """How it looks on a point's screen."""
    if video.width * video.height < LEAST_PIXELS:
        yield _point(
            "small_picture",
            Fitness.NOTE,
            f"画面只有 {video.width}×{video.height}，大屏上看不清。"
            + ("请" if pushed else "这也许是子码流的地址：请填主码流，或")
            + "把分辨率设为 1920×1080。",
            f"Only {video.width}x{video.height}: too small for a classroom's screen. "
            + ("S" if pushed else "This may be the sub stream's address: enter the main stream's, or s")
            + "et the resolution to 1920x1080.",
        )
    if video.interlaced:
        yield _point(
            "interlaced",
            Fitness.NOTE,
            "隔行扫描，运动的边缘会有横纹。请把输出制式设为逐行，例如 1080p25。",
            "Interlaced: moving edges show lines. Set the output to progressive, such as 1080p25.",
        )
    if video.fps > MOST_FPS:
        yield _point(
            "high_frame_rate",
            Fitness.NOTE,
            f"每秒 {video.fps:.0f} 帧，旧大屏放不动。请把帧率设为 25。",
            f"{video.fps:.0f} pictures a second are too many for old screens. Set the frame rate to 25.",
        )


def _road(video: VideoFacts, *, pushed: bool) -> Iterator[Point]:
    if video.bitrate_bps > MOST_BITRATE_BPS:
        yield _point(
            "high_bitrate",
            Fitness.NOTE,
            f"码率 {video.bitrate_bps / 1e6:.1f} Mbit/s 偏高，请设为 4 Mbit/s 以内。",
            f"{video.bitrate_bps / 1e6:.1f} Mbit/s is much. Set the bit rate to 4 Mbit/s or less.",
        )
    if video.fps and video.fps < LEAST_FPS:
        yield _point(
            "low_frame_rate",
            Fitness.NOTE,
            f"每秒只有 {video.fps:.0f} 帧，请把帧率设为 25。",
            f"Only {video.fps:.0f} pictures a second. Set the frame rate to 25.",
        )
    if video.jitter_ms > MOST_JITTER_MS:
        yield _point(
            "jitter",
            Fitness.NOTE,
            f"画面到达不均匀（{video.jitter_ms:.0f} 毫秒）。请用网线，"
            + ("并调低码率。" if pushed else "并改用 TCP 方式。"),
            f"Pictures come unevenly ({video.jitter_ms:.0f} ms). Use a cable, and "
            + ("a lower bit rate." if pushed else "RTSP over TCP."),
        )
    if video.drift_ppm is not None and abs(video.drift_ppm) > MOST_DRIFT_PPM:
        yield _point(
            "clock_drift",
            Fitness.NOTE,
            f"设备时钟偏差 {video.drift_ppm:.0f} ppm，请在设备上打开 NTP 校时；声画仍会保持同步。",
            f"The device's clock is off by {video.drift_ppm:.0f} ppm. Turn on NTP; all stays in step anyway.",
        )
    if video.broken:
        yield _point(
            "broken_pictures",
            Fitness.NOTE,
            f"{video.broken} 幅画面损坏，"
            + ("请重启设备的编码器。" if pushed else "线路可能丢包。请检查网线与交换机，并改用 TCP 方式。"),
            f"{video.broken} broken pictures: "
            + (
                "restart the device's encoder."
                if pushed
                else "the line may lose packets. Check cable and switch, use TCP."
            ),
        )


def _audio(audio: AudioFacts) -> Iterator[Point]:
    name = f"{shown(audio.codec)}, {audio.rate_hz} Hz, {audio.channels} ch"
    if audio.codec == "opus":
        yield _point("audio_opus", Fitness.GOOD, f"{name}，直接转发。", f"{name}: goes through as it is.")
    else:
        yield _point(
            "audio_converted",
            Fitness.GOOD,
            f"{name}，转换为 Opus，几乎不占 CPU。",
            f"{name}: made into Opus, at next to no cost.",
        )
    if audio.rate_hz and audio.rate_hz < 16000:
        yield _point(
            "narrow_sound",
            Fitness.NOTE,
            f"采样率只有 {audio.rate_hz} Hz，像电话声。请把音频编码改为 AAC，采样率 32 或 48 kHz。",
            f"{audio.rate_hz} Hz sounds like a telephone. Set the audio to AAC at 32 or 48 kHz.",
        )
    if audio.loudness_dbfs < QUIET_DBFS:
        yield _point(
            "silent",
            Fitness.NOTE,
            "声音几乎是静音。请检查麦克风接线、输入类型（Line/Mic）与音量。",
            "The sound is next to silence. Check the microphone's cable, input type (Line/Mic) and volume.",
        )
    if audio.clipped > MOST_CLIPPED:
        yield _point(
            "clipping",
            Fitness.NOTE,
            "声音太大，已经削波失真。请把设备的输入音量调低，或把输入类型由 Mic 改为 Line。",
            "The sound is too loud and clipped. Turn the device's input volume down, or set its input type "
            "to Line instead of Mic.",
        )


def _no_video(*, pushed: bool) -> Iterator[Point]:
    yield _point(
        "no_video",
        Fitness.UNFIT,
        "没有视频流。" + ("请在设备上打开视频。" if pushed else "请检查地址里的通道号与码流类型。"),
        "No picture stream. "
        + ("Turn video on in the device." if pushed else "Check channel and stream type in the address."),
    )


def _no_audio(fitness: Fitness) -> Iterator[Point]:
    yield _point(
        "no_audio",
        fitness,
        "没有声音。若要用这路声音，请在设备的主码流上把“视频流”改为“复合流”。",
        'No sound. To use this device\'s sound, set the main stream from "video" to "video and audio".',
    )


def _transcoded(video: VideoFacts, code: str, zh: str, setting: tuple[str, str], en: str) -> Point:
    cores = transcode_cores(video)
    return Point(
        code,
        Fitness.TRANSCODE,
        Words(
            f"{zh}服务器将转码，约占 {cores} 个核。{setting[0]}",
            f"{en}: it will be transcoded at about {cores} cores. {setting[1]}",
        ),
        cores,
    )


def _point(code: str, fitness: Fitness, zh: str, en: str) -> Point:
    return Point(code, fitness, Words(zh, en))

import { describe, expect, it } from "vitest";

import type { ReplayRendition, ReplayTrack } from "@/protocol/messages";

import { at, cuesOf, thumbsOf } from "./cues";
import { isTrimmed, keptOf, leftOutOf, shownFrom } from "./edits";
import { playedFrom, qualitiesOf } from "./quality";

const EDIT = { in_s: 5, out_s: 50, cuts: [{ start_s: 20, end_s: 30 }] };

describe("an edit list", () => {
  it("leaves the stretches between its cuts", () => {
    expect(keptOf(EDIT, 60)).toEqual([
      { start_s: 5, end_s: 20 },
      { start_s: 30, end_s: 50 },
    ]);
    expect(keptOf({ in_s: 0, out_s: null, cuts: [] }, 60)).toEqual([{ start_s: 0, end_s: 60 }]);
    expect(keptOf({ in_s: 0, out_s: null, cuts: [{ start_s: 0, end_s: 10 }] }, 60)).toEqual([{ start_s: 10, end_s: 60 }]);
  });

  it("sends the player over what is left out, and ends where nothing is left", () => {
    const kept = keptOf(EDIT, 60);
    expect(shownFrom(kept, 0)).toBe(5);
    expect(shownFrom(kept, 12)).toBe(12);
    expect(shownFrom(kept, 20)).toBe(30);
    expect(shownFrom(kept, 25)).toBe(30);
    expect(shownFrom(kept, 50)).toBeNull();
    expect(leftOutOf(kept, 60)).toEqual([
      { start_s: 0, end_s: 5 },
      { start_s: 20, end_s: 30 },
      { start_s: 50, end_s: 60 },
    ]);
    expect(isTrimmed(EDIT)).toBe(true);
    expect(isTrimmed({ in_s: 0, out_s: null, cuts: [] })).toBe(false);
  });
});

describe("WebVTT", () => {
  const vtt = "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\n你好\n\n1\n01:02.000 --> 01:03.000\nb\n\nbad --> block\nc";

  it("gives its captions with their times and passes over what it cannot read", () => {
    expect(cuesOf(vtt)).toEqual([
      { start_s: 1, end_s: 2.5, text: "你好" },
      { start_s: 62, end_s: 63, text: "b" },
    ]);
    expect(at(cuesOf(vtt), 2)?.text).toBe("你好");
    expect(at(cuesOf(vtt), 2.5)).toBeNull();
  });

  it("names the part of a picture, and no address of elsewhere", () => {
    const times = "00:00:00.000 --> 00:00:05.000\n";
    expect(thumbsOf(`WEBVTT\n\n${times}camera.sprites-1.jpg#xywh=160,90,160,90\n`)).toEqual([
      { start_s: 0, end_s: 5, file: "camera.sprites-1.jpg", x: 160, y: 90, width: 160, height: 90 },
    ]);
    expect(thumbsOf(`WEBVTT\n\n${times}https://elsewhere.example/a.jpg#xywh=0,0,1,1\n`)).toEqual([]);
  });
});

describe("the quality", () => {
  const track = (name: string, kind: string, codec: string): ReplayTrack => ({
    name, kind, codec, subject: "teacher", room: "main", playlist: `/${name}`, gaps: [],
  });
  const made = (kind: string, of: string): ReplayRendition => ({
    kind, track: of, codec: "AAC", playlist: `/${of}.${kind}`, width: 0, height: 0,
  });
  const tracks = [track("camera", "video", "H264"), track("screen", "video", "H264"), track("voice", "audio", "opus")];
  const renditions = [made("720p", "camera"), made("aac", "voice")];

  it("offers what was made", () => {
    expect(qualitiesOf(tracks, renditions)).toEqual(["original", "720p", "sound"]);
    expect(qualitiesOf([tracks[2]!], renditions)).toEqual(["original"]);
  });

  it("takes the smaller picture where there is one, and AAC only where Opus does not play", () => {
    const at720 = playedFrom(tracks, renditions, "720p", true);
    expect(at720.map((one) => one.playlist)).toEqual(["/camera.720p", "/screen", "/voice"]);
    expect(playedFrom(tracks, renditions, "original", false)[2]?.playlist).toBe("/voice.aac");
    expect(playedFrom(tracks, renditions, "sound", true).map((one) => one.name)).toEqual(["voice"]);
  });
});

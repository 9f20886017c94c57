import { describe, expect, it } from "vitest";

import type { ReplayTrack } from "@/protocol/messages";
import { gapAt, gapSpans, linesOf, onBar } from "./gaps";

function track(name: string, ...gaps: [number, number, string][]): ReplayTrack {
  return {
    name,
    subject: name,
    kind: name === "voice" ? "audio" : "video",
    codec: "H264",
    room: "main",
    playlist: "",
    gaps: gaps.map(([start_s, end_s, cause]) => ({ start_s, end_s, cause, side: "unknown" })),
  };
}

describe("the holes of a recording on the time bar", () => {
  it("of camera and voice cut at the same time are one stretch that names both", () => {
    const spans = gapSpans([track("camera", [10, 20, "line"]), track("voice", [10.1, 19.8, "line"])], 60);
    expect(spans).toHaveLength(1);
    expect(spans[0]).toMatchObject({ start_s: 10, end_s: 20 });
    expect(spans[0]?.parts.map((part) => part.track)).toEqual(["camera", "voice"]);
  });

  it("lie in order and never overlap, whatever the tracks say", () => {
    const spans = gapSpans(
      [track("camera", [30, 40, "a"], [5, 9, "b"]), track("voice", [8, 12, "c"], [39, 70, "d"])],
      60,
    );
    expect(spans.map((span) => [span.start_s, span.end_s])).toEqual([
      [5, 12],
      [30, 60],
    ]);
  });

  it("too short to be seen are left out, and what lies outside the lesson is cut off", () => {
    expect(gapSpans([track("camera", [5, 5.1, "x"], [-3, 1, "y"], [70, 80, "z"])], 60)).toMatchObject([
      { start_s: 0, end_s: 1 },
    ]);
  });

  it("at the beginning are none where a track only began some tenths after another", () => {
    const voice = track("voice", [0, 0.4, "not_started"], [9, 9.4, "loss"]);
    const camera = track("camera", [0, 1.5, "not_started"]);
    expect(gapSpans([voice], 60)).toMatchObject([{ start_s: 9, end_s: 9.4 }]);
    expect(gapSpans([camera], 60)).toMatchObject([{ start_s: 0, end_s: 1.5 }]);
  });

  it("of several tracks with one cause and one time are told in one line", () => {
    const [span] = gapSpans(
      [track("camera", [10, 20, "line"]), track("voice", [10.4, 19.5, "line"], [15, 16, "loss"])],
      60,
    );
    expect(span && linesOf(span)).toEqual([
      { start_s: 10, end_s: 20, cause: "line", subjects: ["camera", "voice"] },
      { start_s: 15, end_s: 16, cause: "loss", subjects: ["voice"] },
    ]);
  });

  it("leave out courseware that was merely switched off, unless a camera is missing too", () => {
    const screen = track("screen", [0, 8, "not_started"], [30, 60, "source_away"]);
    const camera = track("camera", [40, 50, "source_away"]);
    expect(gapSpans([screen, track("camera")], 60)).toEqual([]);
    expect(gapSpans([screen, camera], 60)).toMatchObject([
      { start_s: 40, end_s: 50, parts: [{ track: "camera" }, { track: "screen", start_s: 40, end_s: 50 }] },
    ]);
    expect(gapSpans([screen, track("voice")], 60)).toHaveLength(2);
    expect(gapSpans([track("screen", [5, 9, "loss"]), track("camera")], 60)).toHaveLength(1);
  });

  it("take their share of the bar, in percent", () => {
    expect(onBar(15, 30, 60)).toEqual({ left: 25, width: 25 });
    expect(onBar(50, 90, 60).left + onBar(50, 90, 60).width).toBe(100);
    expect(onBar(1, 2, 0)).toEqual({ left: 0, width: 0 });
  });

  it("are found by the moment, the end being outside", () => {
    const camera = track("camera", [10, 20, "line"]);
    expect(gapAt(camera, 10)?.cause).toBe("line");
    expect(gapAt(camera, 20)).toBeNull();
  });
});

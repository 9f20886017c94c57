import { describe, expect, it } from "vitest";

import type { ReplayTrack } from "@/protocol/messages";
import { causesOf, gapAt, gapSpans, onBar } from "./gaps";

function track(name: string, ...gaps: [number, number, string][]): ReplayTrack {
  return {
    name,
    subject: name,
    kind: name === "voice" ? "audio" : "video",
    codec: "H264",
    room: "main",
    playlist: "",
    gaps: gaps.map(([start_s, end_s, cause]) => ({ start_s, end_s, cause })),
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
      [track("camera", [30, 40, "a"], [5, 9, "b"]), track("screen", [8, 12, "c"], [39, 70, "d"])],
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

  it("are told by cause, the longest first and each once", () => {
    const [span] = gapSpans(
      [track("camera", [10, 12, "device"], [12, 20, "line"]), track("voice", [11, 19, "line"])],
      60,
    );
    expect(span && causesOf(span)).toEqual(["line", "device"]);
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

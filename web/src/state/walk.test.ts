import { describe, expect, it } from "vitest";

import type { Fact } from "@/sample/frames";

import { freshWalk, heardFact, medianOf, stepNow } from "./walk";
import type { Walk } from "./walk";

const ROOMS = ["luoping", "shahe", "yefan"];

function lesson(state: string, more: Partial<Extract<Fact, { kind: "lesson" }>> = {}): [string | null, Fact] {
  return [null, { kind: "lesson", state, called: null, replayUrl: null, replayAfterMs: null, ...more }];
}

function after(...facts: [string | null, Fact][]): Walk {
  return facts.reduce((walk, [room, fact]) => heardFact(walk, room, fact), freshWalk(ROOMS));
}

describe("the walk through the sample lesson", () => {
  it("begins with Start", () => {
    expect(stepNow(freshWalk(ROOMS))).toBe("start");
  });

  it("goes on as things happen, in whatever order", () => {
    const live = lesson("live");
    const called = lesson("live", { called: "shahe" });
    expect(stepNow(after(live))).toBe("unplug");
    expect(stepNow(after(live, called))).toBe("unplug");
    expect(stepNow(after(live, ["yefan", { kind: "cut", seconds: 12.3 }]))).toBe("call");
    expect(stepNow(after(live, called, ["yefan", { kind: "cut", seconds: 12.3 }]))).toBe("end");
  });

  it("offers the replay after End, whatever was skipped", () => {
    const walk = after(lesson("live"), lesson("ended", { replayUrl: "/replay/L1", replayAfterMs: 900 }));
    expect(stepNow(walk)).toBe("replay");
    expect(walk.replayUrl).toBe("/replay/L1");
    expect(walk.done.has("unplug")).toBe(false);
  });

  it("begins again with another lesson and forgets the old figures", () => {
    const walk = after(lesson("live"), ["shahe", { kind: "joined", seconds: 0.4 }], lesson("ended"), lesson("open"), lesson("live"));
    expect(walk.rooms["shahe"]?.joinedS).toBeNull();
    expect(stepNow(walk)).toBe("unplug");
    expect(walk.done.has("end")).toBe(false);
  });

  it("tells the median of what was measured", () => {
    const walk = after(
      ["luoping", { kind: "delay", ms: 30 }],
      ["shahe", { kind: "delay", ms: 50 }],
      ["yefan", { kind: "delay", ms: 40 }],
    );
    expect(medianOf(walk, "delayMs")).toBe(40);
    expect(medianOf(walk, "cutS")).toBeNull();
  });

  it("hears nothing from a frame it does not know", () => {
    expect(after(["elsewhere", { kind: "delay", ms: 1 }])).toEqual(freshWalk(ROOMS));
  });
});

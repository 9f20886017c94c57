import { describe, expect, it } from "vitest";

import { delayOf, LivePace } from "./pace";

describe("a player that watches a live lesson", () => {
  it("runs at its own rate while it stands about where it should", () => {
    expect(new LivePace().step(100, 100.5)).toEqual({ kind: "rate", rate: 1 });
  });

  it("runs a little faster until it has caught up, not to and fro", () => {
    const pace = new LivePace();
    expect(pace.step(100, 101)).toEqual({ kind: "rate", rate: 1.06 });
    expect(pace.step(100.6, 101)).toEqual({ kind: "rate", rate: 1.06 });
    expect(pace.step(100.95, 101)).toEqual({ kind: "rate", rate: 1 });
    expect(pace.step(100.7, 101)).toEqual({ kind: "rate", rate: 1 });
  });

  it("slows down where the newest part is too near", () => {
    const pace = new LivePace();
    expect(pace.step(101, 100)).toEqual({ kind: "rate", rate: 0.96 });
    expect(pace.step(100, 100.1)).toEqual({ kind: "rate", rate: 1 });
  });

  it("jumps where it is far off, either way", () => {
    expect(new LivePace().step(90, 100)).toEqual({ kind: "seek", to_s: 100 });
    expect(new LivePace().step(110, 100)).toEqual({ kind: "seek", to_s: 100 });
  });

  it("tells its delay by the server's clock, never a negative one", () => {
    expect(delayOf(1000, 6000)).toBe(5);
    expect(delayOf(6000, 1000)).toBe(0);
    expect(delayOf(null, 1000)).toBeNull();
  });
});

import { describe, expect, it } from "vitest";

import { loadedUntil, loadFrom, nextPlace } from "./keyframes";
import type { Stretch } from "./keyframes";

const segments = (...keys: boolean[]): Stretch[] =>
  keys.map((key, k) => ({ start_s: 5 * k, end_s: 5 * (k + 1), key }));

describe("going back in a picture with few keyframes", () => {
  it("begins at the keyframe before", () => {
    expect(loadFrom(segments(true, false, false, true, false), 12)).toBe(0);
    expect(loadFrom(segments(true, false, false, true, false), 24.9)).toBe(15);
  });

  it("needs nothing where the segment has its own", () => {
    expect(loadFrom(segments(true, false, true), 12)).toBeNull();
    expect(loadFrom(segments(true, false, true), 10)).toBeNull();
  });

  it("takes the segment that grows for one without a keyframe", () => {
    expect(loadFrom(segments(true, false), 11)).toBe(0);
    expect(loadFrom([], 11)).toBeNull();
  });

  const ranges = { length: 2, start: (k: number) => [0, 10][k]!, end: (k: number) => [4, 20][k]! };

  it("knows what is loaded", () => {
    expect([1, 4, 7, 10, 19.9, 20].map((at) => loadedUntil(ranges, at))).toEqual([4, null, null, 20, 20, null]);
  });

  it("goes there once it is loaded, and until then on with what is", () => {
    expect(nextPlace(ranges, 10, 19)).toBe(19);
    expect(nextPlace(ranges, 10, 45)).toBe(19.5);
    expect(nextPlace(ranges, 19.5, 45)).toBeNull();
    expect(nextPlace(ranges, 7, 45)).toBeNull();
  });
});

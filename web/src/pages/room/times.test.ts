import { describe, expect, it } from "vitest";

import { durationText, secondsUntil } from "./times";

describe("times on the wall", () => {
  const at = new Date(2026, 10, 21, 9, 3, 7).getTime();

  it("count down to zero and never below", () => {
    expect(secondsUntil(at + 1, at)).toBe(1);
    expect(secondsUntil(at, at)).toBe(0);
    expect(secondsUntil(at - 5000, at)).toBe(0);
    expect(durationText(72_900)).toBe("1:12");
    expect(durationText(-5)).toBe("0:00");
  });
});

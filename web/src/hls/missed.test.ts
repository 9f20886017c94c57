import { describe, expect, it } from "vitest";

import { MissedStretch, OFFERED_MS } from "./missed";

describe("what a room missed while it was cut", () => {
  it("is offered after it came back, for a while", () => {
    const missed = new MissedStretch();
    expect(missed.update(true, 0)).toBeNull();
    expect(missed.update(true, 39_000)).toBeNull();
    expect(missed.update(false, 40_000)).toEqual({ from: 0, until: 40_000 });
    expect(missed.update(false, 40_000 + OFFERED_MS)).toEqual({ from: 0, until: 40_000 });
    expect(missed.update(false, 40_001 + OFFERED_MS)).toBeNull();
    expect(missed.update(false, 50_000 + OFFERED_MS)).toBeNull();
  });

  it("is not worth an offer below 10 s, nor above some minutes", () => {
    const missed = new MissedStretch();
    missed.update(true, 0);
    expect(missed.update(false, 9_000)).toBeNull();
    missed.update(true, 100_000);
    expect(missed.update(false, 500_000)).toBeNull();
  });

  it("is one stretch where the line comes and goes", () => {
    const missed = new MissedStretch();
    missed.update(true, 0);
    missed.update(false, 6_000);
    missed.update(true, 8_000);
    expect(missed.update(false, 20_000)).toEqual({ from: 0, until: 20_000 });
  });

  it("is forgotten once it was taken or declined", () => {
    const missed = new MissedStretch();
    missed.update(true, 0);
    missed.update(false, 20_000);
    missed.forget();
    expect(missed.update(false, 20_100)).toBeNull();
  });
});

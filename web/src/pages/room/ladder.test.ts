import { describe, expect, it } from "vitest";

import type { RoadFacts } from "./ladder";
import { BROADCAST_AFTER_MS, FIRST_LOOK_MS, FIRST_TRY_MS, Ladder, LONGEST_LOOK_MS, LONGEST_TRY_MS } from "./ladder";

const NOTHING: RoadFacts = { linked: true, due: true, moving: false, road: null };
const MOVING: RoadFacts = { ...NOTHING, moving: true, road: "udp" };

/** Seconds at which a step other than "stay" was taken, with the step. */
function walk(ladder: Ladder, facts: RoadFacts, from_s: number, to_s: number): [number, string][] {
  const taken: [number, string][] = [];
  for (let s = from_s; s <= to_s; s++) {
    const step = ladder.check(facts, s * 1000);
    if (step !== "stay") taken.push([s, step]);
  }
  return taken;
}

describe("the ladder", () => {
  it("shows the broadcast when nothing came for some seconds, and takes it away with the first picture", () => {
    const ladder = new Ladder(() => 0.5);
    walk(ladder, NOTHING, 0, BROADCAST_AFTER_MS / 1000 - 1);
    expect(ladder.broadcast).toBe(false);
    ladder.check(NOTHING, BROADCAST_AFTER_MS);
    expect(ladder.broadcast).toBe(true);
    ladder.check(MOVING, BROADCAST_AFTER_MS + 5000);
    expect(ladder.broadcast).toBe(false);
  });

  it("goes on trying while the broadcast is shown, ever less often", () => {
    const ladder = new Ladder(() => 0.5);
    const taken = walk(ladder, NOTHING, 0, 600);
    expect(taken.every(([, step]) => step === "renew")).toBe(true);
    const pauses = taken.slice(1).map(([s], k) => s - (taken[k]?.[0] ?? 0));
    expect(taken[0]?.[0]).toBe((BROADCAST_AFTER_MS + FIRST_TRY_MS) / 1000);
    expect(pauses[0]).toBeGreaterThan(FIRST_TRY_MS / 1000);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(LONGEST_TRY_MS / 1000 + 1);
  });

  it("does not step down while the teacher sends nothing or the server is away", () => {
    const ladder = new Ladder(() => 0.5);
    expect(walk(ladder, { ...NOTHING, due: false }, 0, 100)).toEqual([]);
    expect(walk(ladder, { ...NOTHING, linked: false }, 101, 200)).toEqual([]);
    expect(ladder.broadcast).toBe(false);
  });

  it.each(["tcp", "turn"] as const)("looks for a better road than %s, ever less often", (road) => {
    const ladder = new Ladder(() => 0.5);
    const taken = walk(ladder, { ...MOVING, road }, 0, 4000);
    expect(taken[0]).toEqual([FIRST_LOOK_MS / 1000, "restart"]);
    const pauses = taken.slice(1).map(([s], k) => s - (taken[k]?.[0] ?? 0));
    expect(pauses).toEqual([...pauses].sort((a, b) => a - b));
    expect(Math.max(...pauses)).toBeLessThanOrEqual(LONGEST_LOOK_MS / 1000 + 1);
  });

  it("is content with UDP, and looks soon again after it fell from it", () => {
    const ladder = new Ladder(() => 0.5);
    expect(walk(ladder, MOVING, 0, 3000)).toEqual([]);
    expect(walk(ladder, { ...MOVING, road: "tcp" }, 3001, 3100)[0]?.[0]).toBe(3001 + FIRST_LOOK_MS / 1000);
  });
});

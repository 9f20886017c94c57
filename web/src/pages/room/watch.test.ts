import { describe, expect, it } from "vitest";

import { FIRST_PAUSE_MS, Healer, LONGEST_PAUSE_MS } from "./healer";
import type { SlotVerdict } from "./watch";
import { SCREEN_STILL_AFTER_MS, STILL_AFTER_MS, Watch, withFreezes } from "./watch";

const stage = { name: "stage", kind: "video", assigned: true };
const screen = { name: "screen", kind: "video", assigned: true };
const main = { name: "main", kind: "audio", assigned: true };

describe("the watch over picture and sound", () => {
  it("waits for the first frame, then sees it move, then stand", () => {
    const watch = new Watch();
    expect(watch.sample([stage], [], 0)["stage"]).toMatchObject({ motion: "waiting", since: 0 });
    expect(watch.sample([stage], [{ slot: "stage", frames: 12 }], 1000)["stage"]?.motion).toBe("moving");
    const later = 1000 + STILL_AFTER_MS;
    expect(watch.sample([stage], [{ slot: "stage", frames: 0 }], later)["stage"]?.motion).toBe("moving");
    expect(watch.sample([stage], [{ slot: "stage", frames: 0 }], later + 1)["stage"]).toMatchObject({
      motion: "still",
      since: 1000,
    });
  });

  it("knows a stuck decoder from a silent line", () => {
    const watch = new Watch();
    const reports = [{ slot: "stage", frames: 0, received: 90 }];
    expect(watch.sample([stage], reports, 0)["stage"]?.arriving).toBe(true);
    expect(watch.sample([stage], [], 1000)["stage"]?.arriving).toBe(false);
  });

  it("lets a screen stand longer than a camera", () => {
    const watch = new Watch();
    watch.sample([screen], [{ slot: "screen", frames: 1 }], 0);
    expect(watch.sample([screen], [], SCREEN_STILL_AFTER_MS)["screen"]?.motion).toBe("moving");
    expect(watch.sample([screen], [], SCREEN_STILL_AFTER_MS + 1)["screen"]?.motion).toBe("still");
  });

  it("counts packets for sound and forgets a slot that is not assigned", () => {
    const watch = new Watch();
    expect(watch.sample([main], [{ slot: "main", received: 50 }], 0)["main"]?.motion).toBe("moving");
    expect(watch.sample([{ ...main, assigned: false }], [], 1000)["main"]?.motion).toBe("none");
    expect(watch.sample([main], [], 2000)["main"]).toMatchObject({ motion: "waiting", since: 2000 });
  });

  it("tells a standing camera as frozen for the whole interval, a screen not", () => {
    const reports = [
      { slot: "stage", frames: 0 },
      { slot: "screen", frames: 0 },
      { slot: "main", received: 50 },
    ];
    const told = withFreezes(reports, [stage, screen, main], 1003);
    expect(told.map((one) => one.freeze_ms)).toEqual([1003, undefined, undefined]);
  });
});

describe("healing a picture that stands", () => {
  const still: SlotVerdict = { motion: "still", since: 0, arriving: false };
  const moving: SlotVerdict = { motion: "moving", since: 0, arriving: true };
  const waiting: SlotVerdict = { motion: "waiting", since: 0, arriving: false };
  const ill = { linked: true, picture: still, heard: false, sourceAway: false };

  function triesWithin(healer: Healer, until: number): number[] {
    const tries = [];
    for (let now = 0; now <= until; now += 500) if (healer.check(ill, now)) tries.push(now);
    return tries;
  }

  it("asks after a few seconds, then at doubling pauses up to half a minute, for ever", () => {
    const tries = triesWithin(new Healer(() => 0.5), 300_000);
    const pauses = tries.slice(1).map((at, k) => at - (tries[k] ?? 0));
    expect(tries[0]).toBe(1500);
    expect(pauses.slice(0, 3)).toEqual([2, 4, 7.5].map((n) => n * FIRST_PAUSE_MS));
    expect(Math.max(...pauses)).toBe(LONGEST_PAUSE_MS);
    expect(tries.length).toBeGreaterThan(10);
  });

  it("spreads the tries of many rooms by jitter", () => {
    const second = [0, 0.3, 0.6, 0.9].map((random) => triesWithin(new Healer(() => random), 30_000)[1]);
    expect(new Set(second).size).toBe(4);
  });

  it("leaves a picture alone whose teacher is away, and asks nothing without a line", () => {
    const healer = new Healer(() => 0.5);
    expect(healer.check({ ...ill, sourceAway: true }, 60_000)).toBe(false);
    expect(healer.retryAt).toBeNull();
    expect(healer.check({ ...ill, linked: false }, 60_000)).toBe(false);
    expect(healer.check({ ...ill, linked: false }, 90_000)).toBe(false);
    expect(healer.check(ill, 90_500)).toBe(true);
  });

  it("waits longer while sound arrives: then the line is well", () => {
    const healer = new Healer(() => 0.5);
    expect(healer.check({ ...ill, heard: true }, 0)).toBe(false);
    expect(healer.check({ ...ill, heard: true }, 4999)).toBe(false);
    expect(healer.check({ ...ill, heard: true }, 5000)).toBe(true);
  });

  it("gives the first frame six seconds", () => {
    const healer = new Healer(() => 0.5);
    expect(healer.check({ ...ill, picture: waiting }, 0)).toBe(false);
    expect(healer.check({ ...ill, picture: waiting }, 5999)).toBe(false);
    expect(healer.check({ ...ill, picture: waiting }, 6000)).toBe(true);
  });

  it("begins with short pauses again after ten good seconds", () => {
    const healer = new Healer(() => 0.5);
    triesWithin(healer, 60_000);
    healer.check({ ...ill, picture: moving }, 61_000);
    expect(healer.retryAt).toBeNull();
    healer.check({ ...ill, picture: moving }, 71_000);
    healer.check(ill, 80_000);
    expect(healer.retryAt).toBe(81_500);
  });
});

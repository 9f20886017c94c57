import { describe, expect, it } from "vitest";

import { Ending } from "./ending";

describe("a lesson's End", () => {
  it("is asked for again when the line is back and the lesson goes on", () => {
    const ending = new Ending();
    ending.wanted("L1");
    ending.lineBack();
    expect(ending.told(null, false), "a server that begins knows of no lesson yet").toBe(false);
    expect(ending.told("L1", true)).toBe(true);
    expect(ending.told("L1", true), "once for each time").toBe(false);
    ending.lineBack();
    expect(ending.told("L1", true)).toBe(true);
  });

  it("is never asked for where nobody wanted it", () => {
    const ending = new Ending();
    ending.lineBack();
    expect(ending.told("L1", true)).toBe(false);
  });

  it("is done with once the lesson is over, and never meant for another", () => {
    const ending = new Ending();
    ending.wanted("L1");
    expect(ending.told("L1", false)).toBe(false);
    ending.lineBack();
    expect(ending.told("L1", true)).toBe(false);
    ending.wanted("L1");
    ending.lineBack();
    expect(ending.told("L2", true)).toBe(false);
  });

  it("is taken back by going on", () => {
    const ending = new Ending();
    ending.wanted("L1");
    ending.forget();
    ending.lineBack();
    expect(ending.told("L1", true)).toBe(false);
  });
});

import { describe, expect, it } from "vitest";

import { goOnWith } from "./going-on";

const card = (lesson: string, watched_s: number, recording = "ready") => ({ lesson, watched_s, seconds: 100, recording });

describe("a series goes on", () => {
  it("in the lesson that was left in the middle", () => {
    expect(goOnWith([card("a", 99), card("b", 40), card("c", 0)])?.lesson).toBe("b");
  });
  it("with the one after the last that was seen", () => {
    expect(goOnWith([card("a", 99), card("b", 0)])?.lesson).toBe("b");
    expect(goOnWith([card("a", 99), card("b", 0, "recording"), card("c", 0)])?.lesson).toBe("c");
  });
  it("nowhere before one began, or after its end", () => {
    expect(goOnWith([card("a", 0), card("b", 0)])).toBeNull();
    expect(goOnWith([card("a", 99), card("b", 100)])).toBeNull();
  });
});

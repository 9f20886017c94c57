import { describe, expect, it } from "vitest";

import type { Box } from "@/protocol/messages";

import { carriedOn } from "./boxes";

const WORDS = { zh: "没有回答", en: "no answer" };
const box = (state: string, words: Box["words"] = null): Box => ({ source: "camera", sound: false, state, words });

describe("the room's own boxes", () => {
  it("say why they do not come until they do, also while they are opened again", () => {
    const retrying = carriedOn([box("live")], [box("retrying", WORDS)]);
    const opening = carriedOn(retrying, [box("opening")]);
    expect(opening.map((each) => each.words)).toEqual([WORDS]);
    expect(carriedOn(opening, [box("live")])).toEqual([box("live")]);
  });
  it("have nothing to say when they are opened for the first time", () => {
    expect(carriedOn([], [box("opening")])).toEqual([box("opening")]);
  });
});

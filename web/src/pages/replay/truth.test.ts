import { beforeEach, describe, expect, it } from "vitest";

import { language } from "@/i18n/say";

import { truthInWords } from "./truth";

const WHOLE = {
  verified_at: Date.parse("2026-09-01T10:41:00"),
  whole: true,
  pictures: 60_012,
  pictures_decoded: 60_012,
  sync_ms: -8.2,
};

describe("the truth badge", () => {
  beforeEach(() => {
    language.value = "en";
  });

  it("says how many pictures there are and how far sound is from them", () => {
    expect(truthInWords(WHOLE)).toMatch(/^60,012 of 60,012 pictures, sync 8 ms, sums verified 10:41$/);
  });

  it("says nothing of a distance nobody knows", () => {
    expect(truthInWords({ ...WHOLE, sync_ms: null })).not.toContain("sync");
  });

  it("says when something is broken", () => {
    expect(truthInWords({ ...WHOLE, whole: false, pictures_decoded: 59_000 })).toContain("59,000 of 60,012");
  });

  it("waits for a verification that is not done", () => {
    expect(truthInWords(null)).toContain("being verified");
  });
});

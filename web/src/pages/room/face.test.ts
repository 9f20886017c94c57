import { describe, expect, it } from "vitest";

import type { LessonView } from "@/protocol/messages";
import { quietSeat } from "@/state/seat.fixture";

import type { Facts } from "./face";
import { arrange, ENDED_FOR_MS, faceOf, flows, isHeard, raisesHand, speaker } from "./face";
import type { Motion, SlotVerdict } from "./watch";

const NOW = 1_000_000;
const words = { zh: "名", en: "name" };

function slot(motion: Motion, since = NOW - 5000): SlotVerdict {
  return { motion, since, arriving: motion === "moving" };
}

function lesson(change: Partial<LessonView> = {}): LessonView {
  return {
    id: "L1",
    title: words,
    state: "live",
    main_room: "main",
    main_name: words,
    seats: [],
    main_away_since: null,
    called: null,
    ...change,
  } as LessonView;
}

function facts(change: Partial<Facts> = {}): Facts {
  return {
    known: true,
    link: "on",
    awaySince: null,
    linkRetryAt: null,
    refusal: null,
    lesson: lesson(),
    stage: slot("moving"),
    screen: slot("none"),
    voice: slot("moving"),
    sourceAway: false,
    codecMissing: false,
    seenAt: NOW - 7000,
    mediaRetryAt: null,
    endedAt: null,
    ...change,
  };
}

describe("the screen of a receiving room", () => {
  it("asks for the code only where no token is known or the token is refused for good", () => {
    expect(faceOf(facts({ known: false, lesson: null, link: "stopped" }), NOW).kind).toBe("code");
    const refusal = { type: "refused" as const, code: "bad_token", words, fatal: true, retry_after_ms: 0 };
    const face = faceOf(facts({ link: "refused", refusal, lesson: null }), NOW);
    expect(face).toEqual({ kind: "code", refusal });
  });

  it("says that the browser has no decoder, and not that the picture is coming", () => {
    const face = faceOf(facts({ codecMissing: true, stage: slot("waiting"), seenAt: null }), NOW);
    expect(face).toMatchObject({ kind: "lesson", trouble: { kind: "codec" } });
  });

  it("keeps its token when another screen took the room, or the page is too old", () => {
    for (const code of ["newer_page", "bad_version", "too_fast"]) {
      const refusal = { type: "refused" as const, code, words, fatal: true, retry_after_ms: 0 };
      expect(faceOf(facts({ link: "refused", refusal }), NOW)).toMatchObject({ kind: "refused", refusal });
    }
  });

  it("says connecting before the first welcome, and the clock ever after", () => {
    const first = facts({ lesson: null, link: "greeting", stage: null });
    expect(faceOf(first, NOW).kind).toBe("connecting");
    expect(faceOf({ ...first, link: "waiting", awaySince: NOW - 9000 }, NOW).kind).toBe("waiting");
    expect(faceOf(facts({ lesson: null }), NOW)).toEqual({ kind: "waiting", opening: false });
    expect(faceOf(facts({ lesson: lesson({ state: "open" }) }), NOW)).toEqual({
      kind: "waiting",
      opening: true,
    });
  });

  it("tells the end for a while, then waits for the next lesson", () => {
    const over = facts({ lesson: lesson({ state: "ended" }), endedAt: NOW - 1000 });
    expect(faceOf(over, NOW).kind).toBe("ended");
    expect(faceOf(over, NOW + ENDED_FOR_MS).kind).toBe("waiting");
  });

  it("is nothing but picture while the picture moves, even with the line away", () => {
    const away = facts({ link: "waiting", awaySince: NOW - 60_000, linkRetryAt: NOW + 2000 });
    expect(faceOf(facts(), NOW)).toEqual({ kind: "lesson", trouble: null, away: false, soundOnly: false });
    expect(faceOf(away, NOW)).toMatchObject({ trouble: null, away: true });
  });

  it("says which line is away, since when, and when it tries again", () => {
    const still = slot("still", NOW - 7000);
    expect(
      faceOf(facts({ stage: still, link: "waiting", awaySince: NOW - 6000, linkRetryAt: NOW + 3000 }), NOW),
    ).toMatchObject({ trouble: { kind: "line", since: NOW - 6000, retryAt: NOW + 3000 } });
    expect(
      faceOf(facts({ stage: still, lesson: lesson({ main_away_since: NOW - 8000 }) }), NOW),
    ).toMatchObject({ trouble: { kind: "teacher_away", since: NOW - 8000 } });
    expect(faceOf(facts({ stage: still, mediaRetryAt: NOW + 1000 }), NOW)).toMatchObject({
      trouble: { kind: "picture", since: NOW - 7000, retryAt: NOW + 1000 },
    });
  });

  it("keeps showing the courseware when only the camera stands", () => {
    const face = faceOf(facts({ stage: slot("still"), screen: slot("moving") }), NOW);
    expect(face).toMatchObject({ trouble: null });
  });

  it("says joining until the first frame, and sound only where nothing is shown but heard", () => {
    const fresh = { seenAt: null, screen: slot("none") };
    expect(faceOf(facts({ ...fresh, stage: slot("waiting") }), NOW)).toMatchObject({
      trouble: { kind: "joining" },
    });
    expect(faceOf(facts({ ...fresh, stage: null, screen: null, voice: null }), NOW)).toMatchObject({
      trouble: { kind: "joining" },
    });
    expect(faceOf(facts({ stage: slot("waiting") }), NOW)).toMatchObject({
      trouble: { kind: "picture", since: NOW - 7000 },
    });
    expect(faceOf(facts({ stage: slot("none") }), NOW)).toMatchObject({ trouble: null, soundOnly: true });
  });
});

describe("the source of a picture", () => {
  const camera = { room: "main", source: "camera" as const, thin: false };

  it("that sends nothing is told as the teacher's side, without a countdown", () => {
    const away = facts({ stage: slot("still"), sourceAway: true, mediaRetryAt: NOW + 1000 });
    expect(faceOf(away, NOW)).toMatchObject({ trouble: { kind: "source", retryAt: null } });
  });

  it("is known from what really flows", () => {
    expect(flows(lesson({ main_sends: ["camera", "voice"] }), camera)).toBe(true);
    expect(flows(lesson({ main_sends: ["voice"] }), camera)).toBe(false);
    expect(flows(lesson({ main_sends: [] }), null)).toBe(true);
  });
});

describe("the layout", () => {
  it("follows the courseware and keeps the room's choice where it can", () => {
    expect(arrange("both", true, false)).toBe("stage");
    expect(arrange("courseware", true, false)).toBe("stage");
    expect(arrange("both", true, true)).toBe("both");
    expect(arrange("teacher", true, true)).toBe("stage");
    expect(arrange("courseware", true, true)).toBe("screen");
    expect(arrange("teacher", false, true)).toBe("screen");
  });
});

describe("speaking", () => {
  const seat = quietSeat("shahe", 0);

  it("is told to the room that is called on or opened, never outside a lesson", () => {
    expect(isHeard(lesson({ called: "shahe" }), "shahe")).toBe(true);
    expect(isHeard(lesson({ seats: [{ ...seat, heard: true }] }), "shahe")).toBe(true);
    expect(isHeard(lesson({ called: "yefan" }), "shahe")).toBe(false);
    expect(isHeard(lesson({ called: "shahe", state: "ended" }), "shahe")).toBe(false);
  });

  it("of another room names it", () => {
    expect(speaker(lesson({ called: "yefan" }), "shahe")).toBe("yefan");
    expect(speaker(lesson({ called: "shahe" }), "shahe")).toBeNull();
  });
});

describe("the hand", () => {
  it("rises by H, Space and a presenter's keys, and by nothing else", () => {
    for (const key of ["h", "H", " ", "PageDown", "PageUp", "b"]) expect(raisesHand(key)).toBe(true);
    for (const key of ["a", "Enter", "Tab", "Escape", "F5"]) expect(raisesHand(key)).toBe(false);
  });
});

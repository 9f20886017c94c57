import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Lesson, LessonView, ToServer } from "@/protocol/messages";

import { counted, Standing } from "./standing";

const told = (id: string, state: string, booked_from: number | null): Lesson => ({
  type: "lesson",
  lesson: { id, state, booked_from } as LessonView,
  next_title: null,
  next_teacher: null,
  next_at: null,
});

describe("how a room stands", () => {
  const sent: ToServer[] = [];
  let inLesson = false;
  const heard = { result: "heard" as const, delay_ms: 31, above_db: 22 };
  const ports = {
    send: (message: ToServer) => sent.push(message) > 0,
    clockOff_ms: () => 180_000,
    hear: () => Promise.resolve(heard),
    inLesson: () => inLesson,
  };

  beforeEach(() => {
    vi.useFakeTimers();
    sent.length = 0;
    inLesson = false;
    vi.stubGlobal("navigator", {
      mediaDevices: {
        addEventListener: () => undefined,
        removeEventListener: () => undefined,
        enumerateDevices: () => Promise.resolve([{ kind: "videoinput" }, { kind: "audioinput" }, { kind: "audioinput" }]),
      },
    });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("is told at once and every minute, with how far its own clock is behind", async () => {
    const standing = new Standing(ports);
    standing.begin();
    await vi.advanceTimersByTimeAsync(61_000);
    standing.end();
    await vi.advanceTimersByTimeAsync(300_000);
    expect(sent.length).toBe(3);
    expect(sent[0]).toEqual({ type: "standing", cameras: 1, microphones: 2, speakers: 0, clock_off_ms: -180_000 });
  });

  it("hears itself once before the bell of a booked lesson, never in one, never in an unbooked one", async () => {
    const standing = new Standing(ports);
    standing.lessonTold(told("L1", "open", null));
    standing.lessonTold(told("L2", "open", 5));
    standing.lessonTold(told("L2", "open", 5));
    await vi.advanceTimersByTimeAsync(10);
    expect(sent).toEqual([{ type: "hear_checked", ...heard }]);
    inLesson = true;
    await standing.hear();
    standing.lessonTold(told("L3", "live", 5));
    await vi.advanceTimersByTimeAsync(10);
    expect(sent.length).toBe(1);
  });

  it("counts no more than campus takes", () => {
    expect(counted(Array.from({ length: 99 }, () => ({ kind: "videoinput" as const }))).cameras).toBe(32);
  });
});

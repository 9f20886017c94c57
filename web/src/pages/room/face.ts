/**
 * What the room's screen shows, decided from facts. Pure: one function, one table of troubles.
 *
 * Nothing but picture while all is well. As long as the picture moves, no trouble covers it: a campus
 * that restarts takes the signalling line away, not the lesson.
 */
import type { Assigned, LessonView, Refused } from "@/protocol/messages";
import type { SessionState } from "@/protocol/session";
import type { SlotVerdict } from "./watch";

/** The lesson's states in which a room is in it: connections and devices are held only then. */
export function isOn(lesson: LessonView | null): boolean {
  return lesson !== null && (lesson.state === "live" || lesson.state === "closing");
}

export interface Facts {
  /** A token is held, so this screen knows which room it is. */
  known: boolean;
  link: SessionState;
  /** Since when the signalling line is away. */
  awaySince: number | null;
  /** When it is tried again. */
  linkRetryAt: number | null;
  refusal: Refused | null;
  lesson: LessonView | null;
  stage: SlotVerdict | null;
  screen: SlotVerdict | null;
  voice: SlotVerdict | null;
  /** The picture that should move has no source now: nothing here or on the line is at fault. */
  sourceAway: boolean;
  /** This browser has no decoder for the picture it is sent. */
  codecMissing: boolean;
  /** When a picture last moved in this lesson; null: none did yet. */
  seenAt: number | null;
  /** When a new connection is asked for because the picture stands. */
  mediaRetryAt: number | null;
  /** When this screen saw the lesson end. */
  endedAt: number | null;
}

export type TroubleKind = "line" | "picture" | "codec" | "source" | "teacher_away" | "joining";

export interface Trouble {
  kind: TroubleKind;
  since: number;
  retryAt: number | null;
}

export type Face =
  | { kind: "code"; refusal: Refused | null }
  | { kind: "connecting" }
  | { kind: "refused"; refusal: Refused; retryAt: number | null }
  | { kind: "waiting"; opening: boolean }
  | { kind: "ended" }
  | { kind: "lesson"; trouble: Trouble | null; away: boolean; soundOnly: boolean };

/** The token is no room's any more: only the code helps. Every other refusal passes, or is taken back here. */
export function isUnknown(refusal: Refused): boolean {
  return refusal.code === "bad_token" || refusal.code === "not_found";
}

/** The room was opened on another screen: this one stays quiet until somebody wants it here. */
export function isElsewhere(refusal: Refused): boolean {
  return refusal.code === "newer_page";
}

/** How long the end is shown before the clock comes back. */
export const ENDED_FOR_MS = 30_000;
/** A line that is away for a blink is not worth a word. */
const WORTH_A_WORD_MS = 2000;

export function faceOf(facts: Facts, now: number): Face {
  if (facts.link === "refused" && facts.refusal !== null) {
    const { refusal, linkRetryAt: retryAt } = facts;
    return isUnknown(refusal) ? { kind: "code", refusal } : { kind: "refused", refusal, retryAt };
  }
  if (!facts.known) return { kind: "code", refusal: null };
  if (facts.lesson !== null && isOn(facts.lesson)) return lessonFace(facts, facts.lesson, now);
  if (facts.refusal !== null && facts.link === "waiting") {
    return { kind: "refused", refusal: facts.refusal, retryAt: facts.linkRetryAt };
  }
  if (facts.endedAt !== null && now - facts.endedAt < ENDED_FOR_MS) return { kind: "ended" };
  if (facts.link !== "on" && facts.awaySince === null) return { kind: "connecting" };
  return { kind: "waiting", opening: facts.lesson?.state === "open" };
}

function lessonFace(facts: Facts, lesson: LessonView, now: number): Face {
  const moving = facts.stage?.motion === "moving" || facts.screen?.motion === "moving";
  const away = facts.link !== "on" && facts.awaySince !== null && now - facts.awaySince > WORTH_A_WORD_MS;
  const soundOnly = pictureless(facts) && facts.voice?.motion === "moving";
  return { kind: "lesson", away, soundOnly, trouble: moving ? null : troubleOf(facts, lesson) };
}

function pictureless(facts: Facts): boolean {
  return (facts.stage?.motion ?? "none") === "none" && (facts.screen?.motion ?? "none") === "none";
}

function troubleOf(facts: Facts, lesson: LessonView): Trouble | null {
  // With nothing moving there is no blink to wait out: say at once what is away.
  if (facts.link !== "on" && facts.awaySince !== null) {
    return { kind: "line", since: facts.awaySince, retryAt: facts.linkRetryAt };
  }
  if (lesson.main_away_since !== null && lesson.main_away_since !== undefined) {
    return { kind: "teacher_away", since: lesson.main_away_since, retryAt: null };
  }
  const slots = [facts.stage, facts.screen];
  const due = slots.find((slot) => slot !== null && slot.motion !== "none");
  if (facts.stage !== null && due === undefined) return null;
  const since = facts.seenAt ?? due?.since ?? 0;
  if (facts.codecMissing) return { kind: "codec", since, retryAt: null };
  if (facts.sourceAway) return { kind: "source", since, retryAt: null };
  return { kind: facts.seenAt === null ? "joining" : "picture", since, retryAt: facts.mediaRetryAt };
}

/** Does what a slot carries really flow from its source? Nothing carried counts as flowing. */
export function flows(lesson: LessonView, carried: Assigned | null): boolean {
  if (carried === null) return true;
  if (carried.room === lesson.main_room) return lesson.main_sends.includes(carried.source);
  const seat = lesson.seats.find((one) => one.room === carried.room);
  return seat === undefined || seat.sends.includes(carried.source);
}

/** What the room chose; `both` is also what it gets without choosing. */
export type Layout = "teacher" | "courseware" | "both";
export type Arrangement = "stage" | "screen" | "both";

/** Which pictures are drawn: the choice, as far as there is something to show. */
export function arrange(choice: Layout, stage: boolean, courseware: boolean): Arrangement {
  if (!courseware) return "stage";
  if (choice === "courseware" || !stage) return "screen";
  return choice === "teacher" ? "stage" : "both";
}

/** Is this room heard by the others now? */
export function isHeard(lesson: LessonView | null, room: string): boolean {
  if (lesson === null || !isOn(lesson)) return false;
  return lesson.called === room || lesson.seats.some((seat) => seat.room === room && seat.heard);
}

/** Another room that speaks: its picture is on the stage. */
export function speaker(lesson: LessonView | null, room: string): string | null {
  if (lesson === null || !isOn(lesson) || !lesson.called || lesson.called === room) return null;
  return lesson.called;
}

const HAND_KEYS = new Set(["h", "H", " ", "PageDown", "PageUp", "b", "B", "."]);

/** H, Space and the keys that presenters' remotes send raise the hand. */
export function raisesHand(key: string): boolean {
  return HAND_KEYS.has(key);
}

/** What a tile of the studio says about a receiving room (pure): one row a state. */
import type { Seat, SeatState } from "@/protocol/messages";
import { isKey } from "@/i18n/say";
import type { Key } from "@/i18n/say";

import { clockTime, duration } from "./clock";

export type Tone = "well" | "look" | "harm" | "quiet" | "live";
/** A state is told by word, colour and shape; the shapes are drawn in StateMark.vue. */
export type Shape = "disc" | "ring" | "triangle" | "square" | "bar" | "cross";

const ROWS: Record<SeatState, { tone: Tone; shape: Shape }> = {
  asks_help: { tone: "harm", shape: "triangle" },
  away: { tone: "harm", shape: "cross" },
  expected: { tone: "quiet", shape: "ring" },
  joining: { tone: "quiet", shape: "ring" },
  no_picture: { tone: "harm", shape: "square" },
  no_sound: { tone: "harm", shape: "square" },
  sound_only: { tone: "look", shape: "triangle" },
  weak_line: { tone: "look", shape: "triangle" },
  muted: { tone: "look", shape: "bar" },
  here: { tone: "well", shape: "disc" },
};
const LONG_AGO_MS = 60_000;

export interface Said {
  key: Key;
  values: Record<string, string | number>;
}

export interface TileFace {
  tone: Tone;
  shape: Shape;
  word: Key;
  /** "since 10:02" or "0:40": how long it has been so; null for what is well. */
  since: Said | null;
  sentence: Key | null;
  hand: string | null;
  called: Said;
  /** How it receives, where that is not the straight line. */
  road: Key | null;
}

export function tileFace(seat: Seat, called: string | null, now: number): TileFace {
  const speaking = called === seat.room && seat.state === "here";
  const row = ROWS[seat.state];
  return {
    tone: speaking ? "live" : row.tone,
    shape: row.shape,
    word: speaking ? "seat.speaking" : `seat.${seat.state}`,
    since: sinceOf(seat, now),
    sentence: sentenceOf(seat),
    hand: seat.hand_since === null ? null : duration(now - seat.hand_since),
    called: calledOf(seat, called, now),
    road: seat.road == null || seat.road === "udp" ? null : `seat.road_${seat.road}`,
  };
}

function sinceOf(seat: Seat, now: number): Said | null {
  if (seat.state === "here" || seat.state === "expected" || seat.state === "joining") return null;
  const ago = now - seat.since;
  if (seat.state === "away" || ago >= 10 * LONG_AGO_MS) {
    return { key: "seat.since", values: { time: clockTime(seat.since) } };
  }
  return { key: "seat.for", values: { duration: duration(ago) } };
}

function sentenceOf(seat: Seat): Key | null {
  const key = `seat.detail_${seat.detail}`;
  return seat.detail !== "" && isKey(key) ? key : null;
}

function calledOf(seat: Seat, called: string | null, now: number): Said {
  if (seat.last_called === null) return { key: "seat.notCalled", values: {} };
  const ago = now - seat.last_called;
  if (called === seat.room || ago < LONG_AGO_MS) return { key: "seat.calledJust", values: {} };
  return { key: "seat.calledAgo", values: { n: Math.floor(ago / LONG_AGO_MS) } };
}

/** Nobody is there to be called on. */
export function isGone(seat: Seat): boolean {
  return seat.state === "away" || seat.state === "expected";
}

/** Rooms with a raised hand, the longest waiting first. */
export function handsInOrder(seats: readonly Seat[]): Seat[] {
  return seats
    .filter((seat) => seat.hand_since !== null)
    .sort((a, b) => (a.hand_since ?? 0) - (b.hand_since ?? 0));
}

/** Lit bars of five for a loudness in dBov (-127 silent, 0 loudest). */
export function meterBars(dbov: number): number {
  return Math.max(0, Math.min(5, Math.ceil((dbov + 60) / 10)));
}

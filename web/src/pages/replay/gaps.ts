/** Where a recording has holes, and how they lie on the time bar. Pure. */

import type { ReplayGap, ReplayTrack } from "@/protocol/messages";

export interface GapPart extends ReplayGap {
  track: string;
  subject: string;
}

/** A stretch of the bar in which at least one track is missing. */
export interface GapSpan {
  start_s: number;
  end_s: number;
  parts: GapPart[];
}

/** Holes shorter than this are not worth a mark: an eye cannot see them. */
export const SHORTEST_S = 0.2;

/** Tracks of one lesson never begin in one instant: what came so soon was there from the beginning. */
const BEGINNING_S = 1;

function isSeen(gap: ReplayGap, seconds: number): boolean {
  return seconds >= (gap.cause === "not_started" ? BEGINNING_S : SHORTEST_S);
}

function clipped(tracks: readonly ReplayTrack[], seconds: number): GapPart[] {
  const parts: GapPart[] = [];
  for (const track of tracks) {
    for (const gap of track.gaps) {
      const start_s = Math.max(0, gap.start_s);
      const end_s = Math.min(seconds, gap.end_s);
      if (!isSeen(gap, end_s - start_s)) continue;
      parts.push({ track: track.name, subject: track.subject, cause: gap.cause, side: gap.side, start_s, end_s });
    }
  }
  return parts.sort((a, b) => a.start_s - b.start_s || a.end_s - b.end_s);
}

const SWITCHED = new Set(["not_started", "source_away", "ended"]);

/** Courseware that was not on: the teacher's choice, no hole, as long as a camera was there. */
export function isSwitchedOff(track: ReplayTrack, cause: string): boolean {
  return track.subject === "screen" && SWITCHED.has(cause);
}

/**
 * The bar's hatched stretches, in order and without overlap; touching holes are one stretch.
 *
 * Courseware that was switched off is told only where something else is missing too.
 */
export function gapSpans(tracks: readonly ReplayTrack[], seconds: number): GapSpan[] {
  const others = tracks.some((track) => track.kind === "video" && track.subject !== "screen");
  const silent = (part: GapPart): boolean => others && part.subject === "screen" && SWITCHED.has(part.cause);
  const parts = clipped(tracks, seconds);
  const spans = joined(parts.filter((part) => !silent(part)));
  for (const part of parts.filter(silent)) {
    const within = spans.find((span) => part.start_s < span.end_s && part.end_s > span.start_s);
    within?.parts.push({
      ...part,
      start_s: Math.max(part.start_s, within.start_s),
      end_s: Math.min(part.end_s, within.end_s),
    });
  }
  return spans;
}

function joined(parts: readonly GapPart[]): GapSpan[] {
  const spans: GapSpan[] = [];
  for (const part of parts) {
    const last = spans[spans.length - 1];
    if (last !== undefined && part.start_s <= last.end_s) {
      last.end_s = Math.max(last.end_s, part.end_s);
      last.parts.push(part);
    } else {
      spans.push({ start_s: part.start_s, end_s: part.end_s, parts: [part] });
    }
  }
  return spans;
}

/** Left edge and width on the bar, in percent. */
export function onBar(start_s: number, end_s: number, seconds: number): { left: number; width: number } {
  if (seconds <= 0) return { left: 0, width: 0 };
  const left = Math.min(100, Math.max(0, (start_s / seconds) * 100));
  const right = Math.min(100, Math.max(left, (end_s / seconds) * 100));
  return { left, width: right - left };
}

/** The hole a track has at this moment, or null. */
export function gapAt(track: ReplayTrack, at_s: number): ReplayGap | null {
  return track.gaps.find((gap) => at_s >= gap.start_s && at_s < gap.end_s) ?? null;
}

/** Parts of a stretch with the same cause and the same seconds, told as one. */
export interface GapLine {
  start_s: number;
  end_s: number;
  cause: string;
  subjects: string[];
}

const SAME_S = 1.5;

export function linesOf(span: GapSpan): GapLine[] {
  const lines: GapLine[] = [];
  for (const { start_s, end_s, cause, subject } of span.parts) {
    const same = lines.find(
      (line) =>
        line.cause === cause &&
        Math.abs(line.start_s - start_s) < SAME_S &&
        Math.abs(line.end_s - end_s) < SAME_S,
    );
    if (same === undefined) lines.push({ start_s, end_s, cause, subjects: [subject] });
    else if (!same.subjects.includes(subject)) same.subjects.push(subject);
  }
  return lines;
}

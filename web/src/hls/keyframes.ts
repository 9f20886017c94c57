/**
 * Where a picture that is gone back to must begin to load. Pure.
 *
 * A screen has a keyframe every 30 s only: a player that loads from anywhere shows nothing until the next one.
 * The playlist marks the segments that do not begin with one.
 */

export interface Stretch {
  start_s: number;
  end_s: number;
  /** It begins with a keyframe. */
  key: boolean;
}

const ROUNDING_S = 0.01;

/**
 * The time to load from for a picture at `at_s`; null where the segment of that time has a keyframe itself, or where
 * none is known. `segments` in their order; behind the last one a segment grows, of which nothing is known.
 */
export function loadFrom(segments: readonly Stretch[], at_s: number): number | null {
  let key: number | null = null;
  for (const { start_s, end_s, key: begins } of segments) {
    if (start_s > at_s + ROUNDING_S) break;
    if (begins) key = start_s;
    if (at_s < end_s) return begins ? null : key;
  }
  return key;
}

/** Whether a time lies in what is loaded. */
export function isLoaded(ranges: Pick<TimeRanges, "length" | "start" | "end">, at_s: number): boolean {
  for (let k = 0; k < ranges.length; k++) {
    if (ranges.start(k) <= at_s + ROUNDING_S && at_s < ranges.end(k) - ROUNDING_S) return true;
  }
  return false;
}

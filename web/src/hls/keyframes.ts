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
/** So far from the end of what is loaded a decoder has what it needs. */
const SHORT_OF_END_S = 0.5;
const LEAST_STEP_S = 3;

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

/** Until when all is loaded from a time on; null where that time is not. */
export function loadedUntil(ranges: Pick<TimeRanges, "length" | "start" | "end">, at_s: number): number | null {
  for (let k = 0; k < ranges.length; k++) {
    if (ranges.start(k) <= at_s + ROUNDING_S && at_s < ranges.end(k) - ROUNDING_S) return ranges.end(k);
  }
  return null;
}

/**
 * The next place of a picture on its way from a keyframe (it stands at `now_s`) to `at_s`; null: wait.
 *
 * A player loads so far ahead of its place only: where the keyframe is further away, the place moves on with what is
 * loaded, which needs no keyframe.
 */
export function nextPlace(
  ranges: Pick<TimeRanges, "length" | "start" | "end">,
  now_s: number,
  at_s: number,
): number | null {
  if (loadedUntil(ranges, at_s) !== null) return at_s;
  const until_s = loadedUntil(ranges, now_s);
  const place_s = Math.min(at_s, (until_s ?? now_s) - SHORT_OF_END_S);
  return place_s > now_s + LEAST_STEP_S ? place_s : null;
}

/** Gaps, marks and subjects in the page's language. */
import { isKey, say } from "@/i18n/say";
import type { Key, Values } from "@/i18n/say";
import type { ReplayMark } from "@/protocol/messages";

import type { GapSpan } from "./gaps";
import { causesOf } from "./gaps";
import { clockText } from "./position";

function known(key: string, other: Key, values: Values = {}): string {
  return isKey(key) ? say(key, values) : say(other, values);
}

export function subjectWords(subject: string): string {
  return known(`replay.subject_${subject}`, "replay.layout_teacher");
}

export function causeWords(cause: string): string {
  return known(`replay.gap_${cause}`, "replay.gap_unknown");
}

export function markWords(mark: ReplayMark): string {
  return known(`replay.mark_${mark.kind}`, "replay.mark_other", mark.values);
}

/** One line for each part of a hatched stretch, e.g. "0:12–0:24 The teacher's picture: was away". */
export function gapWords(span: GapSpan): string[] {
  return span.parts.map((part) =>
    say("replay.gapLine", {
      from: clockText(part.start_s),
      to: clockText(part.end_s),
      what: subjectWords(part.subject),
      cause: causeWords(part.cause),
    }),
  );
}

/** The causes alone, for a narrow place. */
export function spanCauses(span: GapSpan): string {
  return causesOf(span).map(causeWords).join(" · ");
}

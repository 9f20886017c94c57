/** Gaps, marks and subjects in the page's language. */
import { inWords, isKey, say } from "@/i18n/say";
import type { Key, Values } from "@/i18n/say";
import type { ReplayMark } from "@/protocol/messages";

import type { GapSpan } from "./gaps";
import { linesOf } from "./gaps";
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

/** What a room lacked and why, e.g. "No picture: the line was too weak". */
export function lackWords(kind: string, cause: string): string {
  const why = known(`recorded.lack_${cause}`, "replay.gap_unknown");
  return say("recorded.lack", { what: known(`recorded.kind_${kind}`, "recorded.kind_hole"), why });
}

/** Marks that say on or off, or which: their value is part of the sentence's name. */
const WITH_VALUE: Record<string, string> = { courseware: "on", stage: "source" };

export function markWords(mark: ReplayMark): string {
  const value = mark.values[WITH_VALUE[mark.kind] ?? ""];
  const name = value === undefined ? mark.kind : `${mark.kind}_${value}`;
  const { room = "", room_zh: zh = room, room_en: en = room } = mark.values;
  return known(`replay.mark_${name}`, "replay.mark_other", { ...mark.values, room: inWords({ zh, en }) });
}

/** A hatched stretch in words, e.g. "0:12–0:24 The teacher's picture, the teacher's voice: was away". */
export function gapWords(span: GapSpan): string[] {
  return linesOf(span).map((line) =>
    say("replay.gapLine", {
      from: clockText(Math.floor(line.start_s)),
      to: clockText(Math.ceil(line.end_s)),
      what: line.subjects.map(subjectWords).join(say("common.and")),
      cause: causeWords(line.cause),
    }),
  );
}

/** A track by its name in the archive, e.g. "camera", "room-shahe-camera". */
export function trackWords(name: string): string {
  const SUBJECTS: Record<string, string> = { camera: "teacher", camera2: "board", screen: "screen", voice: "voice" };
  const subject = SUBJECTS[name];
  return subject === undefined ? name : subjectWords(subject);
}

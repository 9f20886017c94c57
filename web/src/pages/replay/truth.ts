/** The truth badge: what the verification of a recording found, as one sentence. */
import { language, say } from "@/i18n/say";
import type { ReplayTruth } from "@/protocol/messages";
import { zonedTime } from "@/state/zoned";

export function truthInWords(truth: ReplayTruth | null): string {
  if (truth === null) return say("replay.truthPending");
  const locale = language.value === "zh" ? "zh-CN" : "en-GB";
  const number = (value: number) => value.toLocaleString(locale);
  const values = {
    decoded: number(truth.pictures_decoded),
    all: number(truth.pictures),
    sync: truth.sync_ms === null ? "" : String(Math.round(Math.abs(truth.sync_ms))),
    time: zonedTime(truth.verified_at),
  };
  if (!truth.whole) return say("replay.truthBroken", values);
  return say(truth.sync_ms === null ? "replay.truth" : "replay.truthSync", values);
}

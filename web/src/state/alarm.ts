/** An alarm before the bell as a sentence. */
import { language, say } from "@/i18n/say";
import type { Alarm } from "@/protocol/messages";

/** A main room's places for cameras and encoders. */
export type Place = "camera" | "camera2" | "screen" | "voice";

export function alarmSentence(alarm: Alarm): string {
  const values = alarm.values ?? {};
  if (alarm.kind !== "source_wrong") return say(`rooms.alarm_${alarm.kind}`, values);
  const words = values[language.value] ?? "";
  return say("rooms.alarm_source_wrong", { name: say(`cameras.${values["source"] as Place}`), words });
}

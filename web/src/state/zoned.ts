/** Times by the county's clock, whatever zone the screen is in (pure). */
import type { Language } from "@/i18n/say";

const LOCALE: Record<Language, string> = { zh: "zh-CN", en: "en-GB" };

/** "10:03". */
export function zonedTime(at: number, zone: string): string {
  return new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" }).format(at);
}

/** "2026-09-07" of a moment. */
export function zonedDay(at: number, zone: string): string {
  return new Intl.DateTimeFormat("sv-SE", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }).format(at);
}

/** "9月7日" or "7 Sept" of a day like "2026-09-07". */
export function shortDay(day: string, language: Language): string {
  return new Intl.DateTimeFormat(LOCALE[language], { timeZone: "UTC", month: "short", day: "numeric" }).format(asUtc(day));
}

/** "星期一" or "Mon". */
export function weekday(day: string, language: Language): string {
  return new Intl.DateTimeFormat(LOCALE[language], { timeZone: "UTC", weekday: "short" }).format(asUtc(day));
}

/** The day so many days later. */
export function daysLater(day: string, days: number): string {
  return new Date(asUtc(day).getTime() + days * 86_400_000).toISOString().slice(0, 10);
}

function asUtc(day: string): Date {
  return new Date(`${day}T00:00:00Z`);
}

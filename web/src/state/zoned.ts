/** Times by the county's clock, whatever zone the screen is in. The one place that formats moments. */
import type { Language } from "@/i18n/say";

/** The county's, from the page's shell (server/api/pages.py); the browser's where none is told. */
const COUNTY_ZONE: string | undefined =
  (typeof document === "undefined" ? null : document.querySelector<HTMLMetaElement>('meta[name="county-zone"]')?.content) || undefined;

const LOCALE: Record<Language, string> = { zh: "zh-CN", en: "en-GB" };
const CLOCK = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
const made = new Map<string, Intl.DateTimeFormat>();

function format(locale: string, zone: string | undefined, options: Record<string, string>): Intl.DateTimeFormat {
  const key = `${locale} ${zone ?? ""} ${JSON.stringify(options)}`;
  let found = made.get(key);
  if (found === undefined) {
    const whole = { ...options, ...(zone === undefined ? {} : { timeZone: zone }) };
    found = new Intl.DateTimeFormat(locale, whole as Intl.DateTimeFormatOptions);
    made.set(key, found);
  }
  return found;
}

/** "10:03", or "10:03:12". */
export function zonedTime(at: number, zone = COUNTY_ZONE, withSeconds = false): string {
  return format("en-GB", zone, withSeconds ? { ...CLOCK, second: "2-digit" } : CLOCK).format(at);
}

/** "2026-09-07" of a moment. */
export function zonedDay(at: number, zone = COUNTY_ZONE): string {
  return format("sv-SE", zone, { year: "numeric", month: "2-digit", day: "2-digit" }).format(at);
}

/** "2026年9月7日 10:03" or "7 September 2026 at 10:03". */
export function longTime(at: number, language: Language): string {
  return format(LOCALE[language], COUNTY_ZONE, { year: "numeric", month: "long", day: "numeric", ...CLOCK }).format(at);
}

/** "2026年9月7日" or "7 September 2026", of a moment. */
export function longDate(at: number, language: Language): string {
  return format(LOCALE[language], COUNTY_ZONE, { year: "numeric", month: "long", day: "numeric" }).format(at);
}

/** "9月7日星期一" or "Monday 7 September", of a moment. */
export function longDay(at: number, language: Language): string {
  return format(LOCALE[language], COUNTY_ZONE, { weekday: "long", month: "long", day: "numeric" }).format(at);
}

/** "9月7日" or "7 Sept" of a day like "2026-09-07". */
export function shortDay(day: string, language: Language): string {
  return format(LOCALE[language], "UTC", { month: "short", day: "numeric" }).format(asUtc(day));
}

/** "星期一" or "Mon". */
export function weekday(day: string, language: Language): string {
  return format(LOCALE[language], "UTC", { weekday: "short" }).format(asUtc(day));
}

/** The day so many days later. */
export function daysLater(day: string, days: number): string {
  return new Date(asUtc(day).getTime() + days * 86_400_000).toISOString().slice(0, 10);
}

function asUtc(day: string): Date {
  return new Date(`${day}T00:00:00Z`);
}

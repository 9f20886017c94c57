/** Where a viewer was: `?t=` in the address, and what this browser remembers. Pure. */

/** Seconds of `75`, `75.5s`, `1:15`, `1:02:03` or `1h2m3s`; null where it is none of them. */
export function parseTime(text: string | null | undefined): number | null {
  if (!text) return null;
  if (/^\d+(\.\d+)?s?$/.test(text)) return Number.parseFloat(text);
  if (/^\d+(:\d{1,2}){1,2}(\.\d+)?$/.test(text)) {
    return text.split(":").reduce((sum, part) => sum * 60 + Number.parseFloat(part), 0);
  }
  const named = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text);
  if (named === null) return null;
  const [, hours, minutes, seconds] = named;
  return Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
}

/** `4:05`, `1:02:03`; with tenths `4:05.3`. */
export function clockText(seconds: number, tenths = false): string {
  const whole = Math.max(0, tenths ? Math.floor(seconds * 10) / 10 : Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const rest = whole % 60;
  const shown = tenths ? rest.toFixed(1).padStart(4, "0") : String(Math.floor(rest)).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${shown}` : `${minutes}:${shown}`;
}

export interface Remembered {
  at_s: number;
  rate: number;
  layout: string;
  volume: number;
  quality?: string;
  caption?: string;
}

const NEAR_END_S = 3;

/** What was remembered, as text in storage; damaged text is forgotten. */
export function parseRemembered(text: string | null): Remembered | null {
  if (text === null) return null;
  try {
    const from = JSON.parse(text) as Partial<Remembered>;
    const { at_s, rate, layout, volume, quality, caption } = from;
    if (typeof at_s !== "number" || typeof rate !== "number" || typeof layout !== "string") return null;
    const words = { ...(typeof quality === "string" && { quality }), ...(typeof caption === "string" && { caption }) };
    return { at_s, rate, layout, volume: typeof volume === "number" ? volume : 1, ...words };
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Where to begin: the address wins over memory; who had reached the end begins anew. */
export function beginAt(address_s: number | null, remembered_s: number | null, seconds: number): number {
  if (address_s !== null) return Math.min(Math.max(0, address_s), Math.max(0, seconds - 0.1));
  if (remembered_s === null || remembered_s > seconds - NEAR_END_S) return 0;
  return Math.max(0, remembered_s);
}

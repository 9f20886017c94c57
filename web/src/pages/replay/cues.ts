/** WebVTT as campus writes it: captions, and thumbnails whose cues name a part of a picture. Pure. */

export interface Cue {
  start_s: number;
  end_s: number;
  text: string;
}

export interface Thumb {
  start_s: number;
  end_s: number;
  file: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

const TIMES = /^(?:(\d+):)?(\d{1,2}):(\d{2})\.(\d{3}) --> (?:(\d+):)?(\d{1,2}):(\d{2})\.(\d{3})/;
const PART = /^([a-z0-9.-]+)#xywh=(\d+),(\d+),(\d+),(\d+)$/;

function seconds(parts: (string | undefined)[]): number {
  const [hours, minutes, whole, ms] = parts.map((part) => Number(part ?? 0));
  return (hours ?? 0) * 3600 + (minutes ?? 0) * 60 + (whole ?? 0) + (ms ?? 0) / 1000;
}

/** The cues of a file; a block that cannot be read is passed over. */
export function cuesOf(vtt: string): Cue[] {
  const cues: Cue[] = [];
  for (const block of vtt.replace(/\r\n?/g, "\n").split(/\n{2,}/)) {
    const lines = block.split("\n");
    const at = lines.findIndex((line) => TIMES.test(line));
    const found = TIMES.exec(lines[at] ?? "");
    if (found === null) continue;
    const text = lines.slice(at + 1).join("\n").trim();
    cues.push({ start_s: seconds(found.slice(1, 5)), end_s: seconds(found.slice(5, 9)), text });
  }
  return cues;
}

export function thumbsOf(vtt: string): Thumb[] {
  const thumbs: Thumb[] = [];
  for (const { start_s, end_s, text } of cuesOf(vtt)) {
    const found = PART.exec(text);
    if (found === null) continue;
    const [x = 0, y = 0, width = 0, height = 0] = found.slice(2).map(Number);
    thumbs.push({ start_s, end_s, file: found[1] ?? "", x, y, width, height });
  }
  return thumbs;
}

/** The one that holds a moment; null between two. */
export function at<T extends { start_s: number; end_s: number }>(all: readonly T[], at_s: number): T | null {
  return all.find((one) => at_s >= one.start_s && at_s < one.end_s) ?? null;
}

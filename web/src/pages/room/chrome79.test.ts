import { describe, expect, it } from "vitest";

/** Every source file's text, by its path from the project's `web` folder. */
const TEXTS = import.meta.glob<string>("/src/**/*.{ts,vue,css}", {
  query: "?raw",
  import: "default",
  eager: true,
});
const ENTRY = "/src/room-main.ts";

/** What Chrome 79 lacks and neither the compiler nor the bundler puts right. */
const MISSING: [string, RegExp][] = [
  ["String.replaceAll (85)", /\.replaceAll\(/],
  ["Array.at (92)", /\.at\(-?\d/],
  ["Array.findLast (97)", /\.findLast(Index)?\(/],
  ["toSorted and friends (110)", /\.to(Sorted|Reversed|Spliced)\(/],
  ["Object.hasOwn (93)", /Object\.hasOwn\(/],
  ["structuredClone (98)", /structuredClone\(/],
  ["crypto.randomUUID (92)", /randomUUID\(/],
  ["replaceChildren (86)", /\.replaceChildren\(/],
  ["Promise.any (85)", /Promise\.any\(/],
  ["AbortSignal.timeout (103)", /AbortSignal\.timeout\(/],
  ["setLocalDescription() (80)", /setLocalDescription\(\s*\)/],
  ["setRemoteDescription() rollback (80)", /type:\s*"rollback"/],
];
const MISSING_STYLE: [string, RegExp][] = [
  ["flex gap (84)", /(?:^|[\s;{])(?:row-|column-)?gap\s*:/],
  ["inset (87)", /(?:^|[\s;{])inset\s*:/],
  ["aspect-ratio (88)", /aspect-ratio\s*:/],
  [":is, :where, :has (88, 105)", /:(?:is|where|has)\(/],
  ["dvh units (108)", /\d[ds]v[hw]/],
  ["color-mix (111)", /color-mix\(/],
];

/** Every file of ours that the kiosk's entry loads, found by its imports. */
function loaded(entry: string): string[] {
  const seen = new Set<string>();
  const open = [entry];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    for (const [, from] of textOf(file).matchAll(/(?:from|import)\s+"([^"]+)"/g)) {
      const found = from === undefined ? undefined : resolved(from, file);
      if (found !== undefined) open.push(found);
    }
  }
  return [...seen].sort();
}

function textOf(file: string): string {
  return TEXTS[file] ?? "";
}

/** The file an import means; undefined for a library. */
function resolved(from: string, by: string): string | undefined {
  if (!/^(@\/|\.)/.test(from)) return undefined;
  const folder = by.slice(0, by.lastIndexOf("/"));
  const path = from.startsWith("@/") ? `/src/${from.slice(2)}` : `${folder}/${from}`;
  const plain = new URL(path, "file:///").pathname;
  return [plain, `${plain}.ts`, `${plain}/index.ts`].find((one) => one in TEXTS);
}

const files = loaded(ENTRY);

function styleOf(file: string, text: string): string {
  if (file.endsWith(".css")) return text;
  return [...text.matchAll(/<style[^>]*>([\s\S]*?)<\/style>/g)].map((found) => found[1]).join("\n");
}

describe("the kiosk's entry", () => {
  it("is followed through all its files", () => {
    expect(files.length).toBeGreaterThan(25);
    expect(files.some((file) => file.endsWith("rtc/down.ts"))).toBe(true);
  });

  it("never loads Element Plus, the router or vue-i18n", () => {
    for (const file of files) {
      expect(textOf(file), file).not.toMatch(/from "(element-plus|vue-router|vue-i18n|hls\.js)/);
    }
  });

  it.each(files)("%s asks nothing newer than Chrome 79", (name) => {
    const text = textOf(name);
    for (const [what, pattern] of MISSING) expect(pattern.test(text), what).toBe(false);
    const style = styleOf(name, text);
    for (const [what, pattern] of MISSING_STYLE) expect(pattern.test(style), what).toBe(false);
  });

  it("asks whether there is a requestVideoFrameCallback or a wake lock before using it", () => {
    for (const file of files) {
      const text = textOf(file);
      if (text.includes("requestVideoFrameCallback(")) {
        expect(text, file).toMatch(/requestVideoFrameCallback !== undefined/);
      }
      if (text.includes("wakeLock")) expect(text, file).toMatch(/wakeLock\?:/);
    }
  });
});

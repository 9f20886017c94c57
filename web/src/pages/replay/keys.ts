/** The replay's keys, as a table. Pure. */

export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2] as const;

export type Action =
  | { kind: "toggle" }
  | { kind: "pause" }
  | { kind: "move"; by_s: number }
  | { kind: "frame"; by: 1 | -1 }
  | { kind: "share"; of: number }
  | { kind: "speed"; by: 1 | -1 }
  | { kind: "next_speed" }
  | { kind: "volume"; by: number }
  | { kind: "fullscreen" }
  | { kind: "mute" }
  | { kind: "layout" };

const TABLE: Record<string, Action> = {
  " ": { kind: "toggle" },
  k: { kind: "toggle" },
  j: { kind: "move", by_s: -10 },
  l: { kind: "move", by_s: 10 },
  ArrowLeft: { kind: "move", by_s: -5 },
  ArrowRight: { kind: "move", by_s: 5 },
  ArrowUp: { kind: "volume", by: 0.1 },
  ArrowDown: { kind: "volume", by: -0.1 },
  ",": { kind: "frame", by: -1 },
  ".": { kind: "frame", by: 1 },
  "<": { kind: "speed", by: -1 },
  ">": { kind: "speed", by: 1 },
  Home: { kind: "share", of: 0 },
  End: { kind: "share", of: 1 },
  f: { kind: "fullscreen" },
  m: { kind: "mute" },
  s: { kind: "next_speed" },
  v: { kind: "layout" },
};

/** What a key does; null where it is not ours (a modifier is held, or it is unknown). */
export function actionOf(key: string, modified: boolean): Action | null {
  if (modified) return null;
  if (/^[0-9]$/.test(key)) return { kind: "share", of: Number(key) / 10 };
  return TABLE[key.length === 1 ? key.toLowerCase() : key] ?? null;
}

/** The next speed up or down; stays at the ends. */
export function speedStep(rate: number, by: 1 | -1): number {
  const faster = SPEEDS.filter((speed) => (by > 0 ? speed > rate + 0.001 : speed < rate - 0.001));
  return (by > 0 ? faster[0] : faster[faster.length - 1]) ?? rate;
}

/** The next speed in the round, for one key that walks through all. */
export function speedRound(rate: number): number {
  return speedStep(rate, 1) > rate ? speedStep(rate, 1) : SPEEDS[0];
}

/** Where one goes on in a series: the lesson one is in the middle of, else the one after the last that was seen. */
import type { LibraryCard } from "@/protocol/messages";

/** Of the length; the rest is the goodbye. */
const SEEN = 0.98;

type Place = Pick<LibraryCard, "recording" | "seconds" | "watched_s">;

const share = (card: Place): number => (card.seconds > 0 ? card.watched_s / card.seconds : 0);

/** `cards` in the series' order. Null where nothing was watched yet, or all of it was. */
export function goOnWith<T extends Place>(cards: readonly T[]): T | null {
  const playable = cards.filter((card) => card.recording === "ready" && card.seconds > 0);
  const last = playable.reduce((found, card, place) => (share(card) > 0 ? place : found), -1);
  const begun = playable.filter((card) => share(card) > 0 && share(card) < SEEN).pop();
  return begun ?? (last < 0 ? null : (playable[last + 1] ?? null));
}

/** How long recordings are kept, in words. */
import { isKey, say } from "@/i18n/say";
import type { LibraryCard } from "@/protocol/messages";

export const CLASSES = ["ordinary", "model", "trial"] as const;
const SOON_DAYS = 30;
const DAY_MS = 86_400_000;

/** A class, and its days where they are known; 0: for ever. */
export function classWords(kept: string, days: number | null): string {
  const key = `kept.as_${kept}`;
  const what = isKey(key) ? say(key) : kept;
  if (days === null) return what;
  return days === 0 ? say("kept.choiceForEver", { what }) : say("kept.choice", { what, days });
}

/** What is to be known of a card: it is held, or gone soon; null where neither. */
export function keepingWords(card: Pick<LibraryCard, "hold" | "expires_at">, now: number): string | null {
  if (card.hold !== "") return say("kept.held", { reason: card.hold });
  if (card.expires_at === null) return null;
  const days = Math.ceil((card.expires_at - now) / DAY_MS);
  if (days > SOON_DAYS) return null;
  return days > 0 ? say("kept.soon", { n: days }) : say("kept.over");
}

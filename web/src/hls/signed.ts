/**
 * Signed media paths `/media/{expires}.{signature}/{lesson}/{file}`. Pure.
 *
 * The signature is part of the path, so a playlist's relative addresses carry it too; a player that
 * loaded its playlist ten minutes ago still asks under the old one. So every request is signed again
 * on its way out with the newest signature known.
 */

const SIGNED = /^((?:https?:\/\/[^/]+)?\/media\/)[^/]+(\/.+)$/;

/** The `{expires}.{signature}` part of a signed address, or null. */
export function signatureOf(url: string): string | null {
  const found = /^(?:https?:\/\/[^/]+)?\/media\/([^/]+)\/./.exec(url);
  return found?.[1] ?? null;
}

/** The same address under another signature; other addresses stay as they are. */
export function signedAgain(url: string, signature: string | null): string {
  if (signature === null) return url;
  const found = SIGNED.exec(url);
  return found === null ? url : `${found[1]}${signature}${found[2]}`;
}

const BEFORE_MS = 90_000;
const LEAST_MS = 2_000;
const MOST_MS = 300_000;

/**
 * How long to wait before asking for new signatures, in ms: well before they end, never in a tight
 * loop, and often enough that a machine whose clock is wrong does not lose them.
 */
export function renewIn(expires_at: number, now: number): number {
  const left = expires_at - now;
  const wait = left > 2 * BEFORE_MS ? left - BEFORE_MS : left / 2;
  return Math.min(MOST_MS, Math.max(LEAST_MS, wait));
}

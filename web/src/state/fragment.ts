/** What the address bar tells a page: the token stays in the fragment, which no server log sees. */

export interface PageAddress {
  token: string | null;
  /** Sample media instead of devices; commands from the first screen are heard. */
  sample: boolean;
  /** 0 to 1, for pages that share one loudspeaker. */
  volume: number;
  fragment: URLSearchParams;
}

export function pageAddress(hash: string): PageAddress {
  const fragment = new URLSearchParams(hash.replace(/^#/, ""));
  const volume = Number(fragment.get("volume") ?? "1");
  return {
    token: fragment.get("token"),
    sample: fragment.get("sample") === "1",
    volume: Number.isFinite(volume) ? Math.min(1, Math.max(0, volume)) : 1,
    fragment,
  };
}

const KEPT = "lianke.token.";

/** Tokens of this screen, kept by what the screen is: "studio" or "room". */
export function keptToken(door: string): string | null {
  try {
    return localStorage.getItem(KEPT + door);
  } catch {
    return null;
  }
}

const PASS = "lianke.pass";

/** The studio's token of this tab: its replays open without a further log-in. */
export function keepPass(token: string): void {
  try {
    sessionStorage.setItem(PASS, token);
  } catch {
    // without storage the replay asks for a log-in
  }
}

/** The teacher's token, of this tab or of this screen for good; null: who only has a cookie. */
export function pass(): string | null {
  try {
    return sessionStorage.getItem(PASS) ?? keptToken("studio");
  } catch {
    return null;
  }
}

export function forgetToken(door: string): void {
  try {
    localStorage.removeItem(KEPT + door);
  } catch {
    // nothing was kept
  }
}

export function keepToken(door: string, token: string): void {
  try {
    localStorage.setItem(KEPT + door, token);
  } catch {
    // without storage the code is asked again next time
  }
}

/** What a tab remembers of itself when it is loaded again. */
const SESSION = "lianke.studio.session";

/** The session of this tab before it was loaded again: a reload needs no "Take over here?". */
export function keptSession(): string | null {
  try {
    return sessionStorage.getItem(SESSION);
  } catch {
    return null;
  }
}

export function keepSession(session: string): void {
  try {
    sessionStorage.setItem(SESSION, session);
  } catch {
    // without storage a reload asks
  }
}

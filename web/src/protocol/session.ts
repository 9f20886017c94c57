/**
 * The page's half of the signalling session, as a machine without socket, clock or timer.
 *
 * Whoever drives it tells what happened (`opened`, `received`, `closed`, `tick`) with the time, does
 * what the returned effects say, and calls `tick` again at `deadline()`. The link is tried for ever:
 * only a fatal refusal without a time to come back ends it.
 */
import { VERSION } from "./messages";
import type { FromServer, Hello, Refused, ToServer, Welcome } from "./messages";

export type SessionState = "stopped" | "connecting" | "greeting" | "on" | "waiting" | "refused";

export type Effect =
  | { do: "open" }
  | { do: "close" }
  | { do: "send"; message: ToServer }
  | { do: "deliver"; message: FromServer };

/** Connections the page still holds; their ids go into `Hello`. */
export interface Alive {
  up: string | null;
  down: string | null;
}

export interface SessionOptions {
  token: string;
  language: string;
  browser: string;
  alive: () => Alive;
  /** A session told to this page before it was loaded again. */
  resume?: string | null;
  /** A number in [0, 1), as Math.random gives. */
  random: () => number;
}

export const PING_EVERY_MS = 2_000;
/** The server answers each ping; this long without a word from it means the line is dead. */
export const SILENCE_MS = 7_000;
export const CONNECT_WITHIN_MS = 6_000;
/** The server's close code when another page took this one's place. */
export const NEWER_PAGE = 4003;
const FIRST_WAIT_MS = 300;
export const LONGEST_WAIT_MS = 8_000;
/** While a connection still brings media the lesson is on: nobody waits long to be able to ask again. Nor does
 * who was there a minute ago: what died is back within seconds. */
export const LONGEST_WAIT_IN_LESSON_MS = 2_000;
export const LATELY_MS = 60_000;

/** How long to wait before try number `attempt` (0 is the first again): doubling, the upper half random. */
export function backOff(attempt: number, random: number, longest_ms = LONGEST_WAIT_MS): number {
  const ceiling = Math.min(longest_ms, FIRST_WAIT_MS * 2 ** Math.min(attempt, 20));
  return Math.round(ceiling / 2 + (ceiling / 2) * random);
}

export class Session {
  state: SessionState = "stopped";
  /** The refusal that ended the session, while `refused`; or the last one that was not fatal. */
  refusal: Refused | null = null;
  welcome: Welcome | null = null;
  /** When the next try begins, while `waiting`. */
  retryAt: number | null = null;
  private attempt = 0;
  private takeover = false;
  private heardAt = 0;
  private lastOnAt = -Infinity;
  private pingedAt = 0;
  private offsetMs: number | null = null;
  private bestRoundTripMs = Infinity;

  constructor(private readonly options: SessionOptions) {}

  /** Milliseconds since 1970 by the server's clock (the page's own until the server told its). */
  serverTime(now: number): number {
    return now + (this.offsetMs ?? 0);
  }

  /** When `tick` is due next, or null. */
  deadline(): number | null {
    switch (this.state) {
      case "connecting":
      case "greeting":
        return this.heardAt + CONNECT_WITHIN_MS;
      case "on":
        return Math.min(this.pingedAt + PING_EVERY_MS, this.heardAt + SILENCE_MS);
      case "waiting":
        return this.retryAt;
      case "stopped":
      case "refused":
        return null;
    }
  }

  start(now: number): Effect[] {
    if (this.state !== "stopped") return [];
    return this.open(now);
  }

  stop(): Effect[] {
    const open = this.hasSocket();
    this.state = "stopped";
    this.retryAt = null;
    return open ? [{ do: "close" }] : [];
  }

  /** Take the lesson over from the other studio: greet again and say so. */
  takeOver(now: number): Effect[] {
    this.takeover = true;
    this.refusal = null;
    const closing: Effect[] = this.hasSocket() ? [{ do: "close" }] : [];
    return [...closing, ...this.open(now)];
  }

  /** The network came back or the page woke: do not wait out the pause. */
  nudge(now: number): Effect[] {
    if (this.state !== "waiting" || this.refusal?.fatal) return [];
    this.attempt = 0;
    return this.open(now);
  }

  opened(now: number): Effect[] {
    if (this.state !== "connecting") return [];
    this.state = "greeting";
    this.heardAt = now;
    const { token, language, browser, alive } = this.options;
    const { up, down } = alive();
    const hello: Hello = {
      type: "hello",
      version: VERSION,
      token,
      language,
      browser,
      resume: this.welcome?.session ?? this.options.resume ?? null,
      up,
      down,
      takeover: this.takeover,
    };
    return [{ do: "send", message: hello }];
  }

  received(message: FromServer, now: number): Effect[] {
    if (this.state !== "greeting" && this.state !== "on") return [];
    this.heardAt = now;
    if (this.state === "on") this.lastOnAt = now;
    switch (message.type) {
      case "welcome":
        this.state = "on";
        this.lastOnAt = now;
        this.attempt = 0;
        this.takeover = false;
        this.refusal = null;
        this.welcome = message;
        this.pingedAt = now;
        this.bestRoundTripMs = Infinity;
        this.offsetMs ??= message.now - now;
        return [{ do: "deliver", message }, this.ping(now)];
      case "pong":
        this.learnTime(message.at, message.now, now);
        return [];
      case "refused":
        return this.refused(message, now);
      default:
        return [{ do: "deliver", message }];
    }
  }

  /** `code`: of the WebSocket's close (RFC 6455). */
  closed(now: number, code = 1006): Effect[] {
    if (!this.hasSocket()) return [];
    if (code === NEWER_PAGE) {
      // Coming back would push the other page out, and so on for ever.
      this.state = "refused";
      return [];
    }
    this.wait(now, this.pause(now));
    return [];
  }

  tick(now: number): Effect[] {
    const deadline = this.deadline();
    if (deadline === null || now < deadline) return [];
    if (this.state === "waiting") return this.open(now);
    if (this.state === "on" && now < this.heardAt + SILENCE_MS) {
      this.pingedAt = now;
      return [this.ping(now)];
    }
    this.wait(now, this.pause(now));
    return [{ do: "close" }];
  }

  /** What the page wants to say; nothing is sent, and false returned, while the line is away. */
  say(message: ToServer): Effect[] {
    const answering = this.state === "greeting" && message.type === "proof";
    return this.state === "on" || answering ? [{ do: "send", message }] : [];
  }

  private hasSocket(): boolean {
    return this.state === "connecting" || this.state === "greeting" || this.state === "on";
  }

  private open(now: number): Effect[] {
    this.state = "connecting";
    this.retryAt = null;
    this.heardAt = now;
    return [{ do: "open" }];
  }

  private ping(now: number): Effect {
    return { do: "send", message: { type: "ping", at: Math.round(now) } };
  }

  private pause(now: number): number {
    const { up, down } = this.options.alive();
    const away = (up ?? down) === null && now - this.lastOnAt > LATELY_MS;
    const longest_ms = away ? LONGEST_WAIT_MS : LONGEST_WAIT_IN_LESSON_MS;
    return backOff(this.attempt++, this.options.random(), longest_ms);
  }

  private wait(now: number, pauseMs: number): void {
    this.state = "waiting";
    this.retryAt = now + pauseMs;
  }

  private refused(message: Refused, now: number): Effect[] {
    if (!message.fatal) return [{ do: "deliver", message }];
    this.refusal = message;
    this.takeover = false;
    if (message.retry_after_ms > 0) {
      this.wait(now, message.retry_after_ms * (1 + 0.25 * this.options.random()));
    } else {
      this.state = "refused";
      this.retryAt = null;
    }
    return [{ do: "deliver", message }, { do: "close" }];
  }

  private learnTime(sentAt: number, serverNow: number, now: number): void {
    const roundTripMs = now - sentAt;
    // The quickest answer tells the time best; the bound grows so that a drifting clock is followed.
    if (roundTripMs > this.bestRoundTripMs) {
      this.bestRoundTripMs *= 1.05;
      return;
    }
    this.bestRoundTripMs = Math.max(roundTripMs, 1);
    this.offsetMs = serverNow + roundTripMs / 2 - now;
  }
}

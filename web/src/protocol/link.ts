/**
 * The thin shell around `Session`: one WebSocket, one timer, the clock. It decides nothing.
 */
import type { FromServer, ToServer } from "./messages";
import { Session } from "./session";
import type { Alive, Effect, SessionState } from "./session";

/** The part of a WebSocket that is used. */
export interface Socket {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
  onerror: ((event: never) => void) | null;
  send(text: string): void;
  close(): void;
}

export interface LinkOptions {
  token: string;
  language: string;
  alive: () => Alive;
  onMessage: (message: FromServer) => void;
  /** After every change of state; `link.session` tells the rest (retryAt, refusal). */
  onState: (state: SessionState) => void;
  resume?: string | null;
  open?: () => Socket;
  browser?: string;
}

/** Where the pages' WebSocket lives, seen from the page itself. */
export function socketUrl(location: { protocol: string; host: string }): string {
  return `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}/ws`;
}

export class Link {
  readonly session: Session;
  private socket: Socket | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private told: SessionState = "stopped";
  private readonly openSocket: () => Socket;

  constructor(private readonly options: LinkOptions) {
    this.openSocket = options.open ?? (() => new WebSocket(socketUrl(location)) as unknown as Socket);
    this.session = new Session({
      token: options.token,
      language: options.language,
      browser: options.browser ?? (typeof navigator === "undefined" ? "" : navigator.userAgent).slice(0, 200),
      alive: options.alive,
      resume: options.resume ?? null,
      random: Math.random,
    });
  }

  start(): void {
    this.run(this.session.start(Date.now()));
  }

  /** Hang up and stay away until `start`. */
  stop(): void {
    this.run(this.session.stop());
  }

  takeOver(): void {
    this.run(this.session.takeOver(Date.now()));
  }

  /** Try now instead of at the end of the pause (the network is back, the page woke). */
  nudge(): void {
    this.run(this.session.nudge(Date.now()));
  }

  /** False while the line is away: nothing was sent, and nothing will be. */
  send(message: ToServer): boolean {
    const effects = this.session.say(message);
    this.run(effects);
    return effects.length > 0;
  }

  /** Milliseconds since 1970 by the server's clock. */
  serverTime(): number {
    return this.session.serverTime(Date.now());
  }

  private run(effects: Effect[]): void {
    for (const effect of effects) {
      switch (effect.do) {
        case "open":
          this.openNow();
          break;
        case "close":
          this.drop();
          break;
        case "send":
          this.socket?.send(JSON.stringify(effect.message));
          break;
        case "deliver":
          this.options.onMessage(effect.message);
          break;
      }
    }
    this.schedule();
    if (this.told !== this.session.state) {
      this.told = this.session.state;
      this.options.onState(this.told);
    }
  }

  private openNow(): void {
    this.drop();
    const socket = this.openSocket();
    this.socket = socket;
    const mine = (): boolean => this.socket === socket;
    socket.onopen = () => mine() && this.run(this.session.opened(Date.now()));
    socket.onmessage = (event) => {
      if (mine() && typeof event.data === "string") {
        this.run(this.session.received(JSON.parse(event.data) as FromServer, Date.now()));
      }
    };
    socket.onerror = () => undefined; // a close event always follows
    socket.onclose = ({ code }) => {
      if (!mine()) return;
      this.socket = null;
      this.run(this.session.closed(Date.now(), code));
    };
  }

  private drop(): void {
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  private schedule(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    const deadline = this.session.deadline();
    if (deadline === null) return;
    this.timer = setTimeout(
      () => this.run(this.session.tick(Date.now())),
      Math.max(0, deadline - Date.now()),
    );
  }
}

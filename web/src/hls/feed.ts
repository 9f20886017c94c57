/**
 * Brings one track's playlist into one media element: a recording's, or one that grows.
 *
 * hls.js where the browser has Media Source Extensions, as it behaves the same everywhere; the browser's
 * own HLS elsewhere (iPhones). Each request goes out under the newest signature. Knows nothing of the other tracks.
 */
import Hls, { ErrorTypes, Events } from "hls.js/light";
import type { ErrorData, HlsConfig } from "hls.js/light";

import { signatureOf, signedAgain } from "./signed";

export interface FeedHost {
  /** The newest signature known. */
  signature(): string | null;
  /** A request was refused: get new signatures now. Resolves when they are there. */
  renew(): Promise<void>;
  /** This track cannot be played. */
  failed(): void;
}

const REFUSED = new Set([401, 403, 404, 410]);
const MOST_RECOVERIES = 6;
const RETRY_MS = 1200;
const RECORDED: Partial<HlsConfig> = {
  maxBufferLength: 30,
  maxMaxBufferLength: 60,
  backBufferLength: 60,
  lowLatencyMode: false,
};

export class Feed {
  protected hls: Hls | null = null;
  private recoveries = 0;
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    readonly element: HTMLMediaElement,
    private readonly playlist: string,
    private readonly host: FeedHost,
    private readonly tuning: Partial<HlsConfig> = RECORDED,
  ) {}

  /** `at_s` null: at the live edge. */
  load(at_s: number | null): void {
    if (Hls.isSupported()) this.loadByScript(at_s);
    else this.loadNatively(at_s);
  }

  close(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.hls?.destroy();
    this.hls = null;
    this.element.onerror = null;
    this.element.removeAttribute("src");
    this.element.load();
  }

  private loadByScript(at_s: number | null): void {
    const hls = new Hls({
      ...this.tuning,
      startPosition: at_s ?? -1,
      nudgeOnVideoHole: true,
      xhrSetup: (request, url) => request.open("GET", signedAgain(url, this.host.signature()), true),
    });
    hls.on(Events.ERROR, (_event, data) => this.troubled(hls, data));
    hls.on(Events.FRAG_BUFFERED, () => (this.recoveries = 0));
    hls.loadSource(this.playlist);
    hls.attachMedia(this.element);
    this.hls = hls;
  }

  private troubled(hls: Hls, data: ErrorData): void {
    if (this.hls !== hls) return;
    const refused = REFUSED.has(data.response?.code ?? 0);
    // hls.js asks again by itself for a while; with a new signature the next try succeeds.
    const renewed = refused ? this.host.renew() : Promise.resolve();
    if (!data.fatal) return;
    if (this.recoveries++ >= MOST_RECOVERIES) this.host.failed();
    else if (data.type === ErrorTypes.MEDIA_ERROR) hls.recoverMediaError();
    else void renewed.finally(() => this.restart(hls));
  }

  private restart(hls: Hls): void {
    this.timer = setTimeout(() => {
      if (this.hls !== hls) return;
      if (hls.levels.length === 0) hls.loadSource(signedAgain(this.playlist, this.host.signature()));
      else hls.startLoad(-1);
    }, RETRY_MS);
  }

  /** The browser asks under the address it once got: after their end it is given a new one. */
  private loadNatively(at_s: number | null): void {
    const { element } = this;
    element.onerror = () => {
      const at = at_s === null ? null : element.currentTime;
      if (this.recoveries++ >= MOST_RECOVERIES) this.host.failed();
      else void this.host.renew().finally(() => this.setSource(at));
    };
    this.setSource(at_s);
  }

  private setSource(at_s: number | null): void {
    const { element } = this;
    element.src = signedAgain(this.playlist, this.host.signature() ?? signatureOf(this.playlist));
    if (at_s === null) return;
    element.addEventListener("loadedmetadata", () => (element.currentTime = at_s), { once: true });
  }
}

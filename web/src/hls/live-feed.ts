/**
 * Brings one growing playlist into one media element: hls.js in its low-latency mode, or the browser's own HLS.
 *
 * Each request goes out under the newest signature. Knows nothing of the other tracks.
 */
import Hls, { ErrorTypes, Events } from "hls.js/light";
import type { ErrorData } from "hls.js/light";

import { signedAgain } from "@/pages/replay/signed";

export interface LiveFeedHost {
  /** The newest signature known. */
  signature(): string | null;
  /** A request was refused: get new signatures now. */
  renew(): Promise<void>;
  /** This track cannot be played. */
  failed(): void;
}

const REFUSED = new Set([401, 403, 404, 410]);
const MOST_RECOVERIES = 8;
const RETRY_MS = 1000;
/** Native HLS says nothing of parts: so far from its edge it stays. */
const NATIVE_BACK_S = 4;

export class LiveFeed {
  private hls: Hls | null = null;
  private recoveries = 0;
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    readonly element: HTMLMediaElement,
    private readonly playlist: string,
    private readonly host: LiveFeedHost,
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
    this.element.removeAttribute("src");
    this.element.load();
  }

  /** Where the newest part ends; null until the playlist is known. */
  get edge_s(): number | null {
    if (this.hls !== null) return this.hls.latestLevelDetails?.edge ?? null;
    const { seekable } = this.element;
    return seekable.length > 0 ? seekable.end(seekable.length - 1) : null;
  }

  /** Where a live picture should stand now: the edge moves on between two reloads. */
  get due_s(): number | null {
    if (this.hls !== null) return this.hls.liveSyncPosition;
    const edge = this.edge_s;
    return edge === null ? null : edge - NATIVE_BACK_S;
  }

  /** The playlist has become the recording's. */
  get ended(): boolean {
    return this.hls?.latestLevelDetails?.live === false || Number.isFinite(this.nativeLength);
  }

  /** When what is shown now happened, ms since 1970 by the server's clock. */
  get shownAt(): number | null {
    return this.hls?.playingDate?.getTime() ?? null;
  }

  private get nativeLength(): number {
    return this.hls === null ? this.element.duration : Number.NaN;
  }

  private loadByScript(at_s: number | null): void {
    const hls = new Hls({
      startPosition: at_s ?? -1,
      lowLatencyMode: true,
      maxLiveSyncPlaybackRate: 1, // the pace is the player's, one for all tracks
      liveDurationInfinity: false,
      maxBufferLength: 20,
      backBufferLength: 120,
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

  private loadNatively(at_s: number | null): void {
    const { element } = this;
    element.onerror = () => {
      if (this.recoveries++ >= MOST_RECOVERIES) this.host.failed();
      else void this.host.renew().finally(() => (element.src = signedAgain(this.playlist, this.host.signature())));
    };
    element.src = this.playlist;
    if (at_s !== null) {
      element.addEventListener("loadedmetadata", () => (element.currentTime = at_s), { once: true });
    }
  }
}

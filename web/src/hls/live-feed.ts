/** A feed of a playlist that grows: where its edge is, and whether it has become the recording's. */
import type { HlsConfig } from "hls.js/light";

import { Feed } from "./feed";
import type { FeedHost } from "./feed";
import { loadedUntil, loadFrom, nextPlace } from "./keyframes";

/** Native HLS says nothing of parts: so far from its edge it stays. */
const NATIVE_BACK_S = 4;
const LIVE: Partial<HlsConfig> = {
  lowLatencyMode: true,
  maxLiveSyncPlaybackRate: 1, // the pace is the player's, one for all tracks
  liveDurationInfinity: false,
  maxBufferLength: 20,
  backBufferLength: 120,
};

/** A segment's comment (recorder.playlist.CONTINUES) as hls.js hands it on. */
const CONTINUES = "LIANKE";

export class LiveFeed extends Feed {
  private landing = false;

  constructor(element: HTMLMediaElement, playlist: string, host: FeedHost) {
    super(element, playlist, host, LIVE);
  }

  /** The element loads from a keyframe on, and goes where it is wanted once that is there. */
  get isLanding(): boolean {
    return this.landing;
  }

  /** Whether the playlist is known, and with it where keyframes are. */
  get isKnown(): boolean {
    return this.hls === null || this.hls.latestLevelDetails !== null;
  }

  /** Go to a moment: at once where its picture is loaded, or begins there; else by way of the keyframe before. */
  goTo(at_s: number): void {
    const from_s = loadedUntil(this.element.buffered, at_s) !== null ? null : loadFrom(this.segments(), at_s);
    this.landing = from_s !== null;
    this.element.currentTime = from_s ?? at_s;
  }

  /** On the way to where the picture should be now. */
  land(at_s: number): void {
    const { element } = this;
    const place_s = element.seeking ? null : nextPlace(element.buffered, element.currentTime, at_s);
    if (place_s === null) return;
    this.landing = place_s !== at_s;
    element.currentTime = place_s;
  }

  private segments(): { start_s: number; end_s: number; key: boolean }[] {
    const fragments = this.hls?.latestLevelDetails?.fragments ?? [];
    return fragments.map((one) => ({
      start_s: one.start,
      end_s: one.start + one.duration,
      key: !one.tagList.some(([name]) => name === CONTINUES),
    }));
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
}

/** A feed of a playlist that grows: where its edge is, and whether it has become the recording's. */
import type { HlsConfig } from "hls.js/light";

import { Feed } from "./feed";
import type { FeedHost } from "./feed";

/** Native HLS says nothing of parts: so far from its edge it stays. */
const NATIVE_BACK_S = 4;
const LIVE: Partial<HlsConfig> = {
  lowLatencyMode: true,
  maxLiveSyncPlaybackRate: 1, // the pace is the player's, one for all tracks
  liveDurationInfinity: false,
  maxBufferLength: 20,
  backBufferLength: 120,
};

export class LiveFeed extends Feed {
  constructor(element: HTMLMediaElement, playlist: string, host: FeedHost) {
    super(element, playlist, host, LIVE);
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

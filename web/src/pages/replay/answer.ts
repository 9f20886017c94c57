/** What `GET /api/v1/lessons/{id}/replay` answers, read strictly: a malformed answer is a clear error. */

export interface Words {
  zh: string;
  en: string;
}

export interface Gap {
  start_s: number;
  end_s: number;
  cause: string;
}

export interface ReplayTrack {
  name: string;
  subject: string;
  kind: "audio" | "video";
  codec: string;
  room: string;
  /** Signed path of its playlist. */
  playlist: string;
  gaps: Gap[];
  /** Where the track's first sample lies on the lesson's clock. */
  start_s: number;
}

export interface Mark {
  at_s: number;
  kind: string;
  values: Record<string, string>;
}

export interface Replay {
  lesson: string;
  title: Words;
  state: string;
  seconds: number;
  started_at: string | number | null;
  ready_after_s: number | null;
  /** Milliseconds since 1970, by the server's clock. */
  expires_at: number;
  tracks: ReplayTrack[];
  marks: Mark[];
}

export class MalformedReplay extends Error {}

type Fields = Record<string, unknown>;

function fields(value: unknown, what: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new MalformedReplay(what);
  return value as Fields;
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function number(value: unknown, what: string): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new MalformedReplay(what);
  return value;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** A moment told as RFC 3339, as seconds or as milliseconds since 1970, in milliseconds. */
export function moment(value: unknown): number {
  if (typeof value === "string") {
    const parsed = Date.parse(value);
    return Number.isNaN(parsed) ? 0 : parsed;
  }
  if (typeof value !== "number" || !Number.isFinite(value)) return 0;
  return value < 1e11 ? value * 1000 : value;
}

function gap(value: unknown): Gap {
  const from = fields(value, "gap");
  return {
    start_s: number(from["start_s"], "gap.start_s"),
    end_s: number(from["end_s"], "gap.end_s"),
    cause: text(from["cause"]),
  };
}

function track(value: unknown): ReplayTrack {
  const from = fields(value, "track");
  return {
    name: text(from["name"]),
    subject: text(from["subject"]),
    kind: from["kind"] === "audio" ? "audio" : "video",
    codec: text(from["codec"]),
    room: text(from["room"]),
    playlist: text(from["playlist"]),
    gaps: list(from["gaps"]).map(gap),
    start_s: typeof from["start_s"] === "number" ? from["start_s"] : 0,
  };
}

function mark(value: unknown): Mark {
  const from = fields(value, "mark");
  const values: Record<string, string> = {};
  if (typeof from["values"] === "object" && from["values"] !== null) {
    for (const [key, one] of Object.entries(from["values"])) values[key] = String(one);
  }
  return { at_s: number(from["at_s"], "mark.at_s"), kind: text(from["kind"]), values };
}

export function readReplay(value: unknown): Replay {
  const from = fields(value, "replay");
  const title = fields(from["title"] ?? {}, "title");
  const started = from["started_at"];
  return {
    lesson: text(from["lesson"]),
    title: { zh: text(title["zh"]), en: text(title["en"]) },
    state: text(from["state"]),
    seconds: typeof from["seconds"] === "number" ? from["seconds"] : 0,
    started_at: typeof started === "string" || typeof started === "number" ? started : null,
    ready_after_s: typeof from["ready_after_s"] === "number" ? from["ready_after_s"] : null,
    expires_at: moment(from["expires_at"]),
    tracks: list(from["tracks"]).map(track),
    marks: list(from["marks"]).map(mark),
  };
}

/** The REST API, typed (`server/protocol/resources.py`). Failures are `CampusProblem` with words to show. */
import type {
  AskedCamera,
  FoundCameras,
  Demo,
  DeviceToken,
  GuestLinkRow,
  LessonDoors,
  LessonRow,
  Link as LinkMade,
  LiveReplay,
  LobbyPass,
  MadeGuestLink,
  Me,
  NewRoomSource,
  Offered,
  Pairing,
  ProbeReport,
  ProbeSource,
  Problem,
  Room,
  RoomSource,
  RoomToken,
  SetUp,
  Source,
  Words,
} from "@/protocol/messages";

export class CampusProblem extends Error {
  /** `status` 0: the server did not answer at all. */
  constructor(
    readonly status: number,
    readonly code: string,
    readonly words: Words,
  ) {
    super(`${status} ${code}`);
  }
}

const NO_ANSWER: Words = {
  zh: "服务器没有回应，请检查网线后再试。",
  en: "The server does not answer. Check the cable and try again.",
};
const NO_WORDS: Words = { zh: "这一步没有成功，请再试一次。", en: "That did not work. Please try again." };

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** One request. `token`: as whom, besides the cookie that the browser sends by itself. */
export async function ask<T>(method: Method, path: string, body?: unknown, token: string | null = null): Promise<T> {
  let response: Response;
  const headers: Record<string, string> = {};
  if (body !== undefined) headers["content-type"] = "application/json";
  if (token !== null) headers["authorization"] = `Bearer ${token}`;
  try {
    response = await fetch(`/api/v1/${path}`, {
      method,
      credentials: "same-origin",
      headers,
      body: body === undefined ? null : JSON.stringify(body),
    });
  } catch {
    throw new CampusProblem(0, "no_answer", NO_ANSWER);
  }
  if (!response.ok) throw await problemOf(response);
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

/** A spreadsheet as the body of an import. */
export async function sendFile(path: string, file: File): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(`/api/v1/${path}`, {
      method: "POST",
      credentials: "same-origin",
      headers: { "content-type": "application/octet-stream" },
      body: file,
    });
  } catch {
    throw new CampusProblem(0, "no_answer", NO_ANSWER);
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

export async function problemOf(response: Response): Promise<CampusProblem> {
  let problem: Partial<Problem> = {};
  try {
    problem = (await response.json()) as Partial<Problem>;
  } catch {
    problem = {}; // a proxy's own error page
  }
  return new CampusProblem(response.status, problem.code ?? "unknown", problem.words ?? NO_WORDS);
}

export const campus = {
  me: () => ask<Me>("GET", "me"),
  setup: (body: SetUp) => ask<Me>("POST", "setup", body),
  login: (login: string, password: string) => ask<Me>("POST", "login", { login, password }),
  unlock: (login: string, password: string) => ask<unknown>("POST", "unlock", { login, password }),
  changePassword: (old: string, fresh: string) => ask<unknown>("PUT", "me/password", { old, new: fresh }),
  logout: () => ask<unknown>("POST", "logout"),
  demo: () => ask<Demo>("GET", "demo"),
  openPairing: (key: string) => ask<Pairing>("POST", "pairings", { key, browser: navigator.userAgent.slice(0, 200) }),
  pairing: (pairing: string) => ask<Pairing>("GET", `pairings/${encodeURIComponent(pairing)}`),
  restoreDevice: (device: string, secret: string, key: string) =>
    ask<DeviceToken>("POST", "devices/restore", { device, secret, key, browser: navigator.userAgent.slice(0, 200) }),
  roomCode: (code: string) => ask<RoomToken>("POST", "room-code", { code }),
  rooms: () => ask<Room[]>("GET", "rooms"),
  lessons: () => ask<LessonRow[]>("GET", "lessons"),
  openLesson: (room: string) => ask<LessonDoors>("POST", "lessons", { room }),
  endLesson: (lesson: string) => ask<unknown>("POST", `lessons/${encodeURIComponent(lesson)}/end`),
  /** A link of the lesson for viewers, or for the phone remote; `token`: the studio's. */
  openLink: (token: string, lesson: string, kind: "watch" | "remote", label: string) =>
    ask<LinkMade>("POST", `lessons/${encodeURIComponent(lesson)}/${kind}-link`, { label }, token),
  closeLink: (token: string, lesson: string, kind: "watch" | "remote") =>
    ask<unknown>("DELETE", `lessons/${encodeURIComponent(lesson)}/${kind}-link`, undefined, token),
  /** Links of guests to a main room's lessons; `token`: the studio's. */
  guestLinks: (token: string | null, room: string) =>
    ask<GuestLinkRow[]>("GET", `rooms/${encodeURIComponent(room)}/guest-links`, undefined, token),
  makeGuestLink: (token: string | null, room: string, hours: number, label: string) =>
    ask<MadeGuestLink>("POST", `rooms/${encodeURIComponent(room)}/guest-links`, { hours, label }, token),
  endGuestLink: (token: string | null, room: string, link: number) =>
    ask<unknown>("DELETE", `rooms/${encodeURIComponent(room)}/guest-links/${link}`, undefined, token),
  enterLobby: (link: string, name: string) => ask<LobbyPass>("POST", "lobby", { link, name }),
  wall: (token: string, room: string) => ask<RoomToken>("POST", `rooms/${encodeURIComponent(room)}/wall`, undefined, token),
  sources: (room: string) => ask<RoomSource[]>("GET", `rooms/${encodeURIComponent(room)}/sources`),
  putSource: (room: string, source: Source, body: NewRoomSource) =>
    ask<RoomSource>("PUT", `rooms/${encodeURIComponent(room)}/sources/${source}`, body),
  removeSource: (room: string, source: Source) =>
    ask<unknown>("DELETE", `rooms/${encodeURIComponent(room)}/sources/${source}`),
  discover: (room: string, network: string) =>
    ask<FoundCameras>("POST", `rooms/${encodeURIComponent(room)}/discover`, { network }),
  findStreams: (room: string, body: AskedCamera) =>
    ask<Offered>("POST", `rooms/${encodeURIComponent(room)}/find`, body),
  probe: (room: string, body: ProbeSource) =>
    ask<ProbeReport>("POST", `rooms/${encodeURIComponent(room)}/probe`, body),
  liveReplay: (lesson: string, token: string | null) =>
    ask<LiveReplay>("GET", `lessons/${encodeURIComponent(lesson)}/hls`, undefined, token),
};

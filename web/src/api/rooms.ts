/** Rooms and their devices, for the IT person; alarms before the bell. */
import { ask } from "@/api/campus";
import type { DeviceRow, LessonReadiness, RoomAlarms, RoomStands } from "@/protocol/messages";

export type Launchable = "windows" | "linux" | "android";

const of = (room: string): string => `rooms/${encodeURIComponent(room)}`;
const device = (id: string): string => `devices/${encodeURIComponent(id)}`;

export const rooms = {
  stands: (query: URLSearchParams) => ask<RoomStands>("GET", `devices?${query.toString()}`),
  pair: (room: string, code: string, label: string) => ask<DeviceRow>("POST", `${of(room)}/devices`, { code, label }),
  revoke: (id: string) => ask<undefined>("DELETE", device(id)),
  renewLauncher: (id: string) => ask<undefined>("POST", `${device(id)}/launcher`),
  hear: (room: string) => ask<undefined>("POST", `${of(room)}/hear`),
  lookedAt: (room: string) => ask<undefined>("POST", `${of(room)}/looked-at`),
  alarms: () => ask<RoomAlarms>("GET", "alarms"),
  readiness: (lesson: string) => ask<LessonReadiness>("GET", `lessons/${encodeURIComponent(lesson)}/readiness`),
  /** The file itself: a link, so that the browser saves it under its name. */
  launcherPath: (id: string, system: Launchable): string => `/api/v1/${device(id)}/launcher/${system}`,
};

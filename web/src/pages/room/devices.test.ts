import { afterEach, expect, test, vi } from "vitest";

import { RoomDevices } from "./devices";
import type { Held } from "./devices";

afterEach(() => vi.unstubAllGlobals());

/** A browser that gives whatever it is asked for, and remembers what that was. */
function browser(): MediaStreamConstraints[] {
  const asked: MediaStreamConstraints[] = [];
  const track = (kind: string) => ({ kind, stop: () => undefined, onended: null });
  const getUserMedia = (wanted: MediaStreamConstraints) => {
    asked.push(wanted);
    const kinds = (["audio", "video"] as const).filter((kind) => wanted[kind] !== undefined);
    return Promise.resolve({ getTracks: () => kinds.map(track) });
  };
  vi.stubGlobal("navigator", {
    mediaDevices: { getUserMedia, addEventListener: () => undefined, removeEventListener: () => undefined },
  });
  return asked;
}

test.each([
  { may: ["camera", "voice"] as const, asked: ["audio", "video"] },
  { may: ["voice"] as const, asked: ["audio"] },
  { may: [] as const, asked: [] },
])("a room holds what its lesson lets it send, and no more: $may", async ({ may, asked }) => {
  const seen = browser();
  let held: Held = { camera: null, voice: null };
  const devices = new RoomDevices((now) => (held = now));

  await devices.acquire(may);

  expect(seen.flatMap((wanted) => Object.keys(wanted)).sort()).toEqual(asked);
  expect(held.camera !== null).toBe((may as readonly string[]).includes("camera"));
  expect(held.voice !== null).toBe((may as readonly string[]).includes("voice"));
  devices.release();
  expect(held).toEqual({ camera: null, voice: null });
});

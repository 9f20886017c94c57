import { afterEach, expect, test, vi } from "vitest";

import type { Source } from "@/protocol/messages";

import { Devices } from "./devices";

afterEach(() => vi.unstubAllGlobals());

/** A browser with these cameras, each of which gives its own picture; `pull` takes one away. */
function browser(labels: string[]): { plugged: string[]; changed: () => void } {
  const state = { plugged: labels, changed: () => undefined as void };
  const enumerateDevices = () => Promise.resolve(state.plugged.map((label) => ({ kind: "videoinput", label, deviceId: `id of ${label}` })));
  const getUserMedia = ({ video }: { video: { deviceId?: { exact: string } } }) => {
    const label = video.deviceId?.exact.replace("id of ", "") ?? state.plugged[0];
    if (label === undefined) return Promise.reject(new DOMException("", "NotFoundError"));
    return Promise.resolve({ getTracks: () => [{ label, stop: () => undefined, onended: null, contentHint: "" }] });
  };
  const addEventListener = (_: string, heard: () => void) => (state.changed = heard);
  vi.stubGlobal("navigator", { mediaDevices: { enumerateDevices, getUserMedia, addEventListener, removeEventListener: () => undefined } });
  const kept = new Map<string, string>();
  vi.stubGlobal("localStorage", { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => kept.set(key, value) });
  return state;
}

function made(): { devices: Devices; given: Partial<Record<Source, string | null>> } {
  const given: Partial<Record<Source, string | null>> = {};
  return { devices: new Devices({ onTrack: (source, track) => (given[source] = track?.label ?? null) }), given };
}

test("an HDMI capture is the courseware, and the camera stays the camera", async () => {
  browser(["Front camera", "Document camera", "USB HDMI capture"]);
  const { devices, given } = made();
  await devices.takeCamera("camera");
  await devices.takeCapture();
  expect(given).toEqual({ camera: "Front camera", screen: "USB HDMI capture" });
  expect(devices.all.screen.track?.contentHint).toBe("detail");
});

test("without another device than the camera there is no capture, and it is taken again when it is back", async () => {
  const plug = browser(["Front camera"]);
  const { devices, given } = made();
  await devices.takeCamera("camera");
  await devices.takeCapture();
  expect(devices.all.screen.state).toBe("absent");
  plug.plugged = ["Front camera", "Cam Link 4K"];
  plug.changed();
  await vi.waitFor(() => expect(given.screen).toBe("Cam Link 4K"));
});

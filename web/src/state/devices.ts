/**
 * The studio's devices: what is chosen, whether it works, and getting it back.
 *
 * One owner of every local track. A device is remembered by its label (ids change with the browser's
 * storage) and taken again when it comes back after being pulled out.
 */
import { reactive } from "vue";

import type { Source } from "@/protocol/messages";

export type DeviceState =
  | "off" // not asked for
  | "asking" // the browser is asking the person
  | "well"
  | "refused" // the person or the browser said no
  | "absent" // nothing to take
  | "lost" // was there and was pulled out
  | "insecure"; // the page is not on HTTPS or localhost

export interface Device {
  state: DeviceState;
  label: string;
  track: MediaStreamTrack | null;
}

export interface DevicesHost {
  /** The track of `source` is now this one (null: none). */
  onTrack(source: Source, track: MediaStreamTrack | null): void;
}

const CAPTURE = /hdmi|capture|cam ?link|video grabber|采集/i;
const REMEMBERED = "lianke.devices";

export class Devices {
  readonly all: Record<Source, Device> = reactive({
    camera: fresh(),
    camera2: fresh(),
    screen: fresh(),
    voice: fresh(),
  });
  readonly choices = reactive<{ cameras: string[]; microphones: string[] }>({ cameras: [], microphones: [] });
  music = false;
  private capture = false; // the courseware comes by a device, not by a window
  private readonly onChange = (): void => void this.devicesChanged();

  constructor(private readonly host: DevicesHost) {
    navigator.mediaDevices?.addEventListener("devicechange", this.onChange);
  }

  stop(): void {
    navigator.mediaDevices?.removeEventListener("devicechange", this.onChange);
    for (const device of Object.values(this.all)) device.track?.stop();
  }

  /** Give a source a track made elsewhere (the sample). */
  adopt(source: Source, track: MediaStreamTrack | null, label = ""): void {
    this.put(source, track, label);
  }

  async takeCamera(source: "camera" | "camera2", label = remembered(source)): Promise<void> {
    const deviceId = await this.idOf("videoinput", label);
    const video = {
      width: { ideal: 1280 },
      height: { ideal: 720 },
      frameRate: { ideal: 25, max: 30 },
      ...(deviceId === null ? {} : { deviceId: { exact: deviceId } }),
    };
    await this.take(source, () => navigator.mediaDevices.getUserMedia({ video }));
  }

  async takeMicrophone(label = remembered("voice")): Promise<void> {
    const deviceId = await this.idOf("audioinput", label);
    const audio = {
      echoCancellation: !this.music,
      noiseSuppression: !this.music,
      autoGainControl: !this.music,
      channelCount: this.music ? 2 : 1,
      ...(deviceId === null ? {} : { deviceId: { exact: deviceId } }),
    };
    await this.take("voice", () => navigator.mediaDevices.getUserMedia({ audio }));
  }

  /** Needs a click: the browser's own picker opens. Never offers this very page. */
  async takeScreen(): Promise<void> {
    this.capture = false;
    const options = {
      video: { frameRate: { ideal: 15, max: 15 }, width: { max: 1920 }, height: { max: 1080 } },
      audio: false,
      selfBrowserSurface: "exclude",
      surfaceSwitching: "include",
    };
    await this.take("screen", () => navigator.mediaDevices.getDisplayMedia(options));
    const track = this.all.screen.track;
    if (track !== null) track.contentHint = "detail";
  }

  /** A capture device's picture as courseware: another one than the cameras', the remembered one first. */
  async takeCapture(label = remembered("screen")): Promise<void> {
    this.capture = true;
    if (label === null && this.choices.cameras.length === 0) await this.list();
    const taken = [this.all.camera, this.all.camera2].filter((one) => one.track !== null).map((one) => one.label);
    const free = this.choices.cameras.filter((one) => !taken.includes(one));
    const wanted = label !== null && free.includes(label) ? label : (free.find((one) => CAPTURE.test(one)) ?? free[0] ?? null);
    if (wanted === null && this.choices.cameras.length > 0) {
      this.all.screen.state = "absent";
      return;
    }
    const deviceId = await this.idOf("videoinput", wanted);
    const video = {
      width: { ideal: 1920 },
      height: { ideal: 1080 },
      frameRate: { ideal: 15, max: 30 },
      ...(deviceId === null ? {} : { deviceId: { exact: deviceId } }),
    };
    await this.take("screen", () => navigator.mediaDevices.getUserMedia({ video }));
    const { track, label: got } = this.all.screen;
    if (track === null) return;
    track.contentHint = "detail";
    remember("screen", got);
  }

  private async take(source: Source, ask: () => Promise<MediaStream>): Promise<void> {
    const device = this.all[source];
    if (navigator.mediaDevices === undefined) {
      device.state = "insecure";
      return;
    }
    if (device.state !== "well") device.state = "asking";
    try {
      const stream = await ask();
      const track = stream.getTracks()[0] ?? null;
      this.put(source, track, track?.label ?? "");
      if (track !== null && source !== "screen") remember(source, track.label);
      await this.list();
    } catch (error) {
      if (device.state !== "asking") return; // the old track goes on
      const name = error instanceof DOMException ? error.name : "";
      device.state = name === "NotFoundError" || name === "OverconstrainedError" ? "absent" : "refused";
    }
  }

  private put(source: Source, track: MediaStreamTrack | null, label: string): void {
    const device = this.all[source];
    if (device.track !== track) device.track?.stop();
    device.track = track;
    device.label = label;
    device.state = track === null ? "off" : "well";
    if (track !== null) {
      track.onended = () => {
        if (device.track !== track) return;
        device.track = null;
        device.state = "lost";
        this.host.onTrack(source, null);
      };
    }
    this.host.onTrack(source, track);
  }

  private async list(): Promise<void> {
    const devices = await navigator.mediaDevices.enumerateDevices();
    const labels = (kind: string): string[] =>
      devices.filter((one) => one.kind === kind && one.label !== "").map((one) => one.label);
    this.choices.cameras = labels("videoinput");
    this.choices.microphones = labels("audioinput");
  }

  private async idOf(kind: string, label: string | null): Promise<string | null> {
    if (label === null || navigator.mediaDevices === undefined) return null;
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices.find((one) => one.kind === kind && one.label === label)?.deviceId ?? null;
  }

  private async devicesChanged(): Promise<void> {
    await this.list();
    const lost = (source: Source): boolean => this.all[source].state === "lost" || this.all[source].state === "absent";
    if (lost("camera")) await this.takeCamera("camera");
    if (this.all.camera2.state === "lost") await this.takeCamera("camera2");
    if (lost("voice")) await this.takeMicrophone();
    if (this.capture && lost("screen")) await this.takeCapture();
  }
}

function fresh(): Device {
  return { state: "off", label: "", track: null };
}

function remembered(source: Source): string | null {
  try {
    return (JSON.parse(localStorage.getItem(REMEMBERED) ?? "{}") as Record<string, string>)[source] ?? null;
  } catch {
    return null;
  }
}

function remember(source: Source, label: string): void {
  try {
    const all = JSON.parse(localStorage.getItem(REMEMBERED) ?? "{}") as Record<string, string>;
    localStorage.setItem(REMEMBERED, JSON.stringify({ ...all, [source]: label }));
  } catch {
    // without storage the first device is taken next time
  }
}

/** Whether a second camera was in use before this page was loaded again. */
export function hadSecondCamera(): boolean {
  return remembered("camera2") !== null;
}

export function forgetSecondCamera(): void {
  try {
    const all = JSON.parse(localStorage.getItem(REMEMBERED) ?? "{}") as Record<string, string>;
    delete all["camera2"];
    localStorage.setItem(REMEMBERED, JSON.stringify(all));
  } catch {
    // nothing was kept
  }
}

/** A viewer on stage: its camera and microphone, taken after a touch here and held no longer than it stays. */
import { shallowRef, watch } from "vue";

import { say } from "@/i18n/say";
import { RoomDevices, SampleDevices } from "@/pages/room/devices";
import type { Devices, Held } from "@/pages/room/devices";
import type { Onlooker } from "@/state/onlooker";

const SAMPLE_SEED = 11;
const GIVEN_WITHIN_MS = 8_000;

export class StageGuest {
  /** The own camera, small in the picture. */
  readonly own = shallowRef<MediaStreamTrack | null>(null);
  readonly up = shallowRef(false);
  private readonly devices: Devices;
  private waiting: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly onlooker: Onlooker,
    sample: boolean,
  ) {
    const taken = (held: Held): void => this.taken(held);
    this.devices = sample ? new SampleDevices(SAMPLE_SEED, taken) : new RoomDevices(taken);
    watch(onlooker.place, (place) => {
      if (place?.staged === "no") this.stop();
    });
  }

  /** The touch: only now the browser is asked. */
  async comeUp(): Promise<void> {
    this.up.value = true;
    this.waiting = setTimeout(() => this.own.value === null && this.refused(), GIVEN_WITHIN_MS);
    await this.devices.acquire(["camera", "voice"]);
  }

  /** Off the stage, and everything is released. */
  leave(): void {
    if (this.onlooker.place.value?.staged !== "no") this.onlooker.say({ type: "leave_stage" });
    this.stop();
  }

  private taken(held: Held): void {
    this.own.value = held.camera;
    if (!this.up.value) return;
    void this.onlooker.up.set("voice", held.voice);
    void this.onlooker.up.set("camera", held.camera);
  }

  private refused(): void {
    this.onlooker.tell(say("watch.noDevice"));
    this.stop();
  }

  private stop(): void {
    if (this.waiting !== null) clearTimeout(this.waiting);
    this.waiting = null;
    this.up.value = false;
    this.devices.release();
    this.onlooker.up.close();
  }
}

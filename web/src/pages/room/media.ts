/**
 * All media of a receiving room: two connections, devices, sound, and the watch over what arrives.
 *
 * Knows the lesson only as far as it must (who is the source of a picture); what the page shows is
 * decided in `face` from the state kept here.
 */
import { computed, reactive, shallowReactive } from "vue";

import type { FromServer, LessonView, Road, SlotReport, ToServer, Welcome } from "@/protocol/messages";
import { browserDown, DownConnection } from "@/rtc/down";
import type { Slot } from "@/rtc/down";
import { ROOM_CAMERA_BITRATE } from "@/rtc/layers";
import { browserUp, UpConnection } from "@/rtc/up";

import { RoomDevices, SampleDevices } from "./devices";
import type { Devices, Held } from "./devices";
import { flows } from "./face";
import { Healer } from "./healer";
import { Ladder } from "./ladder";
import { Sound } from "./sound";
import { Watch, withFreezes } from "./watch";
import type { Verdicts, WatchedSlot } from "./watch";

export interface MediaHost {
  /** False while the signalling line is away: nothing was sent. */
  send(message: ToServer): boolean;
  linked(): boolean;
  lesson(): LessonView | null;
  /** Milliseconds since 1970 by the server's clock. */
  now(): number;
}

/** `seed` draws the sample's pupils instead of asking for a camera; `volume` 0 starts silent. */
export interface MediaOptions {
  sample: boolean;
  seed: number;
  volume: number;
}

/** Camera and microphone do not wait longer than this for the first picture. */
const SEE_FIRST_MS = 700;

type MediaMessage = Extract<FromServer, { type: "answer_up" | "offer_down" | "slots" | "layers" | "reconnect" }>;

export class RoomMedia {
  readonly state = reactive({
    verdicts: {} as Verdicts,
    retryAt: null as number | null,
    sourceAway: false,
    /** When a picture last moved in this lesson. */
    seenAt: null as number | null,
    connected: false,
    soundBlocked: false,
    silent: false,
    camera: false,
    microphone: false,
    /** The line carries no moving picture of what is due: single ones at most. */
    thin: false,
    /** How media comes; null: not yet. */
    road: null as Road | null,
    /** No connection reaches this room: the live recording is shown, `delay_s` late. */
    broadcast: false,
    delay_s: null as number | null,
  });
  /** Video tracks to draw, by slot; `own` is the room's camera. */
  readonly pictures = shallowReactive({
    stage: null as MediaStreamTrack | null,
    screen: null as MediaStreamTrack | null,
    own: null as MediaStreamTrack | null,
  });
  /** The camera stands while the courseware moves. */
  readonly stageStill = computed(
    () =>
      this.state.verdicts["stage"]?.motion === "still" && this.state.verdicts["screen"]?.motion === "moving",
  );

  /** Pixels in height of each picture's place, as the page tells. */
  sizes: Partial<Record<string, number>> = {};
  private broadcastPlays = false;
  private broadcastSilenced = false;
  private readonly ladder = new Ladder(Math.random);
  private held: Held = { camera: null, voice: null };
  private acquiring: ReturnType<typeof setTimeout> | null = null;
  private readonly devices: Devices;
  private readonly sound: Sound;
  private readonly watch = new Watch();
  private readonly healer = new Healer(Math.random);
  private sampledAt = performance.now();
  private readonly up: UpConnection;
  private readonly down: DownConnection;

  constructor(
    private readonly host: MediaHost,
    { sample, seed, volume }: MediaOptions,
  ) {
    const taken = (held: Held): void => this.taken(held);
    this.devices = sample ? new SampleDevices(seed, taken) : new RoomDevices(taken);
    this.sound = new Sound(volume || 1, (blocked) => (this.state.soundBlocked = blocked));
    this.setSilent(volume === 0);
    const send = (message: ToServer): boolean => this.host.send(message);
    this.up = new UpConnection({
      ...browserUp,
      send,
      onState: () => undefined,
      cameraBitrate: ROOM_CAMERA_BITRATE,
    });
    this.down = new DownConnection({
      ...browserDown,
      send,
      onSlots: (slots) => this.placed(slots),
      onState: (state) => (this.state.connected = state === "connected"),
      shown: (slot) => this.sizes[slot] ?? 0,
    });
  }

  /** The session is about to begin: what takes the browser long is made while the server is called. */
  prepare(): void {
    this.down.prepare();
  }

  /** Connections that still live, for `Hello`. */
  get alive(): { up: string | null; down: string | null } {
    return { up: this.up.alive, down: this.down.alive };
  }

  /** A lesson is on: take camera and microphone, once it is seen. Both at once would make seeing wait. */
  begin(): void {
    this.state.seenAt = null;
    this.acquiring ??= setTimeout(() => this.acquire(), SEE_FIRST_MS);
  }

  private acquire(): void {
    if (this.acquiring === null) return;
    clearTimeout(this.acquiring);
    this.acquiring = null;
    void this.devices.acquire(this.host.lesson()?.rooms_send ?? []);
  }

  /** Outside a lesson nothing is held: no camera, no microphone, no connection. */
  leave(): void {
    if (this.acquiring !== null) clearTimeout(this.acquiring);
    this.acquiring = null;
    this.devices.release();
    this.cut();
    this.watch.reset();
    this.ladder.reset();
    this.state.broadcast = false;
    this.state.road = null;
    this.state.verdicts = {};
  }

  /** Drop both connections at once; devices stay. */
  cut(): void {
    this.up.close();
    this.down.close();
  }

  welcomed(to: Pick<Welcome, "keep_up" | "keep_down"> & { ice_servers?: Welcome["ice_servers"] }): void {
    this.up.welcomed(to.keep_up === true, to.ice_servers);
    this.down.welcomed(to.keep_down === true, to.ice_servers);
    this.sendTracks();
  }

  /** The signalling line is away: media goes on. */
  offline(): void {
    this.up.offline();
    this.down.offline();
  }

  receive(message: MediaMessage): void {
    switch (message.type) {
      case "answer_up":
        return this.tried(this.up.answered(message), () => this.up.renew());
      case "offer_down":
        return this.tried(this.down.offered(message), () => this.down.renew());
      case "slots":
        return this.down.assigned(message);
      case "layers":
        return this.up.layered(message);
      case "reconnect":
        if (message.up) this.up.renew();
        if (message.down) this.down.drop();
    }
  }

  setSilent(silent: boolean): void {
    this.state.silent = silent;
    this.sound.mute(silent);
  }

  /** Any touch or key: the browser may let the sound out now. */
  touched(): void {
    if (this.state.soundBlocked) this.sound.retry();
  }

  /** What this room itself can try when somebody misses sound or picture. */
  tryAgain(kind: "sound" | "picture"): void {
    if (kind === "sound") this.sound.retry();
    else if (this.host.linked()) this.down.renew();
  }

  /** Once a second during a lesson: look, heal, tell the teacher. */
  async report(): Promise<void> {
    const reports = await this.down.report();
    const interval_ms = performance.now() - this.sampledAt;
    this.sampledAt = performance.now();
    this.judge(reports);
    this.touched();
    this.climb();
    if (!this.state.broadcast) this.heal();
    const live = this.state.broadcast ? this.broadcastSlots() : null;
    this.host.send({
      type: "report",
      slots: live ?? withFreezes(reports, this.slots(), interval_ms),
      sound_playing: live !== null ? live.length > 0 : this.sounds(),
      sound_blocked: this.state.soundBlocked,
      road: this.state.road,
      camera: this.state.camera,
      microphone: this.state.microphone,
    });
  }

  /** The network changed: perhaps a better road is open. */
  lookAround(): void {
    if (this.state.road === "tcp" || this.state.road === "turn") this.down.restart();
    else if (this.state.broadcast && this.host.linked()) this.down.renew();
  }

  /** The broadcast's own word: does it play, and how late. */
  showing(view: { playing: boolean; waiting: boolean; silenced: boolean; delay_s: number | null }): void {
    this.broadcastPlays = view.playing && !view.waiting;
    this.broadcastSilenced = view.silenced;
    this.state.delay_s = view.delay_s;
  }

  private sounds(): boolean {
    return this.state.verdicts["main"]?.motion === "moving" && !this.state.soundBlocked;
  }

  /** Up and down the ladder of roads. */
  private climb(): void {
    const lesson = this.host.lesson();
    const { stage, screen, main } = this.state.verdicts;
    const moving = [stage, screen, main].some((slot) => slot?.motion === "moving");
    const step = this.ladder.check(
      {
        linked: this.host.linked(),
        due: lesson !== null && lesson.main_away_since === null && lesson.main_sends.length > 0,
        moving,
        road: this.down.road,
      },
      performance.now(),
    );
    if (step === "renew") this.down.renew();
    if (step === "restart") this.down.restart();
    this.state.broadcast = this.ladder.broadcast;
    this.state.road = this.state.broadcast ? "hls" : this.down.road;
  }

  /** What the broadcast shows, in the words of `Report`; nothing while it does not play. */
  private broadcastSlots(): SlotReport[] {
    if (!this.broadcastPlays) return [];
    const picture: SlotReport = { slot: "stage", frames: 1 };
    return this.broadcastSilenced ? [picture] : [picture, { slot: "main", received: 1 }];
  }

  private taken(held: Held): void {
    this.held = held;
    this.state.camera = held.camera !== null;
    this.state.microphone = held.voice !== null;
    this.pictures.own = held.camera;
    this.sendTracks();
  }

  /** What the devices gave, onto the up connection: a closed one has forgotten its tracks. */
  private sendTracks(): void {
    void this.up.set("voice", this.held.voice);
    void this.up.set("camera", this.held.camera);
  }

  private placed(slots: ReadonlyMap<string, Slot>): void {
    this.pictures.stage = slots.get("stage")?.track ?? null;
    this.pictures.screen = slots.get("screen")?.track ?? null;
    const voices = new Map<string, MediaStreamTrack>();
    slots.forEach((slot) => {
      if (slot.kind === "audio" && slot.track !== null) voices.set(slot.name, slot.track);
    });
    this.sound.set(voices);
    this.state.connected = this.down.state === "connected";
    this.judge([]);
  }

  private slots(): WatchedSlot[] {
    return [...this.down.slots.values()].map(({ name, kind, carries }) => ({
      name,
      kind,
      assigned: carries !== null && carries.thin !== true,
    }));
  }

  private judge(reports: Parameters<Watch["sample"]>[1]): void {
    const now = this.host.now();
    const verdicts = this.watch.sample(this.slots(), reports, now);
    this.state.verdicts = verdicts;
    this.state.thin = [...this.down.slots.values()].some(({ carries }) => carries?.thin === true);
    const moving = verdicts["stage"]?.motion === "moving" || verdicts["screen"]?.motion === "moving";
    if (!moving) return;
    this.state.seenAt = now;
    this.acquire();
  }

  private heal(): void {
    const lesson = this.host.lesson();
    if (lesson === null) return;
    const { stage, screen, main } = this.state.verdicts;
    const due = stage !== undefined && stage.motion !== "none" ? "stage" : "screen";
    this.state.sourceAway = !flows(lesson, this.down.slots.get(due)?.carries ?? null);
    const renew = this.healer.check(
      {
        linked: this.host.linked(),
        picture: (due === "stage" ? stage : screen) ?? null,
        heard: main?.motion === "moving",
        sourceAway: this.state.sourceAway || lesson.main_away_since !== null,
      },
      this.host.now(),
    );
    this.state.retryAt = this.healer.retryAt;
    if (renew) this.down.renew();
  }

  /** A description the browser does not take is answered by a new connection. */
  private tried(work: Promise<void>, renew: () => void): void {
    work.catch((error: unknown) => {
      console.warn("media connection given up:", error);
      renew();
    });
  }
}

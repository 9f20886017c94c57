/**
 * The receiving room's one store: joins the signalling line, the two media connections, the devices, the
 * sound and the watch, and holds what the page draws. Rules live in `face`, `watch` and `healer`.
 */
import { computed, reactive, shallowReactive } from "vue";

import { campus, CampusProblem } from "@/api/campus";
import type { FromServer, Lesson, Notice, Refused, Words } from "@/protocol/messages";
import { Link } from "@/protocol/link";
import type { SessionState } from "@/protocol/session";
import { browserDown, DownConnection } from "@/rtc/down";
import type { Slot } from "@/rtc/down";
import { browserUp, UpConnection } from "@/rtc/up";

import type { Address } from "./address";
import { keepLayout, keepToken, keptLayout } from "./address";
import { RoomDevices, SampleDevices } from "./devices";
import type { Devices, Held } from "./devices";
import { arrange, faceOf, flows, isHeard, isOn } from "./face";
import type { Layout } from "./face";
import { Healer } from "./healer";
import { Sound } from "./sound";
import { Watch, withFreezes } from "./watch";
import type { Verdicts } from "./watch";

export type Complaint = "none" | "sound" | "picture";

/** A sentence that passes by: a notice of the server, or words that came with a refusal. */
export type Toast = { notice: Notice } | { words: Words };

const TOAST_FOR_MS = 6000;
const REPORT_EVERY_MS = 1000;
const DRAW_EVERY_MS = 500;
const LOST_AFTER_MS = 10 * 60_000;
const LAYOUTS: readonly Layout[] = ["teacher", "courseware", "both"];

function startLayout(kept: string | null): Layout {
  return LAYOUTS.find((layout) => layout === kept) ?? "both";
}

/** A small number that differs from room to room, for the sample's pupils. */
function seedOf(token: string): number {
  let seed = 7;
  for (let k = 0; k < token.length; k++) seed = (seed * 31 + token.charCodeAt(k)) % 9973;
  return seed;
}

export class RoomStore {
  readonly state = reactive({
    /** By the server's clock, ms since 1970. */
    now: Date.now(),
    known: false,
    room: "",
    name: null as Words | null,
    link: "stopped" as SessionState,
    awaySince: null as number | null,
    linkRetryAt: null as number | null,
    refusal: null as Refused | null,
    told: null as Lesson | null,
    endedAt: null as number | null,
    liveAt: null as number | null,
    verdicts: {} as Verdicts,
    mediaRetryAt: null as number | null,
    sourceAway: false,
    seenAt: null as number | null,
    connected: false,
    soundBlocked: false,
    silent: false,
    camera: false,
    microphone: false,
    layout: "both" as Layout,
    ownPicture: false,
    complaint: "none" as Complaint,
    toast: null as Toast | null,
    unplugged: false,
    codeProblem: null as Words | null,
    codeBusy: false,
  });
  /** Video tracks to draw, by slot; `own` is the room's camera. */
  readonly pictures = shallowReactive({
    stage: null as MediaStreamTrack | null,
    screen: null as MediaStreamTrack | null,
    own: null as MediaStreamTrack | null,
  });

  readonly lesson = computed(() => this.state.told?.lesson ?? null);
  readonly seat = computed(
    () => this.lesson.value?.seats.find((seat) => seat.room === this.state.room) ?? null,
  );
  readonly heard = computed(
    () => (this.state.link === "on" || this.state.connected) && isHeard(this.lesson.value, this.state.room),
  );
  readonly handUp = computed(() => this.seat.value?.hand_since != null);
  readonly face = computed(() => faceOf(this.facts(), this.state.now));
  readonly arrangement = computed(() => {
    const { stage, screen } = this.state.verdicts;
    const courseware = (screen?.motion ?? "none") !== "none";
    return arrange(this.state.layout, stage?.motion !== "none" && !this.stageStill.value, courseware);
  });
  /** The camera stands while the courseware moves: it leaves the screen instead of lying about it. */
  readonly stageStill = computed(() => {
    const { stage, screen } = this.state.verdicts;
    return stage?.motion === "still" && screen?.motion === "moving";
  });

  private link: Link | null = null;
  private held: Held = { camera: null, voice: null };
  private readonly devices: Devices;
  private readonly sound: Sound;
  private readonly watch = new Watch();
  private readonly healer = new Healer(Math.random);
  private readonly timers: ReturnType<typeof setInterval>[] = [];
  private sampledAt = performance.now();
  private toastTimer: ReturnType<typeof setTimeout> | null = null;

  private readonly up = new UpConnection({
    ...browserUp,
    send: (message) => this.link?.send(message) ?? false,
    onState: () => undefined,
  });
  private readonly down = new DownConnection({
    ...browserDown,
    send: (message) => this.link?.send(message) ?? false,
    onSlots: (slots) => this.placed(slots),
    onState: (state) => (this.state.connected = state === "connected"),
  });

  constructor(
    private readonly address: Address,
    private readonly language: () => string,
  ) {
    const onHeld = (held: Held): void => this.taken(held);
    this.devices = address.sample
      ? new SampleDevices(seedOf(address.token ?? ""), onHeld)
      : new RoomDevices(onHeld);
    this.sound = new Sound(address.volume || 1, (blocked) => (this.state.soundBlocked = blocked));
    this.setSilent(address.volume === 0);
    this.state.layout = startLayout(keptLayout(address.keeper));
  }

  start(): void {
    this.timers.push(setInterval(() => this.draw(), DRAW_EVERY_MS));
    this.timers.push(setInterval(() => void this.report(), REPORT_EVERY_MS));
    window.addEventListener("online", this.nudge);
    document.addEventListener("visibilitychange", this.nudge);
    if (this.address.token !== null) this.enter(this.address.token);
  }

  stop(): void {
    this.timers.forEach(clearInterval);
    window.removeEventListener("online", this.nudge);
    document.removeEventListener("visibilitychange", this.nudge);
    this.link?.stop();
    this.leaveMedia();
  }

  /** The six digits: on success the token is kept and the room joins. */
  async enterCode(code: string): Promise<void> {
    this.state.codeBusy = true;
    this.state.codeProblem = null;
    try {
      const { token } = await campus.roomCode(code);
      if (!this.address.sample) keepToken(this.address.keeper, token);
      this.enter(token);
    } catch (problem) {
      if (!(problem instanceof CampusProblem)) throw problem;
      this.state.codeProblem = problem.words;
    } finally {
      this.state.codeBusy = false;
    }
  }

  raiseHand(up: boolean = !this.handUp.value): void {
    if (isOn(this.lesson.value)) this.link?.send({ type: "hand", up });
  }

  /** [No sound / no picture]: tells the teacher, and tries what can be tried here. */
  complain(kind: Complaint): void {
    this.state.complaint = kind;
    this.link?.send({ type: "trouble", kind });
    if (kind === "sound") this.sound.retry();
    if (kind === "picture" && this.state.link === "on") this.renewDown();
  }

  choose(layout: Layout): void {
    this.state.layout = layout;
    keepLayout(this.address.keeper, layout);
  }

  /** Any touch or key: the browser may let the sound out now. */
  touched(): void {
    if (this.state.soundBlocked) this.sound.retry();
  }

  setSilent(silent: boolean): void {
    this.state.silent = silent;
    this.sound.mute(silent);
  }

  /** The sample's cable: everything is cut at once, and comes back as after a real cut. */
  unplug(): void {
    if (this.state.unplugged) return;
    this.state.unplugged = true;
    this.link?.stop();
    this.up.close();
    this.down.close();
    this.state.awaySince ??= this.serverNow();
  }

  plug(): void {
    if (!this.state.unplugged) return;
    this.state.unplugged = false;
    this.link?.start();
  }

  private readonly nudge = (): void => this.link?.nudge();

  private serverNow(): number {
    return this.link?.serverTime() ?? Date.now();
  }

  private enter(token: string): void {
    this.link?.stop();
    this.state.known = true;
    this.state.refusal = null;
    this.link = new Link({
      token,
      language: this.language(),
      alive: () => ({ up: this.up.alive, down: this.down.alive }),
      onMessage: (message) => this.receive(message),
      onState: (state) => this.linked(state),
    });
    this.link.start();
  }

  private linked(state: SessionState): void {
    this.state.link = state;
    this.state.refusal = this.link?.session.refusal ?? null;
    const retryAt = this.link?.session.retryAt ?? null;
    this.state.linkRetryAt = retryAt === null ? null : retryAt + this.serverNow() - Date.now();
    if (state === "on") {
      this.state.awaySince = null;
      return;
    }
    if (this.link?.session.welcome != null) this.state.awaySince ??= this.serverNow();
    this.up.offline();
    this.down.offline();
    if (state === "refused") this.refusedForGood();
  }

  private refusedForGood(): void {
    if (!this.address.sample) keepToken(this.address.keeper, null);
    this.state.told = null;
    this.leaveMedia();
  }

  private receive(message: FromServer): void {
    switch (message.type) {
      case "welcome":
        this.state.room = message.room;
        this.state.name = message.name;
        this.up.welcomed(message.keep_up);
        this.down.welcomed(message.keep_down);
        this.sendAgain();
        return;
      case "lesson":
        return this.lessonTold(message);
      case "answer_up":
        return this.tried(this.up.answered(message), () => this.up.renew());
      case "offer_down":
        return this.tried(this.down.offered(message), () => this.renewDown());
      case "slots":
        return this.down.assigned(message);
      case "reconnect":
        if (message.up) this.up.renew();
        if (message.down) this.down.drop();
        return;
      case "notice":
        return this.toast({ notice: message });
      case "refused":
        if (!message.fatal) this.toast({ words: message.words });
        return;
      case "levels":
      case "pong":
        return;
    }
  }

  /** A description the browser does not take is answered by a new connection. */
  private tried(work: Promise<void>, renew: () => void): void {
    work.catch((error: unknown) => {
      console.warn("media connection given up:", error);
      renew();
    });
  }

  private lessonTold(message: Lesson): void {
    const wasOn = isOn(this.lesson.value);
    const before = this.lesson.value?.id;
    this.state.told = message;
    const on = isOn(this.lesson.value);
    if (on && (!wasOn || before !== this.lesson.value?.id)) {
      this.state.liveAt = this.serverNow();
      this.state.seenAt = null;
      this.state.endedAt = null;
      this.state.complaint = "none";
      void this.devices.acquire();
    }
    if (!on && wasOn) {
      this.state.endedAt = this.serverNow();
      this.leaveMedia();
      this.up.welcomed(false);
      this.down.welcomed(false);
    }
  }

  /** Outside a lesson nothing is held: no camera, no microphone, no connection. */
  private leaveMedia(): void {
    this.devices.release();
    this.up.close();
    this.down.close();
    this.watch.reset();
    this.state.verdicts = {};
  }

  private taken(held: Held): void {
    this.held = held;
    this.state.camera = held.camera !== null;
    this.state.microphone = held.voice !== null;
    this.pictures.own = held.camera;
    this.sendAgain();
  }

  /** What the devices gave, onto the up connection: a closed one has forgotten its tracks. */
  private sendAgain(): void {
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

  private slots(): { name: string; kind: string; assigned: boolean }[] {
    return [...this.down.slots.values()].map(({ name, kind, carries }) => ({
      name,
      kind,
      assigned: carries !== null,
    }));
  }

  private judge(reports: Parameters<Watch["sample"]>[1]): void {
    const now = this.serverNow();
    const verdicts = this.watch.sample(this.slots(), reports, now);
    this.state.verdicts = verdicts;
    if (verdicts["stage"]?.motion === "moving" || verdicts["screen"]?.motion === "moving") {
      this.state.seenAt = now;
    }
  }

  private async report(): Promise<void> {
    if (!isOn(this.lesson.value)) return;
    const { awaySince } = this.state;
    if (awaySince !== null && !this.state.connected && this.serverNow() - awaySince > LOST_AFTER_MS) {
      this.lost();
      return;
    }
    const reports = await this.down.report();
    const interval_ms = performance.now() - this.sampledAt;
    this.sampledAt = performance.now();
    this.judge(reports);
    if (this.state.soundBlocked) this.sound.retry();
    this.heal();
    this.link?.send({
      type: "report",
      slots: withFreezes(reports, this.slots(), interval_ms),
      sound_playing: this.state.verdicts["main"]?.motion === "moving" && !this.state.soundBlocked,
      sound_blocked: this.state.soundBlocked,
      camera: this.state.camera,
      microphone: this.state.microphone,
    });
  }

  /** Nothing was heard of the lesson for so long that it is over: a lamp must not stay on for nobody. */
  private lost(): void {
    this.state.told = null;
    this.leaveMedia();
  }

  private heal(): void {
    const lesson = this.lesson.value;
    if (lesson === null) return;
    const { stage, screen, main } = this.state.verdicts;
    const due = stage !== undefined && stage.motion !== "none" ? "stage" : "screen";
    const carried = this.down.slots.get(due)?.carries ?? null;
    this.state.sourceAway = !flows(lesson, carried);
    const renew = this.healer.check(
      {
        linked: this.state.link === "on",
        picture: (due === "stage" ? stage : screen) ?? null,
        heard: main?.motion === "moving",
        sourceAway: this.state.sourceAway || lesson.main_away_since !== null,
      },
      this.serverNow(),
    );
    this.state.mediaRetryAt = this.healer.retryAt;
    if (renew) this.renewDown();
  }

  private renewDown(): void {
    this.watch.reset();
    this.down.renew();
  }

  private draw(): void {
    this.state.now = this.serverNow();
  }

  private toast(toast: Toast): void {
    this.state.toast = toast;
    if (this.toastTimer !== null) clearTimeout(this.toastTimer);
    this.toastTimer = setTimeout(() => (this.state.toast = null), TOAST_FOR_MS);
  }

  private facts(): Parameters<typeof faceOf>[0] {
    const { state } = this;
    return {
      known: state.known,
      link: state.link,
      awaySince: state.awaySince,
      linkRetryAt: state.linkRetryAt,
      refusal: state.refusal,
      lesson: this.lesson.value,
      room: state.room,
      stage: state.verdicts["stage"] ?? null,
      screen: state.verdicts["screen"] ?? null,
      voice: state.verdicts["main"] ?? null,
      sourceAway: state.sourceAway,
      seenAt: state.seenAt,
      soundBlocked: state.soundBlocked,
      mediaRetryAt: state.mediaRetryAt,
      endedAt: state.endedAt,
    };
  }
}

/**
 * The receiving room's one store: the signalling line, the lesson as told, and what the page draws. Media is
 * `media`, rules are `face`.
 */
import { computed, reactive } from "vue";

import { campus, CampusProblem } from "@/api/campus";
import { Link } from "@/protocol/link";
import type { Challenge, FromServer, Invited, Lesson, Notice, Refused, Words } from "@/protocol/messages";
import type { SessionState } from "@/protocol/session";

import type { Address } from "./address";
import { keepLayout, keepSeat, keepToken, keptLayout } from "./address";
import { forgetDevice, keepDevice, keptDevice, keysAreThere, newKeys, proofOf, publicPoint } from "./device-key";
import type { KeptDevice } from "./device-key";
import { hearYourself, type Outcome } from "./self-hearing";
import { Standing } from "./standing";
import { arrange, faceOf, isElsewhere, isHeard, isOn, isUnknown } from "./face";
import type { Face, Layout } from "./face";
import { RoomMedia } from "./media";
import { PairingWalk } from "./pairing";
import type { PairingView } from "./pairing";

export type Complaint = "none" | "sound" | "picture";

/** A sentence that passes by: a notice of the server, or words that came with a refusal. */
export type Toast = { notice: Notice } | { words: Words };

const TOAST_FOR_MS = 6000;
const REPORT_EVERY_MS = 1000;
const DRAW_EVERY_MS = 500;
const AGAIN_AFTER_MS = 10_000;
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
    layout: "both" as Layout,
    ownPicture: false,
    complaint: "none" as Complaint,
    toast: null as Toast | null,
    invited: null as Invited | null,
    unplugged: false,
    /** The digits this screen shows; null: it does not ask to be paired. */
    pairing: null as PairingView | null,
    /** The microphone is open for two seconds: the room listens to itself. */
    hearing: false,
    codeProblem: null as Words | null,
    codeBusy: false,
  });
  readonly media: RoomMedia;

  readonly lesson = computed(() => this.state.told?.lesson ?? null);
  readonly seat = computed(
    () => this.lesson.value?.seats.find((seat) => seat.room === this.state.room) ?? null,
  );
  /** Told as long as the voice may really go out, even while the signalling line is away. */
  readonly heard = computed(() => {
    const out = this.state.link === "on" || this.media.state.connected;
    return out && isHeard(this.lesson.value, this.state.room);
  });
  readonly handUp = computed(() => this.seat.value !== null && this.seat.value.hand_since !== null);
  readonly face = computed(() => this.decide());
  readonly arrangement = computed(() => {
    const { stage, screen } = this.media.state.verdicts;
    // A camera that stands while the courseware moves leaves the screen instead of lying about it.
    const camera = stage?.motion !== "none" && !this.media.stageStill.value;
    return arrange(this.state.layout, camera, (screen?.motion ?? "none") !== "none");
  });

  private link: Link | null = null;
  /** What REST is asked with. */
  token: string | null = null;
  private device: KeptDevice | null = null;
  private readonly standing = new Standing({
    send: (message) => this.link?.send(message) ?? false,
    clockOff_ms: () => this.serverNow() - Date.now(),
    hear: () => this.hear(),
    inLesson: () => isOn(this.lesson.value) || this.address.sample,
  });
  private walk: PairingWalk | null = null;
  private readonly timers: ReturnType<typeof setInterval>[] = [];
  private toastTimer: ReturnType<typeof setTimeout> | null = null;
  private readonly nudge = (): void => this.link?.nudge();
  private readonly networkChanged = (): void => this.media.lookAround();

  constructor(
    private readonly address: Address,
    private readonly language: () => string,
  ) {
    const host = {
      send: (message: Parameters<Link["send"]>[0]) => this.link?.send(message) ?? false,
      linked: () => this.state.link === "on",
      lesson: () => this.lesson.value,
      now: () => this.serverNow(),
    };
    const seed = seedOf(address.token ?? "");
    this.media = new RoomMedia(host, { sample: address.sample, seed, volume: address.volume });
    this.state.layout = startLayout(keptLayout(address.keeper));
  }

  start(): void {
    this.timers.push(setInterval(() => (this.state.now = this.serverNow()), DRAW_EVERY_MS));
    this.timers.push(setInterval(() => void this.report(), REPORT_EVERY_MS));
    window.addEventListener("online", this.nudge);
    window.addEventListener("online", this.networkChanged);
    document.addEventListener("visibilitychange", this.nudge);
    if (this.address.token !== null) this.enter(this.address.token);
    else void this.becomeRoom();
  }

  /** A paired device, by its key, its launcher or six digits; in the end it joins. */
  private async becomeRoom(refused = false): Promise<void> {
    if (!keysAreThere()) {
      this.state.pairing = { code: "", problem: null };
      return;
    }
    this.walk ??= new PairingWalk(
      {
        kept: keptDevice,
        keep: keepDevice,
        forget: forgetDevice,
        newKeys,
        publicPoint,
        open: campus.openPairing,
        look: campus.pairing,
        restore: campus.restoreDevice,
        wait: (ms) => new Promise((done) => setTimeout(done, ms)),
      },
      this.address.launch,
      (view) => (this.state.pairing = view),
    );
    this.state.known = false;
    this.device = await this.walk.device(refused);
    this.state.pairing = null;
    if (this.device !== null) this.enter(this.device.token);
  }

  stop(): void {
    this.timers.forEach(clearInterval);
    window.removeEventListener("online", this.nudge);
    window.removeEventListener("online", this.networkChanged);
    document.removeEventListener("visibilitychange", this.nudge);
    this.walk?.stop();
    this.standing.end();
    this.link?.stop();
    this.media.leave();
  }

  private async hear(): Promise<Outcome> {
    this.state.hearing = true;
    try {
      return await hearYourself();
    } finally {
      this.state.hearing = false;
    }
  }

  /** The assistant counted heads. */
  signIn(heads: number): void {
    this.link?.send({ type: "sign_in", heads });
  }

  /** The demo's six digits: on success the token is kept and the room joins. */
  async enterCode(code: string): Promise<void> {
    this.state.codeBusy = true;
    this.state.codeProblem = null;
    try {
      const { token } = await campus.roomCode(code);
      if (!this.address.sample) keepToken(this.address.keeper, token);
      this.walk?.stop();
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
    if (kind !== "none") this.media.tryAgain(kind);
  }

  choose(layout: Layout): void {
    this.state.layout = layout;
    keepLayout(this.address.keeper, layout);
  }

  /** The sample's cable: everything is cut at once, and comes back as after a real cut. */
  unplug(): void {
    if (this.state.unplugged) return;
    this.state.unplugged = true;
    this.link?.stop();
    this.media.cut();
    this.state.awaySince ??= this.serverNow();
  }

  plug(): void {
    if (!this.state.unplugged) return;
    this.state.unplugged = false;
    this.link?.start();
  }

  private serverNow(): number {
    return this.link?.serverTime() ?? Date.now();
  }

  private enter(token: string): void {
    this.token = token;
    this.link?.stop();
    this.state.known = true;
    this.state.refusal = null;
    this.link = new Link({
      token,
      language: this.language(),
      alive: () => this.media.alive,
      onMessage: (message) => this.receive(message),
      onState: (state) => this.linked(state),
    });
    this.link.start();
    this.media.prepare();
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
    this.media.offline();
    if (state === "refused" && this.state.refusal !== null) this.refusedForGood(this.state.refusal);
  }

  /** The server hung up and told no time to come back: nobody stands here to press a key, so we choose one. */
  private refusedForGood(refusal: Refused): void {
    this.state.told = null;
    this.media.leave();
    if (isElsewhere(refusal)) return;
    if (isUnknown(refusal)) {
      if (this.address.sample) return;
      keepToken(this.address.keeper, null);
      void this.becomeRoom(this.device !== null);
      return;
    }
    const pause_ms = AGAIN_AFTER_MS * (1 + Math.random());
    this.state.linkRetryAt = this.serverNow() + pause_ms;
    // Of another version than the server: only the new page helps.
    const again = refusal.code === "bad_version" ? () => location.reload() : () => this.comeBack();
    setTimeout(() => this.state.link === "refused" && again(), pause_ms);
  }

  /** After a refusal, join again under the same token. */
  comeBack(): void {
    const token = this.device?.token ?? this.token;
    if (token !== null) this.enter(token);
  }

  private receive(message: FromServer): void {
    switch (message.type) {
      case "welcome":
        this.state.room = message.room;
        this.state.name = message.name;
        if (message.seat !== "") {
          this.token = message.seat;
          keepSeat(sessionStorage, message.seat);
        }
        this.standing.begin();
        return this.media.welcomed(message);
      case "lesson":
        this.standing.lessonTold(message);
        return this.lessonTold(message);
      case "hear_now":
        return void this.standing.hear();
      case "calling":
        this.state.invited = message.invited;
        return;
      case "challenge":
        return void this.prove(message);
      case "answer_up":
      case "offer_down":
      case "slots":
      case "layers":
      case "reconnect":
        return this.media.receive(message);
      case "notice":
        if (message.id !== "bell") this.toast({ notice: message }); // the page counts down itself
        return;
      case "refused":
        if (!message.fatal) this.toast({ words: message.words });
        return;
      default:
        return; // of other pages
    }
  }

  /** Somebody in the room touched [Join] or [Not now]. */
  answerCall(accepted: boolean): void {
    const invited = this.state.invited;
    this.state.invited = null;
    if (invited !== null) this.link?.send({ type: "answer_call", lesson: invited.lesson, accepted });
  }

  private async prove({ device, nonce }: Challenge): Promise<void> {
    if (this.device === null || this.device.device !== device) return;
    const signature = await proofOf(this.device.keys, device, nonce);
    this.link?.send({ type: "proof", signature });
  }

  private lessonTold(message: Lesson): void {
    const wasOn = isOn(this.lesson.value);
    const before = this.lesson.value?.id;
    this.state.told = message;
    const on = isOn(this.lesson.value);
    if (on && (!wasOn || before !== this.lesson.value?.id)) {
      this.state.liveAt = this.serverNow();
      this.state.endedAt = null;
      this.state.complaint = "none";
      this.media.begin();
    }
    if (!on && wasOn) {
      this.state.endedAt = this.serverNow();
      this.media.leave();
      this.media.welcomed({ keep_up: false, keep_down: false });
    }
  }

  private async report(): Promise<void> {
    if (!isOn(this.lesson.value)) return;
    const { awaySince } = this.state;
    const away_ms = awaySince === null ? 0 : this.serverNow() - awaySince;
    if (away_ms > LOST_AFTER_MS && !this.media.state.connected) this.lost();
    else await this.media.report();
  }

  /** Nothing was heard of the lesson for so long that it is over: a lamp must not stay on for nobody. */
  private lost(): void {
    this.state.told = null;
    this.media.leave();
  }

  private toast(toast: Toast): void {
    this.state.toast = toast;
    if (this.toastTimer !== null) clearTimeout(this.toastTimer);
    this.toastTimer = setTimeout(() => (this.state.toast = null), TOAST_FOR_MS);
  }

  private decide(): Face {
    const { known, awaySince, linkRetryAt, refusal, endedAt, now } = this.state;
    const { verdicts, sourceAway, seenAt, retryAt } = this.media.state;
    const stage = verdicts["stage"] ?? null;
    const screen = verdicts["screen"] ?? null;
    const voice = verdicts["main"] ?? null;
    // Welcome, but nothing told yet: a face drawn for that blink would keep the first picture waiting.
    const link = this.state.told === null && this.state.link === "on" ? "greeting" : this.state.link;
    const line = { known, link, awaySince, linkRetryAt, refusal, lesson: this.lesson.value, endedAt };
    const codecMissing = this.seat.value?.detail === "codec_missing";
    const media = { stage, screen, voice, sourceAway, codecMissing, seenAt, mediaRetryAt: retryAt };
    return faceOf({ ...line, ...media }, now);
  }
}

/**
 * A page beside the lesson: the broadcast's viewer, the phone remote, the wall. It keeps the line, what was told,
 * and (where its role has any) the down connection's slots. What is drawn of it is the page's.
 */
import { computed, reactive, shallowRef } from "vue";

import { inWords, isKey, language, say } from "@/i18n/say";
import { Link } from "@/protocol/link";
import type { Audience, FromServer, LessonView, Lobby, Place, Questions, Refused, ToServer } from "@/protocol/messages";
import type { SessionState } from "@/protocol/session";
import { browserDown, DownConnection } from "@/rtc/down";
import type { Slot } from "@/rtc/down";
import { browserUp, UpConnection } from "@/rtc/up";

import { Ending } from "./ending";

const DRAW_EVERY_MS = 500;
const TOAST_FOR_MS = 6_000;

export class Onlooker {
  readonly state = reactive({
    link: "stopped" as SessionState,
    /** By the server's clock, ms since 1970. */
    now: Date.now(),
    seat: "",
    connected: false,
    welcomed: false,
    retryAt: null as number | null,
    toast: null as string | null,
  });
  readonly refusal = shallowRef<Refused | null>(null);
  readonly lesson = shallowRef<LessonView | null>(null);
  readonly slots = shallowRef<ReadonlyMap<string, Slot>>(new Map());
  readonly place = shallowRef<Place | null>(null);
  readonly audience = shallowRef<Audience | null>(null);
  readonly lobby = shallowRef<Lobby | null>(null);
  readonly questions = shallowRef<Questions | null>(null);
  readonly onAir = computed(() => this.lesson.value?.state === "live" || this.lesson.value?.state === "closing");

  readonly up: UpConnection;
  readonly down: DownConnection;
  private readonly ending = new Ending();
  private readonly link: Link;
  private readonly timers: ReturnType<typeof setInterval>[] = [];
  private toastTimer: ReturnType<typeof setTimeout> | null = null;
  private reportedAt = 0;
  private readonly nudge = (): void => this.link.nudge();
  private readonly hangUp = (): void => this.link.stop();

  constructor(token: string) {
    const send = (message: ToServer): boolean => this.link.send(message);
    this.up = new UpConnection({ ...browserUp, send, onState: () => undefined });
    this.down = new DownConnection({
      ...browserDown,
      send,
      onSlots: (all) => (this.slots.value = new Map(all)),
      onState: (state) => (this.state.connected = state === "connected"),
    });
    this.link = new Link({
      token,
      language: language.value,
      alive: () => ({ up: this.up.alive, down: this.down.alive }),
      onMessage: (message) => this.receive(message),
      onState: (state) => this.linked(state),
    });
  }

  open(): void {
    window.addEventListener("online", this.nudge);
    window.addEventListener("pagehide", this.hangUp);
    document.addEventListener("visibilitychange", this.nudge);
    this.timers.push(setInterval(() => (this.state.now = this.link.serverTime()), DRAW_EVERY_MS));
    this.link.start();
  }

  close(): void {
    this.timers.forEach(clearInterval);
    window.removeEventListener("online", this.nudge);
    window.removeEventListener("pagehide", this.hangUp);
    document.removeEventListener("visibilitychange", this.nudge);
    this.link.stop();
    this.up.close();
    this.down.close();
  }

  /** False, with words, while the line is away: nothing was sent. */
  say(message: ToServer): boolean {
    const sent = this.link.send(message);
    if (!sent) this.tell(say("studio.notSent"));
    return sent;
  }

  /** The one wish that is kept while the line is away. */
  end(): void {
    this.ending.wanted(this.lesson.value?.id ?? null);
    if (!this.link.send({ type: "end" })) this.tell(say("studio.endKept"));
  }

  extend(): void {
    this.ending.forget();
    this.say({ type: "extend", minutes: 5 });
  }

  /** What is seen and heard here, at most once in `everyMs`. */
  async report(everyMs: number, sound: { playing: boolean; blocked: boolean }): Promise<void> {
    if (this.state.link !== "on" || !this.onAir.value || Date.now() - this.reportedAt < everyMs) return;
    this.reportedAt = Date.now();
    this.link.send({
      type: "report",
      slots: await this.down.report(),
      sound_playing: sound.playing,
      sound_blocked: sound.blocked,
    });
  }

  track(name: string): MediaStreamTrack | null {
    const slot = this.slots.value.get(name);
    return slot !== undefined && slot.carries !== null ? slot.track : null;
  }

  tell(sentence: string): void {
    this.state.toast = sentence;
    if (this.toastTimer !== null) clearTimeout(this.toastTimer);
    this.toastTimer = setTimeout(() => (this.state.toast = null), TOAST_FOR_MS);
  }

  private linked(state: SessionState): void {
    this.state.link = state;
    this.refusal.value = this.link.session.refusal;
    this.state.retryAt = this.link.session.retryAt;
    if (state === "on") return;
    this.up.offline();
    this.down.offline();
    if (state === "refused") {
      this.up.close();
      this.down.close();
    }
  }

  private receive(message: FromServer): void {
    switch (message.type) {
      case "welcome":
        this.state.seat = message.room;
        this.state.welcomed = true;
        this.ending.lineBack();
        this.up.welcomed(message.keep_up, message.ice_servers);
        return this.down.welcomed(message.keep_down, message.ice_servers);
      case "lesson":
        this.lesson.value = message.lesson;
        if (this.ending.told(message.lesson?.id ?? null, this.onAir.value)) this.link.send({ type: "end" });
        if (message.lesson === null) this.lobby.value = null;
        if (!this.onAir.value) this.down.drop();
        return;
      case "place":
        this.place.value = message;
        return;
      case "audience":
        this.audience.value = message;
        return;
      case "lobby":
        this.lobby.value = message;
        return;
      case "questions":
        this.questions.value = message;
        return;
      case "answer_up":
        this.up.answered(message).catch(() => this.up.renew()); // an answer the browser does not take
        return;
      case "offer_down":
        this.down.offered(message).catch(() => this.down.renew());
        return;
      case "slots":
        return this.down.assigned(message);
      case "reconnect":
        if (message.down) this.down.drop();
        if (message.up) this.up.renew();
        return;
      case "notice":
        if (message.id !== "bell" && isKey(`notice.${message.id}`)) this.tell(say(`notice.${message.id}` as never, message.values));
        return;
      case "refused":
        if (message.fatal) return;
        if (message.retry_after_ms > 0) this.down.busy(message.retry_after_ms);
        else this.tell(inWords(message.words));
        return;
    }
  }
}

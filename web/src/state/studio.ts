/**
 * The studio's one store: the session, the two connections, the devices, the lesson as the server tells it.
 *
 * The up connection is made during the check, so that Start shows a full picture at once; the server passes
 * nothing on, and records nothing, before Start.
 */
import { computed, reactive, ref, shallowRef } from "vue";

import { inWords, isKey, language, say } from "@/i18n/say";
import { Link } from "@/protocol/link";
import type { SessionState } from "@/protocol/session";
import type { Box, Boxes, CallableRoom, FromServer, Guests, Lesson, LessonView, Link as LinkMade, Questions, Recordable, Refused, Source, ToServer, Welcome } from "@/protocol/messages";
import { browserDown, DownConnection } from "@/rtc/down";
import type { Slot } from "@/rtc/down";
import { browserUp, UpConnection } from "@/rtc/up";
import { sampleSources } from "@/sample/sources";
import type { SampleSources } from "@/sample/sources";

import { boxOf, boxTrack, carriedOn, fromBrowser } from "./boxes";
import { Devices, forgetSecondCamera, hadSecondCamera } from "./devices";
import { Ending } from "./ending";
import { Loudness } from "./loudness";
import { Speakers } from "./speakers";
import { keepSession, keptSession } from "./tab";

/** A sentence that passes by; read when drawn, so that it follows the page's language. */
export interface Sentence {
  id: number;
  read: () => string;
  tone: "tell" | "wrong";
}

const SOURCES: readonly Source[] = ["voice", "camera", "screen", "camera2"];
const REPORT_EVERY_MS = 1_000;
const METER_EVERY_MS = 200;
const SENTENCE_MS = 6_000;

export class Studio {
  readonly sessionState = ref<SessionState>("stopped");
  readonly refusal = shallowRef<Refused | null>(null);
  readonly welcome = shallowRef<Welcome | null>(null);
  readonly lesson = shallowRef<LessonView | null>(null);
  readonly slots = shallowRef<ReadonlyMap<string, Slot>>(new Map());
  /** Loudness in dBov, by room. */
  readonly levels = reactive<Record<string, number>>({});
  readonly ownLevel = ref(-127);
  readonly sentences = shallowRef<Sentence[]>([]);
  readonly microphoneOn = ref(true);
  readonly music = ref(false);
  readonly cameraUnplugged = ref(false);
  readonly questions = shallowRef<Questions | null>(null);
  readonly guests = shallowRef<Guests | null>(null);
  /** The rooms that a lesson nobody booked may call; null: it is booked, its rooms come by themselves. */
  readonly callable = shallowRef<CallableRoom[] | null>(null);
  /** Links made here: campus tells their addresses once. */
  readonly shared = shallowRef<LinkMade | null>(null);
  readonly remote = shallowRef<LinkMade | null>(null);
  /** Cameras and encoders of the room that teach by themselves. */
  readonly boxes = shallowRef<Box[]>([]);
  readonly onAir = computed(() => this.lesson.value?.state === "live" || this.lesson.value?.state === "closing");

  readonly devices = new Devices({ onTrack: (source, track) => this.trackChanged(source, track) });
  readonly speakers: Speakers;
  private readonly loudness = new Loudness();
  private readonly ending = new Ending();
  private readonly link: Link;
  private readonly up: UpConnection;
  private readonly down: DownConnection;
  private readonly timers: ReturnType<typeof setInterval>[] = [];
  private asked = false;
  private sampled: SampleSources | null = null;
  private sending = false;
  private sentenceId = 0;

  constructor(
    readonly token: string,
    readonly sample: boolean,
    volume: number,
  ) {
    this.speakers = new Speakers(volume);
    this.up = new UpConnection({
      ...browserUp,
      send: (message) => this.link.send(message),
      onState: () => undefined,
    });
    this.down = new DownConnection({
      ...browserDown,
      send: (message) => this.link.send(message),
      onSlots: (all) => {
        this.slots.value = new Map(all);
        this.speakers.follow(all);
      },
      onState: () => undefined,
    });
    this.link = new Link({
      token,
      language: language.value,
      resume: keptSession(),
      alive: () => ({ up: this.up.alive, down: this.down.alive }),
      onMessage: (message) => this.receive(message),
      onState: (state) => this.linked(state),
    });
  }

  open(): void {
    window.addEventListener("online", this.tryNow);
    window.addEventListener("pagehide", this.hangUp);
    this.timers.push(setInterval(() => void this.report(), REPORT_EVERY_MS));
    this.timers.push(setInterval(() => this.readLoudness(), METER_EVERY_MS));
    this.link.start();
    if (this.sample) this.takeSample();
  }

  close(): void {
    this.timers.forEach(clearInterval);
    window.removeEventListener("online", this.tryNow);
    window.removeEventListener("pagehide", this.hangUp);
    this.link.stop();
    this.up.close();
    this.down.close();
    this.devices.stop();
    this.sampled?.stop();
    this.loudness.stop();
    this.speakers.stop();
  }

  readonly serverTime = (): number => this.link.serverTime();
  readonly tryNow = (): void => this.link.nudge();
  private readonly hangUp = (): void => this.link.stop();

  /** Milliseconds until the next try, while the line is away. */
  retryInMs(): number {
    return Math.max(0, (this.link.session.retryAt ?? 0) - Date.now());
  }

  takeOver(): void {
    this.link.takeOver();
  }

  /** What the rooms are sent of this source: by a box, or by this page. */
  picture(source: Source): MediaStreamTrack | null {
    return boxTrack(this.slots.value, source) ?? this.devices.all[source].track;
  }

  /** The box that supplies this source, so that the browser is not asked. */
  box(source: Source): Box | null {
    return boxOf(this.boxes.value, source);
  }

  // -- what the teacher asks for; false where the line is away and nothing was sent

  start(): boolean {
    return this.ask({ type: "start" });
  }
  /** The one wish that is kept while the line is away. */
  end(): void {
    this.ending.wanted(this.lesson.value?.id ?? null);
    if (!this.link.send({ type: "end" })) this.tell(() => say("studio.endKept"), "tell");
  }
  extend(): boolean {
    this.ending.forget();
    return this.ask({ type: "extend", minutes: 5 });
  }
  callOn(room: string | null): boolean {
    return this.ask({ type: "call_on", room });
  }
  mute(room: string, muted: boolean): boolean {
    return this.ask({ type: "mute", room, muted });
  }
  openVoice(room: string, open: boolean): boolean {
    return this.ask({ type: "open_voice", room, open });
  }
  /** In a rehearsal: this is the room that has no sound. */
  pointOut(room: string): boolean {
    return this.ask({ type: "point_out", room });
  }
  lowerHand(room: string): boolean {
    return this.ask({ type: "lower_hand", room });
  }
  stage(source: Source): boolean {
    return this.ask({ type: "stage", source });
  }
  courseware(on: boolean): boolean {
    return this.ask({ type: "courseware", on });
  }
  record(subjects: Recordable[]): boolean {
    return this.ask({ type: "record", subjects });
  }
  pauseRecording(paused: boolean): boolean {
    return this.ask({ type: "pause_recording", paused });
  }

  /** Closed at once here, and for whoever else supplies the voice; the server tells it to the phone remote. */
  setMicrophone(on: boolean): void {
    this.hold(on);
    const room = this.lesson.value?.main_room;
    if (room !== undefined) this.link.send({ type: "mute", room, muted: !on });
  }

  private hold(on: boolean): void {
    this.microphoneOn.value = on;
    const track = this.devices.all.voice.track;
    if (track !== null) track.enabled = on;
  }

  async setMusic(on: boolean): Promise<void> {
    this.music.value = on;
    this.devices.music = on;
    this.up.setSoundProcessing(!on);
    if (!this.sample) await this.devices.takeMicrophone();
  }

  async setSecondCamera(on: boolean): Promise<void> {
    if (on) {
      await this.devices.takeCamera("camera2");
      return;
    }
    forgetSecondCamera();
    this.devices.adopt("camera2", null);
    if (this.lesson.value?.stage === "camera2") this.link.send({ type: "stage", source: "camera" });
  }

  /** Sample lesson: the main camera is pulled out, and put back. */
  unplugCamera(out: boolean): void {
    if (this.sampled === null || this.cameraUnplugged.value === out) return;
    this.cameraUnplugged.value = out;
    const device = this.devices.all.camera;
    device.state = out ? "lost" : "well";
    device.track = out ? null : this.sampled.camera;
    this.trackChanged("camera", device.track);
  }

  // -- what the server says

  private linked(state: SessionState): void {
    this.sessionState.value = state;
    this.refusal.value = this.link.session.refusal;
    if (state === "on") return;
    this.up.offline();
    this.down.offline();
  }

  private receive(message: FromServer): void {
    switch (message.type) {
      case "welcome":
        this.welcome.value = message;
        keepSession(message.session);
        this.ending.lineBack();
        this.up.welcomed(message.keep_up, message.ice_servers);
        this.down.welcomed(message.keep_down, message.ice_servers);
        break;
      case "lesson":
        this.lessonTold(message);
        break;
      case "answer_up":
        this.up.answered(message).catch(() => this.up.renew()); // an answer the browser does not take
        break;
      case "offer_down":
        this.down.offered(message).catch(() => this.down.renew());
        break;
      case "slots":
        this.down.assigned(message);
        break;
      case "layers":
        this.up.layered(message);
        break;
      case "reconnect":
        if (message.down) this.down.drop();
        if (message.up) this.up.renew();
        break;
      case "levels":
        Object.assign(this.levels, message.rooms);
        break;
      case "notice":
        this.tellNotice(message.id, message.values);
        break;
      case "refused":
        this.toldNo(message);
        break;
      case "guests":
        this.guests.value = message;
        break;
      case "questions":
        this.questions.value = message;
        break;
      case "boxes":
        this.boxes.value = carriedOn(this.boxes.value, message.boxes);
        void this.takeDevices(message);
        break;
      case "callable_rooms":
        this.callable.value = message.rooms;
        break;
    }
  }

  callRooms(rooms: string[]): void {
    this.link.send({ type: "call_rooms", rooms });
  }

  private lessonTold(message: Lesson): void {
    if (message.lesson?.id !== this.lesson.value?.id || message.lesson?.booked_from != null) this.callable.value = null;
    const muted = message.lesson?.main_muted ?? false;
    if (muted !== (this.lesson.value?.main_muted ?? false)) this.hold(!muted); // by the phone remote, or before a reload
    this.lesson.value = message.lesson;
    if (this.ending.told(message.lesson?.id ?? null, this.onAir.value)) this.link.send({ type: "end" });
    if (this.onAir.value || message.lesson?.state === "open") this.goOut();
    else this.goSilent();
  }

  private tellNotice(id: string, values: Record<string, string>): void {
    const key = `notice.${id}`;
    // The page itself counts down to the end, and says that it has come.
    if (isKey(key) && id !== "ended" && id !== "bell") this.tell(() => say(key, values), "tell");
  }

  private toldNo(message: Refused): void {
    if (message.fatal) return; // the whole page says it
    if (message.retry_after_ms > 0) this.down.busy(message.retry_after_ms);
    else this.tell(() => inWords(message.words), "wrong");
  }

  /** What a person asked for; without a line it says so instead of being lost in silence. */
  readonly ask = (message: ToServer): boolean => {
    const sent = this.link.send(message);
    if (!sent) this.tell(() => say("studio.notSent"), "wrong");
    return sent;
  };

  private tell(read: () => string, tone: Sentence["tone"]): void {
    const id = ++this.sentenceId;
    this.sentences.value = [...this.sentences.value, { id, read, tone }].slice(-3);
    setTimeout(() => (this.sentences.value = this.sentences.value.filter((one) => one.id !== id)), SENTENCE_MS);
  }

  // -- tracks and connections

  private takeSample(): void {
    this.sampled = sampleSources("main");
    this.devices.adopt("camera", this.sampled.camera);
    this.devices.adopt("voice", this.sampled.voice);
    this.devices.adopt("screen", this.sampled.screen);
  }

  /** Once, when it is known what the room's own boxes send: for the rest the browser is asked. */
  private async takeDevices(told: Boxes): Promise<void> {
    if (this.asked || this.sample) return;
    this.asked = true;
    const wanted = fromBrowser(told, ["camera", "voice", "camera2"]);
    if (wanted.includes("camera")) await this.devices.takeCamera("camera");
    if (wanted.includes("voice")) await this.devices.takeMicrophone();
    if (wanted.includes("camera2") && hadSecondCamera()) await this.devices.takeCamera("camera2");
  }

  private trackChanged(source: Source, track: MediaStreamTrack | null): void {
    if (source === "voice" && track !== null) track.enabled = this.microphoneOn.value;
    if (this.sending) void this.up.set(source, track);
    const shown = source === "screen" && this.lesson.value?.courseware === true;
    if (shown && track === null) this.link.send({ type: "courseware", on: false });
  }

  /** Every track there is goes to the server, and those that come later too. */
  private goOut(): void {
    if (this.sending) return;
    this.sending = true;
    for (const source of SOURCES) void this.up.set(source, this.devices.all[source].track);
  }

  private goSilent(): void {
    if (!this.sending) return;
    this.sending = false;
    this.up.close();
  }

  private async report(): Promise<void> {
    if (this.sessionState.value !== "on" || !this.onAir.value) return;
    const blocked = this.speakers.blocked.value;
    this.link.send({
      type: "report",
      slots: await this.down.report(),
      sound_playing: !blocked,
      sound_blocked: blocked,
      camera: this.picture("camera") !== null,
      microphone: this.microphoneOn.value && (this.box("voice")?.state === "live" || this.devices.all.voice.state === "well"),
    });
  }

  private readLoudness(): void {
    const box = boxTrack(this.slots.value, "voice");
    this.loudness.listen(box ?? this.devices.all.voice.track);
    this.ownLevel.value = this.microphoneOn.value ? this.loudness.read() : -127;
  }
}

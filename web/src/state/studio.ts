/**
 * The studio's one store: the session, the two connections, the devices, the lesson as the server tells it.
 *
 * The up connection is made during the check, so that Start shows a full picture at once; the server passes
 * nothing on, and records nothing, before Start.
 */
import { computed, reactive, ref, shallowRef } from "vue";

import { isKey, language, say } from "@/i18n/say";
import { Link } from "@/protocol/link";
import type { SessionState } from "@/protocol/session";
import type { FromServer, LessonView, Notice, Refused, Source, ToServer, Welcome, Words } from "@/protocol/messages";
import { browserDown, DownConnection } from "@/rtc/down";
import type { Slot } from "@/rtc/down";
import { browserUp, UpConnection } from "@/rtc/up";
import { sampleSources } from "@/sample/sources";
import type { SampleSources } from "@/sample/sources";

import { Devices, forgetSecondCamera, hadSecondCamera } from "./devices";
import { Loudness } from "./loudness";
import { Speakers } from "./speakers";

export interface Sentence {
  id: number;
  text: string;
  tone: "tell" | "wrong";
}

const REPORT_EVERY_MS = 1_000;
const SENTENCE_MS = 6_000;

const SESSION = "lianke.studio.session";

/** The session of this tab before it was loaded again: a reload needs no "Take over here?". */
function keptSession(): string | null {
  try {
    return sessionStorage.getItem(SESSION);
  } catch {
    return null;
  }
}

function keepSession(session: string): void {
  try {
    sessionStorage.setItem(SESSION, session);
  } catch {
    // without storage a reload asks
  }
}

export function createStudio(token: string, sample: boolean, volume: number) {
  const sessionState = ref<SessionState>("stopped");
  const refusal = shallowRef<Refused | null>(null);
  const welcome = shallowRef<Welcome | null>(null);
  const lesson = shallowRef<LessonView | null>(null);
  const known = ref(false);
  const next = shallowRef<{ title: Words | null; at: number | null }>({ title: null, at: null });
  const slots = shallowRef<ReadonlyMap<string, Slot>>(new Map());
  const levels = reactive<Record<string, number>>({});
  const sentences = ref<Sentence[]>([]);
  const upState = ref<RTCPeerConnectionState>("new");
  const microphoneOn = ref(true);
  const music = ref(false);
  const cameraUnplugged = ref(false);
  const ownLevel = ref(-127);
  let sentenceId = 0;
  let sampled: SampleSources | null = null;

  const onAir = computed(() => lesson.value?.state === "live" || lesson.value?.state === "closing");

  const link: Link = new Link({
    token,
    language: language.value,
    resume: keptSession(),
    alive: () => ({ up: up.alive, down: down.alive }),
    onMessage: heard,
    onState: (state) => {
      sessionState.value = state;
      refusal.value = link.session.refusal;
      if (state !== "on") {
        up.offline();
        down.offline();
      }
    },
  });
  const up = new UpConnection({
    ...browserUp,
    send: (message) => link.send(message),
    onState: (state) => (upState.value = state),
  });
  const down = new DownConnection({
    ...browserDown,
    send: (message) => link.send(message),
    onSlots: (all) => {
      slots.value = new Map(all);
      speakers.follow(all);
    },
    onState: () => undefined,
  });
  const speakers = new Speakers(volume);
  const loudness = new Loudness();
  const devices = new Devices({ onTrack: trackChanged });

  function trackChanged(source: Source, track: MediaStreamTrack | null): void {
    if (source === "voice") {
      loudness.listen(track);
      if (track !== null) track.enabled = microphoneOn.value;
    }
    if (sending) void up.set(source, track);
    if (source === "screen" && track === null && lesson.value?.courseware === true) courseware(false);
  }

  let sending = false;

  /** Every track there is goes to the server, and those that come later too. */
  function goOut(): void {
    if (sending) return;
    sending = true;
    for (const source of ["voice", "camera", "screen", "camera2"] as const) {
      void up.set(source, devices.all[source].track);
    }
  }

  function goSilent(): void {
    if (!sending) return;
    sending = false;
    up.close();
  }

  function heard(message: FromServer): void {
    switch (message.type) {
      case "welcome":
        welcome.value = message;
        keepSession(message.session);
        up.welcomed(message.keep_up);
        down.welcomed(message.keep_down);
        break;
      case "lesson":
        known.value = true;
        lesson.value = message.lesson;
        next.value = { title: message.next_title, at: message.next_at };
        if (onAir.value || lesson.value?.state === "open") goOut();
        else goSilent();
        break;
      case "answer_up":
        up.answered(message).catch(() => up.renew()); // an answer the browser does not take
        break;
      case "offer_down":
        down.offered(message).catch(() => down.renew());
        break;
      case "slots":
        down.assigned(message);
        break;
      case "reconnect":
        if (message.down) down.drop();
        if (message.up) up.renew();
        break;
      case "levels":
        Object.assign(levels, message.rooms);
        break;
      case "notice":
        tellNotice(message);
        break;
      case "refused":
        if (message.retry_after_ms > 0) down.busy(message.retry_after_ms);
        else if (!message.fatal) tell(message.words[language.value], "wrong");
        break;
      case "pong":
        break;
    }
  }

  function tellNotice(message: Notice): void {
    const key = `notice.${message.id}`;
    if (isKey(key)) tell(say(key, message.values), "tell");
  }

  function tell(text: string, tone: Sentence["tone"]): void {
    const id = ++sentenceId;
    sentences.value = [...sentences.value, { id, text, tone }].slice(-3);
    setTimeout(() => (sentences.value = sentences.value.filter((one) => one.id !== id)), SENTENCE_MS);
  }

  /** What a person asked for; without a line it says so instead of being lost in silence. */
  function ask(message: ToServer): boolean {
    const sent = link.send(message);
    if (!sent) tell(say("studio.notSent"), "wrong");
    return sent;
  }

  async function report(): Promise<void> {
    if (sessionState.value !== "on" || !onAir.value) return;
    const all = await down.report();
    link.send({
      type: "report",
      slots: all,
      sound_playing: !speakers.blocked.value,
      sound_blocked: speakers.blocked.value,
      camera: devices.all.camera.state === "well",
      microphone: devices.all.voice.state === "well" && microphoneOn.value,
    });
  }

  function courseware(on: boolean): void {
    link.send({ type: "courseware", on });
  }

  async function takeDevices(): Promise<void> {
    if (sample) {
      sampled = sampleSources("main");
      devices.adopt("camera", sampled.camera, say("studio.sampleCamera"));
      devices.adopt("voice", sampled.voice, say("studio.sampleVoice"));
      devices.adopt("screen", sampled.screen, say("studio.sampleScreen"));
      return;
    }
    await devices.takeCamera("camera");
    await devices.takeMicrophone();
    if (hadSecondCamera()) await devices.takeCamera("camera2");
  }

  /** Sample lesson: the main camera is pulled out, and put back. */
  function unplugCamera(out: boolean): void {
    if (sampled === null || cameraUnplugged.value === out) return;
    cameraUnplugged.value = out;
    const device = devices.all.camera;
    device.state = out ? "lost" : "well";
    device.track = out ? null : sampled.camera;
    trackChanged("camera", device.track);
  }

  const wake = (): void => link.nudge();
  const leave = (): void => link.stop();
  window.addEventListener("online", wake);
  window.addEventListener("pagehide", leave);
  const reports = setInterval(() => void report(), REPORT_EVERY_MS);
  const meter = setInterval(() => (ownLevel.value = microphoneOn.value ? loudness.read() : -127), 200);

  return {
    sample,
    speakers,
    sessionState,
    refusal,
    welcome,
    lesson,
    known,
    next,
    slots,
    levels,
    sentences,
    upState,
    microphoneOn,
    music,
    cameraUnplugged,
    ownLevel,
    onAir,
    devices,
    serverTime: () => link.serverTime(),
    retryInMs: () => Math.max(0, (link.session.retryAt ?? 0) - Date.now()),
    open(): void {
      link.start();
      void takeDevices();
    },
    close(): void {
      clearInterval(reports);
      clearInterval(meter);
      window.removeEventListener("online", wake);
      window.removeEventListener("pagehide", leave);
      link.stop();
      up.close();
      down.close();
      devices.stop();
      sampled?.stop();
      loudness.stop();
      speakers.stop();
    },
    takeOver: () => link.takeOver(),
    tryNow: wake,
    start: () => ask({ type: "start" }),
    end: () => ask({ type: "end" }),
    extend: () => ask({ type: "extend", minutes: 5 }),
    callOn: (room: string | null) => ask({ type: "call_on", room }),
    mute: (room: string, muted: boolean) => ask({ type: "mute", room, muted }),
    openVoice: (room: string, open: boolean) => ask({ type: "open_voice", room, open }),
    lowerHand: (room: string) => ask({ type: "lower_hand", room }),
    stage: (source: Source) => ask({ type: "stage", source }),
    courseware: (on: boolean) => ask({ type: "courseware", on }),
    setMicrophone(on: boolean): void {
      microphoneOn.value = on;
      const track = devices.all.voice.track;
      if (track !== null) track.enabled = on;
    },
    async setMusic(on: boolean): Promise<void> {
      music.value = on;
      devices.music = on;
      up.setSoundProcessing(!on);
      if (!sample) await devices.takeMicrophone();
    },
    async setSecondCamera(on: boolean): Promise<void> {
      if (on) {
        await devices.takeCamera("camera2");
        return;
      }
      forgetSecondCamera();
      devices.adopt("camera2", null);
      if (lesson.value?.stage === "camera2") link.send({ type: "stage", source: "camera" });
    },
    unplugCamera,
  };
}

export type Studio = ReturnType<typeof createStudio>;

// Generated from the unions of server/protocol by `make messages`. Do not edit.

export const VERSION = 1;
export const MAX_MESSAGE = 65536;

/**
 * First message. `token`: a room, studio or observer token. `resume`: the session told in the
 * last `Welcome`, to come back as the same one; `up` and `down`: connections (their ids, see
 * `Answer.connection`, `Offer.connection`) that are still alive in the page.
 */
export interface Hello {
  type: "hello";
  token: string;
  version?: number;
  resume?: string | null;
  up?: string | null;
  down?: string | null;
  language?: string;
  takeover?: boolean;
  browser?: string;
}

/** Which device of a room a track comes from; a room sends each at most once. */
export type Source = "camera" | "camera2" | "screen" | "voice";

/** SDP offer of what the page sends, by MID. `connection`: of an earlier `Answer`; None: a new one. */
export interface OfferUp {
  type: "offer_up";
  offer: number;
  sdp: string;
  sources: Record<string, Source>;
  connection?: string | null;
  sound_processing?: boolean;
}

export interface AnswerDown {
  type: "answer_down";
  connection: string;
  offer: number;
  sdp: string;
}

/** Ask for a new down connection. `restart`: keep the one there is and offer an ICE restart. */
export interface WantDown {
  type: "want_down";
  restart?: boolean;
}

/** The up connection failed in the browser: the server forgets it; an `OfferUp` follows. */
export interface RestartUp {
  type: "restart_up";
}

/** One slot over the last report interval, from getStats. */
export interface SlotReport {
  slot: string;
  frames?: number;
  lost?: number;
  received?: number;
  concealed?: number;
  freeze_ms?: number;
  height?: number;
  delay_ms?: number;
  dropped?: number;
  shown?: number;
}

/** How the main room's media reaches a page: each is tried after the one above it. */
export type Road = "udp" | "tcp" | "turn" | "hls";

/** Every second, what is really seen and heard here. */
export interface Report {
  type: "report";
  slots: SlotReport[];
  sound_playing: boolean;
  sound_blocked: boolean;
  camera?: boolean;
  microphone?: boolean;
  road?: Road | null;
}

export interface Hand {
  type: "hand";
  up: boolean;
}

/** The room's [No sound / no picture] button; `kind`: "sound" | "picture" | "none". */
export interface Trouble {
  type: "trouble";
  kind: string;
}

/** Teacher: the one big Start. */
export interface Start {
  type: "start";
}

/** Teacher: end the lesson now. */
export interface End {
  type: "end";
}

export interface Extend {
  type: "extend";
  minutes?: number;
}

/** Teacher: this room speaks (None: nobody). A second call closes the first. */
export interface CallOn {
  type: "call_on";
  room: string | null;
}

export interface Mute {
  type: "mute";
  room: string;
  muted: boolean;
}

/** Teacher: let this room be heard by all without being called on. */
export interface OpenVoice {
  type: "open_voice";
  room: string;
  open: boolean;
}

/** Teacher: which own camera the rooms see. */
export interface Stage {
  type: "stage";
  source: Source;
}

/** Teacher: forward the screen, or stop forwarding it (it stays captured). */
export interface Courseware {
  type: "courseware";
  on: boolean;
}

export interface LowerHand {
  type: "lower_hand";
  room: string;
}

/** Every 2 s; the server hangs up after 10 s of silence. */
export interface Ping {
  type: "ping";
  at: number;
}

/** Viewer: a question for the teacher. `name`: how the viewer calls itself, perhaps nothing. */
export interface Ask {
  type: "ask";
  text: string;
  name?: string;
}

/** Viewer: not (any longer) on stage. */
export interface LeaveStage {
  type: "leave_stage";
}

export type QuestionState = "waiting" | "approved" | "answered" | "dismissed";

/** Teacher: what becomes of a question. */
export interface Judge {
  type: "judge";
  question: number;
  state: QuestionState;
}

/** Teacher: questions may be asked, or not. */
export interface TakeQuestions {
  type: "take_questions";
  open: boolean;
}

/** Teacher: this viewer may come on stage, or leaves it. `viewer`: `Asked.viewer`. */
export interface Invite {
  type: "invite";
  viewer: string;
  on: boolean;
}

/** Teacher: this guest may come in (`on`), or is refused or sent out. `guest`: `Guest.guest`. */
export interface LetIn {
  type: "let_in";
  guest: string;
  on: boolean;
}

/** Whom or what a track shows (recorder.contract.Subject). What is not chosen is never written. */
export type Recordable = "teacher" | "board" | "screen" | "voice" | "pupils" | "pupils_voice";

/** Teacher: from now on these subjects are written, and no others. None of them: only before Start. */
export interface RecordSubjects {
  type: "record";
  subjects: Recordable[];
}

/** Teacher: write nothing for a while, or go on. The lesson itself is not touched. */
export interface PauseRecording {
  type: "pause_recording";
  paused: boolean;
}

/** Teacher: ask these rooms to join the lesson. Who was asked before and did not come is asked again. */
export interface CallRooms {
  type: "call_rooms";
  rooms: string[];
}

/** Room: somebody there touched [Join] or [Not now]. `lesson`: `Invited.lesson`. */
export interface AnswerCall {
  type: "answer_call";
  lesson: string;
  accepted: boolean;
}

/**
 * The answer to `Challenge`: ECDSA P-256 with SHA-256 (r and s, 32 octets each, base64url) over
 * "lianke device v1\n{device}\n{nonce}" by the browser's key.
 */
export interface Proof {
  type: "proof";
  signature: string;
}

/**
 * How this room's machine stands, at each welcome, each change and every minute; nothing is opened for
 * it. `clock_off_ms`: its own clock less the server's.
 */
export interface Standing {
  type: "standing";
  cameras?: number;
  microphones?: number;
  speakers?: number;
  clock_off_ms?: number;
}

/** How the self-hearing of a room came out. */
export type Heard = "unknown" | "heard" | "not_heard" | "no_microphone" | "not_played";

/**
 * The room played a chirp and listened for it. `delay_ms`: from loudspeaker to microphone;
 * `above_db`: the chirp over the room's noise.
 */
export interface HearChecked {
  type: "hear_checked";
  result: Heard;
  delay_ms?: number;
  above_db?: number;
}

/** The assistant counted heads. */
export interface SignIn {
  type: "sign_in";
  heads: number;
}

/** Teacher, in a rehearsal: this is the room that has no sound. */
export interface PointOut {
  type: "point_out";
  room: string;
}

/** What a session is in its lesson. */
export type Role = "teacher" | "room" | "observer" | "watcher" | "guest" | "remote" | "wall";

/** A name or sentence in both languages. */
export interface Words {
  zh: string;
  en: string;
}

/** A TURN server and this session's credentials for it, as `RTCIceServer` wants them. */
export interface IceServer {
  urls: string[];
  username: string;
  credential: string;
}

/**
 * `resumed`: this is the same session as before; `keep_up` and `keep_down`: the connections the
 * page named in `Hello` live on, do not make new ones.
 */
export interface Welcome {
  type: "welcome";
  session: string;
  role: Role;
  room: string;
  name: Words;
  now: number;
  resumed: boolean;
  keep_up: boolean;
  keep_down: boolean;
  ice_servers: IceServer[];
  seat: string;
  version: number;
}

export type LessonState = "planned" | "open" | "live" | "closing" | "ended";

/** A tile's state (UI.md's table). The first that holds, in this order, is shown. */
export type SeatState = "asks_help" | "away" | "expected" | "joining" | "no_picture" | "no_sound" | "sound_only" | "weak_line" | "muted" | "here";

/** A receiving room as the studio and the rooms see it. */
export interface Seat {
  room: string;
  name: Words;
  state: SeatState;
  since: number;
  detail: string;
  hand_since: number | null;
  muted: boolean;
  heard: boolean;
  last_called: number | null;
  sends: Source[];
  recorded: boolean;
  road: Road | null;
  heads: number | null;
  hear: Heard;
}

/** What happens in a rehearsal, in this order, and what the teacher is to do. */
export type Step = "hand" | "silent" | "away" | "back";

/** `ms`: how long the teacher took; None: too long. */
export interface StepDone {
  step: Step;
  ms: number | null;
}

/**
 * A rehearsal as its studio draws it. `step` None: the rooms come in, or all is calm. `room`: whom it
 * is about, where the teacher need not find that out. `until`: so long there is time. `wrong`: the room that
 * was pointed out was not the one. `over`: every step was played; End comes next.
 */
export interface RehearsalView {
  done: StepDone[];
  step: Step | null;
  room: string | null;
  until: number | null;
  wrong: boolean;
  over: boolean;
  passed: boolean;
}

/** All a page needs to draw the lesson. */
export interface LessonView {
  id: string;
  title: Words;
  state: LessonState;
  main_room: string;
  main_name: Words;
  seats: Seat[];
  started_at: number | null;
  ends_at: number | null;
  closes_at: number | null;
  ended_at: number | null;
  main_away_since: number | null;
  main_sends: Source[];
  main_muted: boolean;
  called: string | null;
  called_at: number | null;
  stage: Source;
  courseware: boolean;
  recording: boolean;
  recording_paused: boolean;
  recording_problem: string;
  records: Recordable[];
  watched_by: string[];
  watchers: Words[];
  watched: number;
  remotes: string[];
  broadcast_until: number | null;
  remote_until: number | null;
  replay_ready: boolean;
  replay_after_ms: number | null;
  replay_url: string | null;
  booked_from: number | null;
  booked_until: number | null;
  teacher: Words | null;
  rooms_send: Source[];
  recordable: Recordable[];
  rehearsal: RehearsalView | null;
}

/** The lesson as it is now; None: none is on for this room (`next_*`: what comes). */
export interface Lesson {
  type: "lesson";
  lesson: LessonView | null;
  next_title: Words | null;
  next_teacher: Words | null;
  next_at: number | null;
}

export interface AnswerUp {
  type: "answer_up";
  offer: number;
  connection: string;
  sdp: string;
  bitrates: Record<string, number>;
}

/** A slot of the down connection and its m-line. */
export interface SlotView {
  name: string;
  mid: string;
  kind: string;
}

export interface OfferDown {
  type: "offer_down";
  connection: string;
  offer: number;
  sdp: string;
  slots: SlotView[];
}

/** What a slot carries now. `thin`: the line carries no moving picture of it, at most some single ones. */
export interface Assigned {
  room: string;
  source: Source;
  thin: boolean;
}

/** What each slot of the down connection carries; a slot that is not named carries nothing. */
export interface Slots {
  type: "slots";
  connection: string;
  slots: Record<string, Assigned>;
}

/**
 * What of its simulcast tracks the page shall send from now on: MID -> RIDs; nobody has a use for the
 * others. A track that is not named sends all.
 */
export interface Layers {
  type: "layers";
  connection: string;
  layers: Record<string, string[]>;
}

/** The media worker is gone: drop these connections now and make new ones. */
export interface Reconnect {
  type: "reconnect";
  up: boolean;
  down: boolean;
}

/** Loudness by room, dBov -127 to 0, five times a second (the studio and patrol only). */
export interface Levels {
  type: "levels";
  rooms: Record<string, number>;
}

/** A moment worth a sentence: a message id with values (i18n `notice.<id>`). */
export interface Notice {
  type: "notice";
  id: string;
  values: Record<string, string>;
}

/**
 * What the page asked cannot be: a stable code and words. `fatal`: the server hangs up;
 * `retry_after_ms`: 0 = do not come back by yourself.
 */
export interface Refused {
  type: "refused";
  code: string;
  words: Words;
  fatal: boolean;
  retry_after_ms: number;
}

export interface Pong {
  type: "pong";
  at: number;
  now: number;
}

/** How a viewer is served. */
export type Via = "webrtc" | "hls";

/** A viewer's way to the stage. */
export type Staged = "no" | "invited" | "on";

/** To one viewer: how it is served, and whether the teacher wants it on stage. */
export interface Place {
  type: "place";
  via: Via;
  staged: Staged;
}

/**
 * A question. `viewer`: whose, told to the teacher only; `staged`: that viewer's way to the stage;
 * `here`: that viewer still watches.
 */
export interface Asked {
  question: number;
  name: string;
  text: string;
  asked_at: number;
  state: QuestionState;
  viewer: string;
  staged: Staged;
  here: boolean;
}

/** To every viewer. `viewers`: how many watch by this link; `questions`: approved and answered ones. */
export interface Audience {
  type: "audience";
  viewers: number;
  asking: boolean;
  questions: Asked[];
}

/** To the studio and the phone remote: the queue. */
export interface Questions {
  type: "questions";
  open: boolean;
  questions: Asked[];
}

/** Who asks, for which lesson, and until when the question stands. */
export interface Invited {
  lesson: string;
  title: Words;
  main_name: Words;
  until: number;
}

/** To a room outside a lesson: it is invited; None: (no longer). */
export interface Calling {
  type: "calling";
  invited: Invited | null;
}

/** What became of a call, as the studio is told. */
export type CallState = "free" | "away" | "busy" | "asked" | "accepted" | "declined" | "expired";

export interface CallableRoom {
  room: string;
  name: Words;
  school: Words;
  state: CallState;
  until: number | null;
}

/** To the studio of a lesson that nobody booked: which rooms it may ask, and what became of the calls. */
export interface CallableRooms {
  type: "callable_rooms";
  rooms: CallableRoom[];
}

/** To a paired device after its `hello`: prove that the key is yours. */
export interface Challenge {
  type: "challenge";
  device: string;
  nonce: string;
}

/** Somebody wants to know whether this room hears itself. */
export interface HearNow {
  type: "hear_now";
}

/**
 * One that teaches in this lesson by itself. `sound`: its sound is the teacher's voice; `state` is the
 * ingest's word ("" where it was not heard of yet), `words` what to do where it does not come.
 */
export interface Box {
  source: Source;
  sound: boolean;
  state: string;
  words: Words | null;
}

/**
 * To the studio, before its lesson's first view and at every change: what it need not ask of its
 * browser. Their pictures come in the slots "tile_camera", "tile_camera2", "tile_screen", their sound in
 * "own_voice" (to be measured, not played), before Start too.
 */
export interface Boxes {
  type: "boxes";
  boxes: Box[];
}

/** A guest's way into the lesson; who is refused is hung up. */
export type GuestState = "waiting" | "inside";

/** Somebody by a guest's link. `label`: for whom the link was made; `since`: when they came. */
export interface Guest {
  guest: string;
  name: string;
  label: string;
  state: GuestState;
  since: number;
  staged: Staged;
}

/** To the studio and the phone remote: who waits in the lobby and who was let in. */
export interface Guests {
  type: "guests";
  guests: Guest[];
}

/** To a guest: whether they are let in, and what they wait for. */
export interface Lobby {
  type: "lobby";
  state: GuestState;
  title: Words;
  main_name: Words;
  until: number;
}

/** Problem details (RFC 9457), with a stable `code` and words for people. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  words: Words;
  detail: string;
}

/**
 * A link with its token. `picture`: the QR code, an SVG document; `reachable`: false where the address is
 * this machine's own, which no phone can open.
 */
export interface Link {
  url: string;
  until: number;
  picture: string;
  reachable: boolean;
}

/** A room with the token its page says `Hello` with. */
export interface RoomToken {
  room: string;
  name: Words;
  token: string;
}

/** The sample county's pages, ready to open. */
export interface Demo {
  studio: RoomToken;
  rooms: RoomToken[];
}

/** `code`: the six digits that make a screen this room, where the asker may see them. */
export interface Room {
  room: string;
  name: Words;
  main: boolean;
  code: string | null;
}

/** A lesson in a list. `replay`: page path, once there is something to play. */
export interface LessonRow {
  lesson: string;
  title: Words;
  state: LessonState;
  room: string;
  created_at: number;
  started_at: number | null;
  ended_at: number | null;
  recording: string | null;
  seconds: number;
  replay: string | null;
}

/** Where and with which token a lesson is published, watched and taught. */
export interface LessonDoors {
  lesson: string;
  whip: string;
  whip_token: string;
  whep: string;
  whep_token: string;
  studio: string;
}

export interface ReplayGap {
  start_s: number;
  end_s: number;
  cause: string;
  side: string;
}

/** One recorded track; `playlist` is a signed URL path (HLS). */
export interface ReplayTrack {
  name: string;
  subject: string;
  kind: string;
  codec: string;
  room: string;
  playlist: string;
  gaps: ReplayGap[];
}

export interface ReplayMark {
  at_s: number;
  kind: string;
  values: Record<string, string>;
}

/**
 * What the last verification found: every file's sum compared, every picture and sound decoded.
 * `sync_ms`: the furthest a track was from its place on the recorder's clock.
 */
export interface ReplayTruth {
  verified_at: number;
  whole: boolean;
  pictures: number;
  pictures_decoded: number;
  sync_ms: number | null;
}

/**
 * All the replay page needs. `expires_at`: when the playlists' signatures end; `truth`: null until
 * the recording was verified; `converting`: subjects of pictures that play once they are converted.
 */
export interface Replay {
  lesson: string;
  title: Words;
  state: string;
  seconds: number;
  started_at: number | null;
  ready_after_s: number | null;
  expires_at: number;
  tracks: ReplayTrack[];
  marks: ReplayMark[];
  truth: ReplayTruth | null;
  converting: string[];
}

/**
 * What a page plays of a lesson that is live, and goes on playing when it is over. `now`: the server's
 * clock; `delay_s`: how far behind the lesson its newest part is, about.
 */
export interface LiveReplay {
  lesson: string;
  title: Words;
  state: string;
  seconds: number;
  started_at: number | null;
  zero_at: number | null;
  now: number;
  delay_s: number;
  expires_at: number;
  playlist: string;
  tracks: ReplayTrack[];
}

/**
 * What happens to a recording after class. `step` is the one at work, else the one that failed, else "";
 * `progress` 0 to 1 over all of them; `problem` a stable code.
 */
export interface Processing {
  step: string;
  progress: number;
  failed: boolean;
  problem: string;
}

/**
 * A lesson in the library. `poster`: a signed path or ""; `recording`: recorder.contract.RecordingState;
 * `processing`: null once all is made; `watched_s`: where this viewer stopped; `yours`: may be changed;
 * `hold`: why it may not be deleted, "" where it may; `expires_at`: when it will be, null: never; `version`:
 * to be given back with a change.
 */
export interface LibraryCard {
  lesson: string;
  title: Words;
  room: string;
  room_name: Words;
  teacher: string;
  school: string;
  subject: string;
  grade: string;
  edition: string;
  volume: string;
  chapter: string;
  series: string | null;
  position: number;
  held_at: number;
  seconds: number;
  recording: string;
  problem: string;
  poster: string;
  processing: Processing | null;
  watched_s: number;
  visibility: string;
  download: boolean;
  deletion_asked: boolean;
  yours: boolean;
  hold: string;
  expires_at: number | null;
  version: number;
}

/** One page of what was asked for; `total`: of all pages. */
export interface LibraryPage {
  cards: LibraryCard[];
  total: number;
  admin: boolean;
}

export interface FacetValue {
  value: string;
  lessons: number;
}

/** The values there are for each filter. */
export interface LibraryFacets {
  subject: FacetValue[];
  grade: FacetValue[];
  teacher: FacetValue[];
  school: FacetValue[];
}

/** Lessons in an order. `yours`: it may be changed. */
export interface SeriesRow {
  series: string;
  name: string;
  lessons: number;
  yours: boolean;
}

/** A slide; `picture` is a signed path or "". */
export interface ReplayChapter {
  start_s: number;
  end_s: number;
  title: string;
  picture: string;
}

/** Hover thumbnails of a track: the signed path of a WebVTT file. */
export interface ReplaySprites {
  track: string;
  vtt: string;
}

/**
 * A derived track that a player can play: recorder.archive.published.RenditionKind; `track`: of which, ""
 * for the whole lesson; `playlist` a signed path.
 */
export interface ReplayRendition {
  kind: string;
  track: string;
  codec: string;
  playlist: string;
  width: number;
  height: number;
}

/** A file that may be downloaded: `film`, `export`, `sound` or `track`. */
export interface ReplayDownload {
  file: string;
  kind: string;
  track: string;
  bytes: number;
}

/** What was made of the recording after class, as far as it is. */
export interface ReplayPublished {
  poster: string;
  chapters: ReplayChapter[];
  sprites: ReplaySprites[];
  renditions: ReplayRendition[];
  downloads: ReplayDownload[];
  processing: Processing | null;
}

export interface EditCut {
  start_s: number;
  end_s: number;
}

/** The edit list that counts now, and how many versions can be undone and done again. */
export interface Edited {
  in_s: number;
  out_s: number | null;
  cuts: EditCut[];
  undo: number;
  redo: number;
}

export interface ReplayCaptions {
  language: string;
  vtt: string;
}

/**
 * What this viewer may do with the recording besides watching it. `keep`: say how long it stays;
 * `publish`: have made of it again what failed, and the export.
 */
export interface ReplayRights {
  edit: boolean;
  download: boolean;
  delete: boolean;
  ask_deletion: boolean;
  receipt: boolean;
  keep: boolean;
  publish: boolean;
}

/** The series a lesson stands in, with the lessons before and after it. */
export interface SeriesPlace {
  series: string;
  name: string;
  before: string | null;
  after: string | null;
}

/** All the replay page shows besides the tracks. */
export interface ReplayExtras {
  published: ReplayPublished;
  edited: Edited;
  captions: ReplayCaptions[];
  rights: ReplayRights;
  watched_s: number;
  card: LibraryCard;
  series: SeriesPlace | null;
}

/**
 * New signatures for the same visit: the part of a media path between `/media/` and the lesson; `truth`:
 * what the verification has found by now.
 */
export interface MediaRenewal {
  signature: string;
  expires_at: number;
  truth: ReplayTruth | null;
}

/** A signed path that a browser saves as a file. */
export interface Download {
  url: string;
}

/** A film on its way. `received`: go on from this byte; `state`: store.library_records.UploadState. */
export interface Upload {
  upload: string;
  title: string;
  bytes: number;
  received: number;
  state: string;
  lesson: string | null;
  words: Words | null;
}

/**
 * A room received nothing, or only a part (`kind`: server.domain.reception.Kind), from `start_s` to
 * `end_s` after the lesson's start; `cause`, `side`: as the span of it says.
 */
export interface ReceptionHole {
  start_s: number;
  end_s: number;
  kind: string;
  cause: string;
  side: string;
}

/**
 * `present_s`: how long it received picture or sound while the lesson was on; null where nobody knows.
 * `more`: holes beyond those told.
 */
export interface ReceiptRoom {
  room: string;
  name: Words;
  present_s: number | null;
  called: number;
  spoke_s: number;
  holes: ReceptionHole[];
  more: number;
}

/** `side`: recorder.archive.manifest.Side. */
export interface ReceiptHole {
  start_s: number;
  end_s: number;
  subject: string;
  room: string;
  cause: string;
  side: string;
}

/** The proof of a lesson on one page. `qr`: an SVG of the replay's address. */
export interface Receipt {
  lesson: string;
  title: Words;
  room_name: Words;
  teacher: string;
  subject: string;
  grade: string;
  started_at: number | null;
  ended_at: number | null;
  seconds: number;
  rooms: ReceiptRoom[];
  holes: ReceiptHole[];
  verified_at: number | null;
  whole: boolean | null;
  pictures: number;
  url: string;
  qr: string;
  printed_at: number;
}

/** One step. `state`: recorder.archive.published.StepState; `words`: why it failed, or null. */
export interface PublishingStep {
  name: string;
  lane: string;
  state: string;
  progress: number;
  seconds: number;
  problem: string;
  words: Words | null;
}

/**
 * How far it is. `state`: recorder.archive.published.PublishingState; `retry`: something failed and may
 * be tried again.
 */
export interface PublishingView {
  lesson: string;
  state: string;
  progress: number;
  retry: boolean;
  steps: PublishingStep[];
}

/**
 * `kept_as`: server.domain.retention.KeptAs; `hold`: why it may not be deleted, "" where it may;
 * `expires_at`: when it will be deleted, null: never; `days`: how long each class is kept, 0: for ever.
 */
export interface RetentionView {
  lesson: string;
  kept_as: string;
  hold: string;
  expires_at: number | null;
  days: Record<string, number>;
}

/**
 * A camera or encoder of a room; `address` without its password. `state` is the ingest's word ("" where
 * it is not wanted now), `words` what IT should do, `transcoded` why its picture is not copied, or "".
 * `low_address`: its sub stream's. `push`: an encoder comes to `push_url` ("" where the server takes no
 * pushes) by RTMP, or by WHIP (`whip`), and `pushing` now; its `key` is shown once, when it was made.
 * `low_words`: what is wrong with its sub stream. `knocked_at`: ms since 1970 when it last came by WHIP
 * while no lesson was prepared, or 0. `source` "voice": a separate sound encoder.
 */
export interface RoomSource {
  room: string;
  source: Source;
  address: string;
  udp: boolean;
  sound: boolean;
  with_lesson: boolean;
  state: string;
  words: Words | null;
  transcoded: string;
  low_address: string;
  push: boolean;
  whip: boolean;
  pushing: boolean;
  push_url: string;
  key: string;
  low_words: Words | null;
  knocked_at: number;
}

/** One point of a verdict; `fitness` is good, note, transcode or unfit. */
export interface ProbePoint {
  code: string;
  fitness: string;
  words: Words;
}

/**
 * What a page shows of a probe; the whole is `server.ingest.facts.Report`. `snapshot_jpeg`: base64;
 * `told`: what was measured, in words, line by line.
 */
export interface ProbeReport {
  fitness: string;
  points: ProbePoint[];
  snapshot_jpeg: string | null;
  told: Words[];
}

/** A stream that a camera says it has; `address` without password, `keyframe_every_s` 0: not told. */
export interface StreamOffer {
  name: string;
  address: string;
  codec: string;
  width: number;
  height: number;
  fps: number;
  keyframe_every_s: number;
  sound: boolean;
}

/** What a camera said of itself; `problem`: "" or a stable code, with what to do. */
export interface Offered {
  device: string;
  streams: StreamOffer[];
  problem: string;
  words: Words | null;
}

/** A camera that answered: host and port, and what it calls itself. */
export interface FoundCamera {
  address: string;
  name: string;
  model: string;
}

/** Who answered; `problem`: "" or a stable code, with what to do. */
export interface FoundCameras {
  cameras: FoundCamera[];
  problem: string;
  words: Words | null;
}

/** A post held today. `role`: domain.posts.PostRole. */
export interface MyPost {
  role: string;
  unit: string;
  unit_name: Words;
}

/**
 * Who this browser is. `needs_setup`: nobody can log in yet. `must_change`: nothing goes before a new
 * password. `locked`: the session came to another network, and the password is asked for once more.
 * `may`: actions of which the pages offer entries.
 */
export interface Me {
  admin: boolean;
  needs_setup: boolean;
  demo: boolean;
  needs_setup_code: boolean;
  person: string;
  login: string;
  name: Words | null;
  language: string;
  must_change: boolean;
  locked: boolean;
  posts: MyPost[];
  may: string[];
}

/** A log-in that is still good. `id` is no secret: it ends the session, it does not open it. */
export interface SessionRow {
  id: string;
  agent: string;
  created_at: number;
  seen_at: number;
  expires_at: number;
  here: boolean;
}

/**
 * The server's certificate. `secure`: this page came over HTTPS; `host`: under which name or address;
 * `made`: there is one here, good for `names` until `expires`; `covers`: the host is among them; `used`: the
 * configuration names it; `private`: of our own CA, which panels have to learn; `lines`: what to write under
 * [http] of the configuration before the next start.
 */
export interface CertificateView {
  secure: boolean;
  host: string;
  made: boolean;
  used: boolean;
  names: string[];
  expires: number | null;
  private: boolean;
  covers: boolean;
  lines: string[];
}

export interface UnitName {
  since: string;
  name: Words;
}

export interface UnitParent {
  since: string;
  parent: string;
}

/**
 * A unit as it is on the asked day. `kind`: domain.org.UnitKind; `main`: a room with a studio; `yours`:
 * the asker may change it; `names`, `parents`: its history.
 */
export interface UnitRow {
  unit: string;
  kind: string;
  name: Words;
  parent: string;
  since: string;
  until: string | null;
  successor: string;
  version: number;
  main: boolean;
  yours: boolean;
  names: UnitName[];
  parents: UnitParent[];
}

/** `kind`: domain.org.BondKind; in a group or community the first leads. */
export interface BondRow {
  kind: string;
  first: string;
  second: string;
  since: string;
  until: string | null;
}

/** All units and bonds that are there on a day. */
export interface County {
  day: string;
  units: UnitRow[];
  bonds: BondRow[];
}

/** `role`: domain.posts.PostRole. */
export interface PostRow {
  number: number;
  role: string;
  unit: string;
  unit_name: Words;
  since: string;
  until: string | null;
}

/** `yours`: the asker may change it. */
export interface PersonRow {
  person: string;
  login: string;
  name: Words;
  active: boolean;
  has_password: boolean;
  must_change: boolean;
  version: number;
  yours: boolean;
  posts: PostRow[];
}

export interface PeoplePage {
  people: PersonRow[];
  total: number;
}

/** Told once; it has to be changed at the first log-in. */
export interface FirstPassword {
  person: string;
  login: string;
  password: string;
}

/** `row`, `column` count from 1 as the spreadsheet shows them; `cell`: "B7". */
export interface CellProblem {
  sheet: string;
  row: number;
  column: number;
  cell: string;
  code: string;
  words: Words;
}

/**
 * What an import did, or (`done` false) would do or cannot. `posts`: given anew; `same`: stand already;
 * `passwords`: of the new people, told once. `problems_more`: there are more than are told.
 */
export interface PeopleImported {
  done: boolean;
  lines: number;
  new: number;
  changed: number;
  posts: number;
  ended: number;
  same: number;
  problems: CellProblem[];
  problems_more: boolean;
  markable: boolean;
  passwords: FirstPassword[];
}

export interface AuditLine {
  number: number;
  at: number;
  actor: string;
  action: string;
  thing: string;
  details: Record<string, string>;
}

/** The newest first; `before`: for the next page, null at the end. */
export interface AuditPage {
  rows: AuditLine[];
  before: number | null;
}

/**
 * `level`: domain.consent.Consent; `at` null: nobody said anything, which is none. `version`: to be given
 * back with a change.
 */
export interface ConsentRow {
  unit: string;
  name: Words;
  level: string;
  at: number | null;
  actor: string;
  note: string;
  version: number;
}

/** Classes by the order of units; `total`: of all pages. */
export interface ConsentPage {
  rows: ConsentRow[];
  total: number;
}

/** `unpublished`: lessons that were closed by it; `version`: to change it again. */
export interface ConsentChanged {
  unpublished: string[];
  version: number;
}

/** `id` is no secret: it revokes the token, it is not the token. */
export interface ApiTokenRow {
  id: string;
  name: string;
  scopes: string[];
  created_at: number;
  expires_at: number;
  used_at: number | null;
}

/** Told once. */
export interface MadeApiToken {
  id: string;
  token: string;
}

export interface GuestLinkRow {
  number: number;
  room: string;
  lesson: string | null;
  label: string;
  made_by: string;
  made_at: number;
  until: number;
  good: boolean;
}

/** Told once. `picture`: the address as a QR code (SVG); `reachable`: from other machines too. */
export interface MadeGuestLink {
  number: number;
  url: string;
  until: number;
  picture: string;
  reachable: boolean;
}

/** `token`: for the WebSocket's hello, as long as the link is good. */
export interface LobbyPass {
  token: string;
  room_name: Words;
  until: number;
}

/** `day` runs the timetable of `runs`; of no day where it is null (a holiday). */
export interface SwappedDay {
  day: string;
  runs: string | null;
}

/** `week`: which week of it today is in; null outside it. */
export interface TermView {
  term: string;
  name: Words;
  first_monday: string;
  weeks: number;
  swaps: SwappedDay[];
  version: number;
  week: number | null;
}

export interface BellTime {
  period: number;
  begins: string;
  ends: string;
}

/**
 * Body of `PUT bells/{school}` and its answer. `school` "county": what schools without their own ring
 * by.
 */
export interface BellsValue {
  bells: BellTime[];
  version: number;
  own: boolean;
}

/**
 * An entry of the county's catalogue. `kind`: subject, grade, edition, volume, chapter; `parent`: an
 * edition's subject, a volume's edition, a chapter's volume. `version`: as it was read, 0: a new one.
 */
export interface CurriculumEntry {
  entry: string;
  kind: string;
  name: Words;
  parent: string;
  position: number;
  version: number;
}

/** `total`: of all pages. */
export interface CurriculumPage {
  entries: CurriculumEntry[];
  total: number;
}

/** Rooms that a main room may call although no bond of its school says so. `version`: as it was read. */
export interface CallList {
  rooms: string[];
  version: number;
}

export interface NamedRoom {
  room: string;
  name: Words;
}

export interface NamedPerson {
  person: string;
  name: Words;
}

/** What kind of lesson it is (`domain.template` says what that brings). */
export type Template = "shared" | "master" | "mentoring" | "class_meeting" | "research" | "rehearsal";

/** How a lesson differs from its line of the timetable. */
export type BookingChange = "none" | "moved" | "substituted" | "cancelled" | "one_off";

/** What became of a booked lesson. */
export type Given = "ahead" | "open" | "live" | "given" | "missed" | "cancelled";

/** One lesson of one day. `version`: to be given back with a change; `replay`: page path. */
export interface BookedLesson {
  lesson: string;
  title: Words;
  day: string;
  first: number;
  last: number;
  starts_at: number;
  ends_at: number;
  main_room: NamedRoom;
  rooms: NamedRoom[];
  teacher: NamedPerson | null;
  subject: string;
  grade: string;
  template: Template;
  change: BookingChange;
  given: Given;
  version: number;
  series: string;
  replay: string | null;
}

/** Two lessons that need one teacher or one room at one time. `what`: "teacher" or "room". */
export interface ClashView {
  what: string;
  name: Words;
  lessons: string[];
  words: Words;
}

/**
 * One week of a room, a teacher or a school. `days`: seven dates; `swaps` of them; `zone`: an IANA name;
 * `may_edit`: whether the asker may change it.
 */
export interface WeekView {
  term: TermView | null;
  week: number;
  days: string[];
  bells: BellTime[];
  lessons: BookedLesson[];
  clashes: ClashView[];
  zone: string;
  may_edit: boolean;
}

/** What a form of the timetable offers. */
export interface Choices {
  main_rooms: NamedRoom[];
  rooms: NamedRoom[];
  teachers: NamedPerson[];
  subjects: CurriculumEntry[];
  schools: NamedRoom[];
  may_edit: boolean;
}

/**
 * What an import did, or (`done` false) would do or cannot. Lessons, not lines: `removed` ones stood in
 * the timetable of the same main rooms and are not in the file. `problems_more`: there are more than are
 * told.
 */
export interface Imported {
  done: boolean;
  lines: number;
  added: number;
  changed: number;
  removed: number;
  same: number;
  problems: CellProblem[];
  clashes: ClashView[];
  problems_more: boolean;
  markable: boolean;
}

/** The last self-hearing. */
export interface HearCheck {
  at: number;
  result: Heard;
  delay_ms: number;
  above_db: number;
}

/** What is wrong before the bell; docs/api.md says when each holds. */
export type AlarmKind = "room_off" | "source_wrong" | "camera_gone" | "microphone_gone" | "not_heard" | "clock_wrong" | "no_device" | "key_moved" | "asks_help" | "disk_low";

/** `values`: for the sentence `alarm.{kind}`, by name; `room` "": of the server. */
export interface Alarm {
  kind: AlarmKind;
  room: string;
  since: number;
  lesson: string;
  values: Record<string, string>;
}

/**
 * `state`: "online", "away", "in_lesson"; `since`: of that, where it is known. `hear`: how the room heard
 * itself last; `alarms`: what is wrong before the bell.
 */
export interface RoomReadiness {
  room: string;
  name: Words;
  state: string;
  since: number | null;
  hear: HearCheck | null;
  alarms: Alarm[];
}

/**
 * A camera or encoder that starts with a lesson, as it was found some minutes before. `at` None: not
 * looked at yet; `words`: what is wrong, since `since`, and what to do; None: it is well. `points`: what
 * else a look found, such as that its picture will be transcoded, and which setting to change.
 */
export interface SourceStand {
  source: Source;
  at: number | null;
  since: number;
  words: Words | null;
  points: ProbePoint[];
}

/** `sources`: cameras and encoders of the main room that start with it. */
export interface NextLesson {
  lesson: BookedLesson;
  readiness: RoomReadiness[];
  sources: SourceStand[];
}

/**
 * A person's day. `next`: the lesson on the air, else the next one within a week; `teaches`: main rooms
 * whose studio may be opened; `calendar`: path of the own iCalendar feed, "" for who is no person.
 */
export interface MyDay {
  now: number;
  zone: string;
  day: string;
  next: NextLesson | null;
  today: BookedLesson[];
  teaches: NamedRoom[];
  calendar: string;
  rehearsed_at: number | null;
}

/** The secret address of a calendar; whoever has it may read it. */
export interface FeedLink {
  url: string;
}

/**
 * A kind of lesson (`domain.template.TemplateRules`). `rooms_send`: what a receiving room may send;
 * `open_voices`: every room is heard from the start; `recorded`: what is written unless the teacher chooses
 * otherwise among `recordable`; `visible`: who may watch the recording; `counts`: as a lesson given.
 */
export interface TemplateView {
  template: Template;
  rooms_send: Source[];
  open_voices: boolean;
  recorded: Recordable[];
  recordable: Recordable[];
  visible: string;
  counts: boolean;
}

/**
 * Six digits to show; `pairing` is known to the screen alone. `token`: there as soon as somebody entered
 * the digits.
 */
export interface Pairing {
  pairing: string;
  code: string;
  expires_at: number;
  device: string;
  token: string;
}

/** Good with the device's key only. */
export interface DeviceToken {
  device: string;
  token: string;
}

/** A machine that is a room. */
export interface DeviceRow {
  device: string;
  label: string;
  browser: string;
  paired_at: number;
  paired_by: string;
  bound_at: number;
  bound_times: number;
  seen_at: number | null;
}

/** What a room complained of last, or what was seen to be wrong there. */
export interface LastFault {
  at: number;
  kind: string;
  lesson: string;
}

/** A room with its machine and how it stands. `online_since` None: it is off, since `seen_at`. */
export interface RoomStand {
  room: string;
  zh: string;
  en: string;
  main: boolean;
  devices: DeviceRow[];
  online_since: number | null;
  seen_at: number | null;
  browser: string;
  cameras: number | null;
  microphones: number | null;
  clock_off_ms: number | null;
  hear: HearCheck | null;
  fault: LastFault | null;
  moved_at: number | null;
}

/** A page of rooms: `total` of those that fit the question, `online` of all. */
export interface RoomStands {
  rooms: RoomStand[];
  total: number;
  online: number;
  all: number;
}

/** What is wrong now, the most pressing first; `names` of the rooms and titles of the lessons in it. */
export interface RoomAlarms {
  alarms: Alarm[];
  names: Record<string, string[]>;
  lessons: Record<string, number>;
  at: number;
}

/**
 * How the receiving rooms of a lesson stand before its bell, in tile order, and its main room's cameras
 * and encoders.
 */
export interface LessonReadiness {
  lesson: string;
  rooms: RoomStand[];
  alarms: Alarm[];
  sources: SourceStand[];
}

/** What a room received from `since` to `until`; `side`: whose fault it is that it was not more. */
export interface SpanRow {
  since: number;
  until: number;
  kind: string;
  side: string;
  cause: string;
}

/** One room in one lesson, from first joining to last leaving; sums over its spans. */
export interface ReceptionRow {
  room: string;
  joined_at: number | null;
  left_at: number | null;
  picture_s: number;
  sound_s: number;
  broadcast_s: number;
  hole_s: number;
  freeze_s: number;
  concealed_s: number;
  talk_s: number;
  delay_ms: number;
  height: number;
  heads: number | null;
  spans: SpanRow[];
}

/**
 * `passed_at`: when it was passed last; None: not yet. `steps`: seconds of the newest try, None: missed.
 * `person` "": whoever was there without a log-in.
 */
export interface RehearsedTeacher {
  person: string;
  name: Words;
  room: Words;
  tries: number;
  last_at: number;
  passed_at: number | null;
  steps: Record<string, number | null>;
}

/** Who tried it, the newest first, at most 500; `teachers`: how many of the asker's units teach at all. */
export interface Rehearsals {
  teachers: number;
  tried: RehearsedTeacher[];
}

/** Body of `POST room-code`: the six digits shown where the room is managed. */
export interface RoomCode {
  code: string;
}

/** Body of `POST lessons`: a lesson in this main room, with all its receiving rooms. */
export interface NewLesson {
  room: string;
  title?: Words | null;
  minutes?: number;
}

/** Body of `POST lessons/{lesson}/watch-link`. `label`: how its viewers are listed, such as who got it. */
export interface NewLink {
  label?: string;
}

/** Body of `POST` and `PATCH series`: its name, and its lessons in order (null: as they are). */
export interface SeriesChange {
  name?: string | null;
  lessons?: string[] | null;
}

/**
 * Body of `PATCH library`: these lessons get these words (null: as they are). `versions`: as they were
 * read, of those that were; where one of them has changed since, nothing is.
 */
export interface CatalogueChange {
  lessons: string[];
  versions?: Record<string, number>;
  title?: string | null;
  teacher?: string | null;
  school?: string | null;
  subject?: string | null;
  grade?: string | null;
  edition?: string | null;
  volume?: string | null;
  chapter?: string | null;
  visibility?: string | null;
  download?: boolean | null;
}

export interface ChapterName {
  start_s: number;
  title: string;
}

/** Body of `PUT chapters`: the titles of a lesson's chapters, by where they begin. */
export interface ChapterNames {
  titles: ChapterName[];
}

/** Body of `PUT watched`: where this viewer is. */
export interface Watched {
  at_s: number;
}

/** Body of `PUT edit`: what is shown is from `in_s` to `out_s` (null: the end) without the cuts. */
export interface Edit {
  in_s?: number;
  out_s?: number | null;
  cuts?: EditCut[];
}

/** Body of `PUT captions`: a WebVTT file's text. */
export interface Captions {
  vtt: string;
}

/** Body of `POST download`: the name of a file that the replay told. */
export interface DownloadWish {
  file: string;
}

/** Body of `POST library/export`: these lessons, or all of the week in which this day (YYYY-MM-DD) is. */
export interface ExportWish {
  lessons?: string[] | null;
  week?: string | null;
}

/** Body of `POST uploads`: a film of so many bytes for this main room. */
export interface NewUpload {
  title: string;
  room: string;
  bytes: number;
}

/** Body of `PUT retention`; null: as it is. */
export interface RetentionChange {
  kept_as?: string | null;
  hold?: string | null;
}

/**
 * Body of `PUT rooms/{room}/sources/{source}`. `address` "" keeps what is there, with its sub stream;
 * else `low_address` is its sub stream's, or "". `push`: an encoder comes with a key of its own, by RTMP or
 * (`whip`) by WHIP; `new_key` makes another one.
 */
export interface NewRoomSource {
  address: string;
  udp?: boolean;
  sound?: boolean;
  with_lesson?: boolean;
  low_address?: string;
  push?: boolean;
  whip?: boolean;
  new_key?: boolean;
}

/** Body of `POST rooms/{room}/probe`: an address to try, or `source` of one that is configured. */
export interface ProbeSource {
  address?: string;
  source?: Source | null;
  udp?: boolean;
}

/** Body of `POST rooms/{room}/find`: which streams has this camera? `address`: host, host:port or http://. */
export interface AskedCamera {
  address: string;
  user?: string;
  password?: string;
}

/**
 * Body of `POST rooms/{room}/discover`: which cameras answer there? `network` as "192.168.1.0/24", asked
 * address by address; "": by multicast alone, where the server itself stands.
 */
export interface AskedNetwork {
  network?: string;
}

/**
 * Body of `POST setup`: the first county admin. `code`: of the server's log, from another machine.
 * `county`, `school`, `room`: names, where the wizard asked for them.
 */
export interface SetUp {
  password: string;
  code?: string | null;
  login?: string;
  name?: Words | null;
  county?: Words | null;
  school?: Words | null;
  room?: Words | null;
}

/** Body of `POST login` and `POST unlock`. */
export interface LogIn {
  password: string;
  login?: string;
}

/** Body of `PUT me/password`: ends the person's other sessions. */
export interface PasswordChange {
  old: string;
  new: string;
}

/** Body of `PUT me/language`: "zh", "en", or "" for the browser's. */
export interface LanguageChange {
  language: string;
}

/** Body of `POST certificate`. `names`: host names and addresses that browsers open; none: this page's. */
export interface MakeCertificate {
  names?: string[];
}

/** Body of `PUT certificate`: PEM texts, the certificate with its chain. */
export interface OwnCertificate {
  certificate: string;
  key: string;
}

/** Body of `PUT terms/{term}`. `version`: as it was read; 0 makes a new one. */
export interface TermValue {
  name: Words;
  first_monday: string;
  weeks: number;
  swaps?: SwappedDay[];
  version?: number;
}

/**
 * Body of `POST timetable/lessons`. Either periods or times of day; `repeats`: so many weeks one after
 * the other, as a series.
 */
export interface NewBooking {
  main_room: string;
  rooms: string[];
  day: string;
  subject?: string;
  teacher?: string;
  grade?: string;
  title?: string;
  template?: Template;
  first?: number | null;
  last?: number | null;
  begins?: string | null;
  ends?: string | null;
  repeats?: number;
}

/**
 * Body of `PATCH timetable/lessons/{lesson}`; what is not named stays. `version`: as it was read.
 * `whole_series`: this one and those that follow it in its series.
 */
export interface ChangeBooking {
  version: number;
  day?: string | null;
  first?: number | null;
  last?: number | null;
  main_room?: string | null;
  rooms?: string[] | null;
  teacher?: string | null;
  subject?: string | null;
  grade?: string | null;
  title?: string | null;
  template?: Template | null;
  cancelled?: boolean | null;
  whole_series?: boolean;
}

/** Body of `POST timetable/swap`: these two lessons change places. */
export interface SwapBookings {
  first: string;
  second: string;
  first_version: number;
  second_version: number;
}

/**
 * Body of `POST timetable/undo`: take back, whole, the booking, change or swap that answered this lesson
 * first, with this version.
 */
export interface UndoChange {
  lesson: string;
  version: number;
}

/** `key`: the browser's public key, an uncompressed P-256 point (65 octets), base64url. */
export interface NewPairing {
  key: string;
  browser?: string;
}

/** A wiped browser is this device again: the launcher's secret, and a new key. */
export interface RestoreDevice {
  device: string;
  secret: string;
  key: string;
  browser?: string;
}

/** The six digits that the room's screen shows. */
export interface PairDevice {
  code: string;
  label?: string;
}

/** Body of `POST units`. `since`: today unless said. */
export interface NewUnit {
  kind: string;
  name: Words;
  parent?: string;
  since?: string | null;
  main?: boolean;
}

/**
 * Body of `PATCH units/{unit}`: one change from `day` on (today unless said): another name or parent,
 * with or without studio, closed, or merged `into` another.
 */
export interface UnitChange {
  version: number;
  day?: string | null;
  name?: Words | null;
  parent?: string | null;
  main?: boolean | null;
  close?: boolean;
  into?: string | null;
}

/** Body of `POST bonds`, and of `POST bonds/end`. */
export interface NewBond {
  kind: string;
  first: string;
  second: string;
  day?: string | null;
}

/** Body of `POST people/{person}/posts`. */
export interface NewPost {
  role: string;
  unit: string;
  since?: string | null;
}

/** Body of `POST people`. */
export interface NewPerson {
  login: string;
  name: Words;
  post: NewPost;
}

/** Body of `PATCH people/{person}`. */
export interface PersonChange {
  version: number;
  name?: Words | null;
  active?: boolean | null;
}

/** Body of `PUT consents/{unit}`. `note`: on which paper, by whom; `version`: as it was read. */
export interface ConsentChange {
  version: number;
  level: string;
  note?: string;
}

/** Body of `POST me/tokens`. `scopes`: actions, of those that the person may do. */
export interface NewApiToken {
  name: string;
  scopes: string[];
  days?: number;
}

/** `room`: the main room. */
export interface NewRehearsal {
  room: string;
}

/** Body of `POST rooms/{room}/guest-links`. `lesson` None: whichever is on in that room. */
export interface NewGuestLink {
  hours?: number;
  label?: string;
  lesson?: string | null;
}

/** Body of `POST lobby`. `link`: the token of the link. */
export interface EnterLobby {
  link: string;
  name: string;
}

export type ToServer =
  | Hello
  | OfferUp
  | AnswerDown
  | WantDown
  | RestartUp
  | Report
  | Hand
  | Trouble
  | Start
  | End
  | Extend
  | CallOn
  | Mute
  | OpenVoice
  | Stage
  | Courseware
  | LowerHand
  | Ping
  | Ask
  | LeaveStage
  | Judge
  | TakeQuestions
  | Invite
  | LetIn
  | RecordSubjects
  | PauseRecording
  | CallRooms
  | AnswerCall
  | Proof
  | Standing
  | HearChecked
  | SignIn
  | PointOut;

export type FromServer =
  | Welcome
  | Lesson
  | AnswerUp
  | OfferDown
  | Slots
  | Layers
  | Reconnect
  | Levels
  | Notice
  | Refused
  | Pong
  | Place
  | Audience
  | Questions
  | Calling
  | CallableRooms
  | Challenge
  | HearNow
  | Boxes
  | Guests
  | Lobby;

import { sentences } from "../define";

/** One row a state of a tile (`SeatState`), and the sentences of `Seat.detail` (`detail_<id>`). */
export const seat = sentences({
  asks_help: { zh: "请求帮助", en: "asks for help" },
  away: { zh: "已离开", en: "away" },
  expected: { zh: "未到", en: "expected" },
  joining: { zh: "正在进入", en: "joining" },
  no_picture: { zh: "没有画面", en: "no picture" },
  no_sound: { zh: "没有声音", en: "no sound" },
  sound_only: { zh: "只有声音", en: "sound only" },
  weak_line: { zh: "网络弱", en: "weak line" },
  muted: { zh: "已被您静音", en: "muted by you" },
  here: { zh: "在线", en: "here" },
  speaking: { zh: "正在发言", en: "speaking" },
  since: { zh: "自 {time}", en: "since {time}" },
  for: { zh: "{duration}", en: "{duration}" },
  hand: { zh: "举手 {duration}", en: "hand {duration}" },
  notCalled: { zh: "还没有点过名", en: "not called yet" },
  calledAgo: { zh: "{n} 分钟没有点名", en: "not called for {n} min" },
  calledJust: { zh: "刚刚点过名", en: "called just now" },
  detail_sound_blocked: {
    zh: "请助教点一下屏幕，浏览器才会放出声音",
    en: "Ask the assistant to touch the screen; the browser waits for that",
  },
  detail_no_microphone: { zh: "那边没有麦克风", en: "No microphone over there" },
  detail_no_camera: { zh: "那边没有摄像头", en: "No camera over there" },
  detail_sound: { zh: "助教报告：没有声音", en: "The assistant reports: no sound" },
  detail_picture: { zh: "助教报告：没有画面", en: "The assistant reports: no picture" },
});

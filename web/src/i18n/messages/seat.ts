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
  detail_help_sound: { zh: "那边按了“没有声音”", en: 'They pressed "no sound"' },
  detail_help_picture: { zh: "那边按了“没有画面”", en: 'They pressed "no picture"' },
  detail_not_connected: { zh: "断开了，会自己重连", en: "Not connected; it tries again by itself" },
  detail_media_not_connected: {
    zh: "网页在，音视频连不上，请查那边的网络",
    en: "The page is there, but picture and sound cannot connect: look at its network",
  },
  detail_picture_not_decoded: { zh: "那边看不到画面", en: "They see no picture" },
  detail_sound_blocked: { zh: "请助教点一下那边的屏幕", en: "Ask the assistant to touch the screen" },
  detail_sound_not_playing: { zh: "那边没有声音，请看看音箱", en: "They hear nothing: look at the loudspeaker" },
  detail_camera_absent: { zh: "那边没有摄像头画面", en: "They send no picture" },
  detail_loss: { zh: "画面可能卡顿", en: "The picture may stutter" },
});

import { sentences } from "../define";

export const live = sentences({
  waiting: { zh: "正在连接直播…", en: "Connecting to the lesson…" },
  live: { zh: "直播", en: "Live" },
  goLive: { zh: "回到直播", en: "Back to live" },
  behind: { zh: "已落后 {time}", en: "{time} behind" },
  delay: { zh: "延迟 {seconds} 秒", en: "{seconds} s delay" },
  over: { zh: "已下课，这是录像", en: "The lesson is over; this is its recording" },
  back: { zh: "后退 10 秒", en: "Back 10 s" },
  play: { zh: "播放", en: "Play" },
  pause: { zh: "暂停", en: "Pause" },
  sound: { zh: "打开声音", en: "Turn the sound on" },
  mute: { zh: "静音", en: "Mute" },
  tapForSound: { zh: "点一下，打开声音", en: "Touch for sound" },
  bar: { zh: "时间", en: "Time" },
  soundOnly: { zh: "现在只有声音", en: "Only sound for now" },
  away: { zh: "画面暂时中断", en: "No picture at the moment" },
  missed: { zh: "刚才断开了 {seconds} 秒", en: "{seconds} s were missed" },
  watchMissed: { zh: "补看（1.25 倍速）", en: "Watch them (1.25×)" },
  notNow: { zh: "不用了", en: "Not now" },
  catchingUp: { zh: "正在补看断开的内容", en: "Watching what was missed" },
  stopMissed: { zh: "直接回到课堂", en: "Back to the lesson now" },
});

import { sentences } from "../define";

export const first = sentences({
  title: { zh: "首页", en: "Start" },
  lead: {
    zh: "好老师的课，直播到村小，下课就能回放。",
    en: "The good teacher’s lesson, live in the village school, and replayed when the bell has rung.",
  },
  hold: { zh: "上一节示例课", en: "Hold a sample lesson" },
  holdLead: {
    zh: "不用摄像头，不用登录：示例画面、课件和声音，教三个教学点。",
    en: "No camera, no log-in: sample picture, courseware and voice teach three sample rooms.",
  },
  holdNotHere: {
    zh: "示例课只在这台服务器本机上、用示例配置时可用。",
    en: "The sample lesson works on the server’s own machine, with the sample configuration.",
  },
  leave: { zh: "离开", en: "Leave" },
  studio: { zh: "主讲教室", en: "Main room" },
  // the strip
  stepStart: { zh: "上课", en: "Start" },
  stepStartDo: { zh: "在左边点“上课”", en: "Touch Start at the left" },
  stepUnplug: { zh: "拔掉一个教室", en: "Unplug a room" },
  stepUnplugDo: { zh: "点一个教室的“拔线”", en: "Touch Unplug at a room" },
  stepCall: { zh: "点名发言", en: "Call on one" },
  stepCallDo: { zh: "在左边点“点名发言”", en: "Touch Call on at the left" },
  stepEnd: { zh: "下课", en: "End" },
  stepEndDo: { zh: "在左边点“下课”", en: "Touch End at the left" },
  stepReplay: { zh: "回放", en: "Replay" },
  stepReplayDo: { zh: "看刚才的课", en: "Watch what was taught" },
  done: { zh: "完成", en: "done" },
  joined: { zh: "{s} 秒进入", en: "joined in {s} s" },
  delay: { zh: "延迟 {ms} 毫秒", en: "delay {ms} ms" },
  cut: { zh: "断了 {s} 秒，自己回来", en: "cut {s} s, back by itself" },
  heard: { zh: "正在发言", en: "speaking" },
  readyAfter: { zh: "{s} 秒后可回放", en: "replay ready after {s} s" },
  // a frame's bar
  unplug: { zh: "拔线", en: "Unplug" },
  plug: { zh: "插上（{n}）", en: "Plug in ({n})" },
  unplugged: { zh: "线拔了", en: "unplugged" },
  hand: { zh: "举手", en: "Raise hand" },
  lower: { zh: "放下手", en: "Lower hand" },
  unplugCamera: { zh: "拔掉摄像头", en: "Unplug camera" },
  // the doors below
  teach: { zh: "我来讲课", en: "I teach" },
  teachLead: { zh: "打开讲课台：检查摄像头、麦克风、课件，然后上课。", en: "Open the studio: check camera, microphone, courseware, then start." },
  room: { zh: "这块屏幕是教室", en: "This screen is a room" },
  roomLead: { zh: "输入一次六位代码，以后到点自己进课堂。", en: "Enter six digits once; from then on it joins by itself." },
  manage: { zh: "我来管理", en: "I manage" },
  manageLead: { zh: "课堂和回放、各教室的代码。", en: "Lessons and replays, the rooms’ codes." },
  code: { zh: "六位代码", en: "Six digits" },
  open: { zh: "打开", en: "Open" },
});

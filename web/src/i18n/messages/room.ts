import { sentences } from "../define";

export const room = sentences({
  title: { zh: "教室屏幕", en: "Room screen" },

  codeTitle: { zh: "这块屏幕是哪间教室？", en: "Which room is this screen?" },
  codeHint: {
    zh: "请输入管理员给的 6 位教室码，只需一次。",
    en: "Type the room’s 6-digit code from your administrator. Once is enough.",
  },
  codeForgotten: {
    zh: "这块屏幕原来的教室码已失效，请输入新的 6 位教室码。",
    en: "The code this screen had is no longer valid. Type the room’s new 6-digit code.",
  },
  useHere: { zh: "在这块屏幕上课", en: "Use this screen" },
  codeLabel: { zh: "6 位教室码", en: "6-digit room code" },
  codeEnter: { zh: "进入", en: "Enter" },
  codeBusy: { zh: "正在核对…", en: "Checking…" },
  codeDelete: { zh: "删除", en: "Delete" },

  connecting: { zh: "正在连接服务器…", en: "Connecting to the server…" },
  refusedRetry: { zh: "{n} 秒后自动再试", en: "Tries again by itself in {n} s" },

  waitingNext: { zh: "下一节课", en: "Next lesson" },
  waitingAt: { zh: "{time} 开始", en: "begins at {time}" },
  waitingTeacher: { zh: "主讲教师：{name}", en: "Teacher: {name}" },
  waitingNothing: { zh: "现在没有课", en: "No lesson now" },
  waitingSelf: { zh: "上课时自动进入，不用操作", en: "Joins by itself, nothing to do" },
  waitingOpening: { zh: "老师正在准备，马上开始", en: "The teacher is getting ready" },
  hearing: {
    zh: "正在试听本教室的音箱和麦克风，两秒就好，什么都不保存",
    en: "Listening to this room’s own loudspeaker for two seconds; nothing is kept",
  },
  heads: { zh: "签到", en: "Sign in" },
  headsCounted: { zh: "到课 {n} 人", en: "{n} pupils here" },
  headsTitle: { zh: "今天来了几个学生？", en: "How many pupils are here?" },
  headsDone: { zh: "确定", en: "Done" },
  pairTitle: { zh: "请把这六位数字告诉管理员", en: "Give these six digits to the administrator" },
  pairHint: {
    zh: "管理员在“教室与设备”页面输入后，这块屏幕就成为那间教室，以后开机自动上课。",
    en: "Entered on the page “Rooms and devices” they make this screen that room; from then on it joins by itself.",
  },
  pairForgotten: {
    zh: "这块屏幕的配对已失效，请管理员重新配对。",
    en: "This screen is no longer paired: ask the administrator to pair it again.",
  },
  pairAsking: { zh: "正在取数字…", en: "Asking for the digits…" },
  pairSelf: { zh: "数字十分钟换一次；配对后这里自动进入。", en: "They change every ten minutes; after pairing this page goes on by itself." },
  pairInsecure: { zh: "这个网址不安全，不能配对", en: "This address is not secure: it cannot be paired" },
  pairInsecureHint: {
    zh: "请用 https:// 开头的网址打开；证书问题请看服务器 http 网址上的帮助页。",
    en: "Open the address that begins with https://. About certificates see the help page at the server’s http address.",
  },
  pairTypeCode: { zh: "示范县：输入教室代码", en: "Demo county: type a room’s code" },
  waitingAway: {
    zh: "与服务器的连接断了，{n} 秒后再试",
    en: "No line to the server, trying again in {n} s",
  },
  waitingTrying: { zh: "正在重新连接服务器…", en: "Connecting to the server again…" },

  ended: { zh: "下课了", en: "The lesson is over" },
  endedHint: { zh: "摄像头和麦克风已关闭。", en: "Camera and microphone are off." },

  roadTcp: { zh: "经 TCP 接收（这里的防火墙不放行 UDP）", en: "received over TCP (the firewall here lets no UDP through)" },
  roadTurn: { zh: "经中继服务器接收", en: "received through the relay server" },
  roadHls: {
    zh: "实时线路连不上，先看有延迟的直播，正在自动重试",
    en: "No live line: showing the delayed broadcast, and trying again by itself",
  },
  roadHlsLate: {
    zh: "实时线路连不上，先看晚 {n} 秒的直播，正在自动重试",
    en: "No live line: showing the broadcast {n} s late, and trying again by itself",
  },

  joining: { zh: "正在进入课堂…", en: "Joining the lesson…" },
  joiningHint: { zh: "画面马上就来", en: "The picture is coming" },
  troubleLine: {
    zh: "从 {time} 起，教室的网络断了。",
    en: "This room’s line is away since {time}.",
  },
  troubleLineHint: {
    zh: "请检查网线插好没有；页面会自己再试。",
    en: "Check that the network cable is plugged in; the page tries by itself.",
  },
  troublePicture: { zh: "从 {time} 起，画面停住了。", en: "The picture stands still since {time}." },
  troublePictureHint: { zh: "正在换一条路重新接收。", en: "It is being fetched again." },
  troubleCodec: { zh: "这个浏览器放不了老师的画面（H.264）。", en: "This browser cannot show the teacher’s picture (H.264)." },
  troubleCodecHint: {
    zh: "声音照常。请改用 Chrome 或 Edge 打开本页；联网的 Firefox 装好 H.264 插件后也可以。",
    en: "The sound goes on. Open this page in Chrome or Edge, or in a Firefox that has got its H.264 plug-in.",
  },
  troubleSource: { zh: "从 {time} 起，老师那边没有画面。", en: "No picture from the teacher since {time}." },
  troubleSourceHint: {
    zh: "画面一来就会自动恢复；声音照常。",
    en: "It comes back by itself; the sound goes on.",
  },
  troubleTeacher: {
    zh: "从 {time} 起，老师那边断线了，请不要离开。",
    en: "The teacher’s line is away since {time}, please stay.",
  },
  troubleTeacherHint: { zh: "老师一回来，画面就会自动恢复。", en: "The picture comes back by itself." },
  retryIn: { zh: "{n} 秒后再试", en: "Next try in {n} s" },
  retryNow: { zh: "正在重试…", en: "Trying now…" },
  awayChip: { zh: "正在重新连接，画面和声音继续", en: "Connecting again; picture and sound go on" },
  stageStill: { zh: "从 {time} 起没有老师画面", en: "No picture of the teacher since {time}" },
  thin: { zh: "网络太慢：先保证声音，画面过一会儿更新一次", en: "Slow line: sound first, now and then a picture" },
  soundOnly: { zh: "现在只有声音", en: "Sound only for now" },
  soundOnlyHint: { zh: "老师没有打开摄像头和课件。", en: "The teacher’s camera and courseware are off." },

  touchToHear: { zh: "点一下屏幕，打开声音", en: "Touch to hear" },
  touchToHearHint: {
    zh: "浏览器要等一次触摸或按键才放声音；已告诉老师。",
    en: "The browser waits for a touch or a key; the teacher has been told.",
  },

  heard: { zh: "大家正在听你们说话", en: "You are heard" },
  speaking: { zh: "{name} 正在发言", en: "{name} is speaking" },
  mutedByTeacher: { zh: "老师暂时关了你们的麦克风", en: "The teacher has muted this room" },

  lampBoth: { zh: "摄像头和麦克风开着", en: "Camera and microphone are on" },
  lampNone: { zh: "没有发出画面和声音", en: "No picture or voice is sent" },
  lampCamera: { zh: "摄像头开着，没有麦克风", en: "Camera is on, no microphone" },
  lampVoice: { zh: "麦克风开着，没有摄像头", en: "Microphone is on, no camera" },
  watchedBy: { zh: "旁听：{names}", en: "watched by {names}" },
  recorded: { zh: "本教室正在录制", en: "this room is being recorded" },
  recordedWhenCalled: { zh: "本教室发言时会被录制", en: "this room is recorded while it speaks" },
  recordingPaused: { zh: "录制已暂停", en: "the recording is paused" },
  notRecorded: { zh: "只录老师，不录本教室", en: "only the teacher is recorded, not this room" },

  handRaise: { zh: "举手", en: "Raise hand" },
  handLower: { zh: "放下手", en: "Lower hand" },
  handUp: { zh: "已举手 {duration}", en: "Hand raised {duration}" },
  handKeys: { zh: "按 H 或空格举手", en: "H or Space raises the hand" },

  layout: { zh: "画面", en: "Layout" },
  layoutTeacher: { zh: "老师", en: "Teacher" },
  layoutCourseware: { zh: "课件", en: "Courseware" },
  layoutBoth: { zh: "都看", en: "Both" },
  ownPicture: { zh: "本教室", en: "Own picture" },
  ownLabel: { zh: "本教室（别人看到的样子）", en: "This room, as the others see it" },
  noSoundNoPicture: { zh: "没声音 / 没画面", en: "No sound / no picture" },
  complainTitle: { zh: "缺什么？老师会马上知道。", en: "What is missing? The teacher is told at once." },
  complainSound: { zh: "没有声音", en: "No sound" },
  complainPicture: { zh: "没有画面", en: "No picture" },
  complained: { zh: "已告诉老师", en: "The teacher has been told" },
  complainOver: { zh: "好了", en: "It works again" },
  fullScreen: { zh: "全屏", en: "Full screen" },
  smallScreen: { zh: "退出全屏", en: "Leave full screen" },
  soundOn: { zh: "打开声音", en: "Sound on" },
  soundOff: { zh: "关闭声音", en: "Sound off" },

  bellIn: { zh: "{n} 秒后下课", en: "The lesson ends in {n} s" },
});

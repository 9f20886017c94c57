import { sentences } from "../define";

/** A rehearsal with acting rooms: the studio's task, its result, and the list of who has passed. */
export const rehearsal = sentences({
  title: { zh: "排练", en: "Rehearsal" },
  lead: {
    zh: "三间排练教室会进来：举手、没声音、掉线、再回来。看到什么就做什么，大约两分钟。什么都不录。",
    en: "Three acting rooms come in, raise a hand, lose their sound, fall off and come back. Do what each moment asks; it takes two minutes. Nothing is recorded.",
  },
  begin: { zh: "在{room}排练", en: "Rehearse in {room}" },
  passedOn: { zh: "您在 {date} 已通过排练。", en: "You passed the rehearsal on {date}." },

  task: { zh: "第 {n} 步，共 {all} 步", en: "Step {n} of {all}" },
  coming: { zh: "排练教室正在进来…", en: "The acting rooms are coming in…" },
  calm: { zh: "很好，请继续上课。", en: "Well. Go on teaching." },
  do_hand: { zh: "{room}举手了。请点名，让它发言。", en: "{room} raises its hand. Call on it." },
  do_silent: { zh: "有一间教室听不到您。看看右边的状态，是哪一间？", en: "One room does not hear you. Look at the tiles: which one is it?" },
  do_away: { zh: "{room}掉线了，会自己回来。课照常上：请点另一间教室发言。", en: "{room} fell off; it comes back by itself. Go on: call on another room." },
  do_back: { zh: "{room}回来了。请点名，确认它听得到。", en: "{room} is back. Call on it, to be sure that it hears you." },
  wrong: { zh: "这一间听得到。再看一看状态。", en: "That one hears you. Look at the tiles again." },
  left: { zh: "还有 {n} 秒", en: "{n} s left" },
  endNow: { zh: "都做完了。请点“下课”。", en: "That was all of it. Press End." },
  failed: { zh: "排练教室没能进来，请点“下课”后再试，或告诉管理员。", en: "The acting rooms could not come in. Press End and try again, or tell the administrator." },

  hand: { zh: "点名举手的教室", en: "Call on the hand" },
  silent: { zh: "找出没有声音的教室", en: "Find the silent room" },
  away: { zh: "有教室掉线，课照常上", en: "Go on when one falls off" },
  back: { zh: "点名回来的教室", en: "Call on the one that is back" },
  took: { zh: "{n} 秒", en: "{n} s" },
  missed: { zh: "没做到", en: "missed" },
  open: { zh: "未进行", en: "not played" },

  passed: { zh: "通过了！", en: "Passed!" },
  notPassed: { zh: "这次没有通过，再来一次就会了。", en: "Not passed this time. Once more, and it will do." },
  nothingKept: { zh: "画面和声音没有保存，只记下了结果。", en: "No picture and no sound was kept, only the result." },
  again: { zh: "再排练一次", en: "Rehearse again" },
  toDay: { zh: "回到今天的课", en: "Back to my day" },

  list: { zh: "排练名单", en: "Rehearsals" },
  listLead: { zh: "谁通过了排练。排练在“今天的课”里开始。", en: "Who has passed. A rehearsal is begun from My day." },
  counts: { zh: "{n} 人通过，{tried} 人试过，共 {all} 位教师", en: "{n} passed, {tried} tried, {all} teachers in all" },
  none: { zh: "还没有人排练过。", en: "Nobody has rehearsed yet." },
  teacher: { zh: "教师", en: "Teacher" },
  room: { zh: "主讲教室", en: "Main room" },
  result: { zh: "结果", en: "Result" },
  tries: { zh: "次数", en: "Tries" },
  newest: { zh: "最近一次", en: "Newest try" },
  passedAt: { zh: "{date} 通过", en: "passed {date}" },
  notPassedYet: { zh: "还没有通过", en: "not yet" },
});

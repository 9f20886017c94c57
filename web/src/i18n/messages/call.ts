import { sentences } from "../define";

/** Rooms called into a lesson that nobody booked: the studio's list, and the question in the room. */
export const call = sentences({
  title: { zh: "邀请教室", en: "Call rooms" },
  lead: {
    zh: "这节课没有预约。点“邀请”，那间教室有人按一下屏幕才会加入。",
    en: "Nobody booked this lesson. A room you call joins when somebody there touches its screen.",
  },
  none: { zh: "没有可以邀请的教室，请联系管理员。", en: "There is no room you may call; ask the administrator." },
  call: { zh: "邀请", en: "Call" },
  again: { zh: "再邀请", en: "Call again" },
  all: { zh: "全部邀请", en: "Call all" },
  free: { zh: "可以邀请", en: "can be called" },
  away: { zh: "屏幕没有打开", en: "its screen is off" },
  busy: { zh: "正在上别的课", en: "in another lesson" },
  asked: { zh: "正在问，还剩 {n} 秒", en: "asked, {n} s left" },
  accepted: { zh: "已加入", en: "joined" },
  declined: { zh: "对方说现在不行", en: "said not now" },
  expired: { zh: "没有人回答", en: "nobody answered" },

  asks: { zh: "{name} 邀请你们上课", en: "{name} asks you to join" },
  question: { zh: "加入后，对方能看到和听到这间教室。", en: "Once you join, they see and hear this room." },
  join: { zh: "加入", en: "Join" },
  later: { zh: "现在不行", en: "Not now" },
  left: { zh: "{n} 秒后自动关闭", en: "closes in {n} s" },
  keys: { zh: "也可以按回车键加入", en: "Enter joins too" },
});

import { sentences } from "../define";

/** Guests by a link: their door, the lobby, the studio's list, the link itself. */
export const guest = sentences({
  title: { zh: "听课邀请", en: "Invited to a lesson" },
  name: { zh: "您的姓名和单位", en: "Your name and school" },
  nameLead: { zh: "老师看到姓名后让您进来。谁在听课，教室里都会显示。", en: "The teacher sees it and lets you in. Who watches is shown in the rooms." },
  knock: { zh: "进入等候", en: "Wait at the door" },
  waiting: { zh: "正在等老师让您进来", en: "Waiting for the teacher to let you in" },
  waitingLead: { zh: "{room} · 请不要关闭本页。", en: "{room} · Keep this page open." },
  noLesson: { zh: "现在没有课", en: "No lesson is on now" },
  noLessonLead: { zh: "有课时会自动进入等候。", en: "You will wait at its door by itself when one opens." },
  someWait: { zh: "{count} 位客人在等候", en: "{count} waiting at the door" },
  inside: { zh: "客人", en: "Guests" },
  letIn: { zh: "让进来", en: "Let in" },
  refuse: { zh: "谢绝", en: "Refuse" },
  sendOut: { zh: "请离开", en: "Send out" },
  link: { zh: "邀请客人听课", en: "Invite guests" },
  linkLead: { zh: "客人点开链接，写上姓名，由您让进来；只能听这间教室的课，没有回看和下载。", en: "Who opens the link gives a name and you let them in: to this room’s lessons only, without replay or download." },
  forWhom: { zh: "邀请谁", en: "For whom" },
  hours: { zh: "有效（小时）", en: "Good for (hours)" },
  make: { zh: "生成邀请链接", en: "Make a guest’s link" },
  good: { zh: "{label} · {time} 前有效", en: "{label} · good until {time}" },
  nobody: { zh: "未注明", en: "nobody named" },
  revoke: { zh: "收回", en: "Revoke" },
});

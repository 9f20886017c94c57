import { sentences } from "../define";

/** `Notice.id` of the server. */
export const notice = sentences({
  bell_soon: { zh: "还有 {minutes} 分钟下课", en: "{minutes} min to the bell" },
  bell: { zh: "下课铃响了，{seconds} 秒后结束", en: "The bell rang: {seconds} s to go" },
  extended: { zh: "延长 {minutes} 分钟", en: "{minutes} minutes more" },
  ended: { zh: "下课了", en: "The lesson has ended" },
  main_away: { zh: "老师的线路断了，请稍等", en: "The teacher’s line is away, please stay" },
  main_back: { zh: "老师回来了", en: "The teacher is back" },
});

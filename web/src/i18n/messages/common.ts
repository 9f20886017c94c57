import { sentences } from "../define";

export const common = sentences({
  product: { zh: "联课", en: "Lianke" },
  otherLanguage: { zh: "English", en: "中文" },
  cancel: { zh: "取消", en: "Cancel" },
  close: { zh: "关闭", en: "Close" },
  back: { zh: "返回", en: "Back" },
  again: { zh: "再试一次", en: "Try again" },
  loading: { zh: "正在读取…", en: "Loading…" },
  seconds: { zh: "{n} 秒", en: "{n} s" },
  minutes: { zh: "{n} 分钟", en: "{n} min" },
  lineAway: { zh: "与服务器的连接断了，{n} 秒后再试", en: "No line to the server, trying again in {n} s" },
  tryingNow: { zh: "正在重新连接…", en: "Connecting again…" },
  serverAway: {
    zh: "服务器没有回应。请检查网线，页面会自己再试。",
    en: "The server does not answer. Check the cable; the page tries again by itself.",
  },
});

import { sentences } from "../define";

export const common = sentences({
  and: { zh: "、", en: ", " },
  product: { zh: "联课", en: "Lianke" },
  otherLanguage: { zh: "English", en: "中文" },
  cancel: { zh: "取消", en: "Cancel" },
  again: { zh: "再试一次", en: "Try again" },
  loading: { zh: "正在读取…", en: "Loading…" },
});

import { sentences } from "../define";

/** How long recordings are kept. */
export const kept = sentences({
  title: { zh: "保留期限", en: "How long it is kept" },
  titleMany: { zh: "{n} 节课的保留期限", en: "How long they are kept ({n})" },
  as: { zh: "类别", en: "Class" },
  as_ordinary: { zh: "常态课", en: "Everyday lesson" },
  as_model: { zh: "精品课", en: "Model lesson" },
  as_trial: { zh: "试录", en: "Trial" },
  asIs: { zh: "保持不变", en: "As it is" },
  choice: { zh: "{what}：{days} 天", en: "{what}: {days} days" },
  choiceForEver: { zh: "{what}：永久", en: "{what}: for ever" },
  until: { zh: "{date} 到期，录像和由它制作的一切都会删除。", en: "On {date} it is deleted, with all that was made of it." },
  forEver: { zh: "永久保留。", en: "It is kept for ever." },
  held: { zh: "要求保留，到期也不删除：{reason}", en: "Held, never deleted: {reason}" },
  soon: { zh: "{n} 天后到期删除", en: "Deleted in {n} days" },
  over: { zh: "已到期，即将删除", en: "Over: it is deleted soon" },
  reason: { zh: "不许删除的理由", en: "Why it may not be deleted" },
  hold: { zh: "要求保留", en: "Hold it" },
  release: { zh: "解除保留", en: "Release it" },
  holdMany: { zh: "要求保留（写明理由）", en: "Hold them (say why)" },
  releaseMany: { zh: "解除保留", en: "Release them" },
  holdAsIs: { zh: "保留要求不变", en: "Holds stay as they are" },
  save: { zh: "保存", en: "Save" },
  keep: { zh: "保留期限", en: "Keeping" },
});

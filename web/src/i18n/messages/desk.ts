import { sentences } from "../define";

export const desk = sentences({
  title: { zh: "desk", en: "desk" },
});

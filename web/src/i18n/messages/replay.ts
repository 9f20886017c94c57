import { sentences } from "../define";

export const replay = sentences({
  title: { zh: "回放", en: "Replay" },
});

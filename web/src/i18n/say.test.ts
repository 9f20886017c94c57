import { beforeEach, describe, expect, it } from "vitest";

import type { Words } from "@/protocol/messages";

import { messages } from "./messages";
import { inWords, isKey, language, say } from "./say";

const all: [string, Words][] = Object.entries(messages).flatMap(([page, sentences]) =>
  Object.entries<Words>(sentences).map(([name, words]): [string, Words] => [`${page}.${name}`, words]),
);

function valuesOf(sentence: string): string[] {
  return [...sentence.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "").sort();
}

beforeEach(() => {
  language.value = "zh";
});

describe("the sentences", () => {
  it("are there in both languages", () => {
    expect(all.filter(([, words]) => words.zh.trim() === "" || words.en.trim() === "").map(([key]) => key)).toEqual([]);
  });

  it("name the same values in both languages", () => {
    const differing = all.filter(([, { zh, en }]) => valuesOf(zh).join() !== valuesOf(en).join());
    expect(differing.map(([key]) => key)).toEqual([]);
  });

  it("are Chinese where they should be", () => {
    const chinese = /[\u4e00-\u9fff]/;
    const exempt = new Set(["common.otherLanguage"]); // it is written in the other one
    const wrong = all.filter(
      ([key, { zh, en }]) => !exempt.has(key) && (chinese.test(en) || (/[a-z]{2}/i.test(zh.replace(/\{\w+\}/g, "")) && !chinese.test(zh))),
    );
    expect(wrong.map(([key]) => key)).toEqual([]);
  });
});

describe("say", () => {
  it("speaks the page's language and puts the values in", () => {
    expect(say("studio.lineAway", { n: 9 })).toBe("正在重连，9 秒");
    language.value = "en";
    expect(say("studio.lineAway", { n: 9 })).toBe("Trying again, 9 s");
  });

  it("knows which ids of the server it has a sentence for", () => {
    expect(isKey("notice.bell_soon")).toBe(true);
    expect(isKey("notice.from_the_future")).toBe(false);
    expect(isKey("nothing")).toBe(false);
  });

  it("says a name in the page's language, and nothing for none", () => {
    expect(inWords({ zh: "罗平教学点", en: "Luoping point" })).toBe("罗平教学点");
    expect(inWords(null)).toBe("");
  });
});

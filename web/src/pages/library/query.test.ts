import { describe, expect, it } from "vitest";

import { addressOf, isFiltered, moved, parametersOf, readQuery } from "./query";

describe("the library's query", () => {
  it("goes into the address and comes back the same", () => {
    const query = readQuery({ q: "我的家", subject: ["英语", "音乐"], state: "ready", from: "2026-09-01", page: "3" });
    expect(query.facets.subject).toEqual(["英语", "音乐"]);
    expect(readQuery(addressOf(query))).toEqual(query);
  });

  it("leaves out what goes without saying", () => {
    expect(addressOf(readQuery({}))).toEqual({});
    expect(addressOf(readQuery({ page: "x", sort: "newest", q: [null] }))).toEqual({});
  });

  it("shows a series in its order unless told otherwise", () => {
    expect(readQuery({ series: "s1" }).sort).toBe("series");
    expect(parametersOf(readQuery({ series: "s1", sort: "title" })).get("sort")).toBe("title");
  });

  it("knows whether anything is filtered", () => {
    expect(isFiltered(readQuery({ q: "x", sort: "title" }))).toBe(false);
    expect(isFiltered(readQuery({ grade: "三年级" }))).toBe(true);
  });
});

describe("the order of a series", () => {
  it("moves one lesson by one place and stops at the ends", () => {
    expect(moved(["a", "b", "c"], "c", -1)).toEqual(["a", "c", "b"]);
    expect(moved(["a", "b", "c"], "a", -1)).toEqual(["a", "b", "c"]);
    expect(moved(["a", "b", "c"], "b", 1)).toEqual(["a", "c", "b"]);
    expect(moved(["a"], "x", 1)).toEqual(["a"]);
  });
});

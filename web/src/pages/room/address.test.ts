import { describe, expect, it } from "vitest";

import { digitsOf, keepToken, readAddress } from "./address";
import type { Keeper } from "./address";

class Memory implements Keeper {
  readonly items = new Map<string, string>();
  getItem(key: string): string | null {
    return this.items.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.items.set(key, value);
  }
  removeItem(key: string): void {
    this.items.delete(key);
  }
}

describe("the address of a room's screen", () => {
  it("gives the token once; the bare address knows it ever after, until it is forgotten", () => {
    const memory = new Memory();
    expect(readAddress({ search: "", hash: "" }, memory).token).toBeNull();
    expect(readAddress({ search: "", hash: "#token=abc" }, memory).token).toBe("abc");
    expect(readAddress({ search: "?lang=en", hash: "" }, memory)).toMatchObject({ token: "abc", volume: 1 });
    keepToken(memory, null);
    expect(readAddress({ search: "", hash: "" }, memory).token).toBeNull();
  });

  it("of the sample keeps nothing: three rooms share that browser", () => {
    const memory = new Memory();
    const address = readAddress({ search: "", hash: "#token=abc&sample=1&volume=0" }, memory);
    expect(address).toMatchObject({ token: "abc", sample: true, volume: 0, keeper: null });
    expect(memory.items.size).toBe(0);
  });

  it("takes the language from query or fragment, the fragment first", () => {
    const both = readAddress({ search: "?lang=en", hash: "#lang=zh" }, null);
    expect(both.parameters.get("lang")).toBe("zh");
    expect(readAddress({ search: "?lang=en", hash: "" }, null).parameters.get("lang")).toBe("en");
  });

  it("works with storage that throws", () => {
    const broken: Keeper = {
      getItem: () => {
        throw new Error("forbidden");
      },
      setItem: () => {
        throw new Error("full");
      },
      removeItem: () => undefined,
    };
    expect(readAddress({ search: "", hash: "#token=abc" }, broken).token).toBe("abc");
    expect(readAddress({ search: "", hash: "" }, broken).token).toBeNull();
  });

  it("forgives spaces, dashes and full-width digits in a code", () => {
    expect(digitsOf("１２３ 4-5６7")).toBe("123456");
    expect(digitsOf("abc")).toBe("");
  });
});

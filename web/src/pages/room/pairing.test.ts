import { describe, expect, it } from "vitest";

import { CampusProblem } from "@/api/campus";
import type { Pairing } from "@/protocol/messages";

import type { KeptDevice } from "./device-key";
import { PairingWalk } from "./pairing";
import type { PairingPorts } from "./pairing";

const KEYS = {} as CryptoKeyPair;
const LAUNCH = { device: "D1", secret: "s" };
const gone = new CampusProblem(404, "not_found", { zh: "", en: "" });
const away = new CampusProblem(0, "no_answer", { zh: "", en: "" });

function pairing(token: string): Pairing {
  return { pairing: "p", code: "123456", expires_at: 0, device: token && "D2", token };
}

/** `said`: what campus answers, one by one; an error is thrown. */
function ports(kept: KeptDevice | null, said: unknown[]): { log: string[]; ports: PairingPorts } {
  const log: string[] = [];
  const next = async <T>(name: string): Promise<T> => {
    log.push(name);
    const answer = await Promise.resolve(said.shift());
    if (answer instanceof Error) throw answer;
    return answer as T;
  };
  return {
    log,
    ports: {
      kept: () => Promise.resolve(kept),
      keep: ({ device }) => Promise.resolve(log.push(`keep ${device}`) > 0),
      forget: () => Promise.resolve(void log.push("forget")),
      newKeys: () => Promise.resolve(KEYS),
      publicPoint: () => Promise.resolve("k"),
      open: () => next("open"),
      look: () => next("look"),
      restore: () => next("restore"),
      wait: () => Promise.resolve(),
    },
  };
}

describe("how a screen becomes a room", () => {
  it("is the device it kept", async () => {
    const { log, ports: with_ } = ports({ device: "D1", token: "t", keys: KEYS }, []);
    expect((await new PairingWalk(with_, LAUNCH, () => undefined).device())?.token).toBe("t");
    expect(log).toEqual([]);
  });

  it("shows digits until they were entered, and new ones when they are over", async () => {
    const shown: string[] = [];
    const { log, ports: with_ } = ports(null, [pairing(""), away, pairing(""), gone, pairing(""), pairing("t2")]);
    const walk = new PairingWalk(with_, null, ({ code, problem }) => shown.push(problem === null ? code : "?"));
    expect((await walk.device())?.device).toBe("D2");
    expect(log).toEqual(["open", "look", "look", "look", "open", "look", "keep D2"]);
    expect(shown).toEqual(["123456", "?", "123456", "123456"]);
  });

  it("comes back by its launcher after a wipe, waiting for a server that is away", async () => {
    const { log, ports: with_ } = ports(null, [away, { device: "D1", token: "t3" }]);
    expect((await new PairingWalk(with_, LAUNCH, () => undefined).device())?.token).toBe("t3");
    expect(log).toEqual(["restore", "restore", "keep D1"]);
  });

  it("asks for digits where its launcher is over, and restores once a page only", async () => {
    const { log, ports: with_ } = ports(null, [{ device: "D1", token: "t" }, pairing("t2")]);
    const walk = new PairingWalk(with_, LAUNCH, () => undefined);
    await walk.device();
    expect((await walk.device(true))?.token).toBe("t2");
    expect(log).toEqual(["restore", "keep D1", "forget", "open", "keep D2"]);
    const over = ports(null, [gone, pairing("t4")]);
    expect((await new PairingWalk(over.ports, LAUNCH, () => undefined).device())?.token).toBe("t4");
  });

  it("leaves its kept device for the one its launcher names", async () => {
    const { ports: with_ } = ports({ device: "D9", token: "t", keys: KEYS }, [{ device: "D1", token: "t5" }]);
    expect((await new PairingWalk(with_, LAUNCH, () => undefined).device())?.device).toBe("D1");
  });
});

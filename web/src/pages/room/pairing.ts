/**
 * How this screen becomes a room: the key it kept, else the launcher's secret, else six digits on the screen
 * until somebody enters them on the rooms' page. It never ends but by success or `stop`.
 */
import { CampusProblem } from "@/api/campus";
import type { DeviceToken, Pairing, Words } from "@/protocol/messages";

import type { Launch } from "./address";
import type { KeptDevice } from "./device-key";

export interface PairingPorts {
  kept(): Promise<KeptDevice | null>;
  keep(kept: KeptDevice): Promise<boolean>;
  forget(): Promise<void>;
  newKeys(): Promise<CryptoKeyPair>;
  publicPoint(keys: CryptoKeyPair): Promise<string>;
  open(key: string): Promise<Pairing>;
  look(pairing: string): Promise<Pairing>;
  restore(device: string, secret: string, key: string): Promise<DeviceToken>;
  wait(ms: number): Promise<void>;
}

export interface PairingView {
  /** The digits to show; "" while there are none. */
  code: string;
  problem: Words | null;
}

const LOOK_EVERY_MS = 2_000;
const AGAIN_AFTER_MS = 5_000;
const GONE = new Set([401, 403, 404]);

export class PairingWalk {
  private stopped = false;
  private restored = false;

  constructor(
    private readonly ports: PairingPorts,
    private readonly launch: Launch | null,
    private readonly show: (view: PairingView) => void,
  ) {}

  stop(): void {
    this.stopped = true;
  }

  /** The device this browser is; null after `stop`. `refused`: campus does not take what was kept. */
  async device(refused = false): Promise<KeptDevice | null> {
    if (refused) await this.ports.forget();
    const kept = refused ? null : await this.ports.kept();
    if (kept !== null && (this.launch === null || this.launch.device === kept.device)) return kept;
    const keys = await this.ports.newKeys();
    const key = await this.ports.publicPoint(keys);
    return (await this.restore(keys, key)) ?? (await this.pair(keys, key));
  }

  /** Once a page: two machines with one launcher would else take the room from each other for ever. */
  private async restore(keys: CryptoKeyPair, key: string): Promise<KeptDevice | null> {
    const { launch } = this;
    while (launch !== null && !this.restored && !this.stopped) {
      try {
        const { device, token } = await this.ports.restore(launch.device, launch.secret, key);
        this.restored = true;
        return await this.keep({ device, token, keys });
      } catch (problem) {
        if (!(problem instanceof CampusProblem)) throw problem;
        if (GONE.has(problem.status)) return null; // revoked, or an old launcher: pair anew
        await this.ports.wait(AGAIN_AFTER_MS);
      }
    }
    return null;
  }

  private async pair(keys: CryptoKeyPair, key: string): Promise<KeptDevice | null> {
    let pairing: Pairing | null = null;
    while (!this.stopped) {
      try {
        pairing = pairing === null ? await this.ports.open(key) : await this.ports.look(pairing.pairing);
        if (pairing.token !== "") return await this.keep({ device: pairing.device, token: pairing.token, keys });
        this.show({ code: pairing.code, problem: null });
        await this.ports.wait(LOOK_EVERY_MS);
      } catch (problem) {
        if (!(problem instanceof CampusProblem)) throw problem;
        if (pairing !== null && GONE.has(problem.status)) {
          pairing = null; // the digits are over: the next ones
          continue;
        }
        this.show({ code: pairing?.code ?? "", problem: problem.words });
        await this.ports.wait(AGAIN_AFTER_MS);
      }
    }
    return null;
  }

  private async keep(kept: KeptDevice): Promise<KeptDevice> {
    await this.ports.keep(kept);
    return kept;
  }
}

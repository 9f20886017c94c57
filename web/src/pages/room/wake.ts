/** Keeps the screen from sleeping during a lesson, where the browser can. */

interface Lock {
  release(): Promise<void>;
}
interface Wakeful {
  wakeLock?: { request(kind: "screen"): Promise<Lock> };
}

export class Wake {
  private lock: Lock | null = null;
  private wanted = false;

  async hold(wanted: boolean): Promise<void> {
    this.wanted = wanted;
    if (!wanted) {
      await this.lock?.release();
      this.lock = null;
      return;
    }
    const source = (navigator as unknown as Wakeful).wakeLock;
    // Refused on low battery or in a hidden page: the panel's own settings must do then.
    const lock = await source?.request("screen").catch(() => null);
    this.lock = lock ?? null;
    if (!this.wanted) await this.hold(false);
  }
}

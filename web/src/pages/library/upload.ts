/**
 * Sends a file in pieces, goes on from the byte campus wants next, waits while the line is away; the same file
 * chosen again after the page was closed goes on where it stopped.
 */
import { CampusProblem, problemOf } from "@/api/campus";
import { library } from "@/api/library";
import type { Upload } from "@/protocol/messages";
import { pass } from "@/state/fragment";

const PIECE = 1 << 20;
const AGAIN_MS = 3000;
const LOOK_MS = 700;

export interface SenderHost {
  onUpload(upload: Upload): void;
  /** The line is away; it is tried again. */
  onWaiting(on: boolean): void;
}

const KEPT = "lianke.upload";

interface Kept {
  file: string;
  upload: string;
}

const printOf = (file: File): string => `${file.name} ${file.size} ${file.lastModified}`;

function keep(kept: Kept | null): void {
  try {
    if (kept === null) localStorage.removeItem(KEPT);
    else localStorage.setItem(KEPT, JSON.stringify(kept));
  } catch {
    // a browser that keeps nothing begins anew after its next start
  }
}

/** What campus has of this file from an earlier page; null where that is nothing. */
export async function begunBefore(file: File): Promise<Upload | null> {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? "null") as Kept | null;
    if (kept === null || kept.file !== printOf(file)) return null;
    const upload = await library.upload(kept.upload);
    return upload.state === "receiving" && upload.bytes === file.size && upload.received > 0 ? upload : null;
  } catch {
    return null;
  }
}

export class Sender {
  private stopped = false;

  constructor(
    private readonly file: File,
    private readonly host: SenderHost,
  ) {}

  stop(): void {
    this.stopped = true;
  }

  /** Until the film is in the library or refused. CampusProblem where it cannot begin or go on. */
  async send(title: string, room: string): Promise<void> {
    let now = (await begunBefore(this.file)) ?? (await library.startUpload({ title, room, bytes: this.file.size }));
    keep({ file: printOf(this.file), upload: now.upload });
    while (!this.stopped && (now.state === "receiving" || now.state === "reading")) {
      this.host.onUpload(now);
      now = await this.step(now);
    }
    if (this.stopped) return;
    keep(null);
    this.host.onUpload(now);
  }

  private async step(now: Upload): Promise<Upload> {
    try {
      if (now.state === "reading") {
        await wait(LOOK_MS);
        return await library.upload(now.upload);
      }
      const after = await this.piece(now);
      this.host.onWaiting(false);
      return after;
    } catch (error) {
      const away = error instanceof TypeError || (error instanceof CampusProblem && (error.status === 0 || error.status >= 500));
      if (!away) throw error;
      this.host.onWaiting(true);
      await wait(AGAIN_MS);
      return await library.upload(now.upload).catch(() => now);
    }
  }

  private async piece(now: Upload): Promise<Upload> {
    const token = pass();
    const response = await fetch(`/api/v1/uploads/${now.upload}`, {
      method: "PATCH",
      credentials: "same-origin",
      headers: { "upload-offset": String(now.received), ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
      body: this.file.slice(now.received, now.received + PIECE),
    });
    if (response.ok || response.status === 409) return (await response.json()) as Upload;
    throw await problemOf(response);
  }
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * The messages between the first screen and the pages it shows in frames (sample lesson only).
 *
 * Down: commands. Up: facts as they come. Both only within one origin, and a page listens only when its
 * address says `sample=1`.
 */

/** What the first screen tells a frame. `unplug` cuts everything at once, `plug` lets it come back. */
export type Command = "unplug" | "plug" | "hand";

export type Fact =
  | { kind: "joined"; seconds: number } // from having something to see (lesson on air, session on) to its first picture
  | { kind: "delay"; ms: number } // a picture's age when shown, median of the last seconds
  | { kind: "cut"; seconds: number } // from the last picture before the cut to the first after it
  | { kind: "unplugged"; on: boolean }
  | { kind: "hand"; up: boolean }
  | { kind: "lesson"; state: string; called: string | null; replayUrl: string | null; replayAfterMs: number | null };

const SAMPLE_COMMAND = "lianke.sample.command";
const SAMPLE_FACT = "lianke.sample.fact";

/** In a framed page: hear the first screen's commands. Returns the way to stop. */
export function onCommand(sample: boolean, hear: (command: Command) => void): () => void {
  if (!sample || window.parent === window) return () => undefined;
  const listen = (event: MessageEvent<{ type?: unknown; command?: unknown }>): void => {
    if (event.origin !== location.origin || event.source !== window.parent) return;
    const { type, command } = event.data;
    if (type !== SAMPLE_COMMAND) return;
    if (command === "unplug" || command === "plug" || command === "hand") hear(command);
  };
  window.addEventListener("message", listen);
  return () => window.removeEventListener("message", listen);
}

/** In a framed page: tell the first screen. Nothing happens outside a frame. */
export function tellFact(sample: boolean, fact: Fact): void {
  if (sample && window.parent !== window) window.parent.postMessage({ type: SAMPLE_FACT, fact }, location.origin);
}

/** On the first screen: command one frame. */
export function command(frame: HTMLIFrameElement, what: Command): void {
  frame.contentWindow?.postMessage({ type: SAMPLE_COMMAND, command: what }, location.origin);
}

/** On the first screen: hear the frames. `whose` finds the frame of an event's source. */
export function onFact(hear: (source: MessageEventSource | null, fact: Fact) => void): () => void {
  const listen = (event: MessageEvent<{ type?: unknown; fact?: Fact }>): void => {
    if (event.origin !== location.origin || event.data.type !== SAMPLE_FACT) return;
    if (event.data.fact !== undefined) hear(event.source, event.data.fact);
  };
  window.addEventListener("message", listen);
  return () => window.removeEventListener("message", listen);
}

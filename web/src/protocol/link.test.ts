import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { Link, socketUrl } from "./link";
import type { Socket } from "./link";
import type { FromServer, Welcome } from "./messages";

class FakeSocket implements Socket {
  onopen: Socket["onopen"] = null;
  onmessage: Socket["onmessage"] = null;
  onclose: Socket["onclose"] = null;
  onerror: Socket["onerror"] = null;
  readonly sent: { type: string }[] = [];
  closed = false;

  send(text: string): void {
    this.sent.push(JSON.parse(text) as { type: string });
  }
  close(): void {
    this.closed = true;
  }
  hear(message: FromServer): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

const WELCOME: Welcome = {
  type: "welcome",
  session: "s1",
  role: "room",
  room: "shahe",
  name: { zh: "沙河", en: "Shahe" },
  now: 1_800_000_000_000,
  resumed: false,
  keep_up: false,
  keep_down: false,
  ice_servers: [],
  seat: "",
  version: 1,
};

function link() {
  const sockets: FakeSocket[] = [];
  const heard: FromServer[] = [];
  const states: string[] = [];
  const one = new Link({
    token: "t",
    language: "zh",
    browser: "test",
    alive: () => ({ up: null, down: null }),
    onMessage: (message) => heard.push(message),
    onState: (state) => states.push(state),
    open: () => {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
  });
  const greet = (socket: FakeSocket | undefined): void => {
    socket?.onopen?.(undefined as never);
    socket?.hear(WELCOME);
  };
  return { one, sockets, heard, states, greet };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a link", () => {
  it("tells each change of state once and passes the server's words on", () => {
    const { one, sockets, heard, states, greet } = link();
    one.start();
    greet(sockets[0]);
    expect(states).toEqual(["connecting", "greeting", "on"]);
    expect(heard).toEqual([WELCOME]);
    expect(sockets[0]?.sent.map(({ type }) => type)).toEqual(["hello", "ping"]);
  });

  it("opens again by itself after its socket closed, and hears nothing of the old one", () => {
    const { one, sockets, heard, greet } = link();
    one.start();
    greet(sockets[0]);
    sockets[0]?.onclose?.({ code: 1006 });
    expect(one.send({ type: "hand", up: true })).toBe(false);
    vi.advanceTimersByTime(10_000);
    expect(sockets.length).toBeGreaterThan(1);
    const before = heard.length;
    sockets[0]?.hear(WELCOME);
    expect(heard.length).toBe(before);
  });

  it("opens nothing any more once it is stopped", () => {
    const { one, sockets, greet } = link();
    one.start();
    greet(sockets[0]);
    one.stop();
    expect(sockets[0]?.closed).toBe(true);
    sockets[0]?.onclose?.({ code: 1000 });
    vi.advanceTimersByTime(60_000);
    expect(sockets.length).toBe(1);
  });

  it("gives a silent line up and tries another", () => {
    const { one, sockets, greet } = link();
    one.start();
    greet(sockets[0]);
    vi.advanceTimersByTime(12_000);
    expect(sockets[0]?.closed).toBe(true);
    expect(sockets.length).toBeGreaterThan(1);
  });

  it("uses the page's own host, secure where the page is", () => {
    expect(socketUrl({ protocol: "https:", host: "a.cn" })).toBe("wss://a.cn/ws");
    expect(socketUrl({ protocol: "http:", host: "localhost:8080" })).toBe("ws://localhost:8080/ws");
  });
});

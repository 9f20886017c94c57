/**
 * The key that makes this browser a room: P-256, made here, not extractable, kept in IndexedDB beside the
 * device's token. A wiped profile has lost it; the launcher's secret then brings a new one.
 */
const DATABASE = "lianke";
const STORE = "device";
const OWN = "own";
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };

export interface KeptDevice {
  device: string;
  token: string;
  keys: CryptoKeyPair;
}

/** Keys exist on HTTPS and on localhost only. */
export function keysAreThere(): boolean {
  return typeof crypto !== "undefined" && (crypto.subtle as SubtleCrypto | undefined) !== undefined;
}

export function newKeys(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, false, ["sign", "verify"]);
}

/** The public point as campus wants it: 65 octets, base64url. */
export async function publicPoint(keys: CryptoKeyPair): Promise<string> {
  return base64url(await crypto.subtle.exportKey("raw", keys.publicKey));
}

/** The answer to a challenge (docs/protocol.md). */
export async function proofOf(keys: CryptoKeyPair, device: string, nonce: string): Promise<string> {
  const text = new TextEncoder().encode(`lianke device v1\n${device}\n${nonce}`);
  return base64url(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, keys.privateKey, text));
}

export function base64url(octets: ArrayBuffer): string {
  let text = "";
  new Uint8Array(octets).forEach((octet) => (text += String.fromCharCode(octet)));
  return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** What this browser keeps of its device; null where it keeps nothing, or may not. */
export async function keptDevice(): Promise<KeptDevice | null> {
  const found = await ask<KeptDevice | undefined>("readonly", (store) => store.get(OWN) as IDBRequest<KeptDevice | undefined>);
  return found ?? null;
}

/** False where this browser keeps nothing: the next start needs the launcher again. */
export async function keepDevice(kept: KeptDevice): Promise<boolean> {
  return (await ask("readwrite", (store) => store.put(kept, OWN))) !== null;
}

export async function forgetDevice(): Promise<void> {
  await ask("readwrite", (store) => store.delete(OWN));
}

/** One request; null where the browser has no IndexedDB for us. */
async function ask<T>(mode: IDBTransactionMode, request: (store: IDBObjectStore) => IDBRequest<T>): Promise<T | null> {
  try {
    const database = await settled(opening());
    try {
      return await settled(request(database.transaction(STORE, mode).objectStore(STORE)));
    } finally {
      database.close();
    }
  } catch {
    return null; // forbidden, full or broken: the page goes on without
  }
}

function opening(): IDBOpenDBRequest {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return request;
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((done, failed) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error ?? new Error("IndexedDB"));
  });
}

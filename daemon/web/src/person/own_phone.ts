// The key of this phone: made once in the inspector's presence, kept by the browser, never exported. A browser that
// keeps nothing (private window, cleared storage) has none, and the check-in runs all the same.

export interface OwnPhone { device: number; key: CryptoKey }

const BASE = "checkind";
const SHELF = "own";
const PLACE = "phone";
const CURVE = { name: "ECDSA", namedCurve: "P-256" };

function request<T>(wanted: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    wanted.onsuccess = () => resolve(wanted.result);
    wanted.onerror = () => reject(wanted.error);
  });
}

async function shelf<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const opening = indexedDB.open(BASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(SHELF);
  const base = await request(opening);
  try {
    return await request(work(base.transaction(SHELF, mode).objectStore(SHELF)));
  } finally {
    base.close();
  }
}

export function base64url(bytes: ArrayBuffer): string {
  let text = "";
  new Uint8Array(bytes).forEach((byte) => (text += String.fromCharCode(byte)));
  return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

export async function ownPhone(): Promise<OwnPhone | null> {
  try {
    return (await shelf<OwnPhone | undefined>("readonly", (store) => store.get(PLACE))) || null;
  } catch {
    return null;
  }
}

// `enrol` gives the public half to the server and comes back with its number.
export async function makeOwnPhone(enrol: (publicKey: string) => Promise<number>): Promise<OwnPhone> {
  const pair = (await crypto.subtle.generateKey(CURVE, false, ["sign", "verify"])) as CryptoKeyPair;
  const device = await enrol(base64url(await crypto.subtle.exportKey("raw", pair.publicKey)));
  const own = { device, key: pair.privateKey };
  await shelf("readwrite", (store) => store.put(own, PLACE));
  return own;
}

export async function sign(own: OwnPhone, text: string): Promise<string> {
  return base64url(await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, own.key, new TextEncoder().encode(text)));
}

// What the browser remembers, where it remembers at all: private windows and full phones throw.
export function recall(key: string): string | null {
  try {
    return localStorage.getItem("checkind." + key);
  } catch {
    return null;
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem("checkind." + key, value);
  } catch {
    // Nothing depends on it.
  }
}

// A name of a message that no other message has.
export function newId(): string {
  const bytes = new Uint8Array(12);
  crypto.getRandomValues(bytes);
  return Array.from(bytes, (byte) => (byte < 16 ? "0" : "") + byte.toString(16)).join("");
}

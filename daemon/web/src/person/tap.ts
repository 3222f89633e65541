// The tap on the link. A link opens once, but its answer may be lost on a bad network, and a messenger's own browser may
// turn out to be unable to call: the page has a key of its own, sends it with the link, and whoever comes again with both
// is let in. In the address of another browser the key stands behind the "#", which no server sees.
import { newId } from "../ui/memory";

const SHELF = "checkind.tap";
const KEY = /^#?([0-9a-f]{24})$/;

function kept(): string | null {
  try {
    return sessionStorage.getItem(SHELF);
  } catch {
    return null;
  }
}

function keep(key: string): void {
  try {
    sessionStorage.setItem(SHELF, key);
  } catch {
    // As long as the page is open it has it all the same.
  }
}

export function tapKey(hash: string): string {
  const given = KEY.exec(hash) || KEY.exec(kept() || "");
  const key = given ? given[1]! : newId();
  keep(key);
  return key;
}

// Where another browser of the same phone goes on.
export function linkPath(token: string, key: string): string {
  return `/c/${token}#${key}`;
}

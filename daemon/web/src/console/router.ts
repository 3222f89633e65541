// Hash routes: "#/incidents/12?tab=line". The server knows one page; everything after # stays in the browser.
import { useEffect, useState } from "preact/hooks";

export interface Route {
  area: string; // first part, "" at the start
  id: string; // second part
  sub: string; // third part
  search: Record<string, string>;
}

export function parseRoute(hash: string): Route {
  const [path = "", search = ""] = hash.replace(/^#?\/?/, "").split("?");
  const [area = "", id = "", sub = ""] = path.split("/").map(decodePart);
  const members: Record<string, string> = {};
  for (const pair of search.split("&")) {
    const [name = "", value = ""] = pair.split("=").map(decodePart);
    if (name) members[name] = value;
  }
  return { area, id, sub, search: members };
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function go(path: string, replace = false): void {
  if (replace) location.replace("#/" + path);
  else location.hash = "#/" + path;
}

export function useRoute(): Route {
  const [route, setRoute] = useState(parseRoute(location.hash));
  useEffect(() => {
    const onChange = (): void => setRoute(parseRoute(location.hash));
    window.addEventListener("hashchange", onChange);
    return () => window.removeEventListener("hashchange", onChange);
  }, []);
  return route;
}

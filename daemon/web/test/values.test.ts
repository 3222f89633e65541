// The small pure parts: threads, steady lists, recurrences, routes, reasons of a missing camera, proofs.
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Message } from "../src/api/types";
import { steady } from "../src/console/load";
import { bytesOf, includes, leafHash } from "../src/console/proof";
import { demandOf, parseRecurrence, recurrenceRule, rhythmFor } from "../src/console/recurrence";
import { parseRoute } from "../src/console/router";
import { browserFamily, problemOf } from "../src/rtc/devices";
import { EMPTY_THREAD, newestFrom, withDraft, withMessages, withPage, withReceipt, withWay } from "../src/ui/thread_model";

const message = (id: number, change: Partial<Message> = {}): Message => ({ id, client_id: "c" + id, from: "staff", author: "A", text: "t" + id, sent: "2026-11-21T14:00:00Z", delivered: null, read: null, ...change });

describe("a thread", () => {
  test("keeps order and holds each message once", () => {
    let thread = withPage(EMPTY_THREAD, { messages: [message(3), message(4)], next: 3 });
    thread = withMessages(thread, [message(4), message(2)]);
    expect(thread.items.map((item) => item.id)).toEqual([2, 3, 4]);
    expect(thread.more).toBe(3);
  });
  test("joins an own message with its echo, in either order of answer and push", () => {
    const [draft, client_id] = withDraft(EMPTY_THREAD, "person", "", "hello", "2026-11-21T14:00:00Z");
    expect(draft.items[0]!.way).toBe("sending");
    const echo = message(9, { client_id, from: "person", text: "hello" });
    const once = withMessages(withMessages(draft, [echo]), [echo]);
    expect(once.items).toHaveLength(1);
    expect(once.items[0]!.way).toBeNull();
  });
  test("shows what failed at the end until it is sent", () => {
    const [draft, client_id] = withDraft(withMessages(EMPTY_THREAD, [message(5)]), "person", "", "x", "2026-11-21T14:00:00Z");
    const failed = withMessages(withWay(draft, client_id, "failed"), [message(6)]);
    expect(failed.items.map((item) => item.way)).toEqual([null, null, "failed"]);
  });
  test("receipts mark only what the other side can have seen", () => {
    const thread = withMessages(EMPTY_THREAD, [message(1, { from: "person" }), message(2), message(3, { from: "person" })]);
    const delivered = withReceipt(thread, "person", "delivered", 3, "D");
    const read = withReceipt(delivered, "person", "read", 1, "R");
    expect(read.items.map((item) => [item.delivered, item.read])).toEqual([["D", "R"], [null, null], ["D", null]]);
    expect(newestFrom(read, "staff")).toBe(2);
  });
});

describe("a steady list", () => {
  const key = (row: { id: number; v?: string }): number => row.id;
  test("takes everything the first time", () => {
    expect(steady([], [{ id: 1 }, { id: 2 }], key, false).shown.map((entry) => entry.row.id)).toEqual([1, 2]);
  });
  test("keeps places, renews content, lets new rows wait", () => {
    const first = steady([], [{ id: 1, v: "a" }, { id: 2, v: "b" }], key, false).shown;
    const next = steady(first, [{ id: 3, v: "c" }, { id: 2, v: "B" }], key, false);
    expect(next.shown).toEqual([{ row: { id: 1, v: "a" }, gone: true }, { row: { id: 2, v: "B" }, gone: false }]);
    expect(next.waiting).toBe(1);
    expect(steady(next.shown, [{ id: 3 }, { id: 2 }], key, true)).toEqual({ shown: [{ row: { id: 3 }, gone: false }, { row: { id: 2 }, gone: false }], waiting: 0 });
  });
});

describe("recurrence", () => {
  test.each(["FREQ=DAILY", "FREQ=DAILY;INTERVAL=3", "FREQ=WEEKLY;BYDAY=MO,TH", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU", "FREQ=DAILY;COUNT=3", "FREQ=MONTHLY;BYDAY=-1FR", "FREQ=MONTHLY;BYMONTHDAY=-1;UNTIL=20261231"])("%s survives the form", (rule) => {
    expect(recurrenceRule(parseRecurrence(rule)!)).toBe(rule);
  });
  test.each(["FREQ=MONTHLY", "FREQ=WEEKLY", "FREQ=WEEKLY;BYDAY=1MO", "FREQ=YEARLY", "FREQ=DAILY;COUNT=99999", "FREQ=MONTHLY;BYMONTHDAY=32", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;INTERVAL=99", ""])("%s is more than the form can show", (rule) => {
    expect(parseRecurrence(rule)).toBeNull();
  });
  test("weekdays are in the order of the week", () => expect(recurrenceRule({ kind: "weekly", interval: 1, days: ["TH", "MO"] })).toBe("FREQ=WEEKLY;BYDAY=MO,TH"));
});

test("routes", () => {
  expect(parseRoute("#/incidents/12?tab=a%20b&x=")).toEqual({ area: "incidents", id: "12", sub: "", search: { tab: "a b", x: "" } });
  expect(parseRoute("")).toEqual({ area: "", id: "", sub: "", search: {} });
  expect(parseRoute("#/persons/%zz").id).toBe("%zz");
});

describe("why there is no camera", () => {
  test.each([
    ["NotAllowedError", "Permission denied", "denied"], ["NotAllowedError", "Permission denied by system", "denied_system"], ["PermissionDismissedError", "", "denied"], ["SecurityError", "", "denied"],
    ["NotFoundError", "", "no_camera"], ["DevicesNotFoundError", "", "no_camera"], ["OverconstrainedError", "", "no_camera"], ["NotReadableError", "", "in_use"], ["TrackStartError", "", "in_use"], ["AbortError", "", "in_use"], ["TypeError", "", "no_webrtc"],
  ])("%s %s is %s", (name, text, problem) => expect(problemOf({ name, message: text })).toBe(problem));
  test("browser families", () => {
    expect(browserFamily("Mozilla/5.0 (Linux; Android 9; SM-A105F) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/14.0 Chrome/87.0 Mobile Safari/537.36")).toBe("samsung");
    expect(browserFamily("Mozilla/5.0 (Linux; Android 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/70.0 Mobile Safari/537.36")).toBe("chrome");
    expect(browserFamily("Mozilla/5.0 (Android 9; Mobile; rv:68.0) Gecko/68.0 Firefox/68.0")).toBe("firefox");
    expect(browserFamily("Mozilla/5.0 (iPhone; CPU iPhone OS 13_0 like Mac OS X) AppleWebKit/605.1.15 CriOS/90 Mobile Safari/604.1")).toBe("safari");
    expect(browserFamily("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.0 Safari/605.1.15")).toBe("safari");
  });
});

describe("proof of inclusion", () => {
  const sha = (...parts: Uint8Array[]): Buffer => createHash("sha256").update(Buffer.concat(parts)).digest();
  const leaf = (data: Buffer): Buffer => sha(Buffer.from([0]), data);
  const half = (n: number): number => 2 ** Math.floor(Math.log2(n - 1));
  const root = (all: Buffer[]): Buffer => (all.length === 1 ? leaf(all[0]!) : sha(Buffer.from([1]), root(all.slice(0, half(all.length))), root(all.slice(half(all.length)))));
  const path = (index: number, all: Buffer[]): Buffer[] => {
    if (all.length === 1) return [];
    const k = half(all.length);
    return index < k ? [...path(index, all.slice(0, k)), root(all.slice(k))] : [...path(index - k, all.slice(k)), root(all.slice(0, k))];
  };
  test("every entry of logs of every size up to 33 is found, and nothing else", async () => {
    for (let size = 1; size <= 33; size++) {
      const all = Array.from({ length: size }, (_, i) => Buffer.from("entry " + i));
      const top = root(all);
      for (let index = 0; index < size; index++) {
        const hash = await leafHash(all[index]!);
        const way = path(index, all);
        expect(await includes(hash, index, size, way, top)).toBe(true);
        expect(await includes(await leafHash(Buffer.from("other")), index, size, way, top)).toBe(false);
        if (size > 1) {
          expect(await includes(hash, (index + 1) % size, size, way, top)).toBe(false);
          expect(await includes(hash, index, size, way.slice(1), top)).toBe(false);
          expect(await includes(hash, index, size, way.concat(top), top)).toBe(false);
        }
      }
    }
  });
  test("the known root of the empty-leaf tree (RFC 6962 test data of Certificate Transparency)", async () => {
    expect(Buffer.from(await leafHash(new Uint8Array(0))).toString("hex")).toBe("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  });
  test("hashes are read as hex", () => expect(Array.from(bytesOf("00ff10"))).toEqual([0, 255, 16]));
});

describe("a plan begins with what the order demands", () => {
  const rule = (count: number, days: number): string => {
    const { recurrence, perDay } = rhythmFor({ count, days, modes: ["live"], mandatory: true });
    return `${recurrenceRule(recurrence)} x${perDay}`;
  };
  test("so many contacts in so many days, and never more", () => {
    expect(rule(1, 7)).toBe("FREQ=WEEKLY;BYDAY=MO x1");
    expect(rule(3, 7)).toBe("FREQ=WEEKLY;BYDAY=MO,WE,FR x1");
    expect(rule(7, 7)).toBe("FREQ=DAILY x1");
    expect(rule(15, 7)).toBe("FREQ=DAILY x2");
    expect(rule(3, 1)).toBe("FREQ=DAILY x3");
    expect(rule(1, 14)).toBe("FREQ=DAILY;INTERVAL=14 x1");
    expect(rule(2, 15)).toBe("FREQ=DAILY;INTERVAL=8 x1");
    expect(rule(2, 0)).toBe("FREQ=MONTHLY;BYMONTHDAY=1 x1");
    for (let days = 1; days <= 31; days++) {
      for (let count = 1; count <= 40; count++) {
        const { recurrence, perDay } = rhythmFor({ count, days, modes: ["live"], mandatory: true });
        const inWeek = recurrence.kind === "weekly" ? Math.ceil(days / 7 / recurrence.interval) * recurrence.days.length : Math.ceil(days / recurrence.interval);
        expect(inWeek * perDay, `${count} in ${days}`).toBeLessThanOrEqual(count);
      }
    }
  });
  test("by the demand that video can fulfil", () => {
    const visits = { count: 1, days: 7, modes: ["in_person"], mandatory: true };
    const wish = { count: 2, days: 7, modes: ["live"], mandatory: false };
    const duty = { count: 3, days: 7, modes: ["unattended"], mandatory: true };
    expect(demandOf([visits, wish, duty])).toBe(duty);
    expect(demandOf([visits, wish])).toBe(wish);
    expect(demandOf([visits])).toBe(undefined);
  });
});

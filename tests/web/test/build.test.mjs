// What the build made: small enough, and nothing that needs a wider security policy.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { PAGES } from "../stage.mjs";

const KIB = 1024;
const read = (name) => readFileSync(join(PAGES, name), "utf8");
const parts = (html) => Array.from(html.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g), (match) => match[1]);

test("the person's page with its text in three languages crosses the network in less than 100 KiB", () => {
  const files = ["person.html", ...parts(read("person.html"))];
  assert.ok(files.length >= 3, "script and style are found");
  const sent = files.reduce((sum, name) => sum + statSync(join(PAGES, name + ".gz")).size, 0);
  assert.ok(sent < 100 * KIB, `${sent} bytes`);
  assert.ok(sent < 60 * KIB, `${sent} bytes: it was 43 KiB, ask what was added`);
});

test("no page carries inline script or style, or asks another origin for anything", () => {
  for (const name of ["person.html", "console.html"]) {
    const html = read(name);
    assert.doesNotMatch(html, /<script(?![^>]*\bsrc=)[^>]*>/);
    assert.doesNotMatch(html, /<style|\sstyle=|\son[a-z]+=/i);
    for (const part of [name, ...parts(html)]) {
      const addresses = Array.from(read(part).matchAll(/https?:\/\/[^\s"'`)<>\\]+/g), (match) => match[0]).filter((address) => !/^http:\/\/www\.w3\.org\//.test(address));
      assert.deepEqual(addresses, [], part);
      assert.doesNotMatch(read(part), /\beval\(|new Function\(/, part);
    }
  }
});

test("every text file has its compressed twin", () => {
  const visit = (folder) => readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? visit(join(folder, entry.name)) : [join(folder, entry.name)]));
  const files = visit(PAGES).filter((file) => !file.endsWith(".gz"));
  assert.ok(files.length >= 6);
  for (const file of files) assert.deepEqual(gunzipSync(readFileSync(file + ".gz")), readFileSync(file), file);
});

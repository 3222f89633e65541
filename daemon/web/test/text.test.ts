// Every sentence exists in Kazakh, Russian and English, with the same values, and nowhere else than in the catalogues.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { CONSOLE_CATALOGUES } from "../src/text/console";
import { fill, guessLanguage, LANGUAGES, pluralForm } from "../src/text/format";
import { PERSON_CATALOGUES } from "../src/text/person";

const catalogues = { person: PERSON_CATALOGUES, console: CONSOLE_CATALOGUES } as Record<string, Record<string, Record<string, string>>>;

const valuesOf = (sentence: string): string[] => Array.from(new Set(Array.from(sentence.matchAll(/\{([a-z_]+)(\|[^}]*)?\}/g), (match) => match[1]!))).sort();

for (const name of Object.keys(catalogues)) {
  describe(`catalogue of the ${name} page`, () => {
    const { en, ru, kk } = catalogues[name]! as Record<string, Record<string, string>>;
    const keys = Object.keys(en!).sort();
    test("has the same keys in all languages", () => {
      expect(Object.keys(ru!).sort()).toEqual(keys);
      expect(Object.keys(kk!).sort()).toEqual(keys);
    });
    test("has no empty sentence and the same values in all languages", () => {
      for (const key of keys) {
        for (const language of [en!, ru!, kk!]) {
          expect(language[key]!.trim(), key).not.toBe("");
          expect(valuesOf(language[key]!), key).toEqual(valuesOf(en![key]!));
        }
      }
    });
    test("gives a Russian noun three forms and an English one two", () => {
      for (const key of keys) {
        for (const match of ru![key]!.matchAll(/\{[a-z_]+((?:\|[^|}]*)+)\}/g)) expect(match[1]!.split("|").length - 1, key).toBe(3);
        for (const match of en![key]!.matchAll(/\{[a-z_]+((?:\|[^|}]*)+)\}/g)) expect(match[1]!.split("|").length - 1, key).toBe(2);
      }
    });
    test("is really translated", () => {
      const latin = /^[\x00-\x7f–—…“”’№]*$/;
      const words = (sentence: string): string => sentence.replace(/\{[^}]*\}/g, "");
      const kept = (sentence: string): boolean => latin.test(sentence) && /[a-z]/i.test(words(sentence));
      const same = keys.filter((key) => /[a-z]{4}/i.test(words(en![key]!)) && (kept(ru![key]!) || kept(kk![key]!)));
      expect(same.filter((key) => key !== "version")).toEqual([]);
    });
    test("uses no letter of another alphabet inside a word", () => {
      // A Latin "a" in a Cyrillic word looks right and is read aloud wrong.
      const mixed = /[a-z][\u0400-\u052f]|[\u0400-\u052f][a-z]/i;
      for (const key of keys) for (const language of [ru!, kk!]) expect(mixed.test(language[key]!.replace(/\{[a-z_]+/g, "")), `${key}: ${language[key]}`).toBe(false);
    });
  });
}

// Words that no screen of the person may show: the sentences are neutral, and nothing of a victim, score or concern is there.
test("the person's page says nothing of a victim, a score or a concern", () => {
  const never = /victim|score|concern|risk|offender|жертв|потерпевш|балл|опасени|риск|жәбірленуш|қауіп|алаңда/i;
  for (const language of LANGUAGES) {
    for (const [key, sentence] of Object.entries(PERSON_CATALOGUES[language])) expect(never.test(sentence), `${language} ${key}: ${sentence}`).toBe(false);
  }
});

function sources(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? sources(path) : path.endsWith(".tsx") ? [path] : [];
  });
}

const SPOKEN = new Set(["title", "aria-label", "placeholder", "alt", "label", "hint", "submit", "text", "close", "aria-description"]);
const LETTERS = /\p{L}{2,}/u;
const NAMES = new Set(["checkind", "aA", "Enter", "Esc"]);

test("no component carries a sentence of its own", () => {
  const found: string[] = [];
  for (const path of sources(join(__dirname, "../src"))) {
    const file = ts.createSourceFile(path, readFileSync(path, "utf8"), ts.ScriptTarget.Latest, true, ts.ScriptKind.TSX);
    const visit = (node: ts.Node): void => {
      const report = (text: string): void => {
        if (LETTERS.test(text) && !NAMES.has(text.trim())) found.push(`${path}: ${text.trim()}`);
      };
      if (ts.isJsxText(node)) report(node.text);
      if (ts.isJsxAttribute(node) && SPOKEN.has(node.name.getText()) && node.initializer && ts.isStringLiteral(node.initializer)) report(node.initializer.text);
      if (ts.isJsxExpression(node) && node.expression && ts.isStringLiteral(node.expression) && (ts.isJsxElement(node.parent) || ts.isJsxFragment(node.parent))) report(node.expression.text);
      ts.forEachChild(node, visit);
    };
    visit(file);
  }
  expect(found).toEqual([]);
});

describe("sentences", () => {
  test("take values and leave unknown ones alone", () => {
    expect(fill("en", "It is {time}. {other}", { time: "19:02" })).toBe("It is 19:02. {other}");
  });
  test("choose the form for a number", () => {
    const ru = "{n} {n|минута|минуты|минут}";
    expect([1, 2, 5, 11, 12, 14, 21, 22, 25, 101, 111, 0].map((n) => fill("ru", ru, { n }))).toEqual([
      "1 минута", "2 минуты", "5 минут", "11 минут", "12 минут", "14 минут", "21 минута", "22 минуты", "25 минут", "101 минута", "111 минут", "0 минут",
    ]);
    expect(fill("en", "{n} {n|call|calls}", { n: 1 })).toBe("1 call");
    expect(fill("en", "{n} {n|call|calls}", { n: 0 })).toBe("0 calls");
    expect(pluralForm("kk", 5)).toBe(0);
  });
  test("guess the language of a browser", () => {
    expect(guessLanguage(["de-DE", "ru-KZ", "en"])).toBe("ru");
    expect(guessLanguage(["en-GB"])).toBe("en");
    expect(guessLanguage(["de"])).toBe("kk");
  });
});

// Sentences from the catalogues. A sentence may hold
//   {name}                     a value
//   {n|one|few|many}           the Russian forms for the number n;  {n|one|other} in English; Kazakh needs none
// Numbers stand before their noun as {n} {n|…}.
import type { Language } from "../api/types";

export type Values = Record<string, string | number>;
export type Catalogue<Key extends string> = Record<Key, string>;

export const LANGUAGES: readonly Language[] = ["kk", "ru", "en"];
export const LANGUAGE_NAMES: Record<Language, string> = { kk: "Қазақша", ru: "Русский", en: "English" };

// Which of the forms a number takes.
export function pluralForm(language: Language, n: number): 0 | 1 | 2 {
  if (language === "kk") return 0;
  if (language === "en") return n === 1 ? 0 : 1;
  const tens = Math.abs(n) % 100;
  const ones = tens % 10;
  if (ones === 1 && tens !== 11) return 0;
  return ones >= 2 && ones <= 4 && (tens < 12 || tens > 14) ? 1 : 2;
}

export function fill(language: Language, sentence: string, values?: Values): string {
  return sentence.replace(/\{([a-z_]+)((?:\|[^|}]*)*)\}/g, (whole: string, name: string, forms: string) => {
    const value = values ? values[name] : undefined;
    if (value === undefined) return whole;
    if (!forms) return String(value);
    const choices = forms.slice(1).split("|");
    const index = Math.min(pluralForm(language, Number(value)), choices.length - 1);
    return choices[index] || "";
  });
}

export interface Texts<Key extends string> {
  language: Language;
  t(key: Key, values?: Values): string;
  // For keys made from data ("outcome_" + code): the sentence, or null where the catalogue has none.
  maybe(key: string, values?: Values): string | null;
}

export function textsOf<Key extends string>(catalogues: Record<Language, Catalogue<Key>>, language: Language): Texts<Key> {
  const catalogue = catalogues[language];
  return {
    language,
    t: (key, values) => fill(language, catalogue[key], values),
    maybe: (key, values) => {
      const sentence = (catalogue as Record<string, string>)[key];
      return sentence === undefined ? null : fill(language, sentence, values);
    },
  };
}

// The language of a page nobody has chosen yet.
export function guessLanguage(wishes: readonly string[]): Language {
  for (const wish of wishes) {
    const found = LANGUAGES.find((language) => wish.toLowerCase().split("-")[0] === language);
    if (found) return found;
  }
  return "kk";
}

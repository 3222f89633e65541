import type { Language } from "../../api/types";
import { type Catalogue, type Texts, textsOf } from "../format";
import { en, type ConsoleKey } from "./en";
import { kk } from "./kk";
import { ru } from "./ru";

export type { ConsoleKey };
export type ConsoleTexts = Texts<ConsoleKey>;
export const CONSOLE_CATALOGUES: Record<Language, Catalogue<ConsoleKey>> = { kk, ru, en };

export function consoleTexts(language: Language): ConsoleTexts {
  return textsOf(CONSOLE_CATALOGUES, language);
}

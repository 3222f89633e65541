import type { Language } from "../../api/types";
import { type Catalogue, type Texts, textsOf } from "../format";
import { threadEn, type ThreadKey, threadKk, threadRu } from "../thread";
import { dutyEn, type DutyKey, dutyKk, dutyRu } from "./duty";
import { holdEn, type HoldKey, holdKk, holdRu } from "./hold";
import { en, type ConsoleKey as OwnKey } from "./en";
import { kk } from "./kk";
import { ru } from "./ru";

export type ConsoleKey = OwnKey | DutyKey | HoldKey | ThreadKey;
export type ConsoleTexts = Texts<ConsoleKey>;
export const CONSOLE_CATALOGUES: Record<Language, Catalogue<ConsoleKey>> = {
  kk: { ...kk, ...dutyKk, ...holdKk, ...threadKk },
  ru: { ...ru, ...dutyRu, ...holdRu, ...threadRu },
  en: { ...en, ...dutyEn, ...holdEn, ...threadEn },
};

export function consoleTexts(language: Language): ConsoleTexts {
  return textsOf(CONSOLE_CATALOGUES, language);
}

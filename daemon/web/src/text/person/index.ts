import type { Language } from "../../api/types";
import { type Catalogue, type Texts, textsOf } from "../format";
import { threadEn, type ThreadKey, threadKk, threadRu } from "../thread";
import { en, type PersonKey as OwnKey } from "./en";
import { kk } from "./kk";
import { ru } from "./ru";

export type PersonKey = OwnKey | ThreadKey;
export type PersonTexts = Texts<PersonKey>;
export const PERSON_CATALOGUES: Record<Language, Catalogue<PersonKey>> = {
  kk: { ...kk, ...threadKk },
  ru: { ...ru, ...threadRu },
  en: { ...en, ...threadEn },
};

export function personTexts(language: Language): PersonTexts {
  return textsOf(PERSON_CATALOGUES, language);
}

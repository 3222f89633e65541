import type { Language } from "../../api/types";
import { type Catalogue, type Texts, textsOf } from "../format";
import { en, type PersonKey } from "./en";
import { kk } from "./kk";
import { ru } from "./ru";

export type { PersonKey };
export type PersonTexts = Texts<PersonKey>;
export const PERSON_CATALOGUES: Record<Language, Catalogue<PersonKey>> = { kk, ru, en };

export function personTexts(language: Language): PersonTexts {
  return textsOf(PERSON_CATALOGUES, language);
}

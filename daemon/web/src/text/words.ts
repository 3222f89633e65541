// Texts side by side: the three languages of one key.
export type Words = readonly [kk: string, ru: string, en: string];

export function inLanguage<Key extends string>(words: Record<Key, Words>, language: 0 | 1 | 2): Record<Key, string> {
  const made: Record<string, string> = {};
  for (const key of Object.keys(words)) made[key] = words[key as Key][language];
  return made as Record<Key, string>;
}

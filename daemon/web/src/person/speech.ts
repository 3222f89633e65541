// Reading aloud, where the phone has a voice for the language. Without one nothing is offered: Kazakh read by a
// foreign voice helps nobody.
import type { Language } from "../api/types";

const TAGS: Record<Language, string> = { kk: "kk-KZ", ru: "ru-RU", en: "en-GB" };

function voiceFor(language: Language): SpeechSynthesisVoice | null {
  const voices = speechSynthesis.getVoices();
  return voices.find((voice) => voice.lang.toLowerCase().replace("_", "-").split("-")[0] === language) || null;
}

export function canSpeak(language: Language): boolean {
  return "speechSynthesis" in window && voiceFor(language) !== null;
}

// Voices arrive late on some phones.
export function onVoices(callback: () => void): () => void {
  if (!("speechSynthesis" in window) || !speechSynthesis.addEventListener) return () => undefined;
  speechSynthesis.addEventListener("voiceschanged", callback);
  return () => speechSynthesis.removeEventListener("voiceschanged", callback);
}

export function speak(language: Language, sentences: readonly string[], onEnd?: () => void): void {
  if (!canSpeak(language)) return;
  speechSynthesis.cancel();
  sentences.forEach((sentence, index) => {
    const utterance = new SpeechSynthesisUtterance(sentence);
    utterance.lang = TAGS[language];
    utterance.voice = voiceFor(language);
    utterance.rate = 0.95;
    if (onEnd && index === sentences.length - 1) utterance.onend = () => onEnd();
    speechSynthesis.speak(utterance);
  });
}

export function hush(): void {
  if ("speechSynthesis" in window) speechSynthesis.cancel();
}

// A thread of messages, as both pages show it: the same keys in three languages, side by side.
import { inLanguage, type Words } from "./words";

const words = {
  thread_sending: ["жіберілуде", "отправляется", "sending"],
  thread_sent: ["жіберілді", "отправлено", "sent"],
  thread_delivered: ["жеткізілді", "доставлено", "delivered"],
  thread_read: ["оқылды", "прочитано", "read"],
  thread_erased: ["Мәтін өшірілген.", "Текст удалён.", "The text was erased."],
  thread_attach: ["Фото немесе құжат қосу", "Добавить фото или документ", "Add a photo or document"],
  thread_detach: ["Алып тастау", "Убрать", "Take it out"],
  thread_preparing: ["Файл дайындалып жатыр…", "Файл подготавливается…", "The file is being prepared…"],
  thread_bad_type: ["Бұл файлды жіберуге болмайды: тек фото (JPEG, PNG, WebP) және PDF.", "Этот файл нельзя отправить: только фото (JPEG, PNG, WebP) и PDF.", "This file cannot be sent: only photos (JPEG, PNG, WebP) and PDF."],
  thread_too_large: ["Файл тым үлкен: ең көбі 4 МБ.", "Файл слишком большой: не больше 4 МБ.", "The file is too large: at most 4 MB."],
  thread_too_many: ["Жіберілмеді: 24 сағатта ең көбі 20 файл.", "Не отправлено: не больше 20 файлов за 24 часа.", "Not sent: 20 files within 24 hours are the most."],
  thread_refused: ["Жіберілмеді: сервер бұл файлды қабылдамайды.", "Не отправлено: сервер не принимает этот файл.", "Not sent: the server does not take this file."],
  thread_ready: ["Дайын мәтіндер", "Готовые тексты", "Ready-made texts"],
  thread_kb: ["{n} КБ", "{n} КБ", "{n} kB"],
  thread_mb: ["{n} МБ", "{n} МБ", "{n} MB"],
} satisfies Record<string, Words>;

export type ThreadKey = keyof typeof words;
export const threadKk = inLanguage(words, 0);
export const threadRu = inLanguage(words, 1);
export const threadEn = inLanguage(words, 2);

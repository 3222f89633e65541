// The words of a thread: both pages have the same keys in their catalogues.
import type { Language } from "../api/types";
import type { Values } from "../text/format";
import { sizeText, type ThreadWords } from "./thread";

export type ThreadKey =
  | "thread_empty" | "thread_placeholder" | "send" | "thread_sending" | "thread_sent" | "thread_delivered" | "thread_read" | "thread_failed" | "thread_older"
  | "thread_erased" | "thread_attach" | "thread_detach" | "thread_preparing" | "thread_bad_type" | "thread_too_large" | "thread_too_many" | "thread_refused"
  | "thread_ready" | "messages" | "thread_kb" | "thread_mb";

export function threadWords({ language, t }: { language: Language; t(key: ThreadKey, values?: Values): string }): ThreadWords {
  return {
    empty: t("thread_empty"), placeholder: t("thread_placeholder"), send: t("send"), sending: t("thread_sending"), sent: t("thread_sent"),
    delivered: t("thread_delivered"), read: t("thread_read"), failed: t("thread_failed"), older: t("thread_older"), erased: t("thread_erased"),
    attach: t("thread_attach"), detach: t("thread_detach"), preparing: t("thread_preparing"), badType: t("thread_bad_type"), tooLarge: t("thread_too_large"),
    tooMany: t("thread_too_many"), refused: t("thread_refused"), ready: t("thread_ready"), log: t("messages"),
    size: (bytes) => {
      const { unit, n } = sizeText(bytes);
      return t(unit === "kb" ? "thread_kb" : "thread_mb", { n: language === "en" ? n : n.replace(".", ",") });
    },
  };
}

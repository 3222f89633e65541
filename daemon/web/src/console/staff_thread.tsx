// The message thread with one person, on the inspector's side.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { get, post } from "../api/http";
import type { Message } from "../api/types";
import { ThreadView } from "../ui/thread";
import { EMPTY_THREAD, MAX_MESSAGE, newestFrom, type ThreadState, withDraft, withMessages, withPage, withReceipt, withWay } from "../ui/thread_model";
import { changed } from "./load";
import { useSession } from "./parts";

export function StaffThread({ person }: { person: number }): JSX.Element {
  const { session, view, t } = useSession();
  const [thread, setThread] = useState<ThreadState>(EMPTY_THREAD);
  const latest = useRef(thread);
  const put = (next: ThreadState): void => {
    latest.current = next;
    setThread(next);
  };
  const readAll = (): void => {
    const up_to = newestFrom(latest.current, "person");
    if (up_to && document.visibilityState === "visible") session.readThread(person, up_to);
  };
  const loadPage = async (before: number | null): Promise<void> => {
    try {
      const page = await get<{ messages: Message[]; next: number | null }>(`/api/persons/${person}/messages${before ? `?before=${before}` : ""}`);
      put(withPage(latest.current, page));
      readAll();
      if (!before) changed("person");
    } catch {
      put({ ...latest.current, loaded: true });
    }
  };
  useEffect(() => {
    put(EMPTY_THREAD);
    void loadPage(null);
    const stop = session.watchThread((event) => {
      if (event.person !== person) return;
      if (event.t === "message") {
        put(withMessages(latest.current, [event.message]));
        readAll();
      } else {
        put(withReceipt(latest.current, "staff", event.t, event.up_to, new Date(view.clock.now()).toISOString()));
      }
    });
    document.addEventListener("visibilitychange", readAll);
    return () => {
      stop();
      document.removeEventListener("visibilitychange", readAll);
    };
  }, [person]);
  const send = async (text: string, again?: string): Promise<void> => {
    let client_id = again || "";
    if (again) put(withWay(latest.current, again, "sending"));
    else {
      const [next, id] = withDraft(latest.current, "staff", view.me ? view.me.name : "", text, new Date(view.clock.now()).toISOString());
      client_id = id;
      put(next);
    }
    try {
      const message = await post<Message>(`/api/persons/${person}/messages`, { client_id, text });
      put(withMessages(latest.current, [message])); // what came while it was under way stays
    } catch {
      put(withWay(latest.current, client_id, "failed"));
    }
  };
  return (
    <ThreadView thread={thread} mine="staff" clock={view.clock}
      words={{
        empty: t.t("thread_empty"), placeholder: t.t("thread_placeholder"), send: t.t("send"), sending: t.t("thread_sending"), sent: t.t("thread_sent"),
        delivered: t.t("thread_delivered"), read: t.t("thread_read"), failed: t.t("thread_failed"), older: t.t("thread_older"), you: t.t("thread_you"),
        tooLong: t.t("thread_too_long", { n: MAX_MESSAGE }), log: t.t("messages"),
      }}
      onSend={(text, again) => void send(text, again)} onOlder={(before) => void loadPage(before)} />
  );
}

// The message thread with one person, on the inspector's side, and the one among officers about an incident.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { FILE_TIMEOUT_MS, get, post } from "../api/http";
import type { Language, Message, MessagePage, Template } from "../api/types";
import type { Attachment } from "../ui/attachment";
import { ThreadView } from "../ui/thread";
import { bodyOf, EMPTY_THREAD, keepUnsent, newestFrom, type ThreadItem, type ThreadState, withDraft, withMessages, withPage, withReceipt, withUnsent, withWay } from "../ui/thread_model";
import { threadWords } from "../ui/thread_words";
import { changed, useChanged, useLoad } from "./load";
import { useSession } from "./parts";

interface Threading {
  thread: ThreadState;
  latest: { current: ThreadState };
  put(next: ThreadState): void;
  page: MessagePage | null; // the newest, with what came beside its messages
  load(before: number | null): Promise<void>;
  send(text: string, file: Attachment | null, again?: string): Promise<void>;
}

// What both threads do: pages back in time, what is sent, what fails.
function useThread(path: string, onPage: (before: number | null) => void): Threading {
  const { view } = useSession();
  const [thread, setThread] = useState<ThreadState>(EMPTY_THREAD);
  const [page, setPage] = useState<MessagePage | null>(null);
  const latest = useRef(thread);
  const put = (next: ThreadState): void => {
    latest.current = next;
    keepUnsent(path, next);
    setThread(next);
  };
  const load = async (before: number | null): Promise<void> => {
    try {
      const got = await get<MessagePage>(path + (before ? `?before=${before}` : ""));
      put(before ? withPage(latest.current, got) : withUnsent(path, withPage(latest.current, got)));
      if (!before) setPage(got);
      onPage(before);
    } catch {
      put({ ...latest.current, loaded: true });
    }
  };
  const send = async (text: string, file: Attachment | null, again?: string): Promise<void> => {
    let client_id = again || "";
    if (again) put(withWay(latest.current, again, "sending"));
    else {
      const me = view.me;
      const [next, id] = withDraft(latest.current, "staff", me ? me.name : "", text, file, new Date(view.clock.now()).toISOString());
      client_id = id;
      put({ ...next, items: next.items.map((item) => (item.client_id === id ? { ...item, author_id: me ? me.id : null } : item)) });
    }
    try {
      const message = await post<Message>(path, bodyOf(latest.current, client_id), FILE_TIMEOUT_MS);
      put(withMessages(latest.current, [message])); // what came while it was under way stays
    } catch (cause) {
      put(withWay(latest.current, client_id, "failed", cause));
    }
  };
  return { thread, latest, put, page, load, send };
}

function useTemplates(language: Language | undefined): readonly string[] {
  const load = useLoad<{ templates: Template[] }>("/api/templates", []);
  return language && load.data ? load.data.templates.map((template) => template[language]) : [];
}

export function StaffThread({ person }: { person: number }): JSX.Element {
  const { session, view, t } = useSession();
  const readAll = (): void => {
    const up_to = newestFrom(threading.latest.current, "person");
    if (up_to && document.visibilityState === "visible") session.readThread(person, up_to);
  };
  const threading: Threading = useThread(`/api/persons/${person}/messages`, (before) => {
    readAll();
    if (!before) changed("person");
  });
  const { thread, latest, put, page, load, send } = threading;
  const ready = useTemplates(page ? page.language : undefined);
  // Whoever rings meanwhile does not stand over the field that is written in.
  useEffect(() => {
    document.body.classList.add("with-thread");
    return () => document.body.classList.remove("with-thread");
  }, []);
  useChanged(["all"], () => void load(null)); // what was written while the connection was down
  useEffect(() => {
    put(EMPTY_THREAD);
    void load(null);
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
  return (
    <ThreadView draftKey={`thread.${person}`} thread={thread} mine={(item) => item.from === "staff"} clock={view.clock} words={threadWords(t)} ready={ready}
      fileUrl={(id) => `/api/messages/${id}/file`}
      onSend={(text, file, again) => void send(text, file, again)} onOlder={(before) => void load(before)} />
  );
}

// Its pages say that the incident changed, whenever somebody wrote or read; then the newest page is read again.
export function IncidentThread({ incident }: { incident: number }): JSX.Element {
  const { view, t } = useSession();
  const path = `/api/incidents/${incident}/messages`;
  const me = view.me ? view.me.id : 0;
  const newest = useLoad<MessagePage>(path, ["incident"]);
  const { thread, latest, put, load, send } = useThread(path, () => undefined);
  const told = useRef(0);
  const page = newest.data;
  useEffect(() => {
    if (!page) return;
    put(latest.current.loaded ? withMessages(latest.current, page.messages) : withUnsent(path, withPage(latest.current, page)));
    const up_to = latest.current.items.reduce((most, item) => (!item.way && item.author_id !== me ? Math.max(most, item.id) : most), 0);
    const known = (page.readers || []).find((reader) => reader.id === me);
    if (up_to > Math.max(told.current, known ? known.up_to : 0) && document.visibilityState === "visible") {
      told.current = up_to;
      post(path + "/read", { up_to }).catch(() => undefined); // the next page tries again
    }
  }, [page]);
  const readers = (item: ThreadItem): string => {
    const names = ((page && page.readers) || []).filter((reader) => reader.id !== item.author_id && reader.up_to >= item.id).map((reader) => reader.name);
    return names.length ? t.t("incident_thread_read_by", { names: names.join(", ") }) : t.t("thread_sent");
  };
  return (
    <ThreadView draftKey={`incident.${incident}.thread`} thread={thread} mine={(item) => item.author_id === me} clock={view.clock} words={{ ...threadWords(t), empty: t.t("incident_thread_empty") }} wayOf={readers}
      fileUrl={(id) => `/api/incident-messages/${id}/file`}
      onSend={(text, file, again) => void send(text, file, again)} onOlder={(before) => void load(before)} />
  );
}

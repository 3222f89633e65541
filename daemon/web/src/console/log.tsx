// The log: one line an entry, in words; filters as sentences; the proof of each entry, checked in this browser.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { get, query } from "../api/http";
import type { LogEntry, LogEntryDetail, PersonRow, Staff } from "../api/types";
import type { ConsoleTexts } from "../text/console";
import { Icon } from "../ui/icons";
import { useLoad } from "./load";
import { ActionFailure, Card, Chip, Empty, Loaded, Page, SelectField, TextField, useAction, useRowKeys, useSession } from "./parts";
import { bytesOf, includes, leafHash } from "./proof";
import { go } from "./router";

const PAGES: Record<string, string> = { incident: "incidents", checkin: "checkins", person: "persons" };

// What an entry is about: in words, and a way to it where it has a page.
function ObjectLink({ object }: { object: string }): JSX.Element {
  const { t } = useSession();
  const [kind = "", id = ""] = object.split(" ");
  const words = `${t.maybe("object_" + kind) || kind}${id ? ` № ${id}` : ""}`;
  return PAGES[kind] && id ? <a href={`#/${PAGES[kind]}/${id}`}>{words}</a> : <span>{words}</span>;
}

interface LogPageData { entries: LogEntry[]; next: number | null; size: number; root: string; verified: string | null }

function actorWords(t: ConsoleTexts, entry: LogEntry): string {
  return entry.actor_kind === "system" ? t.t("actor_system") : entry.actor_kind === "gateway" ? t.t("actor_gateway", { name: entry.actor }) : entry.actor;
}

export function entryWords(t: ConsoleTexts, entry: LogEntry): string {
  const actor = actorWords(t, entry);
  const values = { actor, person: entry.person_name || t.t("somebody"), object: entry.object };
  const action = entry.action.toLowerCase();
  const kind = entry.object.split(" ")[0] || "";
  return t.maybe(`log_${action}_${kind}`, values) || t.maybe("log_" + action, values) || t.t("log_other", { ...values, action: action.replace(/_/g, " ") });
}

const QUESTIONS = [
  { key: "log_q_all", action: "" }, { key: "log_q_recordings", action: "RECORDING_VIEWED" }, { key: "log_q_reads", action: "READ" }, { key: "log_q_outcomes", action: "CHECKIN_OUTCOME" },
  { key: "log_q_incidents", action: "INCIDENT_*" }, { key: "log_q_staff", action: "STAFF_*" }, { key: "log_q_logins", action: "LOGGED_IN" }, { key: "log_q_denied", action: "DENIED" },
  { key: "log_q_faults", action: "CHECKIN_FAULT" },
] as const;

export function LogPage({ search }: { search: Record<string, string> }): JSX.Element {
  const { view, t } = useSession();
  const filter = { action: search.action || "", person: search.person || "", staff: search.staff || "", from: search.from || "", until: search.until || "" };
  const path = "/api/log" + query(filter);
  const load = useLoad<LogPageData>(path, []);
  const persons = useLoad<{ persons: PersonRow[] }>("/api/persons", []);
  const staff = useLoad<{ staff: Staff[] }>("/api/staff", []);
  const [older, setOlder] = useState<{ path: string; entries: LogEntry[]; next: number | null }>({ path, entries: [], next: null });
  const more = useAction();
  useRowKeys();
  const tail = older.path === path ? older : { path, entries: [], next: null };
  const set = (change: Partial<typeof filter>): void => go("log" + query({ ...filter, ...change }));
  const question = QUESTIONS.find((q) => q.action === filter.action);
  return (
    <Page title={t.t("nav_log")} wide under={load.data ? t.t("log_size", { n: load.data.size }) : null}>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <SelectField label={t.t("log_question")} value={question ? question.action : filter.action} onChange={(action) => set({ action })}
          options={QUESTIONS.map((q) => ({ value: q.action as string, label: t.t(q.key) })).concat(question ? [] : [{ value: filter.action, label: filter.action }])} />
        <SelectField label={t.t("log_person")} value={filter.person} onChange={(person) => set({ person })} options={[{ value: "", label: t.t("log_anybody") }].concat((persons.data ? persons.data.persons : []).map((row) => ({ value: String(row.id), label: row.name })))} />
        <SelectField label={t.t("log_staff")} value={filter.staff} onChange={(value) => set({ staff: value })} options={[{ value: "", label: t.t("log_anybody") }].concat((staff.data ? staff.data.staff : []).map((row) => ({ value: String(row.id), label: row.name })))} />
        <TextField label={t.t("log_from")} type="date" value={filter.from} onChange={(from) => set({ from })} />
        <TextField label={t.t("log_until")} type="date" value={filter.until} onChange={(until) => set({ until })} />
      </form>
      <Loaded load={load} rows={8}>
        {(data) => {
          const entries = data.entries.concat(tail.entries);
          const next = tail.entries.length ? tail.next : data.next;
          let day = "";
          return (
            <>
              <ol class="log">
                {entries.map((entry) => {
                  const today = view.clock.dayNear(entry.at);
                  const header = today !== day ? <li class="log-day">{today}</li> : null;
                  day = today;
                  return (
                    <>
                      {header}
                      <li key={entry.index}>
                        <a class="log-row" data-row href={"#/log/" + entry.index}>
                          <span class="tabular log-time">{view.clock.seconds(entry.at)}</span>
                          <span class="log-words">{entryWords(t, entry)}{entry.result !== "ok" && entry.result && <Chip tone="warn">{t.maybe("log_result_" + entry.result) || entry.result}</Chip>}{entry.text === null && <Chip tone="quiet">{t.t("log_erased")}</Chip>}</span>
                          <span class="proof-badge" title={t.t("proof_title")}><Icon name="seal" size={20} />{entry.index}</span>
                        </a>
                      </li>
                    </>
                  );
                })}
              </ol>
              {!entries.length && <Empty icon="log" title={t.t("log_none")} text={t.t("log_none_text")} />}
              <ActionFailure action={more} />
              {next !== null && next !== undefined && (
                <button type="button" class="button" disabled={more.busy} onClick={() => void more.run(async () => {
                  const page = await get<LogPageData>("/api/log" + query({ ...filter, before: next }));
                  setOlder({ path, entries: tail.entries.concat(page.entries), next: page.next });
                })}>{t.t("show_more")}</button>
              )}
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}

type Proof = "checking" | "good" | "bad" | "impossible";

function ProofCard({ entry }: { entry: LogEntryDetail }): JSX.Element {
  const { view, t } = useSession();
  const [proof, setProof] = useState<Proof>("checking");
  useEffect(() => {
    const check = async (): Promise<Proof> => {
      if (!crypto.subtle) return "impossible";
      const hash = await leafHash(new TextEncoder().encode(entry.leaf));
      const claimed = bytesOf(entry.leaf_hash);
      if (hash.some((byte, index) => byte !== claimed[index])) return "bad";
      return (await includes(hash, entry.index, entry.proof.size, entry.proof.path.map(bytesOf), bytesOf(entry.proof.root))) ? "good" : "bad";
    };
    check().then(setProof, () => setProof("impossible"));
  }, [entry.index]);
  return (
    <Card title={t.t("proof_title")} icon="seal">
      <p class={"proof " + proof} role="status"><Icon name={proof === "good" ? "check" : proof === "bad" ? "alert" : "info"} />{t.t(`proof_${proof}`, { size: entry.proof.size })}</p>
      <p class="proof-checkpoint"><Icon name={entry.checkpoint ? "seal" : "clock"} size={20} />{entry.checkpoint ? t.t("proof_checkpoint", { size: entry.checkpoint.size, moment: view.clock.moment(entry.checkpoint.at) }) : t.t("proof_unsigned")}{entry.checkpoint && (entry.checkpoint.witnesses > 0 ? ` ${t.t("proof_witnesses", { n: entry.checkpoint.witnesses })}` : ` ${t.t("proof_no_witness")}`)}</p>
      <details>
        <summary>{t.t("proof_numbers")}</summary>
        <dl class="data mono">
          <div><dt>{t.t("proof_leaf")}</dt><dd class="break">{entry.leaf_hash}</dd></div>
          <div><dt>{t.t("proof_root")}</dt><dd class="break">{entry.proof.root}</dd></div>
          {entry.proof.path.map((hash, index) => <div key={index}><dt>{t.t("proof_step", { n: index + 1 })}</dt><dd class="break">{hash}</dd></div>)}
        </dl>
      </details>
    </Card>
  );
}

export function LogEntryPage({ index }: { index: number }): JSX.Element {
  const { view, t } = useSession();
  const load = useLoad<LogEntryDetail>(`/api/log/${index}`, []);
  return (
    <Page title={t.t("log_entry", { n: index })} back="#/log">
      <Loaded load={load}>
        {(entry) => (
          <div class="stack">
            <p class="lead">{entryWords(t, entry)}</p>
            <Card>
              <dl class="data">
                <div><dt>{t.t("log_at")}</dt><dd>{view.clock.day(entry.at)}, {view.clock.seconds(entry.at)} ({view.clock.age(entry.at)})</dd></div>
                <div><dt>{t.t("log_actor")}</dt><dd>{actorWords(t, entry)}</dd></div>
                <div><dt>{t.t("log_action")}</dt><dd class="mono">{entry.action}</dd></div>
                <div><dt>{t.t("log_object")}</dt><dd><ObjectLink object={entry.object} /></dd></div>
                {entry.result && <div><dt>{t.t("log_result")}</dt><dd>{t.maybe("log_result_" + entry.result) || entry.result}</dd></div>}
                {entry.person_id && <div><dt>{t.t("person")}</dt><dd><a href={"#/persons/" + entry.person_id}>{entry.person_name}</a></dd></div>}
                {entry.text ? Object.keys(entry.text).map((name) => <div key={name}><dt class="mono">{name}</dt><dd class="prewrap break">{typeof entry.text![name] === "string" ? String(entry.text![name]) : JSON.stringify(entry.text![name])}</dd></div>) : <div><dt>{t.t("log_text")}</dt><dd>{t.t("log_erased_text")}</dd></div>}
              </dl>
            </Card>
            <ProofCard entry={entry} />
          </div>
        )}
      </Loaded>
    </Page>
  );
}

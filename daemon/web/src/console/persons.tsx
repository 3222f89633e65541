// The caseload: everybody with their last thirty days, and the form for a person.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { post, query } from "../api/http";
import type { Band, Language, Person, PersonRequest, PersonRow, Staff, Unit } from "../api/types";
import { LANGUAGE_NAMES, LANGUAGES } from "../text/format";
import { useDraft } from "../ui/draft";
import { Icon } from "../ui/icons";
import { changed, useLoad } from "./load";
import { ActionFailure, BandMark, Chip, ComplianceStrip, DraftNote, Empty, Loaded, Page, Portrait, SelectField, TextField, useAction, useRowKeys, useSession } from "./parts";
import { OpenedCases } from "./opened";
import { go } from "./router";

const SEARCH_PAUSE_MS = 250;

function StripLegend(): JSX.Element {
  const { t } = useSession();
  return (
    <p class="legend soft small">
      <span><svg width="8" height="20" aria-hidden="true"><rect class="mark-good" x="1" y="2" width="5" height="16" rx="2" /></svg>{t.t("legend_good")}</span>
      <span><svg width="8" height="20" aria-hidden="true"><rect class="mark-late" x="1" y="10" width="5" height="8" rx="2" /></svg>{t.t("legend_late")}</span>
      <span><svg width="8" height="20" aria-hidden="true"><path class="mark-none" d="M1 13.500l5 5m0-5-5 5" /></svg>{t.t("legend_none")}</span>
      <span><svg width="8" height="20" aria-hidden="true"><circle class="mark-ours" cx="3.500" cy="16" r="2" /></svg>{t.t("legend_ours")}</span>
    </p>
  );
}

export function PersonsPage({ find, unread }: { find: boolean; unread: boolean }): JSX.Element {
  const { session, view, t } = useSession();
  const [typed, setTyped] = useState("");
  const [q, setQ] = useState("");
  const search = useRef<HTMLInputElement>(null);
  const load = useLoad<{ persons: PersonRow[] }>("/api/persons" + query({ q }), ["person", "today", "message"]);
  useRowKeys();
  useEffect(() => {
    if (find && search.current) search.current.focus();
  }, [find]);
  useEffect(() => {
    const timer = setTimeout(() => setQ(typed.trim()), SEARCH_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  const mayAdd = session.manages;
  return (
    <Page title={t.t("nav_persons")} actions={mayAdd && <a class="button primary" href="#/persons/new"><Icon name="plus" size={20} />{t.t("person_add")}</a>}>
      <div class="tools">
        <div class="search">
          <Icon name="search" size={20} />
          <input ref={search} type="search" class="input" value={typed} placeholder={t.t("persons_search")} aria-label={t.t("persons_search")} onInput={(event) => setTyped(event.currentTarget.value)} />
        </div>
        {session.conducts && <a class="tab-inline" href={unread ? "#/persons" : "#/persons?unread=1"} aria-current={unread ? "page" : undefined}>{t.t("persons_unread")}</a>}
      </div>
      <Loaded load={load} rows={6}>
        {(data) => {
          const rows = unread ? data.persons.filter((row) => row.unread_messages > 0) : data.persons;
          if (!rows.length) {
            return q || unread
              ? <Empty icon="search" title={t.t("persons_not_found")} text={t.t("persons_not_found_text")} />
              : <Empty icon="people" title={t.t("persons_none")} text={t.t("persons_none_text")}>{mayAdd && <a class="button primary" href="#/persons/new">{t.t("person_add")}</a>}</Empty>;
          }
          return (
            <div class="rows persons">
              {rows.map((row) => (
                <div class="row" key={row.id}>
                  <a class="row-main" data-row href={`#/persons/${row.id}${row.unread_messages && session.conducts ? "?tab=messages" : ""}`}>
                    <Portrait id={row.id} name={row.name} has={row.has_photo} />
                    <span class="row-text">
                      <span class="row-title"><strong>{row.name}</strong><BandMark band={row.band} /></span>
                      <span class="row-fact soft">{row.reference}{row.next_window && ` · ${t.t("person_next", { span: view.clock.span(row.next_window.start, row.next_window.end) })}`}</span>
                      <span class="row-chips">
                        {row.open_incidents > 0 && <Chip tone="act" icon="alert">{t.t("person_incidents", { n: row.open_incidents })}</Chip>}
                        {row.unread_messages > 0 && session.conducts && <Chip tone="info" icon="message">{t.t("person_unread", { n: row.unread_messages })}</Chip>}
                      </span>
                    </span>
                    <span class="row-strip"><ComplianceStrip marks={row.strip} /></span>
                  </a>
                </div>
              ))}
              <StripLegend />
            </div>
          );
        }}
      </Loaded>
      <OpenedCases />
    </Page>
  );
}

const BANDS: readonly Band[] = ["low", "medium", "high", "top"];

export function PersonForm({ person, onDone }: { person: Person | null; onDone?(person: Person): void }): JSX.Element {
  const { session, view, t } = useSession();
  const me = view.me!;
  const staff = useLoad<{ staff: Staff[] }>("/api/staff", []);
  const units = useLoad<{ units: Unit[] }>("/api/units", []);
  const draft = useDraft(person ? `person.${person.id}` : "person.new", {
    name: person ? person.name : "", birth_date: person ? person.birth_date : "", phone: (person && person.phone) || "", email: (person && person.email) || "",
    language: person ? person.language : me.language, address: (person && person.address) || "", note: (person && person.note) || "",
    inspector_id: String(person ? person.inspector_id : session.has("inspector") ? me.id : ""), unit_id: String(person ? person.unit_id : me.unit ? me.unit.id : ""),
    band: (person ? person.band : "medium") as Band,
  });
  const form = draft.value;
  const action = useAction();
  const set = (change: Partial<typeof form>): void => draft.set({ ...form, ...change });
  const inspectors = (staff.data ? staff.data.staff : []).filter((row) => row.roles.indexOf("inspector") >= 0 && !row.disabled);
  const options = inspectors.map((row) => ({ value: String(row.id), label: row.name }));
  if (session.has("inspector") && !options.some((option) => option.value === String(me.id))) options.unshift({ value: String(me.id), label: me.name });
  // Whoever knows of a danger raises it; a supervisor lowers it, here or by approving what a judgement proposes.
  const bands = person && !session.has("supervisor") ? BANDS.slice(BANDS.indexOf(person.band)) : BANDS;
  const submit = (): void => void action.run(async () => {
    const body: PersonRequest = {
      name: form.name.trim(), birth_date: form.birth_date, phone: form.phone.replace(/[\s()-]/g, "") || null, email: form.email.trim() || null, language: form.language as Language,
      address: form.address.trim() || null, note: form.note.trim() || null, inspector_id: Number(form.inspector_id || (options[0] ? options[0].value : 0)),
      unit_id: Number(form.unit_id || (units.data && units.data.units[0] ? units.data.units[0].id : 0)), band: form.band,
    };
    const saved = await post<Person>(person ? `/api/persons/${person.id}` : "/api/persons", body);
    draft.clear();
    changed("person");
    if (onDone) onDone(saved);
    else go("persons/" + saved.id, true);
  });
  const body = (
    <form class="form" onSubmit={(event) => {
      event.preventDefault();
      submit();
    }}>
      <TextField label={t.t("person_name")} value={form.name} onChange={(name) => set({ name })} fault={action.fault("name")} required />
      <div class="form-row">
        <TextField label={t.t("person_birth")} type="date" value={form.birth_date} onChange={(birth_date) => set({ birth_date })} fault={action.fault("birth_date")} required />
        <SelectField label={t.t("person_language")} value={form.language} options={LANGUAGES.map((value) => ({ value, label: LANGUAGE_NAMES[value] }))} onChange={(value) => set({ language: value as Language })} />
      </div>
      <div class="form-row">
        <TextField label={t.t("person_phone")} hint={t.t("person_phone_hint")} type="tel" inputMode="tel" value={form.phone} onChange={(phone) => set({ phone })} fault={action.fault("phone")} />
        <TextField label={t.t("person_email")} type="email" inputMode="email" value={form.email} onChange={(email) => set({ email })} fault={action.fault("email")} />
      </div>
      <TextField label={t.t("person_address")} value={form.address} onChange={(address) => set({ address })} fault={action.fault("address")} />
      <div class="form-row">
        <SelectField label={t.t("person_inspector")} value={form.inspector_id || (options[0] ? options[0].value : "")} options={options} onChange={(inspector_id) => set({ inspector_id })} fault={action.fault("inspector_id")} />
        {units.data && units.data.units.length > 1 && <SelectField label={t.t("person_unit")} value={form.unit_id} options={units.data.units.map((unit) => ({ value: String(unit.id), label: unit.name }))} onChange={(unit_id) => set({ unit_id })} fault={action.fault("unit_id")} />}
        <SelectField label={t.t("person_band")} hint={t.t("person_band_hint")} value={form.band} fault={action.fault("band")} options={bands.map((value) => ({ value, label: t.t(`band_${value}`) }))} onChange={(value) => set({ band: value as Band })} />
      </div>
      <TextField label={t.t("person_note")} hint={t.t("person_note_hint")} value={form.note} onChange={(note) => set({ note })} lines={3} maxLength={4000} />
      <DraftNote draft={draft} />
      <ActionFailure action={action} />
      <div class="dock"><button type="submit" class="button primary big" disabled={action.busy || !form.name.trim() || !form.birth_date}>{t.t("save")}</button></div>
    </form>
  );
  return person ? body : <Page title={t.t("person_add")} back="#/persons"><div class="narrow">{body}</div></Page>;
}

// The policy table from a band to a proposal: one supervisor changes it, another approves.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { post } from "../api/http";
import type { Approval, Cadence, CadenceRow } from "../api/types";
import { useLoad } from "./load";
import { useDraft } from "../ui/draft";
import { CheckField, Dialog, DraftNote, Loaded, Page, ReasonForm, TextField, useSession } from "./parts";

function bandName(band: string): string {
  return band.replace("_", "–");
}

function RowFields({ row, onChange }: { row: CadenceRow; onChange(row: CadenceRow): void }): JSX.Element {
  const { t } = useSession();
  const set = (change: Partial<CadenceRow>): void => onChange({ ...row, ...change });
  return (
    <fieldset class="group-field">
      <legend>{row.band === "unscored" ? t.t("risk_no_band") : t.t("risk_band", { band: bandName(row.band) })}</legend>
      <div class="form-row">
        <TextField label={t.t("order_contacts_label")} type="number" min={1} max={7} value={String(row.contacts)} onChange={(value) => set({ contacts: Number(value) })} />
        <TextField label={t.t("cadence_weeks")} type="number" min={1} max={8} value={String(row.weeks)} onChange={(value) => set({ weeks: Number(value) })} />
        <TextField label={t.t("window_from")} type="time" value={row.start} onChange={(start) => set({ start })} />
        <TextField label={t.t("window_until")} type="time" value={row.end} onChange={(end) => set({ end })} />
        <TextField label={t.t("plan_silence")} type="number" min={0} value={String(row.max_silence_h)} onChange={(value) => set({ max_silence_h: Number(value) })} />
      </div>
      <div class="form-row">
        <CheckField label={t.t("cadence_random")} checked={row.random} onChange={(random) => set({ random })} />
        <CheckField label={t.t("advice_weekly_visit")} checked={row.weekly_visit} onChange={(weekly_visit) => set({ weekly_visit })} />
        <CheckField label={t.t("advice_supervisor_review")} checked={row.supervisor_review} onChange={(supervisor_review) => set({ supervisor_review })} />
        <CheckField label={t.t("advice_case_conference")} checked={row.case_conference} onChange={(case_conference) => set({ case_conference })} />
      </div>
    </fieldset>
  );
}

export function CadencePage(): JSX.Element {
  const { session, view, t } = useSession();
  const load = useLoad<Cadence>("/api/cadence", ["all"]);
  const draft = useDraft<readonly CadenceRow[]>("cadence", []); // empty: nothing is changed, the table in force is shown
  const rows = draft.value.length ? draft.value : load.data ? load.data.bands : null;
  const [sending, setSending] = useState(false);
  const may = session.has("supervisor");
  const changed = !!rows && !!load.data && JSON.stringify(rows) !== JSON.stringify(load.data.bands);
  return (
    <Page title={t.t("nav_cadence")} under={load.data ? (load.data.approved ? t.t("cadence_approved", { moment: view.clock.moment(load.data.approved) }) : t.t("cadence_standard")) : null}>
      <Loaded load={load}>
        {() => (
          <div class="form">
            <p class="soft">{t.t("cadence_text")}</p>
            {(rows || []).map((row, index) => <RowFields key={row.band} row={row} onChange={(next) => may && draft.set((rows || []).map((other, at) => (at === index ? next : other)))} />)}
            <DraftNote draft={draft} />
            {may && <div class="dock"><button type="button" class="button primary big" disabled={!changed} onClick={() => setSending(true)}>{t.t("approval_send")}</button></div>}
          </div>
        )}
      </Loaded>
      {sending && (
        <Dialog title={t.t("approval_send")} onClose={() => setSending(false)}>
          <ReasonForm label={t.t("end_reason")} submit={t.t("approval_send")} onSubmit={async (reason) => {
            await post<Approval>("/api/approvals", { kind: "cadence.change", reason, request: { bands: rows } });
            draft.clear();
            session.say(t.t("approval_sent"));
            setSending(false);
          }} />
        </Dialog>
      )}
    </Page>
  );
}

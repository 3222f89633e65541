// Times in which a person owes no contact.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { post } from "../api/http";
import type { Approval, Blackout, BlackoutRequest, Person } from "../api/types";
import { DAY_MS } from "../text/time";
import { Icon } from "../ui/icons";
import { Card, Chip, Dialog, ReasonForm, SelectField, TextField, useSession } from "./parts";

const SOURCES = ["court", "hospital", "custody", "absence"] as const;
const ALONE_MOST_MS = 7 * DAY_MS;

export function BlackoutForm({ person, onClose, onDone }: { person: Person; onClose(): void; onDone(): void }): JSX.Element {
  const { session, view, t } = useSession();
  const now = view.clock.now();
  const [form, setForm] = useState({ source: "hospital" as BlackoutRequest["source"], fromDay: view.clock.isoDay(now), fromTime: "00:00", untilDay: view.clock.isoDay(now + DAY_MS), untilTime: "00:00" });
  const set = (change: Partial<typeof form>): void => setForm({ ...form, ...change });
  const moment = (day: string, time: string): number => Date.parse(view.clock.instant(day, time));
  // A fact that cannot wait is entered by one person; an absence, and what is longer than a week, has an approver.
  const approved = form.source === "absence" || moment(form.untilDay, form.untilTime) - moment(form.fromDay, form.fromTime) > ALONE_MOST_MS;
  return (
    <Dialog title={t.t("blackout_add")} onClose={onClose}>
      <ReasonForm label={t.t("blackout_reason")} hint={t.t("blackout_reason_hint")} submit={t.t(approved ? "approval_send" : "save")} lines={2} onSubmit={async (reason) => {
        const request: BlackoutRequest = { source: form.source, from: view.clock.instant(form.fromDay, form.fromTime), until: view.clock.instant(form.untilDay, form.untilTime), reason };
        if (approved) {
          await post<Approval>("/api/approvals", { kind: "blackout.absence", person: person.id, reason, request });
          session.say(t.t("approval_sent"));
        } else {
          await post<{ blackouts: Blackout[] }>(`/api/persons/${person.id}/blackouts`, request);
        }
        onDone();
      }}>
        <p class="soft small">{t.t("blackout_text")}</p>
        <SelectField label={t.t("blackout_source")} hint={approved ? t.t("blackout_absence_hint") : undefined} value={form.source} options={SOURCES.map((value) => ({ value, label: t.t(`blackout_${value}`) }))} onChange={(source) => set({ source: source as BlackoutRequest["source"] })} />
        <div class="form-row">
          <TextField label={t.t("blackout_from")} type="date" value={form.fromDay} onChange={(fromDay) => set({ fromDay })} required />
          <TextField label={t.t("blackout_time")} type="time" value={form.fromTime} onChange={(fromTime) => set({ fromTime })} required />
        </div>
        <div class="form-row">
          <TextField label={t.t("blackout_until")} type="date" value={form.untilDay} onChange={(untilDay) => set({ untilDay })} required />
          <TextField label={t.t("blackout_time")} type="time" value={form.untilTime} onChange={(untilTime) => set({ untilTime })} required />
        </div>
      </ReasonForm>
    </Dialog>
  );
}

export function Blackouts({ person, onAdd, onEnd }: { person: Person; onAdd: (() => void) | null; onEnd: ((blackout: Blackout) => void) | null }): JSX.Element {
  const { view, t } = useSession();
  const now = view.clock.now();
  return (
    <Card title={t.t("blackouts_title")} icon="clock" actions={onAdd && <button type="button" class="button plain" onClick={onAdd}><Icon name="plus" size={20} />{t.t("blackout_add")}</button>}>
      {!person.blackouts.length && <p class="soft">{t.t("blackout_none")}</p>}
      <ul class="orders">
        {person.blackouts.map((blackout) => {
          const over = Date.parse(blackout.until) <= now;
          return (
            <li key={blackout.id} class={over ? "ended" : ""}>
              <div class="order-head">
                <strong>{t.t(`blackout_${blackout.source}`)}</strong>
                {over ? <Chip tone="quiet">{t.t("blackout_over")}</Chip> : onEnd && <button type="button" class="button plain" onClick={() => onEnd(blackout)}>{t.t("blackout_end")}</button>}
              </div>
              <p class="small">{t.t("order_span", { from: view.clock.moment(blackout.from), until: view.clock.moment(blackout.until) })}</p>
              <p class="quote prewrap">{blackout.reason}</p>
              <p class="soft small">{t.t("blackout_by", { by: blackout.by, approver: blackout.approver })}</p>
            </li>
          );
        })}
      </ul>
    </Card>
  );
}

export function EndBlackoutDialog({ blackout, onClose, onDone }: { blackout: Blackout; onClose(): void; onDone(): void }): JSX.Element {
  const { t } = useSession();
  return (
    <Dialog title={t.t("blackout_end")} onClose={onClose}>
      <ReasonForm label={t.t("end_reason")} hint={t.t("blackout_end_hint")} submit={t.t("blackout_end")} onSubmit={async (reason) => {
        await post<{ blackouts: Blackout[] }>(`/api/blackouts/${blackout.id}/end`, { reason });
        onDone();
      }} />
    </Dialog>
  );
}

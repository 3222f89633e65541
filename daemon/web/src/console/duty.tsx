// Who is there when: the week of the unit, absences and stand-ins.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { post } from "../api/http";
import type { Absence, AbsenceReason, Roster, RosterPerson, Shift, ShiftKind, ShiftRequest } from "../api/duty_types";
import { addDays } from "../text/time";
import { Icon } from "../ui/icons";
import { LaddersTab } from "./ladders";
import { type Load, useLoad } from "./load";
import { ActionFailure, Card, Chip, Dialog, Empty, Loaded, Page, SelectField, TextField, Tabs, useAction, useSession } from "./parts";
import { PathsTab } from "./paths";
import { TemplatesTab } from "./templates";


const nameOf = (roster: Roster, id: number | null): string => (roster.staff.find((person) => person.id === id) || { name: "" }).name;

function weekDays(roster: Roster): string[] {
  return [0, 1, 2, 3, 4, 5, 6].map((day) => addDays(roster.monday, day));
}

function shiftsOn(roster: Roster, staff: number, date: string, weekday: number): Shift[] {
  return roster.shifts.filter((shift) => shift.staff_id === staff && shift.weekday === weekday && shift.from_date <= date && (!shift.until_date || date <= shift.until_date));
}

function absentOn(roster: Roster, staff: number, date: string): Absence | undefined {
  return roster.absences.find((absence) => absence.staff_id === staff && absence.from.slice(0, 10) <= date && date <= absence.until.slice(0, 10));
}

export function DutyPage({ tab }: { tab: string }): JSX.Element {
  const { session, t } = useSession();
  const supervisor = session.has("supervisor");
  const tabs = supervisor ? ["week", "absences", "ladders", "paths", "texts"] as const : ["week", "absences"] as const;
  const shown = tabs.find((one) => one === tab) || "week";
  return (
    <Page title={t.t("nav_duty")} wide>
      <Tabs>
        {tabs.map((one) => <a key={one} class="tab-inline" href={"#/duty/" + one} aria-current={one === shown ? "page" : undefined}>{t.t(`duty_tab_${one}`)}</a>)}
      </Tabs>
      {shown === "week" ? <WeekTab /> : shown === "absences" ? <AbsencesTab /> : shown === "ladders" ? <LaddersTab /> : shown === "paths" ? <PathsTab /> : <TemplatesTab />}
    </Page>
  );
}

// ---------------------------------------------------------------- the week

function WeekTab(): JSX.Element {
  const { session, view, t } = useSession();
  const [day, setDay] = useState("");
  const [adding, setAdding] = useState<{ staff: number; date: string } | null>(null);
  const [looking, setLooking] = useState<{ shift: Shift; date: string } | null>(null);
  const load = useLoad<Roster>("/api/roster" + (day ? "?from=" + day : ""), ["today"]);
  const supervisor = session.has("supervisor");
  return (
    <Loaded load={load}>
      {(roster) => (
        <>
          <DutyRoom roster={roster} />
          <div class="week-head">
            <button type="button" class="button icon-only" aria-label={t.t("duty_week_before")} onClick={() => setDay(addDays(roster.monday, -7))}><Icon name="back" /></button>
            <strong>{view.clock.days(roster.monday, addDays(roster.monday, 6))}</strong>
            <button type="button" class="button icon-only" aria-label={t.t("duty_week_after")} onClick={() => setDay(addDays(roster.monday, 7))}><Icon name="forward" /></button>
            {supervisor && <button type="button" class="button primary" onClick={() => setAdding({ staff: roster.staff[0] ? roster.staff[0].id : 0, date: view.clock.isoDay(view.clock.now()) })}><Icon name="plus" size={20} />{t.t("duty_add_shift")}</button>}
          </div>
          <table class="week">
            <thead>
              <tr><th scope="col">{t.t("duty_who")}</th>{weekDays(roster).map((date) => <th scope="col" key={date}>{view.clock.weekdayShort(date)} <span class="soft">{Number(date.slice(8))}</span></th>)}</tr>
            </thead>
            <tbody>
              {roster.staff.map((person) => (
                <tr key={person.id}>
                  <th scope="row">{person.name}<PresenceChip person={person} onDuty={roster.on_duty.indexOf(person.id) >= 0} /></th>
                  {weekDays(roster).map((date, weekday) => (
                    <Day key={date} roster={roster} person={person} date={date} weekday={weekday} onShift={(shift) => setLooking({ shift, date })} onAdd={supervisor ? () => setAdding({ staff: person.id, date }) : null} />
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
          <p class="soft small">{t.t("duty_without_shifts")}</p>
          {adding && <ShiftDialog roster={roster} staff={adding.staff} date={adding.date} load={load} onClose={() => setAdding(null)} />}
          {looking && <ShiftCard roster={roster} shift={looking.shift} load={load} onClose={() => setLooking(null)} />}
        </>
      )}
    </Loaded>
  );
}

function DutyRoom({ roster }: { roster: Roster }): JSX.Element {
  const { view, t } = useSession();
  const names = roster.on_duty.map((id) => nameOf(roster, id)).filter(Boolean).join(", ");
  return (
    <div class={"note " + (names ? "good" : "act")} role="status">
      <Icon name={names ? "check" : "alert"} />
      <div>
        <strong>{names ? t.t("duty_now", { names }) : t.t("duty_now_nobody")}</strong>
        {roster.gaps.length > 0 && <p>{t.t("duty_gaps")} {roster.gaps.slice(0, 6).map((gap) => `${view.clock.moment(gap.from)} – ${view.clock.moment(gap.until)}`).join("; ")}{roster.gaps.length > 6 ? " …" : ""}</p>}
      </div>
    </div>
  );
}

function PresenceChip({ person, onDuty }: { person: RosterPerson; onDuty: boolean }): JSX.Element {
  const { t } = useSession();
  const tone = person.presence === "there" ? "good" : person.presence === "absent" ? "warn" : "quiet";
  return <Chip tone={tone}>{onDuty ? t.t("presence_duty") : t.t(`presence_${person.presence}`)}</Chip>;
}

function Day({ roster, person, date, weekday, onShift, onAdd }: { roster: Roster; person: RosterPerson; date: string; weekday: number; onShift(shift: Shift): void; onAdd: (() => void) | null }): JSX.Element {
  const { view, t } = useSession();
  const shifts = shiftsOn(roster, person.id, date, weekday);
  const absence = absentOn(roster, person.id, date);
  const today = date === view.clock.isoDay(view.clock.now());
  return (
    <td class={(today ? "now " : "") + (shifts.length || absence ? "" : "none")} data-day={view.clock.date(date)}>
      {shifts.map((shift) => (
        <button type="button" key={shift.id} class={"shift " + shift.kind + (absence ? " off" : "")} onClick={() => onShift(shift)}>
          {shift.start}–{shift.end}{shift.kind === "duty" && <span class="small">{t.t("shift_duty_short")}</span>}
        </button>
      ))}
      {absence && <span class="shift absent">{t.t(`absence_${absence.reason}`)}</span>}
      {onAdd && !shifts.length && !absence && <button type="button" class="shift add" aria-label={t.t("duty_add_for", { name: person.name, day: view.clock.date(date) })} onClick={onAdd}><Icon name="plus" size={16} /></button>}
    </td>
  );
}

function ShiftDialog({ roster, staff, date, load, onClose }: { roster: Roster; staff: number; date: string; load: Load<Roster>; onClose(): void }): JSX.Element {
  const { view, t } = useSession();
  const [form, setForm] = useState({ staff: String(staff), kind: "work" as ShiftKind, weekly: false, days: [(new Date(date + "T00:00:00Z").getUTCDay() + 6) % 7], from: date, until: "", start: "09:00", end: "18:00" });
  const action = useAction();
  const set = (change: Partial<typeof form>): void => setForm({ ...form, ...change });
  const who = roster.staff.find((person) => person.id === Number(form.staff));
  const officer = !!who && who.roles.indexOf("officer") >= 0;
  const save = (): Promise<void> => {
    const body: ShiftRequest = { staff: Number(form.staff), kind: officer ? form.kind : "work", from_date: form.from, until_date: form.weekly && form.until ? form.until : null, start: form.start, end: form.end };
    if (form.weekly) body.weekdays = form.days;
    return action.run(async () => {
      await post("/api/shifts", body);
      load.again();
      onClose();
    }).then(() => undefined);
  };
  return (
    <Dialog title={t.t("duty_add_shift")} onClose={onClose}>
      <form class="form" onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}>
        <SelectField label={t.t("duty_who")} value={form.staff} options={roster.staff.map((person) => ({ value: String(person.id), label: person.name }))} onChange={(value) => set({ staff: value })} fault={action.fault("staff")} />
        {officer && <SelectField label={t.t("shift_kind")} value={form.kind} options={[{ value: "work", label: t.t("shift_work") }, { value: "duty", label: t.t("shift_duty") }]} onChange={(value) => set({ kind: value as ShiftKind })} fault={action.fault("kind")} />}
        <div class="form-row">
          <TextField label={t.t("shift_start")} type="time" value={form.start} onChange={(start) => set({ start })} fault={action.fault("start")} required />
          <TextField label={t.t("shift_end")} hint={form.end <= form.start ? t.t("shift_next_day") : undefined} type="time" value={form.end} onChange={(end) => set({ end })} fault={action.fault("end")} required />
        </div>
        <SelectField label={t.t("shift_repeat")} value={form.weekly ? "weekly" : "once"} options={[{ value: "once", label: t.t("shift_once") }, { value: "weekly", label: t.t("shift_weekly") }]} onChange={(value) => set({ weekly: value === "weekly" })} />
        {form.weekly && (
          <fieldset class="ticks">
            <legend>{t.t("shift_days")}</legend>
            {weekDays(roster).map((day, index) => (
              <label class="tick" key={day}>
                <input type="checkbox" checked={form.days.indexOf(index) >= 0} onChange={(event) => set({ days: event.currentTarget.checked ? form.days.concat(index) : form.days.filter((other) => other !== index) })} />
                <span>{view.clock.weekdayShort(day)}</span>
              </label>
            ))}
          </fieldset>
        )}
        <div class="form-row">
          <TextField label={t.t(form.weekly ? "shift_from" : "shift_date")} type="date" value={form.from} onChange={(from) => set({ from })} fault={action.fault("from_date") || action.fault("weekday")} required />
          {form.weekly && <TextField label={t.t("shift_until")} hint={t.t("shift_until_hint")} type="date" value={form.until} onChange={(until) => set({ until })} fault={action.fault("until_date")} />}
        </div>
        <ActionFailure action={action} />
        <button type="submit" class="button primary" disabled={action.busy || (form.weekly && !form.days.length)}>{t.t("save")}</button>
      </form>
    </Dialog>
  );
}

function ShiftCard({ roster, shift, load, onClose }: { roster: Roster; shift: Shift; load: Load<Roster>; onClose(): void }): JSX.Element {
  const { session, view, t } = useSession();
  const action = useAction();
  const day = view.clock.weekdayShort(addDays(roster.monday, shift.weekday));
  const once = shift.from_date === shift.until_date;
  return (
    <Dialog title={nameOf(roster, shift.staff_id)} onClose={onClose}>
      <p><strong>{shift.start}–{shift.end}</strong> · {t.t(shift.kind === "duty" ? "shift_duty" : "shift_work")}</p>
      <p>{once ? view.clock.date(shift.from_date) : t.t("shift_every", { day, from: view.clock.date(shift.from_date) })}{!once && shift.until_date ? ` – ${view.clock.date(shift.until_date)}` : ""}</p>
      <ActionFailure action={action} />
      {session.has("supervisor") && (
        <button type="button" class="button" disabled={action.busy} onClick={() => void action.run(async () => {
          await post(`/api/shifts/${shift.id}/remove`, {});
          load.again();
          onClose();
        })}><Icon name="close" size={20} />{t.t(once ? "shift_remove" : "shift_remove_all")}</button>
      )}
    </Dialog>
  );
}

// ---------------------------------------------------------------- absences and stand-ins

function AbsencesTab(): JSX.Element {
  const { session, view, t } = useSession();
  const load = useLoad<Roster>("/api/roster", ["today"]);
  const [adding, setAdding] = useState(false);
  const [standing, setStanding] = useState<RosterPerson | null>(null);
  const action = useAction();
  const supervisor = session.has("supervisor");
  const me = view.me ? view.me.id : 0;
  return (
    <Loaded load={load}>
      {(roster) => (
        <div class="stack">
          <Card title={t.t("absences_title")} icon="calendar" actions={<button type="button" class="button primary" onClick={() => setAdding(true)}><Icon name="plus" size={20} />{t.t(supervisor ? "absence_add" : "absence_add_own")}</button>}>
            <ActionFailure action={action} />
            {!roster.absences.length && <Empty icon="check" title={t.t("absences_none")} />}
            <ul class="plain-list">
              {roster.absences.map((absence) => (
                <li key={absence.id} class="plain-row">
                  <span><strong>{nameOf(roster, absence.staff_id)}</strong> · {t.t(`absence_${absence.reason}`)}<br />
                    <span class="soft">{view.clock.moment(absence.from_at)} – {view.clock.moment(absence.until_at)}{absence.stand_in_id ? ` · ${t.t("absence_with", { name: nameOf(roster, absence.stand_in_id) })}` : ""}</span></span>
                  {(supervisor || absence.staff_id === me) && (
                    <button type="button" class="button" disabled={action.busy} onClick={() => void action.run(async () => {
                      await post(`/api/absences/${absence.id}/remove`, {});
                      load.again();
                    })}>{t.t("absence_remove")}</button>
                  )}
                </li>
              ))}
            </ul>
          </Card>
          <Card title={t.t("stand_ins_title")} icon="people">
            <p class="soft">{t.t("stand_ins_text")}</p>
            <ul class="plain-list">
              {roster.staff.filter((person) => person.roles.indexOf("inspector") >= 0).map((person) => {
                const list = roster.stand_ins.filter((one) => one.staff_id === person.id);
                return (
                  <li key={person.id} class="plain-row">
                    <span><strong>{person.name}</strong><br />
                      <span class={list.length ? "soft" : "fault"}>{list.length ? list.map((one) => nameOf(roster, one.stand_in_id) + (one.now ? ` (${t.t("stand_in_now")})` : "")).join(" → ") : t.t("stand_ins_none")}</span></span>
                    {supervisor && <button type="button" class="button" onClick={() => setStanding(person)}>{t.t("edit")}</button>}
                  </li>
                );
              })}
            </ul>
          </Card>
          {adding && <AbsenceDialog roster={roster} load={load} own={supervisor ? 0 : me} onClose={() => setAdding(false)} />}
          {standing && <StandInsDialog roster={roster} person={standing} load={load} onClose={() => setStanding(null)} />}
        </div>
      )}
    </Loaded>
  );
}

function AbsenceDialog({ roster, load, own, onClose }: { roster: Roster; load: Load<Roster>; own: number; onClose(): void }): JSX.Element {
  const { view, t } = useSession();
  const today = view.clock.isoDay(view.clock.now());
  const [form, setForm] = useState({ staff: String(own || (roster.staff[0] ? roster.staff[0].id : 0)), from: today + "T09:00", until: addDays(today, 1) + "T09:00", reason: "leave" as AbsenceReason, stand_in: "" });
  const action = useAction();
  const set = (change: Partial<typeof form>): void => setForm({ ...form, ...change });
  const inspectors = roster.staff.filter((person) => person.roles.indexOf("inspector") >= 0 && String(person.id) !== form.staff);
  return (
    <Dialog title={t.t(own ? "absence_add_own" : "absence_add")} onClose={onClose}>
      <form class="form" onSubmit={(event) => {
        event.preventDefault();
        void action.run(async () => {
          await post("/api/absences", { staff: Number(form.staff), from: form.from, until: form.until, reason: form.reason, stand_in: form.stand_in ? Number(form.stand_in) : null });
          load.again();
          onClose();
        });
      }}>
        {!own && <SelectField label={t.t("duty_who")} value={form.staff} options={roster.staff.map((person) => ({ value: String(person.id), label: person.name }))} onChange={(staff) => set({ staff })} fault={action.fault("staff")} />}
        <SelectField label={t.t("absence_reason")} value={form.reason} options={(["leave", "sick", "training", "other"] as const).map((value) => ({ value, label: t.t(`absence_${value}`) }))} onChange={(reason) => set({ reason: reason as AbsenceReason })} />
        <div class="form-row">
          <TextField label={t.t("absence_from")} type="datetime-local" value={form.from} onChange={(from) => set({ from })} fault={action.fault("from")} required />
          <TextField label={t.t("absence_until")} type="datetime-local" value={form.until} onChange={(until) => set({ until })} fault={action.fault("until")} required />
        </div>
        <SelectField label={t.t("absence_stand_in")} hint={t.t("absence_stand_in_hint")} value={form.stand_in} options={[{ value: "", label: t.t("absence_stand_in_list") }].concat(inspectors.map((person) => ({ value: String(person.id), label: person.name })))} onChange={(stand_in) => set({ stand_in })} fault={action.fault("stand_in")} />
        <ActionFailure action={action} />
        <button type="submit" class="button primary" disabled={action.busy}>{t.t("save")}</button>
      </form>
    </Dialog>
  );
}

const STAND_INS_MOST = 4;

function StandInsDialog({ roster, person, load, onClose }: { roster: Roster; person: RosterPerson; load: Load<Roster>; onClose(): void }): JSX.Element {
  const { t } = useSession();
  const [ids, setIds] = useState(roster.stand_ins.filter((one) => one.staff_id === person.id).map((one) => one.stand_in_id));
  const action = useAction();
  const others = roster.staff.filter((other) => other.id !== person.id && other.roles.indexOf("inspector") >= 0 && ids.indexOf(other.id) < 0);
  return (
    <Dialog title={t.t("stand_ins_of", { name: person.name })} onClose={onClose}>
      <ol class="plain-list">
        {ids.map((id, index) => (
          <li key={id} class="plain-row"><span>{index + 1}. {nameOf(roster, id)}</span><button type="button" class="button plain icon-only" aria-label={t.t("stand_in_remove", { name: nameOf(roster, id) })} onClick={() => setIds(ids.filter((other) => other !== id))}><Icon name="close" /></button></li>
        ))}
      </ol>
      {others.length > 0 && ids.length < STAND_INS_MOST && (
        <SelectField label={t.t("stand_in_add")} value="" options={[{ value: "", label: "–" }].concat(others.map((other) => ({ value: String(other.id), label: other.name })))} onChange={(value) => value && setIds(ids.concat(Number(value)))} />
      )}
      <ActionFailure action={action} />
      <button type="button" class="button primary" disabled={action.busy} onClick={() => void action.run(async () => {
        await post(`/api/staff/${person.id}/stand-ins`, { stand_ins: ids });
        load.again();
        onClose();
      })}>{t.t("save")}</button>
    </Dialog>
  );
}

// Staff and units.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { post } from "../api/http";
import type { Language, Role, Staff, StaffChange, StaffRequest, Unit, ZonePreview } from "../api/types";
import { LANGUAGE_NAMES, LANGUAGES } from "../text/format";
import { useDraft } from "../ui/draft";
import { Icon } from "../ui/icons";
import { changed, useAnswer, useLoad } from "./load";
import { SessionList } from "./account";
import { PhoneField, plainPhone, UnitFields, unitOf, ZONE_FIRST, ZONES } from "./unit_fields";
import { ActionFailure, CheckField, Chip, Dialog, DraftNote, Empty, Loaded, Page, ReasonForm, SelectField, TextField, useAction, useRowKeys, useSession } from "./parts";

const ROLES: readonly Role[] = ["inspector", "officer", "supervisor", "administrator"];

function StaffForm({ staff, units, onDone }: { staff: Staff | null; units: readonly Unit[]; onDone(): void }): JSX.Element {
  const { view, t } = useSession();
  const [password, setPassword] = useState(""); // is kept nowhere
  const draft = useDraft(staff ? `staff.${staff.id}` : "staff.new", {
    login: staff ? staff.login : "", name: staff ? staff.name : "", roles: (staff ? staff.roles : ["inspector"]) as readonly Role[],
    unit_id: String(staff ? staff.unit_id : view.me && view.me.unit ? view.me.unit.id : units[0] ? units[0].id : ""), language: (staff ? staff.language : view.language) as Language,
    email: (staff && staff.email) || "", phone: (staff && staff.phone) || "", on_duty: staff ? staff.on_duty : false,
  });
  const form = draft.value;
  const action = useAction();
  const set = (change: Partial<typeof form>): void => draft.set({ ...form, ...change });
  return (
    <form class="form" onSubmit={(event) => {
      event.preventDefault();
      void action.run(async () => {
        const shared = { name: form.name.trim(), roles: form.roles.slice(), unit_id: Number(form.unit_id), language: form.language, email: form.email.trim() || null, phone: form.phone.replace(/[\s()-]/g, "") || null, on_duty: form.on_duty };
        if (staff) {
          const body: StaffChange = shared;
          await post<Staff>(`/api/staff/${staff.id}`, body);
        } else {
          const body: StaffRequest = { ...shared, login: form.login.trim(), password };
          await post<Staff>("/api/staff", body);
        }
        draft.clear();
        onDone();
      });
    }}>
      <TextField label={t.t("staff_name")} value={form.name} onChange={(name) => set({ name })} fault={action.fault("name")} required />
      {!staff && (
        <div class="form-row">
          <TextField label={t.t("login_name")} value={form.login} onChange={(login) => set({ login })} autoComplete="off" fault={action.fault("login")} required />
          <TextField label={t.t("staff_password")} hint={t.t("staff_password_hint")} type="password" autoComplete="new-password" value={password} onChange={setPassword} fault={action.fault("password")} required />
        </div>
      )}
      <fieldset class="ticks">
        <legend>{t.t("staff_roles")}</legend>
        {ROLES.map((role) => <CheckField key={role} label={t.t(`role_${role}`)} checked={form.roles.indexOf(role) >= 0} onChange={(on) => set({ roles: on ? form.roles.concat(role) : form.roles.filter((other) => other !== role) })} />)}
      </fieldset>
      <div class="form-row">
        <SelectField label={t.t("person_unit")} value={form.unit_id} options={units.map((unit) => ({ value: String(unit.id), label: unit.name }))} onChange={(unit_id) => set({ unit_id })} fault={action.fault("unit_id")} />
        <SelectField label={t.t("language")} value={form.language} options={LANGUAGES.map((value) => ({ value, label: LANGUAGE_NAMES[value] }))} onChange={(language) => set({ language: language as Language })} />
      </div>
      <div class="form-row">
        <TextField label={t.t("person_email")} type="email" value={form.email} onChange={(email) => set({ email })} fault={action.fault("email")} />
        <TextField label={t.t("person_phone")} type="tel" value={form.phone} onChange={(phone) => set({ phone })} fault={action.fault("phone")} />
      </div>
      <CheckField label={t.t("staff_on_duty")} checked={form.on_duty} onChange={(on_duty) => set({ on_duty })} />
      <DraftNote draft={draft} />
      <ActionFailure action={action} />
      <div class="dock"><button type="submit" class="button primary big" disabled={action.busy || !form.name.trim() || !form.roles.length || (!staff && (!form.login.trim() || !password))}>{t.t("save")}</button></div>
    </form>
  );
}

function FirstPasswordForm({ staff, onDone }: { staff: Staff; onDone(): void }): JSX.Element {
  const { t } = useSession();
  const [password, setPassword] = useState("");
  const action = useAction();
  return (
    <form class="form" onSubmit={(event) => {
      event.preventDefault();
      void action.run(async () => {
        await post(`/api/staff/${staff.id}/password`, { password });
        onDone();
      });
    }}>
      <TextField label={t.t("staff_password")} hint={t.t("staff_password_hint")} type="password" autoComplete="new-password" value={password} onChange={setPassword} fault={action.fault("password")} required />
      <ActionFailure action={action} />
      <button type="submit" class="button primary" disabled={action.busy || !password}>{t.t("save")}</button>
    </form>
  );
}

type StaffDialog = "add" | { edit: Staff } | { password: Staff } | { sessions: Staff } | { factor: Staff } | { disable: Staff } | null;

export function StaffPage(): JSX.Element {
  const { session, t } = useSession();
  const load = useLoad<{ staff: Staff[] }>("/api/staff", ["person"]);
  const units = useLoad<{ units: Unit[] }>("/api/units", []);
  const [dialog, setDialog] = useState<StaffDialog>(null);
  useRowKeys();
  const may = session.has("administrator");
  const unitName = (id: number): string => ((units.data ? units.data.units : []).find((unit) => unit.id === id) || { name: "" }).name;
  const done = (): void => {
    setDialog(null);
    load.again();
    changed("person");
  };
  const all = units.data ? units.data.units : [];
  return (
    <Page title={t.t("nav_staff")} actions={may && <button type="button" class="button primary" disabled={!units.data} onClick={() => setDialog("add")}><Icon name="plus" size={20} />{t.t("staff_add")}</button>}>
      <Loaded load={load}>
        {(data) => (
          <div class="rows">
            {data.staff.map((staff) => (
              <div key={staff.id} class={"row" + (staff.disabled ? " gone" : "")}>
                <div class="row-main static">
                  <span class="portrait small-portrait" aria-hidden="true">{staff.name.split(/\s+/).slice(0, 2).map((word) => word[0]).join("")}</span>
                  <span class="row-text">
                    <span class="row-title"><strong>{staff.name}</strong><span class="soft">{staff.login}</span>{staff.on_duty && <Chip tone="good" icon="shield">{t.t("staff_on_duty_now")}</Chip>}{staff.disabled && <Chip tone="quiet">{t.t("staff_disabled")}</Chip>}</span>
                    <span class="row-fact">{staff.roles.map((role) => t.t(`role_${role}`)).join(", ")} · {unitName(staff.unit_id)}</span>
                    <span class="row-fact soft">{[staff.email, staff.phone].filter(Boolean).join(" · ")}</span>
                  </span>
                </div>
                {may && (
                  <div class="row-buttons">
                    <button type="button" class="button plain" onClick={() => setDialog({ edit: staff })}>{t.t("edit")}</button>
                    <details class="row-more">
                      <summary>{t.t("nav_more")}<Icon name="more" size={20} /></summary>
                      <div>
                        <button type="button" class="button plain" onClick={() => setDialog({ password: staff })}>{t.t("staff_set_password")}</button>
                        <button type="button" class="button plain" onClick={() => setDialog({ sessions: staff })}>{t.t("sessions_title")}</button>
                        <button type="button" class="button plain" onClick={() => setDialog({ factor: staff })}>{t.t("factor_reset")}</button>
                        <button type="button" class="button plain" onClick={() => setDialog({ disable: staff })}>{t.t(staff.disabled ? "staff_enable" : "staff_disable")}</button>
                      </div>
                    </details>
                  </div>
                )}
              </div>
            ))}
            {!data.staff.length && <Empty icon="person" title={t.t("staff_none")} />}
          </div>
        )}
      </Loaded>
      {dialog === "add" && <Dialog title={t.t("staff_add")} onClose={() => setDialog(null)}><StaffForm staff={null} units={all} onDone={done} /></Dialog>}
      {dialog && typeof dialog === "object" && "edit" in dialog && <Dialog title={dialog.edit.name} onClose={() => setDialog(null)}><StaffForm staff={dialog.edit} units={all} onDone={done} /></Dialog>}
      {dialog && typeof dialog === "object" && "password" in dialog && <Dialog title={t.t("staff_set_password")} onClose={() => setDialog(null)}><FirstPasswordForm staff={dialog.password} onDone={done} /></Dialog>}
      {dialog && typeof dialog === "object" && "sessions" in dialog && <Dialog title={t.t("sessions_of", { name: dialog.sessions.name })} onClose={() => setDialog(null)}><SessionList path={`/api/staff/${dialog.sessions.id}/sessions`} /></Dialog>}
      {dialog && typeof dialog === "object" && "factor" in dialog && (
        <Dialog title={t.t("factor_reset")} onClose={() => setDialog(null)}>
          <ReasonForm label={t.t("end_reason")} hint={t.t("factor_reset_hint")} submit={t.t("factor_reset_ask")} onSubmit={async (reason) => {
            await post(`/api/staff/${dialog.factor.id}/second-factor/reset`, { reason });
            done();
          }} />
        </Dialog>
      )}
      {dialog && typeof dialog === "object" && "disable" in dialog && (
        <Dialog title={t.t(dialog.disable.disabled ? "staff_enable" : "staff_disable")} onClose={() => setDialog(null)}>
          <ReasonForm label={t.t("end_reason")} hint={dialog.disable.disabled ? undefined : t.t("staff_disable_hint")} submit={t.t(dialog.disable.disabled ? "staff_enable" : "staff_disable")} onSubmit={async (reason) => {
            const body: StaffChange = { disabled: !dialog.disable.disabled, disabled_reason: reason };
            await post<Staff>(`/api/staff/${dialog.disable.id}`, body);
            done();
          }} />
        </Dialog>
      )}
    </Page>
  );
}

function PhoneForm({ unit, onDone }: { unit: Unit; onDone(): void }): JSX.Element {
  const { t } = useSession();
  const [phone, setPhone] = useState(unit.phone || "");
  const action = useAction();
  return (
    <form class="form" onSubmit={(event) => {
      event.preventDefault();
      void action.run(async () => {
        await post<Unit>(`/api/units/${unit.id}/phone`, { phone: plainPhone(phone) });
        onDone();
      });
    }}>
      <PhoneField value={phone} onChange={setPhone} action={action} />
      <ActionFailure action={action} />
      <button type="submit" class="button primary" disabled={action.busy}>{t.t("save")}</button>
    </form>
  );
}

function UnitRow({ unit, onZone, onPhone }: { unit: Unit; onZone(): void; onPhone(): void }): JSX.Element {
  const { t } = useSession();
  return (
    <div class="row">
      <div class="row-main static"><Icon name="shield" /><span class="row-text">
        <strong>{unit.name}</strong><span class="row-fact soft">{unit.zone}</span>
        {unit.phone ? <span class="row-fact soft">{t.t("unit_phone_is", { phone: unit.phone })}</span> : <Chip tone="warn" icon="alert">{t.t("unit_phone_none")}</Chip>}
      </span></div>
      <div class="row-buttons">
        <button type="button" class="button plain" onClick={onZone}>{t.t("zone_other")}</button>
        <button type="button" class="button plain" onClick={onPhone}>{t.t("unit_phone_change")}</button>
      </div>
    </div>
  );
}

function AddUnit({ onDone }: { onDone(): void }): JSX.Element {
  const { t } = useSession();
  const [unit, setUnit] = useState({ name: "", zone: ZONE_FIRST, phone: "" });
  const action = useAction();
  return (
    <form class="form" onSubmit={(event) => {
      event.preventDefault();
      void action.run(async () => {
        await post<Unit>("/api/units", unitOf(unit));
        onDone();
      });
    }}>
      <UnitFields value={unit} onChange={setUnit} action={action} />
      <ActionFailure action={action} />
      <button type="submit" class="button primary" disabled={action.busy || !unit.name.trim()}>{t.t("save")}</button>
    </form>
  );
}

// Another zone for a unit: what it would move is asked for first, and shown before it is done.
function ZoneForm({ unit, onDone }: { unit: Unit; onDone(): void }): JSX.Element {
  const { view, t } = useSession();
  const [zone, setZone] = useState(unit.zone);
  const [ahead, setAhead] = useAnswer<ZonePreview>(zone);
  const action = useAction();
  return (
    <form class="form" onSubmit={(event) => {
      event.preventDefault();
      void action.run(async () => {
        if (ahead) {
          await post<Unit>(`/api/units/${unit.id}/zone`, { zone });
          onDone();
        } else {
          setAhead(await post<ZonePreview>(`/api/units/${unit.id}/zone/preview`, { zone }));
        }
      });
    }}>
      <p class="soft">{t.t("zone_text")}</p>
      <SelectField label={t.t("unit_zone")} value={zone} options={(ZONES.indexOf(unit.zone) < 0 ? [unit.zone] : []).concat(ZONES).map((value) => ({ value, label: value }))} onChange={setZone} fault={action.fault("zone")} />
      {ahead && <p class="note" data-zone-preview>{t.t(ahead.minutes ? "zone_moves" : "zone_moves_none", { date: view.clock.date(ahead.from), n: ahead.checkins, persons: ahead.persons, minutes: Math.abs(ahead.minutes), when: t.t(ahead.minutes < 0 ? "zone_earlier" : "zone_later") })}</p>}
      <ActionFailure action={action} />
      <button type="submit" class="button primary" disabled={action.busy || zone === unit.zone}>{t.t(ahead ? "zone_change" : "zone_look")}</button>
    </form>
  );
}

export function UnitsPage(): JSX.Element {
  const { t } = useSession();
  const load = useLoad<{ units: Unit[] }>("/api/units", []);
  const [adding, setAdding] = useState(false);
  const [moving, setMoving] = useState<Unit | null>(null);
  const [calling, setCalling] = useState<Unit | null>(null);
  return (
    <Page title={t.t("nav_units")} actions={<button type="button" class="button primary" onClick={() => setAdding(true)}><Icon name="plus" size={20} />{t.t("unit_add")}</button>}>
      <Loaded load={load}>
        {(data) => (
          <div class="rows">
            {data.units.map((unit) => <UnitRow key={unit.id} unit={unit} onZone={() => setMoving(unit)} onPhone={() => setCalling(unit)} />)}
            {!data.units.length && <Empty icon="shield" title={t.t("units_none")} />}
          </div>
        )}
      </Loaded>
      {calling && <Dialog title={`${calling.name}: ${t.t("unit_phone")}`} onClose={() => setCalling(null)}><PhoneForm unit={calling} onDone={() => { setCalling(null); load.again(); }} /></Dialog>}
      {moving && <Dialog title={`${moving.name}: ${t.t("zone_other")}`} onClose={() => setMoving(null)}><ZoneForm unit={moving} onDone={() => { setMoving(null); load.again(); }} /></Dialog>}
      {adding && <Dialog title={t.t("unit_add")} onClose={() => setAdding(false)}><AddUnit onDone={() => { setAdding(false); load.again(); }} /></Dialog>}
    </Page>
  );
}

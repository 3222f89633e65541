// What is asked about a unit, where it is made and where the first one is.
import type { JSX } from "preact";
import type { UnitRequest } from "../api/types";
import { type Action, SelectField, TextField, useSession } from "./parts";

export const ZONES = ["Asia/Almaty", "Asia/Qostanay", "Asia/Qyzylorda", "Asia/Aqtobe", "Asia/Aqtau", "Asia/Atyrau", "Asia/Oral", "Asia/Bishkek", "Asia/Tashkent", "Europe/London", "Europe/Berlin", "UTC"];
export const ZONE_FIRST = "Asia/Almaty";

// People write numbers with spaces and brackets.
export const plainPhone = (text: string): string | null => text.replace(/[\s()-]/g, "") || null;

// Whom a person calls who cannot come through: also a short number.
export function PhoneField({ value, onChange, action }: { value: string; onChange(value: string): void; action: Action }): JSX.Element {
  const { t } = useSession();
  return <TextField label={t.t("unit_phone")} type="tel" hint={t.t("unit_phone_hint")} value={value} onChange={onChange} fault={action.fault("phone") && t.t("unit_phone_fault")} />;
}

export interface UnitForm { name: string; zone: string; phone: string }

export const unitOf = (form: UnitForm): UnitRequest => ({ name: form.name.trim(), zone: form.zone, phone: plainPhone(form.phone) });

export function UnitFields({ value, onChange, action }: { value: UnitForm; onChange(value: UnitForm): void; action: Action }): JSX.Element {
  const { t } = useSession();
  const set = (change: Partial<UnitForm>): void => onChange({ ...value, ...change });
  return (
    <>
      <TextField label={t.t("unit_name")} value={value.name} onChange={(name) => set({ name })} maxLength={200} required />
      <SelectField label={t.t("unit_zone")} value={value.zone} options={ZONES.map((zone) => ({ value: zone, label: zone }))} onChange={(zone) => set({ zone })} fault={action.fault("zone")} />
      <PhoneField value={value.phone} onChange={(phone) => set({ phone })} action={action} />
    </>
  );
}

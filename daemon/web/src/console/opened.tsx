// Cases outside the own caseload: opened with a reason, for an hour, to read. Supervisors are told, each look is a record.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { post } from "../api/http";
import type { OpenedCase } from "../api/types";
import { Icon } from "../ui/icons";
import { changed, useLoad } from "./load";
import { ActionFailure, Card, Dialog, faultWords, TextField, useAction, useSession } from "./parts";
import { go } from "./router";

const MAX_REASON = 500;

function OpenDialog({ onClose }: { onClose(): void }): JSX.Element {
  const { t } = useSession();
  const [reference, setReference] = useState("");
  const [reason, setReason] = useState("");
  const action = useAction();
  const code = action.failure ? action.failure.code : null;
  const fault = code === "not_found" ? t.t("opened_unknown") : code === "conflict" ? t.t("opened_conflict") : code === "busy" ? t.t("opened_enough") : faultWords(t, action.failure, "reference");
  return (
    <Dialog title={t.t("opened_open")} onClose={onClose}>
      <form class="form" onSubmit={(event) => {
        event.preventDefault();
        if (reference.trim() && reason.trim()) void action.run(async () => {
          const { person } = await post<{ person: number }>("/api/opened-cases", { reference: reference.trim(), reason: reason.trim() });
          changed("person");
          go("persons/" + person);
        });
      }}>
        <p>{t.t("opened_text")}</p>
        <TextField label={t.t("opened_reference")} hint={t.t("opened_reference_hint")} value={reference} maxLength={64} fault={fault} onChange={setReference} />
        <TextField label={t.t("opened_reason")} value={reason} lines={3} maxLength={MAX_REASON} fault={faultWords(t, action.failure, "reason")} onChange={setReason} />
        {!fault && <ActionFailure action={action} />}
        <button type="submit" class="button primary" disabled={action.busy || !reference.trim() || !reason.trim()}>{t.t("opened_submit")}</button>
      </form>
    </Dialog>
  );
}

function useOpened(): { rows: readonly OpenedCase[]; again(): void } {
  const load = useLoad<{ opened: OpenedCase[] }>("/api/opened-cases", ["person"]);
  return { rows: load.data ? load.data.opened : [], again: load.again };
}

function CloseButton({ row, onDone }: { row: OpenedCase; onDone(): void }): JSX.Element {
  const { t } = useSession();
  const action = useAction();
  return (
    <>
      <button type="button" class="button" disabled={action.busy} onClick={() => void action.run(async () => {
        await post(`/api/opened-cases/${row.id}/close`);
        onDone();
      })}>{t.t("opened_close")}</button>
      <ActionFailure action={action} />
    </>
  );
}

// Below the caseload: what is open now, and the way to open another.
export function OpenedCases(): JSX.Element {
  const { view, t } = useSession();
  const { rows, again } = useOpened();
  const [opening, setOpening] = useState(false);
  return (
    <Card title={t.t("opened_title")} icon="external" actions={<button type="button" class="button" onClick={() => setOpening(true)}>{t.t("opened_open")}</button>}>
      <p class="soft small">{t.t("opened_hint")}</p>
      {rows.length > 0 && (
        <ul class="plain-list">
          {rows.map((row) => (
            <li class="plain-row" key={row.id}>
              <span><a href={"#/persons/" + row.person_id}><strong>{row.person_name}</strong></a> · {row.reference}<br /><span class="soft small">{t.t("opened_until", { at: view.clock.time(row.until) })}</span></span>
              <CloseButton row={row} onDone={again} />
            </li>
          ))}
        </ul>
      )}
      {opening && <OpenDialog onClose={() => setOpening(false)} />}
    </Card>
  );
}

// The case of this person, where it is open to read alone.
export function useOpenedCase(person: number): OpenedCase | undefined {
  return useOpened().rows.find((one) => one.person_id === person);
}

// Over a person's page: why it can be seen, and until when.
export function OpenedBanner({ row }: { row: OpenedCase }): JSX.Element {
  const { view, t } = useSession();
  return (
    <div class="note warn" role="status">
      <Icon name="eye" />
      <div>
        <strong>{t.t("opened_banner", { at: view.clock.time(row.until) })}</strong>
        <p>{t.t("opened_banner_text")}</p>
        <CloseButton row={row} onDone={() => go("persons")} />
      </div>
    </div>
  );
}

// A copy of everything about an incident, for a court, for the person or for an agency: proposed here, approved by a
// second person among the approvals, fetched here.
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { post } from "../api/http";
import type { Time } from "../api/types";
import { Icon } from "../ui/icons";
import { changed, useLoad } from "./load";
import { ActionFailure, Card, Chip, Dialog, ReasonForm, SelectField, TextField, useAction, useSession } from "./parts";

interface BundleRequest { incident?: number; checkin?: number; audience: "court" | "person" | "agency"; recipient: string }
interface Asked {
  id: number; kind: string; body: BundleRequest; proposer: string; created: Time; decided_by: string | null; decided: Time | null;
  state: "open" | "approved" | "refused" | "withdrawn" | "expired";
}
interface Bundle { url: string; bytes: number; sha256: string; proven: boolean; entries: number; unsigned: number; recordings: number; left_out: number }

const AUDIENCES = ["court", "person", "agency"] as const;
interface BeingMade { part: "entries" | "recordings" | "film" | "proof"; begun: Time }
const ASK_AGAIN_MS = 2_000;
const FETCHED_FOR_MS = 7 * 86_400_000;

export function BundlePart({ incident, person }: { incident: number; person: number }): JSX.Element {
  const { view, t } = useSession();
  const open = useLoad<{ approvals: Asked[] }>("/api/approvals?state=open", ["today"]);
  const closed = useLoad<{ approvals: Asked[] }>("/api/approvals?state=closed", ["today"]);
  const [asking, setAsking] = useState(false);
  const rows = [open, closed].flatMap((load) => (load.data ? load.data.approvals : []))
    .filter((asked) => asked.kind === "bundle.export" && asked.body.incident === incident);
  return (
    <Card title={t.t("bundle_title")} icon="seal" actions={<button type="button" class="button" onClick={() => setAsking(true)}>{t.t("bundle_propose")}</button>}>
      <p class="soft">{t.t("bundle_about")}</p>
      <ul class="plain-list">
        {rows.map((asked) => (
          <li key={asked.id} class="bundle-row">
            <p><strong>{asked.body.recipient}</strong> · {t.t(`bundle_for_${asked.body.audience}`)} <Chip tone={asked.state === "approved" ? "good" : "quiet"}>{t.t(`bundle_${asked.state}`)}</Chip></p>
            <p class="soft small">{t.t("bundle_number", { n: asked.id })} · {asked.proposer}, {view.clock.momentAge(asked.created)}{asked.decided_by && asked.decided && ` · ${asked.decided_by}, ${view.clock.momentAge(asked.decided)}`}</p>
            {asked.state === "approved" && asked.decided && view.clock.now() - Date.parse(asked.decided) < FETCHED_FOR_MS && <Fetch asked={asked} />}
          </li>
        ))}
      </ul>
      {asking && <ProposeDialog incident={incident} person={person} onClose={() => setAsking(false)} />}
    </Card>
  );
}

function Fetch({ asked }: { asked: Asked }): JSX.Element {
  const { view, t } = useSession();
  const [made, setMade] = useState<Bundle | null>(null);
  const [being, setBeing] = useState<BeingMade | null>(null);
  const gone = useRef(false);
  useEffect(() => () => { gone.current = true; }, []);
  const action = useAction();
  // Made behind the answers: the film takes minutes. Whoever leaves and asks again is told of the same one.
  const fetchIt = (): void => {
    void action.run(async () => {
      try {
        while (!gone.current) {
          const answer = await post<Bundle | BeingMade>(`/api/approvals/${asked.id}/bundle`);
          if ("url" in answer) {
            setMade(answer);
            location.assign(answer.url);
            return;
          }
          setBeing(answer);
          await new Promise((done) => setTimeout(done, ASK_AGAIN_MS));
        }
      } finally {
        setBeing(null);
      }
    });
  };
  return (
    <>
      <ActionFailure action={action} />
      <button type="button" class="button primary" disabled={action.busy} onClick={fetchIt}><Icon name="seal" size={20} />{t.t("bundle_fetch")}</button>
      {being && <p class="small" role="status">{t.t(`bundle_part_${being.part}`)} {t.t("bundle_being_made", { since: view.clock.momentAge(being.begun) })}</p>}
      {made && (
        <p class="small" role="status">
          {t.t("bundle_made", { entries: made.entries, recordings: made.recordings })}
          {made.unsigned > 0 && ` ${t.t("bundle_unsigned", { n: made.unsigned })}`}
          {!made.proven && ` ${t.t("bundle_unproven")}`}
          {made.left_out > 0 && ` ${t.t("bundle_left_out", { n: made.left_out })}`}
          <span class="soft break"> {t.t("bundle_digest", { digest: made.sha256 })}</span>
        </p>
      )}
    </>
  );
}

function ProposeDialog({ incident, person, onClose }: { incident: number; person: number; onClose(): void }): JSX.Element {
  const { session, t } = useSession();
  const [audience, setAudience] = useState<string>("court");
  const [recipient, setRecipient] = useState("");
  return (
    <Dialog title={t.t("bundle_propose")} onClose={onClose}>
      <ReasonForm label={t.t("bundle_reason")} hint={t.t("bundle_hint")} submit={t.t("bundle_send")} lines={2} onSubmit={async (reason) => {
        await post("/api/approvals", { kind: "bundle.export", person, reason, request: { incident, audience, recipient: recipient.trim() } });
        session.say(t.t("bundle_sent"));
        changed("today");
        onClose();
      }}>
        <SelectField label={t.t("bundle_audience")} value={audience} options={AUDIENCES.map((value) => ({ value, label: t.t(`bundle_for_${value}`) }))} onChange={setAudience} />
        <TextField label={t.t("bundle_recipient")} value={recipient} onChange={setRecipient} required maxLength={200} />
      </ReasonForm>
    </Dialog>
  );
}

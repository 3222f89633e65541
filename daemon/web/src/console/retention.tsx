// What expires when: how long what is kept, what goes next, what went, and the legal holds that keep things longer.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { get, post } from "../api/http";
import type { Approval, ExpiryItem, Hold, KeepClass, Retention } from "../api/types";
import { DAY_MS } from "../text/time";
import { Icon } from "../ui/icons";
import { changed, useLoad } from "./load";
import { ActionFailure, Card, Chip, Dialog, Empty, Loaded, Page, ReasonForm, SelectField, TextField, Tabs, useAction, useSession } from "./parts";
import { keepWords } from "./words";

const REVIEW_DAYS = 90; // what the form proposes
const CLASSES: readonly KeepClass[] = ["recording", "risk", "photo", "contact", "messages", "concern", "case_file", "access_log"];

export interface HoldObject { kind: Hold["kind"]; id: number; name: string }

export function HoldDialog({ object, onClose }: { object: HoldObject; onClose(): void }): JSX.Element {
  const { session, view, t } = useSession();
  const [review, setReview] = useState(view.clock.isoDay(view.clock.now() + REVIEW_DAYS * DAY_MS));
  return (
    <Dialog title={t.t("hold_place")} onClose={onClose}>
      <ReasonForm label={t.t("hold_reason")} hint={t.t("hold_reason_hint")} submit={t.t("hold_place")} lines={2} onSubmit={async (reason) => {
        await post<{ holds: Hold[] }>("/api/holds", { kind: object.kind, id: object.id, reason, review });
        session.say(t.t("hold_placed"));
        changed("all");
        onClose();
      }}>
        <p><strong>{t.t(`hold_kind_${object.kind}`)}</strong> · {object.name}</p>
        <p class="soft small">{t.t(`hold_keeps_${object.kind}`)}</p>
        <TextField label={t.t("hold_review")} hint={t.t("hold_review_hint")} type="date" value={review} onChange={setReview} required />
      </ReasonForm>
    </Dialog>
  );
}

// On the page of what it would be about: for supervisors.
export function HoldPart({ object }: { object: HoldObject }): JSX.Element | null {
  const { session, t } = useSession();
  const [open, setOpen] = useState(false);
  if (!session.has("supervisor")) return null;
  return (
    <Card title={t.t("holds_title")} icon="shield" actions={<button type="button" class="button" onClick={() => setOpen(true)}>{t.t("hold_place")}</button>}>
      <p class="soft">{t.t(`hold_keeps_${object.kind}`)} <a href="#/retention">{t.t("nav_retention")}</a></p>
      {open && <HoldDialog object={object} onClose={() => setOpen(false)} />}
    </Card>
  );
}

function ReviewDialog({ hold, onClose }: { hold: Hold; onClose(): void }): JSX.Element {
  const { session, view, t } = useSession();
  const [review, setReview] = useState(view.clock.isoDay(view.clock.now() + REVIEW_DAYS * DAY_MS));
  return (
    <Dialog title={t.t("hold_review_now")} onClose={onClose}>
      <ReasonForm label={t.t("hold_review_why")} submit={t.t("hold_review_now")} lines={2} onSubmit={async (reason) => {
        await post<{ holds: Hold[] }>(`/api/holds/${hold.id}/review`, { reason, review });
        session.say(t.t("hold_reviewed"));
        changed("all");
        onClose();
      }}>
        <p class="quote prewrap">{hold.reason}</p>
        <TextField label={t.t("hold_review")} hint={t.t("hold_review_hint")} type="date" value={review} onChange={setReview} required />
      </ReasonForm>
    </Dialog>
  );
}

function ReleaseDialog({ hold, onClose }: { hold: Hold; onClose(): void }): JSX.Element {
  const { session, t } = useSession();
  return (
    <Dialog title={t.t("hold_release")} onClose={onClose}>
      <ReasonForm label={t.t("end_reason")} submit={t.t("approval_send")} lines={2} onSubmit={async (reason) => {
        await post<Approval>("/api/approvals", { kind: "hold.release", person: hold.person_id, reason, request: { hold: hold.id } });
        session.say(t.t("approval_sent"));
        changed("all");
        onClose();
      }}>
        <p class="soft">{t.t("hold_release_text")}</p>
      </ReasonForm>
    </Dialog>
  );
}

// The configuration says shorter than what is in force: nothing of it happens before two supervisors have agreed.
function ShorterDialog({ policy, onClose }: { policy: Retention["policy"]; onClose(): void }): JSX.Element {
  const { session, t } = useSession();
  const shorter = policy.filter((row) => row.shorter !== null);
  return (
    <Dialog title={t.t("retention_shorten")} onClose={onClose}>
      <ReasonForm label={t.t("end_reason")} submit={t.t("approval_send")} lines={2} onSubmit={async (reason) => {
        const days = Object.fromEntries(shorter.map((row) => [row.class, row.shorter]));
        await post<Approval>("/api/approvals", { kind: "retention.shorten", reason, request: { days } });
        session.say(t.t("approval_sent"));
        changed("all");
        onClose();
      }}>
        <ul>{shorter.map((row) => <li key={row.class}>{t.t(`keep_${row.class}`)}: {keepWords(t, row.days)} → {keepWords(t, row.shorter!)}</li>)}</ul>
        <p class="soft">{t.t("retention_shorten_text")}</p>
      </ReasonForm>
    </Dialog>
  );
}

function holdObject(hold: Hold): string {
  return hold.kind === "incident" ? ` № ${hold.incident_id}` : hold.kind === "recording" ? ` № ${hold.recording_id}` : "";
}

function HoldRow({ hold, onReview, onRelease }: { hold: Hold; onReview(): void; onRelease(): void }): JSX.Element {
  const { view, t } = useSession();
  const href = hold.kind === "incident" ? `#/incidents/${hold.incident_id}` : hold.kind === "recording" ? `#/checkins/${hold.checkin_id}` : `#/persons/${hold.person_id}`;
  return (
    <li>
      <div class="order-head">
        <strong><a href={href}>{t.t(`hold_kind_${hold.kind}`)}{holdObject(hold)}</a> · {hold.person_name}</strong>
        <Chip tone={hold.overdue ? "warn" : "quiet"} icon="clock">{t.t(hold.overdue ? "hold_overdue" : "hold_review_at", { date: view.clock.day(hold.review) })}</Chip>
      </div>
      <p class="quote prewrap">{hold.reason}</p>
      <p class="soft small">{t.t("hold_by", { name: hold.by, moment: view.clock.momentAge(hold.created) })}</p>
      <div class="row-buttons">
        <button type="button" class="button" onClick={onReview}>{t.t("hold_review_now")}</button>
        {hold.release_id
          ? <a class="button plain" href="#/approvals">{t.t("hold_release_waits")}</a>
          : <button type="button" class="button plain" onClick={onRelease}>{t.t("hold_release")}</button>}
      </div>
    </li>
  );
}

function Item({ item, onHold }: { item: ExpiryItem; onHold(object: HoldObject): void }): JSX.Element {
  const { view, t } = useSession();
  const name = item.person_name || "";
  const fact = item.state === "erased" && item.erased ? t.t("expiry_erased", { date: view.clock.day(item.erased) })
    : item.state === "erasing" ? t.t("expiry_erasing")
    : item.expires ? t.t("expiry_at", { date: view.clock.day(item.expires) }) : t.t("expiry_held");
  return (
    <div class="row">
      <div class="row-main static">
        <span class="row-text">
          <span class="row-title"><strong>{fact}</strong>{item.hold_id !== null && <Chip tone="good" icon="shield">{t.t("expiry_on_hold")}</Chip>}</span>
          <span class="row-fact">{t.t(`keep_${item.class}`)}{item.person_id !== null && <> · <a href={item.checkin_id !== null ? `#/checkins/${item.checkin_id}` : `#/persons/${item.person_id}`}>{name}</a></>}{item.leg === "staff" && <span class="soft"> · {t.t("expiry_leg_staff")}</span>}</span>
          <span class="row-fact soft">{t.t("expiry_since", { date: view.clock.day(item.since) })}</span>
        </span>
      </div>
      {item.person_id !== null && item.hold_id === null && item.state === "kept" && (
        <button type="button" class="button plain" onClick={() => onHold(item.recording_id !== null ? { kind: "recording", id: item.recording_id, name } : { kind: "person", id: item.person_id!, name })}><Icon name="shield" size={20} />{t.t("hold_place")}</button>
      )}
    </div>
  );
}

type Open = { shorten: Retention["policy"] } | { hold: HoldObject } | { review: Hold } | { release: Hold };

export function RetentionPage({ state }: { state: "waiting" | "erased" }): JSX.Element {
  const { t } = useSession();
  const [only, setOnly] = useState("");
  const path = `/api/retention?state=${state}${only && "&class=" + only}`;
  const load = useLoad<Retention>(path, ["today"]);
  // What was asked for behind the first page; of another path, or from before a change, it is nothing.
  const [later, setLater] = useState<{ of: Retention; items: ExpiryItem[]; cut: boolean } | null>(null);
  const more = useAction();
  const [open, setOpen] = useState<Open | null>(null);
  const close = (): void => setOpen(null);
  return (
    <Page title={t.t("nav_retention")} under={t.t("retention_under")}>
      <Loaded load={load}>
        {(data) => {
          const tail = later && later.of === data ? later : { of: data, items: [], cut: data.cut };
          const items = data.items.concat(tail.items);
          return (
          <div class="stack">
            <Card title={t.t("holds_title")} icon="shield">
              {!data.holds.length && <p class="soft">{t.t("holds_none")}</p>}
              <ul class="orders">
                {data.holds.map((hold) => <HoldRow key={hold.id} hold={hold} onReview={() => setOpen({ review: hold })} onRelease={() => setOpen({ release: hold })} />)}
              </ul>
            </Card>
            <Card title={t.t("retention_policy")} icon="clock">
              <p class="soft small">{t.t("retention_policy_text")}</p>
              <dl class="data">
                {data.policy.map((row) => {
                  const total = data.totals.find((other) => other.class === row.class);
                  return <div key={row.class}><dt>{t.t(`keep_${row.class}`)}</dt><dd>{keepWords(t, row.days)}{row.shorter !== null && <span class="soft"> · {t.t("keep_shorter", { n: row.shorter })}</span>}{total && <span class="soft"> · {t.t("keep_waiting", { n: total.waiting })}{total.held > 0 && `, ${t.t("keep_held", { n: total.held })}`}</span>}</dd></div>;
                })}
              </dl>
              {data.policy.some((row) => row.shorter !== null) && (
                <div class="row-buttons"><button type="button" class="button" onClick={() => setOpen({ shorten: data.policy })}>{t.t("retention_shorten")}</button></div>
              )}
            </Card>
            <Tabs>
              <a class="tab-inline" href="#/retention" aria-current={state === "waiting" ? "page" : undefined}>{t.t("expiry_waiting")}</a>
              <a class="tab-inline" href="#/retention?state=erased" aria-current={state === "erased" ? "page" : undefined}>{t.t("expiry_gone")}</a>
            </Tabs>
            <SelectField label={t.t("expiry_only")} value={only} options={[{ value: "", label: t.t("expiry_all") }, ...CLASSES.map((value) => ({ value: value as string, label: t.t(`keep_${value}`) }))]} onChange={setOnly} />
            <div class="rows">{items.map((item) => <Item key={item.id} item={item} onHold={(hold) => setOpen({ hold })} />)}</div>
            {!data.items.length && <Empty icon="clock" title={t.t(state === "waiting" ? "expiry_none" : "expiry_none_gone")} />}
            <ActionFailure action={more} />
            {tail.cut && (
              <button type="button" class="button" disabled={more.busy} onClick={() => void more.run(async () => {
                const page = await get<Retention>(`${path}&after=${items[items.length - 1]!.id}`);
                setLater({ of: data, items: tail.items.concat(page.items), cut: page.cut });
              })}>{t.t("show_more")}</button>
            )}
          </div>
          );
        }}
      </Loaded>
      {open && "shorten" in open && <ShorterDialog policy={open.shorten} onClose={close} />}
      {open && "hold" in open && <HoldDialog object={open.hold} onClose={close} />}
      {open && "review" in open && <ReviewDialog hold={open.review} onClose={close} />}
      {open && "release" in open && <ReleaseDialog hold={open.release} onClose={close} />}
    </Page>
  );
}

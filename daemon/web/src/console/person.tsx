// One person: what is in force, what happened, what was written.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { get, post, postImage } from "../api/http";
import type { Blackout, CheckinRow, Device, Order, Person, Plan, Requirement } from "../api/types";
import { closeStream, openDevices } from "../rtc/devices";
import { Icon } from "../ui/icons";
import { Video } from "../ui/video";
import { deviceWords } from "./account";
import { BlackoutForm, Blackouts, EndBlackoutDialog } from "./blackouts";
import { changed, useLoad } from "./load";
import { ActionFailure, BandMark, Card, Chip, ComplianceStrip, Dialog, Empty, Loaded, Page, Portrait, ReasonForm, SelectField, TextField, Tabs, useAction, useSession } from "./parts";
import { PersonForm } from "./persons";
import { OrderForm, ReplaceDialog, Requirements } from "./order";
import { PlanForm, planWords } from "./plan";
import { AheadDialog } from "./plan_preview";
import { RiskTab } from "./risk";
import { OpenedBanner, useOpenedCase } from "./opened";
import { jpegOf, pictureOf } from "../ui/picture";
import { StaffThread } from "./staff_thread";
import { CheckinListRow } from "./today";

type Dialogs = "edit" | "photo" | "order" | "plan" | "call" | "enrol" | "blackout" | { endOrder: Order } | { endPlan: Plan } | { changePlan: Plan } | { ahead: Plan } | { replace: Requirement; order: Order } | { endBlackout: Blackout } | { revoke: Device } | null;

const PHOTO_EDGE = 800;

function PhotoDialog({ person, onClose }: { person: Person; onClose(): void }): JSX.Element {
  const { t } = useSession();
  const [stream, setStream] = useState<MediaStream | null>(null);
  const [blocked, setBlocked] = useState(false);
  const [unreadable, setUnreadable] = useState(false);
  const frame = useRef<HTMLDivElement>(null);
  const action = useAction();
  useEffect(() => () => closeStream(stream), [stream]);
  const save = async (jpeg: Blob | null): Promise<void> => {
    if (!jpeg) return setUnreadable(true);
    const saved = await action.run(async () => {
      await postImage(`/api/persons/${person.id}/photo`, jpeg);
    });
    if (saved) {
      changed("person");
      onClose();
    }
  };
  const start = async (): Promise<void> => {
    const devices = await openDevices();
    if (devices.stream) devices.stream.getAudioTracks().forEach((track) => track.stop());
    setStream(devices.camera ? devices.stream : null);
    setBlocked(!devices.camera);
  };
  const take = (): void => {
    const video = frame.current && frame.current.querySelector("video");
    if (video) void jpegOf(video, video.videoWidth, video.videoHeight, PHOTO_EDGE).then(save);
  };
  return (
    <Dialog title={t.t("photo_title")} onClose={onClose}>
      <div class="form">
        <p class="soft">{t.t("photo_text")}</p>
        <div class="photo-frame" ref={frame}>{stream ? <Video stream={stream} label={t.t("photo_title")} muted /> : <Portrait id={person.id} name={person.name} has={person.has_photo} size={160} />}</div>
        {blocked && <p class="fault" role="alert">{t.t("photo_no_camera")}</p>}
        {unreadable && <p class="fault" role="alert">{t.t("photo_unreadable")}</p>}
        <ActionFailure action={action} />
        {stream ? <button type="button" class="button primary big" disabled={action.busy} onClick={take}><Icon name="photo" />{t.t("photo_take")}</button>
          : <button type="button" class="button" onClick={() => void start()}><Icon name="camera" size={20} />{t.t("photo_camera")}</button>}
        <label class="button">
          <Icon name="plus" size={20} />{t.t("photo_file")}
          <input class="unseen" type="file" accept="image/*" onChange={(event) => {
            const file = event.currentTarget.files && event.currentTarget.files[0];
            setUnreadable(false);
            if (file) pictureOf(file).then((image) => jpegOf(image, image.naturalWidth, image.naturalHeight, PHOTO_EDGE)).then(save, () => setUnreadable(true));
          }} />
        </label>
      </div>
    </Dialog>
  );
}

function EnrolDialog({ person, onClose }: { person: Person; onClose(): void }): JSX.Element {
  const { view, t } = useSession();
  const [link, setLink] = useState<{ url: string; expires: string; picture: string } | null>(null);
  const action = useAction();
  useEffect(() => {
    let picture = "";
    void action.run(async () => {
      const answer = await post<{ url: string; qr_svg: string; expires: string }>(`/api/persons/${person.id}/enrol`);
      picture = URL.createObjectURL(new Blob([answer.qr_svg], { type: "image/svg+xml" }));
      setLink({ url: answer.url, expires: answer.expires, picture });
    });
    return () => URL.revokeObjectURL(picture);
  }, []);
  return (
    <Dialog title={t.t("enrol_title")} onClose={onClose}>
      <div class="form">
        <p class="soft">{t.t("enrol_text")}</p>
        <ActionFailure action={action} />
        {link && <><img class="qr" src={link.picture} alt={t.t("enrol_qr")} /><p class="mono break">{link.url}</p><p class="soft small">{t.t("enrol_until", { time: view.clock.moment(link.expires) })}</p></>}
      </div>
    </Dialog>
  );
}

// What opens a dialog; null where the case can only be read.
type Open = ((dialog: Dialogs) => void) | null;

function Devices({ person, open }: { person: Person; open: Open }): JSX.Element {
  const { view, t } = useSession();
  return (
    <Card title={t.t("devices_title")} icon="phone" actions={open && <button type="button" class="button plain" onClick={() => open("enrol")}><Icon name="qr" size={20} />{t.t("enrol_title")}</button>}>
      {!person.devices.length && <p class="soft">{t.t("devices_none")}</p>}
      <div class="rows">
        {person.devices.map((device) => (
          <div key={device.id} class={"row" + (device.revoked ? " gone" : "")}>
            <div class="row-main static"><span class="row-text">
              <strong>{deviceWords(device.name)}</strong>
              <span class="row-fact soft">{device.revoked ? t.t("device_revoked", { at: view.clock.moment(device.revoked) })
                : t.t(device.used ? "device_used" : "device_never", { used: device.used ? view.clock.momentAge(device.used) : "", since: view.clock.moment(device.created) })}</span>
            </span></div>
            {!device.revoked && open && <div class="row-buttons"><button type="button" class="button plain" onClick={() => open({ revoke: device })}>{t.t("device_revoke")}</button></div>}
          </div>
        ))}
      </div>
    </Card>
  );
}

function CallNowDialog({ person, onClose }: { person: Person; onClose(): void }): JSX.Element {
  const { t } = useSession();
  const [kind, setKind] = useState("live");
  const [duty, setDuty] = useState("auto");
  return (
    <Dialog title={t.t("call_now")} onClose={onClose}>
      <ReasonForm draft={`person.${person.id}.call`} label={t.t("call_now_reason")} hint={t.t("call_now_hint")} submit={t.t("call_now_submit")} onSubmit={async (reason) => {
        await post<CheckinRow>(`/api/persons/${person.id}/checkins`, { reason, kind, ...(duty === "auto" ? {} : { mandatory: duty === "duty" }) });
        changed("today");
        changed("person");
        onClose();
      }}>
        <SelectField label={t.t("plan_kind")} value={kind} options={[{ value: "live", label: t.t("kind_live") }, { value: "unattended", label: t.t("kind_unattended") }]} onChange={setKind} />
        <SelectField label={t.t("call_now_duty")} hint={t.t("call_now_duty_hint")} value={duty} options={(["auto", "duty", "voluntary"] as const).map((value) => ({ value, label: t.t(`duty_${value}`) }))} onChange={setDuty} />
      </ReasonForm>
    </Dialog>
  );
}

function EndOrderDialog({ order, onClose, onDone }: { order: Order; onClose(): void; onDone(): void }): JSX.Element {
  const { view, t } = useSession();
  const [date, setDate] = useState(view.clock.isoDay(view.clock.now()));
  return (
    <Dialog title={t.t("order_end")} onClose={onClose}>
      <ReasonForm label={t.t("end_reason")} submit={t.t("order_end")} onSubmit={async (reason) => {
        await post<Order>(`/api/orders/${order.id}/end`, { date, reason });
        onDone();
      }}>
        <TextField label={t.t("order_end_date")} type="date" value={date} onChange={setDate} />
      </ReasonForm>
    </Dialog>
  );
}

function Orders({ person, open }: { person: Person; open: Open }): JSX.Element {
  const { view, t } = useSession();
  return (
    <Card title={t.t("orders_title")} icon="seal" actions={open && <button type="button" class="button plain" onClick={() => open("order")}><Icon name="plus" size={20} />{t.t("order_add")}</button>}>
      {!person.orders.length && <p class="soft">{t.t("order_none")}</p>}
      <ul class="orders">
        {person.orders.map((order) => (
          <li key={order.id} class={order.in_force ? "" : "ended"}>
            <div class="order-head">
              <strong>{t.maybe("order_" + order.kind)}</strong>
              {order.ended && <Chip tone="quiet">{t.t(order.in_force ? "order_ends_on" : "order_ended_on", { date: view.clock.date(order.ended) })}</Chip>}
              {!order.ended && !order.in_force && <Chip tone="quiet">{t.t("order_over")}</Chip>}
              {open && !order.ended && order.in_force && <button type="button" class="button plain" onClick={() => open({ endOrder: order })}>{t.t("order_end")}</button>}
            </div>
            <p class="small">{t.t("order_line", { number: order.number, article: order.article })}, {order.issuer}</p>
            <p class="small">{t.t("order_span", { from: view.clock.date(order.from), until: view.clock.date(order.until) })} · {order.hours_start === order.hours_end ? t.t("order_any_hour") : t.t("order_hours", { from: order.hours_start, until: order.hours_end })}</p>
            <p class="small">{t.t("order_per_day_line", { n: order.per_day_max })}</p>
            <Requirements order={order} onReplace={open && ((requirement) => open({ replace: requirement, order }))} />
            {order.conditions && <p class="conditions prewrap">{order.conditions}</p>}
            {order.ended_reason && <p class="quote">{order.ended_reason}</p>}
          </li>
        ))}
      </ul>
    </Card>
  );
}

// What serves until the plan begins: where it has not.
const planBefore = (person: Person, plan: Plan, today: string): Plan | undefined => (plan.from > today ? person.plans.find((one) => one.state === "active" && one.id === plan.place_of) : undefined);
const planAfter = (person: Person, plan: Plan): Plan | undefined => person.plans.find((one) => one.state === "active" && one.place_of === plan.id);

function PlanTurn({ person, plan }: { person: Person; plan: Plan }): JSX.Element | null {
  const { view, t } = useSession();
  const next = planAfter(person, plan);
  if (plan.state === "ended" || !plan.until) return null;
  return <p class="small"><strong>{t.t("plan_until", { date: view.clock.date(plan.until) })}</strong>{next && " " + t.t("plan_then", { words: planWords(t, next) })}</p>;
}

// What becomes of the dates: the plan before goes on, or nothing is asked until the next one begins.
function EndPlanNote({ person, plan }: { person: Person; plan: Plan }): JSX.Element | null {
  const { view, t } = useSession();
  const today = view.clock.isoDay(view.clock.now());
  const before = planBefore(person, plan, today);
  const next = planAfter(person, plan);
  if (before) return <p class="note"><Icon name="refresh" size={20} /><span>{t.t("plan_end_unbegun", { words: planWords(t, before) })}</span></p>;
  return next && next.from > today ? <p class="note warn"><Icon name="alert" size={20} /><span>{t.t("plan_end_gap", { date: view.clock.date(next.from) })}</span></p> : null;
}

function Plans({ person, open, ahead }: { person: Person; open: Open; ahead(plan: Plan): void }): JSX.Element {
  const { view, t } = useSession();
  const usable = person.orders.some((order) => order.in_force);
  const today = view.clock.isoDay(view.clock.now());
  return (
    <Card title={t.t("plans_title")} icon="calendar" actions={open && usable && <button type="button" class="button plain" onClick={() => open("plan")}><Icon name="plus" size={20} />{t.t("plan_add")}</button>}>
      {!person.plans.length && <p class="soft">{t.t(usable ? "plan_none" : "plan_needs_order")}</p>}
      <ul class="orders">
        {person.plans.map((plan) => (
          <li key={plan.id} class={plan.state === "ended" ? "ended" : ""}>
            <div class="order-head">
              <strong>{t.t(`kind_${plan.kind}`)}</strong>
              {plan.state === "active" && <Chip tone={plan.from > today ? "info" : "good"}>{plan.from > today ? t.t("plan_from", { date: view.clock.date(plan.from) }) : t.t("plan_serves")}</Chip>}
              {plan.state === "ended" ? <Chip tone="quiet">{t.t("plan_ended")}</Chip> : (
                <span class="row-buttons">
                  <button type="button" class="button plain" onClick={() => ahead(plan)}>{t.t("ahead")}</button>
                  {open && usable && !plan.until && <button type="button" class="button plain" onClick={() => open({ changePlan: plan })}>{t.t("plan_change")}</button>}
                  {open && <button type="button" class="button plain" onClick={() => open({ endPlan: plan })}>{t.t("plan_end")}</button>}
                </span>
              )}
            </div>
            <p class="small">{planWords(t, plan)}</p>
            <PlanTurn person={person} plan={plan} />
            <p class="soft small">{t.t(plan.mandatory ? "plan_is_mandatory" : "plan_is_voluntary")}</p>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function HistoryTab({ person }: { person: Person }): JSX.Element {
  const { t } = useSession();
  const [pages, setPages] = useState<{ rows: CheckinRow[]; next: number | null } | null>(null);
  const load = useLoad<{ checkins: CheckinRow[]; next: number | null }>(`/api/persons/${person.id}/checkins`, ["person", "today"]);
  const more = useAction();
  const rows = (load.data ? load.data.checkins : []).concat(pages ? pages.rows : []);
  const next = pages ? pages.next : load.data ? load.data.next : null;
  return (
    <Loaded load={load}>
      {() => (
        <>
          {!rows.length && <Empty icon="calendar" title={t.t("history_none")} />}
          <div class="rows">{rows.map((row) => <CheckinListRow key={row.id} row={row} dated />)}</div>
          <ActionFailure action={more} />
          {next !== null && next !== undefined && (
            <button type="button" class="button" disabled={more.busy} onClick={() => void more.run(async () => {
              const page = await get<{ checkins: CheckinRow[]; next: number | null }>(`/api/persons/${person.id}/checkins?before=${next}`);
              setPages({ rows: (pages ? pages.rows : []).concat(page.checkins), next: page.next });
            })}>{t.t("show_more")}</button>
          )}
        </>
      )}
    </Loaded>
  );
}

function Tab({ name, now, id, children }: { name: string; now: string; id: number; children: ComponentChildren }): JSX.Element {
  return <a class="tab-inline" href={`#/persons/${id}${name ? "?tab=" + name : ""}`} aria-current={now === name ? "page" : undefined}>{children}</a>;
}

export function PersonPage({ id, tab }: { id: number; tab: string }): JSX.Element {
  const { session, view, t } = useSession();
  const load = useLoad<Person>(`/api/persons/${id}`, ["person", "incident"]);
  const [dialog, setDialog] = useState<Dialogs>(null);
  const opened = useOpenedCase(id);
  const open: Open = session.manages && !opened ? setDialog : null;
  const close = (): void => setDialog(null);
  const done = (): void => {
    setDialog(null);
    changed("person");
  };
  const person = load.data;
  return (
    <Page title={person ? person.name : t.t("person")} back="#/persons" under={person ? `${person.reference} · ${t.t("person_of", { name: person.inspector_name })}` : null}
      wideActions actions={person && session.conducts && !opened && <button type="button" class="button primary" onClick={() => setDialog("call")}><Icon name="phone" size={20} />{t.t("call_now")}</button>}>
      <Loaded load={load}>
        {(data) => (
          <>
            {opened && <OpenedBanner row={opened} />}
            <div class="person-head">
              {open
                ? <button type="button" class="photo-button" aria-label={t.t("photo_title")} onClick={() => open("photo")}><Portrait id={data.id} name={data.name} has={data.has_photo} size={96} /><span class="photo-edit"><Icon name="photo" size={20} /></span></button>
                : <Portrait id={data.id} name={data.name} has={data.has_photo} size={96} />}
              <div class="person-facts">
                <BandMark band={data.band} />
                <ComplianceStrip marks={data.strip} />
                <p class="small">{data.next_window ? t.t("person_next", { span: view.clock.span(data.next_window.start, data.next_window.end) }) : t.t("person_no_next")}</p>
                {data.open_incidents > 0 && <p><a href="#/incidents"><Chip tone="act" icon="alert">{t.t("person_incidents", { n: data.open_incidents })}</Chip></a></p>}
              </div>
            </div>
            <Tabs>
              <Tab id={id} now={tab} name="">{t.t("tab_overview")}</Tab>
              {session.conducts && <Tab id={id} now={tab} name="messages">{t.t("messages")}{data.unread_messages > 0 && <span class="count">{data.unread_messages}</span>}</Tab>}
              <Tab id={id} now={tab} name="history">{t.t("tab_history")}</Tab>
              {session.manages && <Tab id={id} now={tab} name="risk">{t.t("tab_risk")}</Tab>}
            </Tabs>
            {tab === "" && (
              <div class="cards">
                <Orders person={data} open={open} />
                <Plans person={data} open={open} ahead={(plan) => setDialog({ ahead: plan })} />
                <Blackouts person={data} onAdd={open && (() => open("blackout"))} onEnd={open && ((blackout) => open({ endBlackout: blackout }))} />
                <Card title={t.t("person_data")} icon="person" actions={open && <button type="button" class="button plain" onClick={() => open("edit")}><Icon name="edit" size={20} />{t.t("edit")}</button>}>
                  <dl class="data">
                    <div><dt>{t.t("person_birth")}</dt><dd>{view.clock.date(data.birth_date)}</dd></div>
                    <div><dt>{t.t("person_phone")}</dt><dd>{data.phone ? <a href={"tel:" + data.phone}>{data.phone}</a> : t.t("not_given")}</dd></div>
                    <div><dt>{t.t("person_email")}</dt><dd>{data.email || t.t("not_given")}</dd></div>
                    <div><dt>{t.t("person_address")}</dt><dd>{data.address || t.t("not_given")}</dd></div>
                    {data.note && <div><dt>{t.t("person_note")}</dt><dd class="prewrap">{data.note}</dd></div>}
                  </dl>
                </Card>
                <Devices person={data} open={open} />
              </div>
            )}
            {tab === "messages" && session.conducts && <div class="thread-box"><StaffThread person={id} /></div>}
            {tab === "history" && <HistoryTab person={data} />}
            {tab === "risk" && session.manages && <RiskTab person={data} />}
            {dialog === "edit" && <Dialog title={t.t("person_data")} onClose={close}><PersonForm person={data} onDone={done} /></Dialog>}
            {dialog === "photo" && <PhotoDialog person={data} onClose={close} />}
            {dialog === "order" && <Dialog title={t.t("order_add")} onClose={close}><OrderForm person={data} onDone={done} /></Dialog>}
            {dialog === "plan" && <Dialog title={t.t("plan_add")} onClose={close}><PlanForm person={data} plan={null} onDone={done} /></Dialog>}
            {dialog === "blackout" && <BlackoutForm person={data} onClose={close} onDone={done} />}
            {dialog && typeof dialog === "object" && "changePlan" in dialog && <Dialog title={t.t("plan_change")} onClose={close}><PlanForm person={data} plan={dialog.changePlan} onDone={done} /></Dialog>}
            {dialog && typeof dialog === "object" && "ahead" in dialog && <AheadDialog plan={dialog.ahead.id} onClose={close} />}
            {dialog && typeof dialog === "object" && "replace" in dialog && <ReplaceDialog person={data} order={dialog.order} requirement={dialog.replace} onClose={close} />}
            {dialog && typeof dialog === "object" && "endBlackout" in dialog && <EndBlackoutDialog blackout={dialog.endBlackout} onClose={close} onDone={done} />}
            {dialog === "call" && <CallNowDialog person={data} onClose={close} />}
            {dialog === "enrol" && <EnrolDialog person={data} onClose={close} />}
            {dialog && typeof dialog === "object" && "endOrder" in dialog && <EndOrderDialog order={dialog.endOrder} onClose={close} onDone={done} />}
            {dialog && typeof dialog === "object" && "revoke" in dialog && (
              <Dialog title={t.t("device_revoke")} onClose={close}>
                <ReasonForm label={t.t("device_revoke_reason")} submit={t.t("device_revoke")} onSubmit={async (reason) => {
                  await post<Person>(`/api/devices/${dialog.revoke.id}/revoke`, { reason });
                  done();
                }} />
              </Dialog>
            )}
            {dialog && typeof dialog === "object" && "endPlan" in dialog && (
              <Dialog title={t.t("plan_end")} onClose={close}>
                <ReasonForm label={t.t("end_reason")} submit={t.t("plan_end")} onSubmit={async (reason) => {
                  await post<Plan>(`/api/plans/${dialog.endPlan.id}/end`, { reason });
                  done();
                }}>
                  <EndPlanNote person={data} plan={dialog.endPlan} />
                </ReasonForm>
              </Dialog>
            )}
          </>
        )}
      </Loaded>
    </Page>
  );
}

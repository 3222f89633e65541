// What is around every page: the areas with their counts, whoever rings, whatever alarms.
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { CheckinRow, Role, Today } from "../api/types";
import { stopwatch } from "../text/time";
import { Icon, type IconName, Logo } from "../ui/icons";
import { useStore, useTick } from "../ui/store";
import type { CallSession } from "./call_session";
import { useLoad } from "./load";
import { BandMark, Dialog, Portrait, useKeys, useSession } from "./parts";
import { go, type Route } from "./router";
import type { Alert, ConsoleSession } from "./session";
import { Strips } from "./strips";
import { incidentFact, incidentNext } from "./words";

interface Area {
  path: string;
  icon: IconName;
  label: "nav_today" | "nav_duty" | "nav_incidents" | "nav_reviews" | "nav_persons" | "nav_requests" | "nav_approvals" | "nav_overload" | "nav_cadence" | "nav_retention" | "nav_overview" | "nav_log" | "nav_staff" | "nav_units" | "nav_system" | "nav_account";
  roles: readonly Role[];
  count?: (counts: Today["counts"]) => number;
  urgent?: boolean;
}

const AREAS: readonly Area[] = [
  { path: "overview", icon: "chart", label: "nav_overview", roles: ["supervisor"] },
  { path: "today", icon: "today", label: "nav_today", roles: ["inspector", "officer", "supervisor"], count: (c) => c.waiting + c.ringing },
  { path: "incidents", icon: "bell", label: "nav_incidents", roles: ["inspector", "officer", "supervisor"], count: (c) => c.incidents, urgent: true },
  { path: "reviews", icon: "eye", label: "nav_reviews", roles: ["inspector"], count: (c) => c.reviews },
  { path: "persons", icon: "people", label: "nav_persons", roles: ["inspector", "officer", "supervisor"], count: (c) => c.unread },
  { path: "requests", icon: "message", label: "nav_requests", roles: ["inspector", "supervisor"] },
  { path: "approvals", icon: "hand", label: "nav_approvals", roles: ["supervisor", "inspector"] },
  { path: "overload", icon: "calendar", label: "nav_overload", roles: ["supervisor"] },
  { path: "cadence", icon: "ladder", label: "nav_cadence", roles: ["supervisor"] },
  { path: "retention", icon: "shield", label: "nav_retention", roles: ["supervisor"] },
  { path: "duty", icon: "calendar", label: "nav_duty", roles: ["inspector", "officer", "supervisor"] },
  { path: "log", icon: "log", label: "nav_log", roles: ["supervisor"] },
  { path: "staff", icon: "person", label: "nav_staff", roles: ["administrator", "supervisor"] },
  { path: "units", icon: "shield", label: "nav_units", roles: ["administrator"] },
  { path: "system", icon: "settings", label: "nav_system", roles: ["administrator", "supervisor"] },
  { path: "account", icon: "person", label: "nav_account", roles: [] },
];

export function areasFor(session: ConsoleSession): readonly Area[] {
  return AREAS.filter((area) => area.roles.some((role) => session.has(role)));
}

export function homeOf(session: ConsoleSession): string {
  if (session.has("inspector")) return "today";
  if (session.has("supervisor")) return "overview";
  if (session.has("officer")) return "incidents";
  return "staff";
}

const PHONE_TABS = 4;

function Count({ area, counts }: { area: Area; counts: Today["counts"] | null }): JSX.Element | null {
  const n = counts && area.count ? area.count(counts) : 0;
  return n ? <span class={"count" + (area.urgent ? " act" : "")}>{n}</span> : null;
}

function NavLink({ area, route, counts }: { area: Area; route: Route; counts: Today["counts"] | null }): JSX.Element {
  const { t } = useSession();
  return (
    <a class="nav-link" href={"#/" + area.path} aria-current={route.area === area.path ? "page" : undefined}>
      <Icon name={area.icon} /><span class="nav-text">{t.t(area.label)}</span><Count area={area} counts={counts} />
    </a>
  );
}

export function Shell({ route, children }: { route: Route; children: ComponentChildren }): JSX.Element {
  const { session, view, t } = useSession();
  const [more, setMore] = useState(false);
  const [keys, setKeys] = useState(false);
  const cases = session.has("inspector") || session.has("officer") || session.has("supervisor");
  const today = useLoad<Today>(cases ? "/api/today" : null, ["today", "incident", "message"]);
  useEffect(() => {
    if (today.data) session.todayIs(today.data);
  }, [today.data]);
  const body = useRef<HTMLDivElement>(null);
  const place = `${route.area}/${route.id}`;
  const shownPlace = useRef("");
  useEffect(() => {
    if (shownPlace.current === place) return;
    shownPlace.current = place;
    if (body.current) body.current.scrollTop = 0;
    const content = document.getElementById("content");
    if (content) content.focus({ preventScroll: true });
  }, [place]);
  const areas = areasFor(session);
  const inCall = route.area === "call";
  const tabs = areas.length > PHONE_TABS + 1 ? areas.slice(0, PHONE_TABS) : areas;
  const rest = areas.slice(tabs.length);
  const ring = view.rings[0];
  useKeys({
    "?": () => setKeys(true),
    "/": () => {
      const search = document.querySelector<HTMLElement>("[type=search]");
      if (search) search.focus();
      else go("persons?find=1");
    },
    // Only while somebody rings: a page's own "a" must not find the key taken.
    ...(ring && !inCall ? { a: () => answer(session, ring) } : {}),
  });
  return (
    <div class={"shell" + (inCall ? " in-call" : "")}>
      <a class="skip" href="#content" onClick={(event) => {
        event.preventDefault();
        const content = document.getElementById("content");
        if (content) content.focus();
      }}>{t.t("skip_to_content")}</a>
      <nav class="side" aria-label={t.t("nav_label")}>
        <div class="side-head"><Logo /><span class="side-unit">{view.me && view.me.unit ? view.me.unit.name : ""}</span></div>
        {areas.map((area) => <NavLink key={area.path} area={area} route={route} counts={view.counts} />)}
        <div class="side-foot">
          <button type="button" class="nav-link" onClick={() => setKeys(true)}><Icon name="keyboard" /><span class="nav-text">{t.t("keys_title")}</span></button>
          <a class="nav-link" href="#/account" aria-current={route.area === "account" ? "page" : undefined}>
            <Icon name="person" /><span class="nav-text">{view.me ? view.me.name : ""}</span>
          </a>
        </div>
      </nav>
      <div class="body" ref={body}>
        <Strips />
        {children}
      </div>
      <nav class="tabs" aria-label={t.t("nav_label")}>
        {tabs.map((area) => <NavLink key={area.path} area={area} route={route} counts={view.counts} />)}
        <button type="button" class="nav-link" aria-expanded={more} onClick={() => setMore(true)}><Icon name="menu" /><span class="nav-text">{t.t("nav_more")}</span></button>
      </nav>
      {more && (
        <Dialog title={t.t("nav_more")} onClose={() => setMore(false)}>
          <div class="more" onClick={() => setMore(false)}>
            {rest.map((area) => <NavLink key={area.path} area={area} route={route} counts={view.counts} />)}
            <a class="nav-link" href="#/account"><Icon name="person" /><span class="nav-text">{t.t("nav_account")}</span></a>
          </div>
        </Dialog>
      )}
      {keys && <KeysHelp onClose={() => setKeys(false)} />}
      {!inCall && view.call && <RunningCall call={view.call} />}
      <Urgent quiet={inCall} incident={route.area === "incidents" ? Number(route.id) : 0} />
      <p class="unseen" role="status" aria-live="polite">{view.said}</p>
    </div>
  );
}

export function answer(session: ConsoleSession, row: CheckinRow): void {
  session.answer(row.id, row);
  go("call/" + row.id);
}

// Fixed in its place, over the page: nothing below it moves.
// `incident`: the one that is being looked at. Its page has its button itself, and another one's alarm must not lie where
// that button is: it waits above in one line.
function Urgent({ quiet, incident }: { quiet: boolean; incident: number }): JSX.Element | null {
  const { session, view, t } = useSession();
  useTick(1000);
  const title = document.title.replace(/^● /, "");
  const ring = quiet ? undefined : view.rings[0];
  const alerts = view.alerts.filter((row) => row.id !== incident);
  const alert = quiet ? undefined : alerts[0];
  const wanted = ring || alert ? "● " + title : title;
  if (document.title !== wanted) document.title = wanted;
  const shown = !!(ring || alert);
  const slim = !ring && incident > 0;
  // What lies under the card can be scrolled out from under it.
  useEffect(() => {
    document.body.classList.toggle("with-urgent", shown && !slim);
    return () => document.body.classList.remove("with-urgent");
  }, [shown, slim]);
  if (!shown) return null;
  return (
    <div class={"urgent" + (slim ? " slim" : "")} role="alert">
      {ring && <RingCard ring={ring} more={view.rings.length - 1} session={session} text={t.t(ring.kind === "inbound" ? "ring_inbound" : "ring_waiting", { length: view.clock.length(view.clock.now() - Date.parse(ring.waiting_since || new Date(view.clock.now()).toISOString())) })} />}
      {!ring && alert && (slim ? <AlertLine alert={alert} more={alerts.length - 1} /> : <AlertCard alert={alert} more={alerts.length - 1} />)}
    </div>
  );
}

function RingCard({ ring, more, session, text }: { ring: CheckinRow; more: number; session: ConsoleSession; text: string }): JSX.Element {
  const { t } = useSession();
  return (
    <div class="urgent-card ring">
      <Portrait id={ring.person_id} name={ring.person_name} has={false} />
      <div class="urgent-text"><strong>{ring.person_name}</strong><span>{text}</span>{more > 0 && <span>{t.t("ring_more", { n: more })}</span>}</div>
      <button type="button" class="button primary big" onClick={() => answer(session, ring)}><Icon name="phone" />{t.t("answer")}</button>
    </div>
  );
}

function AlertLine({ alert, more }: { alert: Alert; more: number }): JSX.Element {
  const { session, t } = useSession();
  return (
    <a class="urgent-line" href={"#/incidents/" + alert.id} onClick={() => session.dismissAlert(alert.id)}>
      <Icon name="bell" size={20} />
      <span><strong>{alert.person_name}</strong>{more > 0 && <span>{t.t("alert_more", { n: more })}</span>}</span>
      <Icon name="forward" size={20} />
    </a>
  );
}

function AlertCard({ alert, more }: { alert: Alert; more: number }): JSX.Element {
  const { session, view, t } = useSession();
  const next = incidentNext(t, view.clock, alert);
  const open = (): void => {
    session.dismissAlert(alert.id);
    go("incidents/" + alert.id);
  };
  return (
    <div class="urgent-card alert">
      <div class="urgent-text">
        <strong>{alert.person_name}</strong><BandMark band={alert.band} />
        <span>{incidentFact(t, view.clock, alert)}</span>
        {alert.nobodyReached && <span>{t.t("alert_nobody_reached")}</span>}
        {next && <span>{next}</span>}
        {more > 0 && <span>{t.t("alert_more", { n: more })}</span>}
      </div>
      <div class="urgent-actions">
        <button type="button" class="button" onClick={open}>{t.t("open")}</button>
        <button type="button" class="button act" onClick={() => {
          session.want(alert.id);
          open();
        }}>{t.t("incident_take")}</button>
      </div>
    </div>
  );
}

function RunningCall({ call }: { call: CallSession }): JSX.Element {
  const { t } = useSession();
  const state = useStore(call.store);
  useTick(1000);
  return (
    <a class="running" href={"#/call/" + call.checkin}>
      <Icon name="phone" />
      <span>{t.t(state.phase === "ended" ? "call_needs_outcome" : "call_running")}{state.row ? ` · ${state.row.person_name}` : ""}</span>
      {state.since && state.phase === "live" && <span class="tabular">{stopwatch(Date.now() - state.since)}</span>}
      <Icon name="forward" />
    </a>
  );
}

const KEYS = [
  ["/", "key_search"], ["j k", "key_rows"], ["Enter", "key_open"], ["a", "key_answer"], ["d", "key_doubt"], ["n", "key_next"], ["1…6", "key_outcome"], ["?", "key_help"], ["Esc", "key_close"],
] as const;

function KeysHelp({ onClose }: { onClose(): void }): JSX.Element {
  const { t } = useSession();
  return (
    <Dialog title={t.t("keys_title")} onClose={onClose}>
      <dl class="keys">
        {KEYS.map(([key, label]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{t.t(label)}</dd></div>)}
      </dl>
    </Dialog>
  );
}

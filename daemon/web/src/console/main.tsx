// The staff console.
import { type JSX, render } from "preact";
import { useEffect } from "preact/hooks";
import "../style/console.css";
import { guessLanguage, LANGUAGES } from "../text/format";
import { Account } from "./account";
import { StaffPage, UnitsPage } from "./admin";
import { ApprovalsPage } from "./approvals";
import { CadencePage } from "./cadence";
import { CallPage } from "./call";
import { CheckinPage } from "./checkin";
import { DutyPage } from "./duty";
import { OverviewPage } from "./figures";
import { IncidentPage, IncidentsPage } from "./incidents";
import { LogEntryPage, LogPage } from "./log";
import { FirstSetup, Login, MustChangePassword, MustSetSecondFactor, Starting } from "./login";
import { Empty, Page, Session, useSession } from "./parts";
import { OverloadPage } from "./overload";
import { PersonPage } from "./person";
import { PersonForm, PersonsPage } from "./persons";
import { RequestsPage } from "./requests";
import { RetentionPage } from "./retention";
import { ReviewPage, ReviewsPage } from "./reviews";
import { go, type Route, useRoute } from "./router";
import { ConsoleSession, firstOf, rememberedLanguage } from "./session";
import { homeOf, Shell } from "./shell";
import { SystemPage } from "./system";
import { TodayPage } from "./today";

function Missing(): JSX.Element {
  const { session, t } = useSession();
  return (
    <Page title={t.t("missing_title")}>
      <Empty icon="search" title={t.t("missing_title")} text={t.t("missing_text")}><a class="button primary" href={"#/" + homeOf(session)}>{t.t("to_start")}</a></Empty>
    </Page>
  );
}

function Area({ route }: { route: Route }): JSX.Element {
  const id = Number(route.id);
  switch (route.area) {
    case "today":
      return <TodayPage />;
    case "call":
      return <CallPage key={id} id={id} />;
    case "checkins":
      return <CheckinPage key={id} id={id} />;
    case "incidents":
      return route.id ? <IncidentPage key={id} id={id} /> : <IncidentsPage key={route.search.state} state={route.search.state === "closed" ? "closed" : "open"} />;
    case "reviews":
      return route.id ? <ReviewPage key={id} id={id} /> : <ReviewsPage />;
    case "persons":
      return route.id === "new" ? <PersonForm person={null} /> : route.id ? <PersonPage key={id} id={id} tab={route.search.tab || ""} /> : <PersonsPage find={route.search.find === "1"} unread={route.search.unread === "1"} />;
    case "requests":
      return <RequestsPage />;
    case "approvals":
      return <ApprovalsPage key={route.search.state} state={route.search.state === "closed" ? "closed" : "open"} />;
    case "overload":
      return <OverloadPage />;
    case "retention":
      return <RetentionPage key={route.search.state} state={route.search.state === "erased" ? "erased" : "waiting"} />;
    case "cadence":
      return <CadencePage />;
    case "duty":
      return <DutyPage tab={route.id} />;
    case "overview":
      return <OverviewPage />;
    case "log":
      return route.id ? <LogEntryPage key={id} index={id} /> : <LogPage search={route.search} />;
    case "staff":
      return <StaffPage />;
    case "units":
      return <UnitsPage />;
    case "system":
      return <SystemPage />;
    case "account":
      return <Account />;
    default:
      return <Missing />;
  }
}

function Console(): JSX.Element {
  const { session, view } = useSession();
  const route = useRoute();
  useEffect(() => {
    document.documentElement.lang = view.language;
  }, [view.language]);
  const first = view.me ? firstOf(view.me) : null;
  const ready = view.phase === "in" && !!view.me && !first;
  useEffect(() => {
    if (ready && !route.area) go(homeOf(session), true);
  }, [ready, route.area]);
  switch (view.phase) {
    case "starting":
    case "unreachable":
      return <Starting />;
    case "setup":
      return <FirstSetup />;
    case "login":
      return <Login />;
    case "in":
      if (!ready) return first === "second_factor" ? <MustSetSecondFactor /> : <MustChangePassword />;
      return <Shell route={route}>{route.area ? <Area route={route} /> : null}</Shell>;
  }
}

const remembered = rememberedLanguage();
const language = LANGUAGES.find((known) => known === remembered) || guessLanguage(navigator.languages || [navigator.language]);
const session = new ConsoleSession(language);
render(<Session.Provider value={session}><Console /></Session.Provider>, document.getElementById("app")!);

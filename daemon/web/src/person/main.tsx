// The person's page.
import { type JSX, render } from "preact";
import { useEffect } from "preact/hooks";
import type { Language } from "../api/types";
import "../style/person.css";
import { guessLanguage, LANGUAGE_NAMES, LANGUAGES } from "../text/format";
import { Icon, Logo } from "../ui/icons";
import { recall } from "../ui/memory";
import { useTick } from "../ui/store";
import { Call, Tasks } from "./call";
import { type Screen, screenOf } from "./flow";
import { Session, useSession } from "./parts";
import { Check, Early, Elsewhere, Home, Joining, Landing, Loading, Notice, Over, Problem, Replaced, Result, Waiting } from "./screens";
import { PersonSession } from "./session";
import { Sheets } from "./sheets";

function ScreenView({ screen }: { screen: Screen }): JSX.Element {
  const { view } = useSession();
  const state = view.state;
  if (!state) {
    if (screen === "landing") return <Landing />;
    if (screen === "expired" || screen === "busy" || screen === "server" || screen === "offline") return <Problem kind={screen} />;
    return screen === "replaced" ? <Replaced /> : <Loading />;
  }
  switch (screen) {
    case "notice":
      return <Notice state={state} />;
    case "check":
      return <Check state={state} test={false} />;
    case "test":
      return <Check state={state} test />;
    case "early":
      return <Early state={state} />;
    case "over":
      return <Over state={state} />;
    case "joining":
      return <Joining />;
    case "waiting":
      return <Waiting state={state} />;
    case "call":
      return <Call />;
    case "tasks":
      return <Tasks />;
    case "result":
      return <Result state={state} />;
    case "home":
      return <Home state={state} />;
    case "elsewhere":
      return <Elsewhere state={state} />;
    case "replaced":
      return <Replaced />;
    default:
      return <Loading />;
  }
}

function Page(): JSX.Element {
  const { session, view, texts } = useSession();
  useTick(10_000); // early becomes due, due becomes late
  const screen = screenOf(view, view.clock.now());
  useEffect(() => {
    document.documentElement.lang = view.language;
    document.title = texts.t("page_title");
  }, [view.language]);
  const bare = screen === "call";
  return (
    <div class={"page" + (bare ? " bare" : "")} data-screen={screen}>
      {!bare && (
        <header class="top">
          <Logo />
          <span class="top-unit">{view.state ? view.state.unit : ""}</span>
          {screen !== "landing" && (
            <button type="button" class="button plain" onClick={() => session.show("language")} aria-label={texts.t("language")}>
              <Icon name="language" />{LANGUAGE_NAMES[view.language]}
            </button>
          )}
        </header>
      )}
      {!bare && view.state && view.socketLost && (
        <p class="strip" role="status"><Icon name="offline" />{texts.t("offline_strip")}</p>
      )}
      <ScreenView screen={screen} />
      <Sheets />
    </div>
  );
}

function tokenOf(path: string): string | null {
  const match = /^\/c\/([A-Za-z0-9_-]{8,128})\/?$/.exec(path);
  return match ? match[1]! : null;
}

const remembered = recall("language");
const language = LANGUAGES.find((known) => known === remembered) || guessLanguage(navigator.languages || [navigator.language]);
const session = new PersonSession(tokenOf(location.pathname), language as Language);
render(<Session.Provider value={session}><Page /></Session.Provider>, document.getElementById("app")!);

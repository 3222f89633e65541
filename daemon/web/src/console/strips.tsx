// What is the matter with the whole console, above every page: no connection, a store that cannot be written, a log-in that ends.
import type { JSX } from "preact";
import { Icon } from "../ui/icons";
import { useTick } from "../ui/store";
import { useSession } from "./parts";

const IDLE_WARNING_MS = 180_000;
const END_WARNING_MS = 900_000;
const LONGEST_STEP_MS = 60_000; // the server writes down the last use so often: it may know an earlier one

export function Strips(): JSX.Element {
  const { view, t } = useSession();
  return (
    <>
      <div class="strips">
        {view.socketLost && <p class="strip" role="status"><Icon name="offline" size={20} />{t.t(view.call ? "offline_in_call" : "offline")}</p>}
        {view.soundLocked && (view.rings.length > 0 || view.alerts.length > 0) && <button type="button" class="strip as-button"><Icon name="speaker" size={20} />{t.t("sound_locked")}</button>}
      </div>
      <div class="strips lasting">
        <StoreStrip />
        <SessionStrip />
      </div>
    </>
  );
}

function StoreStrip(): JSX.Element | null {
  const { session, view, t } = useSession();
  const state = view.storeState;
  if (!state) return null;
  if (state.lastedMs === null) {
    return <p class="strip act" role="alert"><Icon name="alert" size={20} /><span>{t.t("store_fails", { at: view.clock.moment(state.from) })}</span></p>;
  }
  return (
    <p class="strip" role="status">
      <Icon name="check" size={20} /><span>{t.t("store_good", { length: view.clock.length(state.lastedMs) })}</span>
      <button type="button" class="strip-close" aria-label={t.t("close")} onClick={() => session.storeSeen()}><Icon name="close" size={20} /></button>
    </p>
  );
}

function SessionStrip(): JSX.Element | null {
  const { session, view, t } = useSession();
  useTick(2000);
  const me = view.me;
  if (!me) return null;
  const call = !!view.call && view.call.store.value.phase !== "ended";
  const now = view.clock.now();
  const end = Date.parse(me.session_until);
  const at = (ms: number): string => view.clock.momentIn(new Date(ms).toISOString());
  if (end - now < END_WARNING_MS) {
    const words = call ? t.t("session_ends_in_call") : end > now ? t.t("session_ends", { at: at(end) }) : t.t("session_ended_after_call");
    return <p class="strip" role="status"><Icon name="clock" size={20} /><span>{words}</span></p>;
  }
  const idleEnd = session.attended.last() + me.session_idle_ms - Math.min(LONGEST_STEP_MS, me.session_idle_ms / 4);
  if (call || idleEnd - Date.now() > Math.min(IDLE_WARNING_MS, me.session_idle_ms / 3)) return null;
  return <p class="strip" role="status"><Icon name="clock" size={20} /><span>{t.t("session_idle", { at: at(now + idleEnd - Date.now()) })}</span></p>;
}

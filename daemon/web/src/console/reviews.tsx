// Unattended check-ins that wait for an inspector's eyes, the most urgent first.
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { post } from "../api/http";
import type { Checkin, CheckinRow, ReviewDecision } from "../api/types";
import { Icon } from "../ui/icons";
import { useTick } from "../ui/store";
import { changed, useLoad, useSteady } from "./load";
import { ActionFailure, Dialog, Empty, Loaded, NewRows, Page, ReasonForm, useAction, useKeys, useRowKeys, useSession } from "./parts";
import { PersonAside } from "./person_aside";
import { Playback } from "./playback";
import { go } from "./router";
import { CheckinListRow } from "./today";
import { DECIDED } from "./words";

export function ReviewsPage(): JSX.Element {
  const { t } = useSession();
  const load = useLoad<{ reviews: CheckinRow[] }>("/api/reviews", ["today"]);
  const list = useSteady(load.data ? load.data.reviews : null, (row) => row.id);
  useTick(5000);
  useRowKeys();
  return (
    <Page title={t.t("nav_reviews")}>
      <Loaded load={load}>
        {() => (
          <div ref={list.list} class="rows">
            <NewRows waiting={list.waiting} onShow={list.letIn} />
            {list.shown.map((entry) => <CheckinListRow key={entry.row.id} row={entry.row} gone={entry.gone} />)}
            {!list.shown.length && <Empty icon="check" title={t.t("reviews_none")} text={t.t("reviews_none_text")} />}
          </div>
        )}
      </Loaded>
    </Page>
  );
}

function Faces({ checkin }: { checkin: Checkin }): JSX.Element {
  const { t } = useSession();
  const [missing, setMissing] = useState(false);
  return (
    <div class="faces">
      <figure>
        {missing ? <span class="face none"><Icon name="person" size={48} /></span> : <img class="face" src={`/api/persons/${checkin.person_id}/photo`} alt={t.t("reference_photo")} onError={() => setMissing(true)} />}
        <figcaption>{t.t(missing ? "reference_missing" : "reference_photo")}</figcaption>
      </figure>
      <figure>
        {checkin.has_thumbnail ? <img class="face" src={`/api/checkins/${checkin.id}/thumbnail`} alt={t.t("thumbnail")} /> : <span class="face none"><Icon name="camera" size={48} /></span>}
        <figcaption>{t.t(checkin.has_thumbnail ? "thumbnail" : "thumbnail_none")}</figcaption>
      </figure>
    </div>
  );
}

export function ReviewPage({ id }: { id: number }): JSX.Element {
  const { session, view, t } = useSession();
  const load = useLoad<Checkin>(`/api/checkins/${id}`, ["today"]);
  const queue = useLoad<{ reviews: CheckinRow[] }>("/api/reviews", ["today"]);
  const [wording, setWording] = useState<"doubt" | "unusable" | null>(null); // its words are being written
  const [done, setDone] = useState<ReviewDecision | null>(null);
  const action = useAction();
  useTick(5000);
  const others = (queue.data ? queue.data.reviews : []).filter((row) => row.id !== id);
  const next = (): void => go(others[0] ? "reviews/" + others[0].id : "reviews");
  const decide = async (decision: ReviewDecision, note: string): Promise<void> => {
    load.put(await post<Checkin>(`/api/checkins/${id}/review`, { decision, note }));
    setDone(decision);
    setWording(null);
    session.say(t.t(DECIDED[decision]));
    changed("today");
  };
  const open = load.data && load.data.state === "awaiting_review";
  const accept = (): void => {
    if (open && !action.busy) void action.run(() => decide("accept", ""));
  };
  useKeys({ a: accept, d: () => open && setWording("doubt"), u: () => open && setWording("unusable"), n: next });
  useEffect(() => setDone(null), [id]);
  return (
    <Page title={load.data ? load.data.person_name : t.t("review")} back="#/reviews"
      under={load.data && load.data.review_deadline && open ? t.t("review_by", { moment: view.clock.moment(load.data.review_deadline), age: view.clock.age(load.data.review_deadline) }) : null}
      aside={load.data ? <PersonAside id={load.data.person_id} /> : undefined}>
      <Loaded load={load}>
        {(checkin) => (
          <>
            <div class="review">
              <Playback checkin={checkin} atOnce />
              <Faces checkin={checkin} />
            </div>
            {open ? (
              <div class="dock">
                <ActionFailure action={action} />
                <div class="dock-row">
                  <button type="button" class="button primary big" disabled={action.busy} onClick={accept}><Icon name="check" />{t.t("review_accept")}<kbd aria-hidden="true">a</kbd></button>
                  <button type="button" class="button big" onClick={() => setWording("doubt")}><Icon name="eye" />{t.t("review_doubt")}<kbd aria-hidden="true">d</kbd></button>
                  <button type="button" class="button big" onClick={() => setWording("unusable")}>{t.t("review_unusable")}<kbd aria-hidden="true">u</kbd></button>
                  <button type="button" class="button plain big shrinks" onClick={next}><span class="shrinks-text">{t.t("review_next")}</span><Icon name="forward" /><kbd aria-hidden="true">n</kbd></button>
                </div>
              </div>
            ) : (
              <div class="dock">
                <p class="calm" role="status"><Icon name="check" />{t.t(done ? DECIDED[done] : checkin.review ? DECIDED[checkin.review.decision] : "review_over")}</p>
                <button type="button" class="button primary big" onClick={next}>{others.length ? t.t("review_next_of", { n: others.length }) : t.t("to_reviews")}</button>
              </div>
            )}
          </>
        )}
      </Loaded>
      {wording && (
        <Dialog title={t.t(`review_${wording}`)} onClose={() => setWording(null)}>
          <ReasonForm key={wording} draft={`checkin.${id}.${wording}`} label={t.t(`review_${wording}_label`)} hint={t.t(`review_${wording}_hint`)} submit={t.t(`review_${wording}_submit`)} lines={3} onSubmit={(note) => decide(wording, note)} />
        </Dialog>
      )}
    </Page>
  );
}

// Overload ahead: when more live check-ins come at once than inspectors are there to take them.
import type { JSX } from "preact";
import type { Overload } from "../api/types";
import { useLoad } from "./load";
import { Chip, Empty, Loaded, Page, useSession } from "./parts";

export function OverloadPage(): JSX.Element {
  const { view, t } = useSession();
  const load = useLoad<Overload>("/api/overload", ["today"]);
  return (
    <Page title={t.t("nav_overload")} under={load.data ? t.t("overload_under", { due: load.data.due, n: load.data.inspectors, until: view.clock.date(load.data.until.slice(0, 10)) }) : null}>
      <Loaded load={load}>
        {(data) => (
          <div class="cards">
            <p class="soft">{t.t("overload_text")}</p>
            {data.overloads.length > 0 && <p><a class="button" href="#/duty">{t.t("to_duty")}</a></p>}
            {data.overloads.length > 0 && <div class="rows">
              {data.overloads.map((one) => (
                <div class="row" key={one.from}>
                  <div class="row-main static">
                    <span class="row-text">
                      <span class="row-title"><strong>{view.clock.span(one.from, one.until)}</strong><Chip tone="warn" icon="people">{t.t("overload_row", { due: one.due, able: one.able })}</Chip></span>
                      <span class="row-fact soft">{t.t(one.able ? "overload_more" : "overload_nobody")}</span>
                    </span>
                  </div>
                </div>
              ))}
            </div>}
            {data.nobody > 0 && <p class="note warn">{t.t("overload_unstaffed", { n: data.nobody })}</p>}
            {data.unattended > 0 && <p class="note">{t.t("overload_unattended", { n: data.unattended })}</p>}
            {!data.overloads.length && <Empty icon="check" title={t.t("overload_none")} />}
            {data.cut && <p class="note warn">{t.t("overload_cut")}</p>}
          </div>
        )}
      </Loaded>
    </Page>
  );
}

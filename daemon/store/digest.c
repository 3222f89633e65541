#include "daemon/store/digest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store/health.h"
#include "daemon/store/sql_impl.h"
#include "protocol/base/error.h"

#define STORM_SETTING "storm" /* "SINCE_MS INCIDENT", "0 0" where there is none */

int ck_incidents_since(struct ck_store *store, struct ck_wall since, int64_t limit, int64_t *count)
{
    return ck_sql_number(store,
                         "SELECT count(*) FROM (SELECT 1 FROM incident WHERE opened_at > ?1 "
                         "AND kind <> 'system' LIMIT ?2) AS late",
                         CK_ARGS(ck_int(since.ms), ck_int(limit)), count);
}

int ck_storm_load(struct ck_store *store, struct ck_storm *storm, int64_t *incident)
{
    ck_cleanup(ck_freep) char *text = NULL;
    long long since = 0, id = 0;
    int r = ck_store_setting(store, STORM_SETTING, &text);
    if (r != 0 && r != CK_E_NOT_FOUND) {
        return r;
    }
    char *end = text;
    if (r == 0) {
        since = strtoll(text, &end, 10);
        if (*end != ' ') {
            return -EUCLEAN;
        }
        id = strtoll(end, &end, 10);
        if (*end != '\0') {
            return -EUCLEAN;
        }
    }
    *storm = (struct ck_storm){.on = since != 0, .since = {since}};
    *incident = id;
    return 0;
}

int ck_storm_save(struct ck_store *store, const struct ck_storm *storm, int64_t incident)
{
    char text[64];
    snprintf(text, sizeof text, "%lld %lld", storm->on ? (long long)storm->since.ms : 0,
             (long long)incident);
    return ck_store_set_setting(store, STORM_SETTING, text);
}

int ck_storm_facts(struct ck_store *store, struct ck_wall since, char *text, size_t size)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int64_t bits = 0;
    int r =
        ck_sql_number(store, "SELECT bits FROM health ORDER BY id DESC LIMIT 1", CK_NO_ARGS, &bits);
    if (r != 0 && r != CK_E_NOT_FOUND) {
        return r;
    }
    size_t at =
        (size_t)snprintf(text, size, "probe=%d worker=%d clock=%d", (bits & CK_HEALTH_PROBE) != 0,
                         (bits & CK_HEALTH_WORKER) != 0, (bits & CK_HEALTH_CLOCK) != 0);
    r = ck_sql_query(store, &rows,
                     "SELECT channel, sum(CASE WHEN state IN ('failed_temp', 'failed_perm', "
                     "'expired') THEN 1 ELSE 0 END), count(*) FROM notice WHERE created_at > ?1 "
                     "AND channel <> 'console' GROUP BY channel ORDER BY channel",
                     CK_ARGS(ck_int(since.ms)));
    while (r == 0 && (r = ck_rows_next(&rows)) == 1) {
        at += at < size ? (size_t)snprintf(text + at, size - at, " %s=%lld/%lld",
                                           ck_row_text(&rows, 0), (long long)ck_row_int(&rows, 1),
                                           (long long)ck_row_int(&rows, 2))
                        : 0;
        r = 0;
    }
    return r;
}

int ck_digest_waiting(struct ck_store *store, int64_t staff, enum ck_channel channel,
                      const char *address, int64_t *notice)
{
    return ck_sql_number(
        store,
        "SELECT id FROM notice WHERE staff_id = ?1 AND channel = ?2 "
        "AND address = ?3 AND template = 'digest' AND state = 'queued' "
        "ORDER BY id LIMIT 1",
        CK_ARGS(ck_int(staff), ck_text(ck_channel_name(channel)), ck_text(address)), notice);
}

int ck_digest_last(struct ck_store *store, int64_t staff, enum ck_channel channel,
                   const char *address, int64_t storm, int64_t *count, struct ck_wall *at)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    int r = ck_sql_first(
        store, &rows,
        "SELECT count(*), max(coalesce(accepted_at, next_at, created_at)) FROM notice "
        "WHERE staff_id = ?1 AND channel = ?2 AND address = ?3 AND template = 'digest' "
        "AND incident_id = ?4",
        CK_ARGS(ck_int(staff), ck_text(ck_channel_name(channel)), ck_text(address), ck_int(storm)));
    if (r == 0) {
        *count = ck_row_int(&rows, 0);
        *at = ck_row_time(&rows, 1);
    }
    return r;
}

int ck_digest_add(struct ck_store *store, int64_t notice, int64_t incident, uint32_t fire)
{
    return ck_sql_must(store,
                       "INSERT INTO digest_item (notice_id, incident_id, fire) VALUES (?1, ?2, ?3) "
                       "ON CONFLICT DO NOTHING",
                       CK_ARGS(ck_int(notice), ck_int(incident), ck_int(fire)), CK_E_CONFLICT);
}

int ck_digest_fires(struct ck_store *store, int64_t notice, bool lost, struct ck_digest_fire after,
                    struct ck_digest_fire *fires, size_t capacity, size_t *count)
{
    ck_cleanup(ck_rows_close) struct ck_rows rows = CK_ROWS_INIT;
    size_t found = 0;
    int r = ck_sql_query(
        store, &rows,
        "SELECT d.incident_id, d.fire FROM digest_item d WHERE d.notice_id = ?1 "
        "AND (d.incident_id, d.fire) > (?2, ?3) AND (?4 = 0 OR NOT EXISTS (SELECT 1 FROM "
        "digest_item o JOIN notice n ON n.id = o.notice_id WHERE o.incident_id = "
        "d.incident_id AND o.fire = d.fire AND o.notice_id <> d.notice_id "
        "AND n.state NOT IN ('failed_perm', 'expired', 'cancelled'))) ORDER BY d.incident_id, "
        "d.fire",
        CK_ARGS(ck_int(notice), ck_int(after.incident), ck_int(after.fire), ck_int(lost)));
    while (r == 0 && found < capacity && (r = ck_rows_next(&rows)) == 1) {
        fires[found++] =
            (struct ck_digest_fire){ck_row_int(&rows, 0), (uint32_t)ck_row_int(&rows, 1)};
        r = 0;
    }
    if (r == 0) {
        *count = found;
    }
    return r;
}

/* GET /api/retention: what expires when, what the house says, and the holds. */
#include <errno.h>
#include <string.h>

#include "daemon/api/api_impl.h"
#include "daemon/core/rules.h"
#include "daemon/store/query_retention.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define DAY_MS INT64_C(86400000)

/* Days of each class in force, in the order of the classes; and what the configuration says, where
 * that is shorter and waits for two persons. */
static json_t *policy_json(const struct ck_retention_rules *wish,
                           const struct ck_retention_rules *rules)
{
    json_t *list = json_array();
    for (int keep = 0; keep < CK_KEEP_COUNT; keep++) {
        json_array_append_new(
            list, json_pack("{s:s, s:I, s:o}", "class", ck_keep_name((enum ck_keep)keep), "days",
                            (json_int_t)(rules->keep_ms[keep] / DAY_MS), "shorter",
                            wish->keep_ms[keep] < rules->keep_ms[keep]
                                ? json_integer((json_int_t)(wish->keep_ms[keep] / DAY_MS))
                                : json_null()));
    }
    return list;
}

static bool is_class(const char *word)
{
    for (int keep = 0; keep < CK_KEEP_COUNT; keep++) {
        if (strcmp(word, ck_keep_name((enum ck_keep)keep)) == 0) {
            return true;
        }
    }
    return false;
}

int ck_api_retention(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    const struct ck_expiry_filter filter = {.unit = call->actor.unit_id,
                                            .keep = call->text[0] == '\0' ? NULL : call->text,
                                            .person = call->person,
                                            .after = call->after,
                                            .erased = strcmp(call->word, "erased") == 0};
    ck_cleanup(json_decrefp) json_t *items = NULL, *totals = NULL, *holds = NULL;
    if (filter.keep != NULL && !is_class(filter.keep)) {
        return ck_refuse(&call->refusal, CK_E_INVALID, "class", "there is no such class");
    }
    const struct ck_retention_rules wish = ck_house_rules_of(call->api->options.config).retention;
    struct ck_retention_rules rules;
    int r = ck_retention_in_force(store, &wish, &rules);
    r = r == 0 ? ck_query_expiry(store, &filter, &items) : r;
    r = r == 0 ? ck_query_expiry_totals(store, filter.unit, &totals) : r;
    r = r == 0 ? ck_query_holds(store, filter.unit, filter.person, &holds) : r;
    if (r != 0) {
        return r;
    }
    bool cut = json_array_size(items) == CK_QUERY_EXPIRY_MAX;
    *out = json_pack("{s:o, s:O, s:O, s:O, s:b}", "policy", policy_json(&wish, &rules), "totals",
                     totals, "items", items, "holds", holds, "cut", (int)cut);
    return *out == NULL ? -ENOMEM : 0;
}

int ck_api_holds(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    ck_cleanup(json_decrefp) json_t *holds = NULL;
    int r = ck_query_holds(store, call->actor.unit_id, 0, &holds);
    if (r == 0) {
        *out = json_pack("{s:O}", "holds", holds);
        r = *out == NULL ? -ENOMEM : 0;
    }
    return r;
}

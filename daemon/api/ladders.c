/* GET /api/ladders: the ladder of each band as it is in force. POST /api/ladders/check: what is to
 * be said about one before it is proposed. */
#include <errno.h>
#include <string.h>

#include "daemon/api/api_impl.h"
#include "daemon/core/body.h"
#include "daemon/core/ladder_request.h"
#include "daemon/core/reach.h"
#include "daemon/core/rules.h"
#include "daemon/store/ladder.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

static void zones_destroy(struct ck_zones **zones)
{
    ck_zones_destroy(*zones);
}

static json_t *channel_names(uint32_t mask)
{
    json_t *list = json_array();
    for (int channel = CK_CHANNEL_NONE + 1; channel < CK_CHANNEL_COUNT; channel++) {
        if ((mask & CK_CHANNEL_BIT(channel)) != 0) {
            json_array_append_new(list, json_string(ck_channel_name((enum ck_channel)channel)));
        }
    }
    return list;
}

/* What a row of the store says, with the ladder as pages write it. */
static json_t *in_force(const json_t *row)
{
    struct ck_ladder ladder;
    const char *body = json_string_value(json_object_get(row, "body"));
    if (ck_ladder_parse(body, json_integer_value(json_object_get(row, "policy")), &ladder) != 0) {
        return NULL;
    }
    return json_pack("{s:O, s:O, s:O, s:O, s:O, s:o}", "band", json_object_get(row, "band"),
                     "version", json_object_get(row, "version"), "by", json_object_get(row, "by"),
                     "approved_by", json_object_get(row, "approved_by"), "at",
                     json_object_get(row, "at"), "ladder", ck_ladder_request_write(&ladder));
}

static json_t *of_the_house(const struct ck_house_rules *rules, const char *band)
{
    const struct ck_ladder ladder = strcmp(band, "safety") == 0
                                        ? ck_house_safety_ladder(rules)
                                        : ck_house_ladder(rules, ck_ladder_band(band));
    return json_pack("{s:s, s:i, s:n, s:n, s:n, s:o}", "band", band, "version", 0, "by",
                     "approved_by", "at", "ladder", ck_ladder_request_write(&ladder));
}

int ck_api_ladders(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    const struct ck_config *config = call->api->options.config;
    const struct ck_house_rules rules = ck_house_rules_of(config);
    ck_cleanup(json_decrefp) json_t *rows = NULL;
    json_t *list = json_array();
    int r = ck_query_ladders(store, call->actor.unit_id, &rows);
    for (size_t band = 0; r == 0 && ck_ladder_bands[band] != NULL; band++) {
        size_t index;
        json_t *row, *found = NULL;
        json_array_foreach(rows, index, row)
        {
            const char *name = json_string_value(json_object_get(row, "band"));
            if (name != NULL && strcmp(name, ck_ladder_bands[band]) == 0) {
                found = row;
            }
        }
        json_t *item =
            found == NULL ? of_the_house(&rules, ck_ladder_bands[band]) : in_force(found);
        r = json_array_append_new(list, item) == 0 ? 0 : -EUCLEAN;
    }
    if (r != 0) {
        json_decref(list);
        return r;
    }
    *out = json_pack("{s:o, s:o}", "ladders", list, "channels",
                     channel_names(ck_config_channels(config)));
    return *out == NULL ? -ENOMEM : 0;
}

int ck_api_ladder_check(struct ck_store *store, struct ck_api_call *call, json_t **out)
{
    ck_cleanup(zones_destroy) struct ck_zones *zones = ck_zones_create(CK_ZONE_DIR);
    const struct ck_reach reach = {.store = store,
                                   .zones = zones,
                                   .channels = ck_config_channels(call->api->options.config),
                                   .unit = call->actor.unit_id};
    struct ck_ladder ladder;
    json_t *findings = NULL;
    bool fatal = false;
    int band = 0;
    if (zones == NULL) {
        return -ENOMEM;
    }
    int r = ck_body_word(call->body, "band", ck_ladder_bands, &band, &call->refusal);
    r = r == 0
            ? ck_ladder_request_read(json_object_get(call->body, "ladder"), &ladder, &call->refusal)
            : r;
    r = r == 0 ? ck_reach_lint(&reach, &ladder, ck_ladder_band(ck_ladder_bands[band]), call->now,
                               &findings, &fatal)
               : r;
    if (r == 0) {
        *out = json_pack("{s:b, s:o}", "fatal", (int)fatal, "findings", findings);
        r = *out == NULL ? -ENOMEM : 0;
    }
    return r;
}

/* What the engine wants done, after it is durable: to pages, calls and channels. */
#include <inttypes.h>

#include <stdlib.h>

#include "daemon/checkind/product_impl.h"
#include "daemon/config/log.h"
#include "daemon/store/query_checkin.h"
#include "daemon/store/query_incident.h"
#include "protocol/base/error.h"

#define INCIDENT_ROLES (CK_ROLE_INSPECTOR | CK_ROLE_OFFICER | CK_ROLE_SUPERVISOR)

/* A push that needs a row of the store first. */
struct push {
    struct ck_product *product;
    int64_t id; /* of the check-in or incident */
    int64_t unit, staff;
    int64_t notice; /* and its try, for a notice on the console */
    int try;
    char reference[64];
};

static struct push *push_create(struct ck_product *product, const struct ck_output *output,
                                int64_t id)
{
    struct push *push = calloc(1, sizeof *push);
    if (push == NULL) {
        ck_log(CK_LOG_ERROR, "no memory to push to consoles");
        return NULL;
    }
    *push = (struct push){
        .product = product, .id = id, .unit = output->unit_id, .staff = output->staff_id};
    return push;
}

static void query(struct push *push, ck_readers_query *function, ck_readers_done *done)
{
    int error = ck_readers_run(push->product->readers, function, push, done, push);
    if (error != 0) {
        /* The console asks for everything again when it next hears `today`, and the ladder's other
         * channels go on. */
        ck_log(CK_LOG_ERROR, "nothing is pushed to consoles: %s", ck_error_text(error));
        free(push);
    }
}

static int query_checkin(struct ck_store *store, void *argument, json_t **row)
{
    const struct push *push = argument;
    struct ck_scope scope = {.unit = push->unit};
    return ck_query_checkin_row(store, &scope, push->id, row);
}

static void push_ring(void *cookie, int code, json_t *row)
{
    struct push *push = cookie;
    if (code == 0) {
        ck_hub_to_caseload(push->product->hub, push->staff, ck_client_ring(row));
    } else {
        ck_log(CK_LOG_ERROR, "check-in %lld does not ring: %s", (long long)push->id,
               ck_error_text(code));
    }
    free(push);
}

static int query_incident(struct ck_store *store, void *argument, json_t **row)
{
    const struct push *push = argument;
    struct ck_scope scope = {.unit = push->unit, .inspector = push->staff};
    return ck_query_incident_row(store, &scope, push->id, row);
}

static void ring(struct ck_product *product, const struct ck_output *output)
{
    struct push *push = push_create(product, output, output->checkin_id);
    if (push != NULL) {
        query(push, query_checkin, push_ring);
    }
}

/* What is shown to the member of staff's open pages, of which there are so many, has arrived. */
static void answer_notice(struct push *push, unsigned shown)
{
    struct ck_actor actor = {.kind = CK_ACTOR_GATEWAY};
    ck_bus_submit(push->product->bus, "notice.result", &actor,
                  json_pack("{s:I, s:i, s:s, s:s}", "notice", (json_int_t)push->notice, "try",
                            push->try, "result", shown > 0 ? "accepted" : "rejected", "detail",
                            shown > 0 ? "" : "no console of this person is open"),
                  NULL, NULL);
    free(push);
}

static void push_notice(void *cookie, int code, json_t *row)
{
    struct push *push = cookie;
    unsigned shown = 0;
    if (code == 0) {
        shown =
            ck_hub_to_staff(push->product->hub, push->staff, ck_client_alert(row, push->reference));
    }
    answer_notice(push, shown);
}

/* To whoever is there: any of them may take it over. */
static void push_everybody(void *cookie, int code, json_t *row)
{
    struct push *push = cookie;
    if (code == 0) {
        ck_hub_to_unit(push->product->hub, push->unit, INCIDENT_ROLES,
                       ck_client_alert_everybody(row, push->reference));
    } else {
        ck_log(CK_LOG_ERROR,
               "consoles are not told of incident %lld, for which nobody can be "
               "reached: %s",
               (long long)push->id, ck_error_text(code));
    }
    free(push);
}

static void nobody_reached(struct ck_product *product, const struct ck_output *output)
{
    ck_notify_nobody_reached(product->notify, output->unit_id, output->body);
    struct push *push = push_create(product, output, output->incident_id);
    const char *reference = json_string_value(json_object_get(output->body, "reference"));
    if (push != NULL) {
        snprintf(push->reference, sizeof push->reference, "%s", reference == NULL ? "" : reference);
        query(push, query_incident, push_everybody);
    }
}

static void send_notice(struct ck_product *product, const struct ck_output *output)
{
    const char *channel = json_string_value(json_object_get(output->body, "channel"));
    if (channel == NULL || strcmp(channel, "console") != 0) {
        ck_notify_send(product->notify, output->id, output->body);
        return;
    }
    struct push *push = push_create(product, output, output->incident_id);
    const char *reference = json_string_value(json_object_get(output->body, "reference"));
    if (push != NULL) {
        push->notice = output->id;
        push->try = (int)json_integer_value(json_object_get(output->body, "try"));
        snprintf(push->reference, sizeof push->reference, "%s", reference == NULL ? "" : reference);
        if (output->incident_id != 0) {
            query(push, query_incident, push_notice);
        } else { /* a result that is missing: it is in the list of what to do */
            answer_notice(push, ck_hub_to_staff(product->hub, push->staff, ck_client_today()));
        }
    }
}

static void ring_stop(struct ck_product *product, const struct ck_output *output)
{
    const char *reason = json_string_value(json_object_get(output->body, "reason"));
    enum ck_client_ring_stop word = CK_CLIENT_RING_GONE;
    if (reason != NULL && strcmp(reason, "taken") == 0) {
        word = CK_CLIENT_RING_TAKEN;
    } else if (reason != NULL && strcmp(reason, "unattended") == 0) {
        word = CK_CLIENT_RING_UNATTENDED;
    }
    ck_hub_to_unit(product->hub, output->unit_id, INCIDENT_ROLES,
                   ck_client_ring_stop(output->checkin_id, word));
}

static void message(struct ck_product *product, const struct ck_output *output)
{
    ck_hub_thread(product->hub, output->person_id, output->staff_id, output->body);
    ck_hub_today(product->hub, output->unit_id);
}

static void message_mark(struct ck_product *product, const struct ck_output *output)
{
    const char *mark = json_string_value(json_object_get(output->body, "mark"));
    const char *by = json_string_value(json_object_get(output->body, "by"));
    int64_t up_to = json_integer_value(json_object_get(output->body, "up_to"));
    bool read = mark != NULL && strcmp(mark, "read") == 0;
    if (by != NULL && strcmp(by, "person") == 0) {
        ck_hub_to_caseload(product->hub, output->staff_id,
                           read ? ck_client_read(output->person_id, up_to)
                                : ck_client_delivered(output->person_id, up_to));
    } else {
        ck_hub_to_person(product->hub, output->person_id,
                         read ? ck_client_read(0, up_to) : ck_client_delivered(0, up_to));
    }
}

static void alarm_over(struct ck_product *product, const json_t *body)
{
    struct ck_wall from = {0};
    const char *text = json_string_value(json_object_get(body, "from"));
    if (text != NULL) {
        ck_wall_parse(text, &from);
    }
    ck_product_store_good(product, from, json_integer_value(json_object_get(body, "lasted_ms")));
}

void ck_product_output(void *context, const struct ck_output *output)
{
    struct ck_product *product = context;
    if (product->stopping) {
        return; /* nobody is there to be told; the lease of a notice runs out and the next life
                   sends it */
    }
    switch (output->kind) {
    case CK_OUTPUT_TODAY:
        ck_hub_today(product->hub, output->unit_id);
        break;
    case CK_OUTPUT_SEND:
        send_notice(product, output);
        break;
    case CK_OUTPUT_RING:
        ring(product, output);
        break;
    case CK_OUTPUT_RING_STOP:
        ring_stop(product, output);
        break;
    case CK_OUTPUT_PERSON_STATE:
        ck_product_count_outcome(product, output->body);
        ck_hub_refresh_person(product->hub, output->person_id);
        break;
    case CK_OUTPUT_START_UNATTENDED:
        ck_calls_start_unattended(product->calls, output->checkin_id, output->body);
        break;
    case CK_OUTPUT_END_CALL:
        ck_calls_end_call(product->calls, output->checkin_id,
                          json_string_value(json_object_get(output->body, "reason")));
        break;
    case CK_OUTPUT_INCIDENT:
        ck_hub_to_unit(product->hub, output->unit_id, INCIDENT_ROLES,
                       ck_client_incident(output->incident_id));
        break;
    case CK_OUTPUT_SESSION_REVOKED:
        ck_calls_end_session(product->calls, output->session_id);
        ck_hub_end_session(product->hub, output->session_id);
        break;
    case CK_OUTPUT_MESSAGE:
        message(product, output);
        break;
    case CK_OUTPUT_MESSAGE_MARK:
        message_mark(product, output);
        break;
    case CK_OUTPUT_ALARM:
        ck_product_store_fails(product, output->body, ck_clock_wall());
        break;
    case CK_OUTPUT_ALARM_OVER:
        alarm_over(product, output->body);
        break;
    case CK_OUTPUT_NOBODY_REACHED:
        nobody_reached(product, output);
        break;
    case CK_OUTPUT_ERASE_FILE:
        ck_product_erase_file(product, output->id,
                              json_string_value(json_object_get(output->body, "file")));
        break;
    case CK_OUTPUT_ENDED:
        ck_calls_ended(product->calls, output->checkin_id, output->body);
        break;
    }
}

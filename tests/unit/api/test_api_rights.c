/* Every operation with every kind of actor: who gets in, who does not, and that each refusal is in
 * the log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api_world.h"
#include "daemon/access/policy.h"
#include "daemon/api/api.h"
#include "protocol/base/p256.h"

/* What an operation is about, and so whose it is. */
enum subject {
    NONE,   /* nobody's: the roles alone decide */
    PERSON, /* {id} is a person of `inspector` */
    NEW,    /* makes a person for `inspector` */
    ORDER,
    PLAN,
    CHECKIN,
    INCIDENT,
    RECORDING,
    DEVICE,
    REQUEST,
    HOLD,             /* on the data of a person of the unit */
    MESSAGE,          /* with a file, in the thread of the person */
    INCIDENT_MESSAGE, /* with a file, about the incident */
    LOG,              /* an entry about the unit of `inspector` */
    STAFF,            /* {id} is anything: whose it is, the roles alone decide */
    COLLEAGUE,        /* {id} is `inspector`, as a member of the unit */
    ONESELF,          /* {id} is `inspector`: themselves or a supervisor of the unit */
};

static struct caseload people;
static int64_t device_id, checkin_id, incident_id, recording_id, log_id, message_id,
    incident_message_id;

static struct {
    const char *action;
    enum subject subject;
    const char *body; /* JSON; NULL: GET */
} cases[] = {
    {"setup.state", NONE, NULL},
    {"setup.first", NONE, "{\"token\":\"no\"}"},
    {"session.login", NONE, "{\"login\":\"nobody\"}"},
    {"me.read", NONE, NULL},
    {"me.password", NONE, "{\"old\":\"without a new one\"}"},
    {"me.language", NONE, "{\"language\":\"ru\"}"},
    {"me.second_factor", NONE, "{}"},
    {"me.second_factor_confirm", NONE, "{\"code\":\"none\"}"},
    {"me.sessions", NONE, NULL},
    {"session.end", NONE, "{}"}, /* 0 is no session */
    {"unit.list", NONE, NULL},
    {"unit.create", NONE, "{\"name\":\"Three\",\"zone\":\"Asia/Almaty\"}"},
    {"unit.zone_preview", NONE, "{\"zone\":\"Asia/Tashkent\"}"},
    {"unit.phone", NONE, "{\"phone\":\"+77172000000\"}"},
    {"unit.zone", NONE, "{\"zone\":\"Asia/Tashkent\"}"},
    {"staff.list", NONE, NULL},
    {"staff.create", NONE, "{\"login\":\"x\"}"},
    {"staff.update", STAFF, "{\"on_duty\":true}"},
    {"staff.password", STAFF, "{\"password\":\"short\"}"},
    {"path.list", NONE, NULL},
    {"path.test", COLLEAGUE, "{\"staff\":%I,\"person\":0,\"channel\":\"email\"}"},
    {"push.key", NONE, NULL},
    {"push.subscribe", NONE, "{\"subscription\":\"{}\"}"},
    {"push.unsubscribe", NONE, "{\"subscription\":\"{}\"}"},
    {"ladder.list", NONE, NULL},
    {"ladder.check", NONE,
     "{\"band\":\"top\",\"ladder\":{\"steps\":[{\"targets\":[{\"kind\":\"duty\"}],\"channels\":["
     "\"console\"],"
     "\"parallel\":false,\"ack_timeout_s\":300,\"rounds\":1,\"min_interval_s\":60}],"
     "\"ack_hold_s\":1800,\"late_answer_calms\":true,\"calm_interval_s\":3600,"
     "\"quiet_hours\":false}}"},
    {"roster.read", NONE, NULL},
    {"shift.create", COLLEAGUE,
     "{\"staff\":%I,\"kind\":\"work\",\"from_date\":\"2026-11-23\","
     "\"start\":\"09:00\",\"end\":\"18:00\"}"},
    {"shift.remove", COLLEAGUE, "{}"},
    {"absence.create", ONESELF,
     "{\"staff\":%I,\"from\":\"2036-11-23T09:00\",\"until\":\"2036-11-24T09:00\","
     "\"reason\":\"leave\"}"},
    {"absence.remove", ONESELF, "{}"},
    {"stand_ins.set", COLLEAGUE, "{\"stand_ins\":[%S]}"},
    {"staff.second_factor", STAFF, "{\"reason\":\"lost\"}"},
    {"staff.sessions", STAFF, NULL},
    {"person.list", NONE, NULL},
    {"person.create", NEW,
     "{\"name\":\"New Person\",\"birth_date\":\"1980-01-01\",\"phone\":"
     "\"+77010000009\",\"language\":\"ru\",\"inspector_id\":%I,\"unit_id\":%U,"
     "\"band\":\"low\"}"},
    {"person.read", PERSON, NULL},
    {"person.update", PERSON, "{\"note\":\"changed\"}"},
    {"person.enrol", PERSON, "{}"},
    {"photo.read", PERSON, NULL},
    {"device.revoke", DEVICE, "{\"reason\":\"lost\"}"},
    {"photo.store", PERSON, "JPEG"},
    {"order.create", PERSON,
     "{\"kind\":\"other\",\"article\":\"1\",\"number\":\"2\",\"issuer\":"
     "\"x\",\"from\":\"2026-11-01\",\"until\":\"2027-01-01\",\"conditions\":"
     "\"\",\"per_day_max\":3,\"requirements\":[],\"hours_start\":"
     "\"06:00\",\"hours_end\":\"23:00\"}"},
    {"order.end", ORDER, "{\"date\":\"2027-06-01\",\"reason\":\"over\"}"},
    {"plan.create", PERSON,
     "{\"order_id\":%O,\"kind\":\"live\",\"mandatory\":false,\"recurrence\":"
     "\"FREQ=DAILY\",\"first_date\":\"2026-11-23\",\"windows\":[{\"start\":"
     "\"10:00\",\"end\":\"11:00\",\"draws\":0}],\"attempts\":1,"
     "\"attempt_spacing_s\":60,\"response_window_s\":600,\"grace_s\":60,"
     "\"late_limit_s\":600}"},
    {"plan.preview", PERSON,
     "{\"order_id\":%O,\"kind\":\"live\",\"mandatory\":false,\"recurrence\":"
     "\"FREQ=DAILY\",\"first_date\":\"2026-11-23\",\"windows\":[{\"start\":"
     "\"10:00\",\"end\":\"11:00\",\"draws\":0}],\"attempts\":1,"
     "\"attempt_spacing_s\":60,\"response_window_s\":600,\"grace_s\":60,"
     "\"late_limit_s\":600}"},
    {"plan.ahead", PLAN, NULL},
    {"plan.instants", PLAN, NULL},
    {"blackout.create", PERSON,
     "{\"source\":\"court\",\"from\":\"2026-11-23T00:00:00Z\",\"until\":"
     "\"2026-11-24T00:00:00Z\",\"reason\":\"x\"}"},
    {"blackout.end", STAFF, "{\"reason\":\"x\"}"},
    {"plan.end", PLAN, "{\"reason\":\"over\"}"},
    {"checkin.list", PERSON, NULL},
    {"checkin.on_demand", PERSON, "{\"reason\":\"now\",\"kind\":\"live\"}"},
    {"case.list", NONE, NULL},
    {"case.open", NONE, "{\"reference\":\"nobody\",\"reason\":\"x\"}"},
    {"case.close", STAFF, "{}"},
    {"today.read", NONE, NULL},
    {"checkin.read", CHECKIN, NULL},
    {"checkin.outcome", CHECKIN,
     "{\"result\":\"completed\",\"identity_confirmed\":true,"
     "\"behaviours\":[],\"note\":\"\"}"},
    {"checkin.review", CHECKIN, "{\"decision\":\"accept\",\"note\":\"\"}"},
    {"checkin.conclude", CHECKIN, "{\"conclusion\":\"no_action\",\"reason\":\"x\"}"},
    {"checkin.concern", CHECKIN, "{\"text\":\"x\"}"},
    {"review.list", NONE, NULL},
    {"thumbnail.read", CHECKIN, NULL},
    {"recording.view", RECORDING, "{\"reason\":\"to review\"}"},
    {"recording.play", RECORDING, NULL},
    {"incident.list", NONE, NULL},
    {"incident.read", INCIDENT, NULL},
    {"incident.acknowledge", INCIDENT, "{}"},
    {"incident.note", INCIDENT, "{\"text\":\"x\"}"},
    {"incident.reached", INCIDENT, "{\"how\":\"phone\",\"note\":\"\"}"},
    {"incident.safety", INCIDENT, "{\"note\":\"safe\"}"},
    {"incident.escalate", INCIDENT, "{\"reason\":\"x\"}"},
    {"incident.release", INCIDENT, "{\"reason\":\"x\"}"},
    {"incident.conclude", INCIDENT, "{\"conclusion\":\"no_action\",\"reason\":\"x\"}"},
    {"request.list", NONE, NULL},
    {"request.answer", REQUEST, "{\"accept\":true,\"answer\":\"yes\"}"},
    {"message.list", PERSON, NULL},
    {"message.send", PERSON, "{\"client_id\":\"m1\",\"text\":\"hello\"}"},
    {"message.read", PERSON, "{\"up_to\":1}"},
    {"message.file", MESSAGE, NULL},
    {"incident.messages", INCIDENT, NULL},
    {"incident.message_send", INCIDENT, "{\"client_id\":\"i1\",\"text\":\"hello\"}"},
    {"incident.message_read", INCIDENT, "{\"up_to\":1}"},
    {"incident.message_file", INCIDENT_MESSAGE, NULL},
    {"template.list", NONE, NULL},
    {"template.create", NONE, "{\"kk\":\"x\",\"ru\":\"x\",\"en\":\"x\"}"},
    {"template.update", STAFF, "{\"kk\":\"x\",\"ru\":\"x\",\"en\":\"x\"}"},
    {"template.remove", STAFF, "{}"},
    {"risk.read", PERSON, NULL},
    {"risk.score", PERSON,
     "{\"index_date\":\"2026-11-01\",\"items\":[1,0,null,0,0,0,0,0,0,0,0,0,0],\"note\":\"\","
     "\"eligibility\":{\"known_to_police\":true,\"partner\":true,\"contact_or_threat\":true,"
     "\"adult_man_to_woman\":true}}"},
    {"risk.judge", PERSON, "{\"band\":\"high\",\"reasons\":\"x\"}"},
    {"risk.preview", PERSON, "{\"order_id\":%O,\"basis\":\"score\"}"},
    {"risk.propose", PERSON, "{\"order_id\":%O,\"basis\":\"score\",\"reason\":\"x\"}"},
    {"cadence.read", NONE, NULL},
    {"overload.read", NONE, NULL},
    {"approval.list", NONE, NULL},
    {"approval.propose", NONE, "{\"kind\":\"x\",\"request\":{},\"reason\":\"x\"}"},
    {"approval.read", STAFF, NULL},
    {"approval.decide", STAFF, "{\"approve\":true,\"reason\":\"x\"}"},
    {"approval.withdraw", STAFF, "{\"reason\":\"x\"}"},
    {"bundle.make", STAFF, "{}"},
    {"bundle.fetch", STAFF, NULL},
    {"retention.read", NONE, NULL},
    {"hold.place", PERSON,
     "{\"kind\":\"person\",\"id\":%P,\"reason\":\"x\",\"review\":\"2036-01-01\"}"},
    {"hold.review", HOLD, "{\"reason\":\"x\",\"review\":\"2036-01-01\"}"},
    {"log.list", NONE, NULL},
    {"log.read", LOG, NULL},
    {"figures.read", NONE, NULL},
    {"system.read", NONE, NULL},
    {"link.exchange", NONE, "{\"token\":\"AAAAAAAAAAAAAAAAAAAAAA\"}"},
    {"device.challenge", NONE, NULL},
    {"device.enter", NONE, "{\"challenge\":\"x\"}"},
    {"self.device", NONE, "{\"public_key\":\"x\",\"name\":\"\"}"},
    {"self.state", NONE, NULL},
    {"self.language", NONE, "{\"language\":\"kk\"}"},
    {"self.notice", NONE, "{\"version\":1}"},
    {"self.decline", NONE, "{\"reason\":\"busy\"}"},
    {"self.call", NONE, "{}"},
    {"self.facts", NONE, "{\"facts\":[]}"},
    {"self.request", NONE, "{\"kind\":\"reschedule\",\"text\":\"later\"}"},
    {"self.receipt_proof", CHECKIN, NULL},
    {"self.messages", NONE, NULL},
    {"self.message_send", NONE, "{\"client_id\":\"p1\",\"text\":\"hello\"}"},
    {"self.message_read", NONE, "{\"up_to\":1}"},
    {"self.message_file", MESSAGE, NULL},
    {"self.push", NONE, "{\"subscription\":\"{}\"}"},
    {"self.push_stop", NONE, "{\"subscription\":\"{}\"}"},
    {"gateway.receipt", NONE, "{}"},
    {"gateway.receipt_voice", NONE, "{}"},
    {"session.logout", NONE, "{}"}, /* the last: it ends the session that asks */
};

/* What an actor is towards the person that the operations are about. */
enum {
    SELF = 1,     /* the person themselves */
    CASELOAD = 2, /* the inspector, or whoever stands in for them */
    UNIT = 4,     /* of the person's unit */
    INSPECTOR_SELF = 8,
    OPENED = 16, /* opened the case, to read */
};

static const struct {
    const char *name;
    struct user *user;
    unsigned roles; /* 0: no staff */
    unsigned is;
} actors[] = {
    {"nobody", &people.nobody, 0, 0},
    {"person", &people.person, 0, SELF},
    {"administrator", &people.administrator, CK_ROLE_ADMINISTRATOR, UNIT},
    {"other inspector", &people.other_inspector, CK_ROLE_INSPECTOR, UNIT},
    {"far inspector", &people.far_inspector, CK_ROLE_INSPECTOR, 0},
    {"far officer", &people.far_officer, CK_ROLE_OFFICER, 0},
    {"far supervisor", &people.far_supervisor, CK_ROLE_SUPERVISOR, 0},
    {"far inspector with the case opened", &people.opener, CK_ROLE_INSPECTOR, OPENED},
    {"two roles", &people.two_roles, CK_ROLE_INSPECTOR | CK_ROLE_OFFICER, UNIT},
    {"officer", &people.officer, CK_ROLE_OFFICER, UNIT},
    {"supervisor", &people.supervisor, CK_ROLE_SUPERVISOR, UNIT},
    {"stand-in", &people.stand_in, CK_ROLE_INSPECTOR, CASELOAD | UNIT},
    {"inspector", &people.inspector, CK_ROLE_INSPECTOR, CASELOAD | UNIT | INSPECTOR_SELF},
};
#define ACTORS (sizeof actors / sizeof actors[0])

/* ---- what must come out ---- */

enum verdict { ALLOWED, NO_SESSION, NO_ROLE, NOT_THEIRS };

/* What a case that was opened lets somebody do: see it, and nothing else. */
static bool read_in_case(const char *action)
{
    static const char *const actions[] = {
        "person.read",    "photo.read",     "plan.ahead",     "checkin.list", "checkin.read",
        "thumbnail.read", "recording.view", "recording.play", "message.list", "message.file"};
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (strcmp(actions[i], action) == 0) {
            return true;
        }
    }
    return false;
}

static enum verdict verdict(const struct ck_policy *policy, enum subject subject, size_t actor)
{
    if (policy->who == CK_WHO_ANYBODY) {
        return ALLOWED;
    }
    if (policy->who == CK_WHO_PERSON) {
        return (actors[actor].is & SELF) != 0 ? ALLOWED : NO_SESSION;
    }
    if (actors[actor].roles == 0) {
        return NO_SESSION;
    }
    unsigned roles = policy->roles == 0 ? actors[actor].roles : actors[actor].roles & policy->roles;
    if (roles == 0) {
        return NO_ROLE;
    }
    if (subject == ONESELF) {
        bool supervises = (roles & CK_ROLE_SUPERVISOR) != 0 && (actors[actor].is & UNIT) != 0;
        return supervises || (actors[actor].is & INSPECTOR_SELF) != 0 ? ALLOWED : NOT_THEIRS;
    }
    if ((actors[actor].is & OPENED) != 0 && read_in_case(policy->action)) {
        return ALLOWED;
    }
    bool theirs =
        ((roles & (CK_ROLE_OFFICER | CK_ROLE_SUPERVISOR)) != 0 && (actors[actor].is & UNIT) != 0) ||
        ((roles & CK_ROLE_INSPECTOR) != 0 && (actors[actor].is & CASELOAD) != 0);
    return subject == NONE || subject == STAFF || theirs ? ALLOWED : NOT_THEIRS;
}

static void check_answer(const char *action, size_t actor, enum verdict expected, unsigned status)
{
    static const char *const words[] = {"allowed", "no session", "no role", "not theirs"};
    bool right = false;
    switch (expected) {
    case ALLOWED: /* it may be refused for what it says, never for who says it */
        right = status != 0 && status != 401 && status != 403 && status < 500;
        /* These want more than a right: the token, the reason given before, having been in the
         * call. */
        right |= status == 403 &&
                 (strcmp(action, "setup.first") == 0 || strcmp(action, "recording.play") == 0 ||
                  strcmp(action, "bundle.fetch") == 0 || strcmp(action, "checkin.outcome") == 0);
        right |= status == 401 && strncmp(action, "gateway.receipt", 15) == 0; /* no signature */
        break;
    case NO_SESSION:
        right = status == 401;
        break;
    case NO_ROLE:
        right = status == 403;
        break;
    case NOT_THEIRS:
        right = status == 403 || status == 404;
        break;
    }
    if (!right) {
        fail_msg("%s by %s should be %s: %s", action, actors[actor].name, words[expected],
                 api_raw());
    }
    if (expected != ALLOWED) { /* and nothing is given away */
        assert_null(strstr(api_raw(), "Secret"));
        assert_null(strstr(api_raw(), "Person"));
        assert_null(strstr(api_raw(), "+7701"));
    }
}

/* ---- asking ---- */

static void path_of(const char *pattern, enum subject subject, char *path, size_t size)
{
    const int64_t ids[] = {[NONE] = 0,
                           [PERSON] = people.person_id,
                           [NEW] = 0,
                           [ORDER] = people.order_id,
                           [PLAN] = people.plan_id,
                           [CHECKIN] = checkin_id,
                           [INCIDENT] = incident_id,
                           [RECORDING] = recording_id,
                           [DEVICE] = device_id,
                           [REQUEST] = 1,
                           [HOLD] = 1,
                           [MESSAGE] = message_id,
                           [INCIDENT_MESSAGE] = incident_message_id,
                           [LOG] = log_id,
                           [STAFF] = people.supervisor_id,
                           [COLLEAGUE] = people.inspector_id,
                           [ONESELF] = people.inspector_id};
    const char *brace = strstr(pattern, "{id}");
    if (brace == NULL) {
        snprintf(path, size, "%s", pattern);
    } else {
        snprintf(path, size, "%.*s%lld%s", (int)(brace - pattern), pattern, (long long)ids[subject],
                 brace + 4);
    }
}

/* The body with %I, %U, %P and %O filled in. */
static json_t *body_with_ids(const char *text)
{
    char filled[1024];
    size_t at = 0;
    for (; *text != '\0'; text++) {
        if (text[0] == '%') {
            int64_t id = text[1] == 'I'   ? people.inspector_id
                         : text[1] == 'S' ? people.stand_in_id
                         : text[1] == 'U' ? people.unit
                         : text[1] == 'P' ? people.person_id
                                          : people.order_id;
            at += (size_t)snprintf(filled + at, sizeof filled - at, "%lld", (long long)id);
            text++;
        } else {
            filled[at++] = *text;
        }
    }
    filled[at] = '\0';
    json_t *body = json_loads(filled, 0, NULL);
    assert_non_null(body);
    return body;
}

static unsigned ask_case(struct user *user, enum ck_http_method method, const char *path,
                         const char *body)
{
    static const uint8_t jpeg[] = {0xff, 0xd8, 0xff, 0xc0, 0,  11, 8,    0,   16,
                                   0,    16,   1,    1,    17, 0,  0xff, 0xd9};
    if (method == CK_HTTP_GET) {
        return api_ask(user, "GET", path, NULL, NULL);
    }
    if (strcmp(body, "JPEG") == 0) {
        return api_send(user, path, "image/jpeg", jpeg, sizeof jpeg);
    }
    return api_ask(user, "POST", path, body_with_ids(body), NULL);
}

static size_t case_of(const char *action)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (strcmp(cases[i].action, action) == 0) {
            return i;
        }
    }
    fail_msg("%s is not in the test's table", action);
    return 0;
}

/* Refusals by the rights; codes and links that are wrong are recorded as well. */
#define DENIED                                                                                     \
    "SELECT count(*) FROM log_plain p JOIN log_entry e ON e.idx = p.idx WHERE p.action = "         \
    "'DENIED' AND CAST(e.leaf AS TEXT) NOT LIKE '%is not the present code%' AND CAST(e.leaf AS "   \
    "TEXT) NOT LIKE '%this link%' AND CAST(e.leaf AS TEXT) NOT LIKE '%this phone%'"

/* ---- every answer is one that the document tells of ---- */

#define OPERATIONS_MAX 256

static struct {
    char action[64];
    char statuses[64]; /* "200 400 403 " */
} answers[OPERATIONS_MAX];
static size_t answer_count;

static void read_document(void)
{
    FILE *file = fopen(CK_SOURCE_DIR "/protocol/http.yaml", "r");
    char line[4096];
    unsigned status;
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL && strncmp(line, "components:", 11) != 0) {
        char action[64];
        if (sscanf(line, "      x-action: %63s", action) == 1) {
            assert_true(answer_count < OPERATIONS_MAX);
            strcpy(answers[answer_count++].action, action);
        } else if (sscanf(line, "        '%3u':", &status) == 1) {
            char *statuses = answers[answer_count - 1].statuses;
            assert_true(strlen(statuses) + 5 < sizeof answers[0].statuses);
            sprintf(statuses + strlen(statuses), "%u ", status);
        }
    }
    fclose(file);
}

static void check_documented(const char *action, unsigned status)
{
    char text[8];
    snprintf(text, sizeof text, "%u ", status);
    for (size_t i = 0; i < answer_count; i++) {
        if (strcmp(answers[i].action, action) == 0) {
            if (strstr(answers[i].statuses, text) == NULL) {
                fail_msg("%s answers %u, and the document tells of %s", action, status,
                         answers[i].statuses);
            }
            return;
        }
    }
    fail_msg("%s is not in the document", action);
}

static int64_t denials;

/* ---- every look is a record ---- */

#define READS "SELECT count(*) FROM log_plain WHERE action = 'READ'"

/* What somebody looks at without a record: nothing in it is about a person's case (figures are
 * sums), or it is their own; or the look was written down when it was asked for: the reason for a
 * recording, the two persons for a bundle. */
static bool is_no_look(const char *action)
{
    static const char *const actions[] = {
        "setup.state",      "me.read",       "me.sessions",   "unit.list",      "staff.list",
        "staff.sessions",   "push.key",      "ladder.list",   "roster.read",    "template.list",
        "cadence.read",     "overload.read", "case.list",     "figures.read",   "system.read",
        "device.challenge", "self.state",    "self.messages", "recording.play", "bundle.fetch"};
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        if (strcmp(actions[i], action) == 0) {
            return true;
        }
    }
    return false;
}

static void expect_read(enum ck_http_method method, const char *action, int64_t before)
{
    bool recorded = api_number(READS) > before;
    if (method == CK_HTTP_GET && recorded == is_no_look(action)) {
        fail_msg("%s %s", action, recorded ? "is recorded" : "is looked at without a record");
    }
}

static void walk(enum ck_http_method method, const char *pattern, const char *action, bool allowed)
{
    size_t c = case_of(action);
    const struct ck_policy *policy = ck_policy_find(action);
    char path[128];
    path_of(pattern, cases[c].subject, path, sizeof path);
    for (size_t a = 0; a < ACTORS; a++) {
        enum verdict expected = verdict(policy, cases[c].subject, a);
        if ((expected == ALLOWED) != allowed) {
            continue;
        }
        struct user user =
            *actors[a].user; /* a session that ends or begins is of no matter to others */
        unsigned status = ask_case(&user, method, path, cases[c].body);
        check_answer(action, a, expected, status);
        check_documented(action, status);
        denials += status == 403 && strcmp(action, "setup.first") != 0;
    }
}

static void every_operation_is_walked_with_every_actor(void **state)
{
    (void)state;
    int64_t before = api_number(DENIED);
    size_t count = 0;
    denials = 0;
    read_document();
    for (int allowed = 0; allowed < 2; allowed++) { /* first everybody who may not */
        enum ck_http_method method;
        const char *pattern, *action;
        for (count = 0; ck_api_operation(count, &method, &pattern, &action); count++) {
            int64_t reads = api_number(READS);
            if (strcmp(action, "session.logout") != 0) {
                walk(method, pattern, action, allowed != 0);
            }
            if (allowed != 0) {
                expect_read(method, action, reads);
            }
        }
    }
    for (int allowed = 0; allowed < 2; allowed++) {
        walk(CK_HTTP_POST, "/api/logout", "session.logout", allowed != 0);
    }
    assert_int_equal(count, sizeof cases / sizeof cases[0]);
    /* Each refusal of a known actor is an entry of the log. */
    assert_true(denials > 200);
    assert_true(api_wait_number(DENIED, before + denials));
    assert_int_equal(api_number(DENIED), before + denials);
}

/* ---- the document says the same ---- */

static void the_document_and_the_routes_agree(void **state)
{
    (void)state;
    FILE *file = fopen(CK_SOURCE_DIR "/protocol/http.yaml", "r");
    assert_non_null(file);
    char line[4096], path[256] = "", method[16] = "";
    size_t documented = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        char action[64], who[64];
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "  /", 3) == 0) {
            snprintf(path, sizeof path, "%.*s", (int)strcspn(line + 2, ":"), line + 2);
        } else if (strcmp(line, "    get:") == 0 || strcmp(line, "    post:") == 0) {
            snprintf(method, sizeof method, "%.*s", (int)strcspn(line + 4, ":"), line + 4);
        } else if (strncmp(path, "/ws/", 4) == 0) {
            continue; /* test_api_upgrades.c has them */
        } else if (sscanf(line, "      x-action: %63s", action) == 1) {
            documented++;
            enum ck_http_method m;
            const char *pattern, *name;
            bool found = false;
            for (size_t i = 0; ck_api_operation(i, &m, &pattern, &name); i++) {
                found |= strcmp(pattern, path) == 0 && strcmp(name, action) == 0 &&
                         (m == CK_HTTP_GET) == (strcmp(method, "get") == 0);
            }
            if (!found) {
                fail_msg("%s %s (%s) is documented and is no route", method, path, action);
            }
            const struct ck_policy *policy = ck_policy_find(action);
            assert_non_null(fgets(line, sizeof line, file));
            assert_int_equal(sscanf(line, "      x-who: [%63[^]]]", who), 1);
            char expected[64] = "";
            static const char *const roles[] = {"inspector", "officer", "supervisor",
                                                "administrator"};
            for (unsigned r = 0; policy->roles != 0 && r < 4; r++) {
                if ((policy->roles & 1u << r) != 0) {
                    strcat(strcat(expected, expected[0] == '\0' ? "" : ", "), roles[r]);
                }
            }
            if (policy->roles == 0) {
                strcpy(expected, policy->who == CK_WHO_ANYBODY  ? "anybody"
                                 : policy->who == CK_WHO_PERSON ? "person"
                                                                : "staff");
            }
            /* Any order of the roles. */
            assert_int_equal(strlen(who), strlen(expected));
            for (char *word = strtok(who, ", "); word != NULL; word = strtok(NULL, ", ")) {
                if (strstr(expected, word) == NULL) {
                    fail_msg("%s: the document says %s, the table says %s", action, word, expected);
                }
            }
        }
    }
    fclose(file);
    enum ck_http_method m;
    const char *pattern, *name;
    assert_false(ck_api_operation(documented, &m, &pattern, &name));
    assert_true(ck_api_operation(documented - 1, &m, &pattern, &name));
}

/* ---- the world of this test ---- */

/* Sends a small picture; the number of its message. */
static int64_t sent_file(struct user *user, const char *path)
{
    json_t *answer;
    unsigned status =
        api_ask(user, "POST", path,
                json_pack("{s:s, s:s, s:{s:s, s:s}}", "client_id", "file", "text", "", "file",
                          "name", "picture.jpg", "data", "/9j/wAALCAAQABABAREA/9k="),
                &answer);
    assert_int_equal(status, 200);
    int64_t id = json_integer_value(json_object_get(answer, "id"));
    json_decref(answer);
    return id;
}

static int64_t first_id(struct user *user, const char *path, const char *list)
{
    json_t *answer;
    assert_int_equal(api_ask(user, "GET", path, NULL, &answer), 200);
    json_t *row = json_array_get(json_object_get(answer, list), 0);
    int64_t id = json_integer_value(json_object_get(row, "id"));
    json_decref(answer);
    return id;
}

static int make_world(void **state)
{
    (void)state;
    api_start(NULL);
    api_caseload(&people);
    char path[96];
    json_t *answer;
    assert_int_equal(
        api_ask(&people.person, "POST", "/api/p/notice", json_pack("{s:i}", "version", 1), NULL),
        200);
    device_id = api_own_phone(&people.person, (uint8_t[CK_P256_PRIVATE_SIZE]){1});
    /* It is revoked on the way, and takes along what is open on it: the person goes on elsewhere.
     */
    api_execute("UPDATE session SET device_id = NULL");
    assert_int_equal(
        api_ask(&people.person, "POST", "/api/p/requests",
                json_pack("{s:s, s:s}", "kind", "reschedule", "text", "not on Mondays"), NULL),
        200);
    /* A check-in that nobody answers, with its incident, and a recording. */
    snprintf(path, sizeof path, "/api/persons/%lld/checkins", (long long)people.person_id);
    assert_int_equal(api_ask(&people.inspector, "POST", path,
                             json_pack("{s:s, s:s}", "reason", "test", "kind", "live"), &answer),
                     200);
    checkin_id = json_integer_value(json_object_get(answer, "id"));
    json_decref(answer);
    struct ck_actor worker = {.kind = CK_ACTOR_WORKER};
    assert_int_equal(
        api_command("recording.begin", &worker,
                    json_pack("{s:I, s:s}", "checkin", (json_int_t)checkin_id, "leg", "person"),
                    &answer),
        0);
    recording_id = json_integer_value(json_object_get(answer, "recording"));
    json_decref(answer);
    for (int i = 0; i < 20; i++) {
        api_pass_ms(600000);
    }
    assert_true(api_wait_number("SELECT count(*) FROM incident", 1));
    incident_id = first_id(&people.supervisor, "/api/incidents", "incidents");
    /* One who stands in for the inspector, and one who opened the person's case. */
    snprintf(path, sizeof path, "/api/staff/%lld/stand-ins", (long long)people.inspector_id);
    assert_int_equal(api_ask(&people.supervisor, "POST", path,
                             json_pack("{s:[I]}", "stand_ins", (json_int_t)people.stand_in_id),
                             NULL),
                     200);
    assert_int_equal(
        api_ask(&people.supervisor, "POST", "/api/absences",
                json_pack("{s:I, s:s, s:s, s:s}", "staff", (json_int_t)people.inspector_id, "from",
                          "2020-01-01T00:00", "until", "2036-01-01T00:00", "reason", "leave"),
                NULL),
        200);
    api_pass_ms(1000);
    assert_true(api_wait_number("SELECT count(*) FROM cover", 1));
    snprintf(path, sizeof path, "/api/persons/%lld", (long long)people.person_id);
    assert_int_equal(api_ask(&people.inspector, "GET", path, NULL, &answer), 200);
    json_t *request = json_pack("{s:O, s:s}", "reference", json_object_get(answer, "reference"),
                                "reason", "a call from the neighbours");
    json_decref(answer);
    assert_int_equal(api_ask(&people.opener, "POST", "/api/opened-cases", request, NULL), 200);
    /* A file in the thread of the person, and one about the incident. */
    message_id = sent_file(&people.person, "/api/p/messages");
    snprintf(path, sizeof path, "/api/incidents/%lld/messages", (long long)incident_id);
    incident_message_id = sent_file(&people.officer, path);
    assert_true(checkin_id > 0 && recording_id > 0 && incident_id > 0);
    char sql[128];
    snprintf(sql, sizeof sql,
             "SELECT max(idx) FROM log_plain WHERE person_id = %lld AND action = 'PERSON_CREATED'",
             (long long)people.person_id);
    log_id = api_number(sql);
    return 0;
}

static int end_world(void **state)
{
    (void)state;
    api_stop();
    return 0;
}

/* ---- rows of others ---- */

static int make_another_world(void **state)
{
    return end_world(state) == 0 ? make_world(state) : -1;
}

static const struct {
    struct user *user;
    bool sees; /* the person is theirs, or of their unit */
} readers[] = {
    {&people.inspector, true},        {&people.supervisor, true},
    {&people.other_inspector, false}, /* of the unit, but not of the caseload */
    {&people.far_inspector, false},   {&people.far_officer, false},
    {&people.far_supervisor, false},
};

/* A list that one may ask for holds what is theirs and nothing else: the walk above asks whether it
 * may be asked for. */
static void lists_hold_nothing_of_others(void **state)
{
    (void)state;
    static const char *const lists[] = {
        "/api/persons",   "/api/today",    "/api/incidents", "/api/requests",      "/api/reviews",
        "/api/approvals", "/api/overload", "/api/retention", "/api/contact-paths", "/api/log",
    };
    unsigned seen = 0;
    for (size_t list = 0; list < sizeof lists / sizeof lists[0]; list++) {
        for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
            unsigned status = api_ask(readers[i].user, "GET", lists[list], NULL, NULL);
            bool told = status == 200 &&
                        (strstr(api_raw(), "Secret") != NULL || strstr(api_raw(), "+7701") != NULL);
            if (told && !readers[i].sees) {
                fail_msg("%s tells reader %zu of somebody else's person: %s", lists[list], i,
                         api_raw());
            }
            seen += told ? 1 : 0;
        }
    }
    assert_true(seen >= 8); /* or there was nothing to be told */
}

static int64_t made_id(struct user *user, const char *path, json_t *body, const char *member)
{
    json_t *answer = NULL;
    assert_int_equal(api_ask(user, "POST", path, body, &answer), 200);
    int64_t id = json_integer_value(json_object_get(answer, member));
    json_decref(answer);
    assert_true(id > 0);
    return id;
}

/* What hangs on a row that has no person in its path: an approval, a blackout. */
static void another_unit_decides_nothing(void **state)
{
    (void)state;
    static const char *const asked[] = {"approval", "approval/decide", "approval/withdraw",
                                        "approval/bundle", "blackout/end"};
    struct user *const far[] = {&people.far_supervisor, &people.far_officer, &people.far_inspector,
                                &people.other_inspector};
    char path[96];
    int64_t approval =
        made_id(&people.inspector, "/api/approvals",
                json_pack("{s:s, s:I, s:s, s:{s:s, s:s, s:s, s:s}}", "kind", "blackout.absence",
                          "person", (json_int_t)people.person_id, "reason", "a funeral", "request",
                          "source", "absence", "from", "2027-01-10T19:00:00Z", "until",
                          "2027-01-12T19:00:00Z", "reason", "Secret reason"),
                "id");
    snprintf(path, sizeof path, "/api/persons/%lld/blackouts", (long long)people.person_id);
    assert_int_equal(api_ask(&people.inspector, "POST", path,
                             json_pack("{s:s, s:s, s:s, s:s}", "source", "hospital", "from",
                                       "2027-01-14T19:00:00Z", "until", "2027-01-15T19:00:00Z",
                                       "reason", "surgery"),
                             NULL),
                     200);
    int64_t blackout = api_number("SELECT max(id) FROM blackout");
    assert_true(blackout > 0);
    for (size_t what = 0; what < sizeof asked / sizeof asked[0]; what++) {
        const char *rest = strchr(asked[what], '/');
        bool read = rest == NULL;
        bool of_blackout = strncmp(asked[what], "blackout", 8) == 0;
        snprintf(path, sizeof path, "/api/%s/%lld%s", of_blackout ? "blackouts" : "approvals",
                 (long long)(of_blackout ? blackout : approval), read ? "" : rest);
        for (size_t i = 0; i < sizeof far / sizeof far[0]; i++) {
            unsigned status =
                read ? api_ask(far[i], "GET", path, NULL, NULL)
                     : api_ask(far[i], "POST", path,
                               json_pack("{s:b, s:s}", "approve", 1, "reason", "x"), NULL);
            if ((status != 403 && status != 404) || strstr(api_raw(), "Secret") != NULL) {
                fail_msg("%s by far reader %zu: %u %s", path, i, status, api_raw());
            }
        }
    }
    assert_int_equal(api_number("SELECT count(*) FROM approval WHERE state <> 'open'"), 0);
    assert_int_equal(api_number("SELECT count(*) FROM blackout WHERE until_at > 1800000000000"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_document_and_the_routes_agree),
        cmocka_unit_test(every_operation_is_walked_with_every_actor),
        cmocka_unit_test_setup(lists_hold_nothing_of_others, make_another_world),
        cmocka_unit_test_setup(another_unit_decides_nothing, make_another_world),
    };
    return cmocka_run_group_tests(tests, make_world, end_world);
}

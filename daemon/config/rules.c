/* What must hold between settings. */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "daemon/config/parse_impl.h"
#include "daemon/config/value_impl.h"

/* The line in which a plain setting was given, 0 where it has its default. */
static unsigned line_of(const struct ck_parse *parse, const char *section, const char *key)
{
    for (size_t i = 0; i < parse->count; i++) {
        const struct ck_setting *setting = &parse->settings[i];
        if (strcmp(setting->section, section) == 0 && strcmp(setting->key, key) == 0) {
            return parse->line_of[0][i];
        }
    }
    return 0;
}

static bool given(const char *text)
{
    return *text != '\0';
}

/* Whether the host behind "scheme://" is this machine: the check of URLs lets plain http through
 * only then. */
static bool to_this_machine(const char *url)
{
    const char *host = strstr(url, "://");
    char http[256];
    if (host == NULL || strlen(host) > 240) {
        return false;
    }
    snprintf(http, sizeof http, "http%s", host);
    return ck_refuse_url(http) == NULL;
}

static void http_rules(struct ck_parse *parse)
{
    const struct ck_config *config = parse->config;
    bool certificate = given(config->http.certificate);
    bool key = given(config->http.key);
    if (certificate != key) {
        const char *there = certificate ? "certificate" : "key";
        ck_parse_fault(parse, line_of(parse, "http", there), "http", there,
                       "certificate and key must be given together");
    }
    if (config->http.self_signed && (certificate || key)) {
        ck_parse_fault(parse, line_of(parse, "http", "self_signed"), "http", "self_signed",
                       "is yes although a certificate is given; use one of the two");
    }
    if (!config->http.self_signed && !certificate && !key) {
        ck_parse_fault(parse, line_of(parse, "http", "self_signed"), "http", "certificate",
                       "is missing; give certificate and key, or self_signed = yes for trying out");
    }
    const char *const files[][2] = {{"certificate", config->http.certificate},
                                    {"key", config->http.key}};
    for (size_t i = 0; i < 2; i++) {
        if (given(files[i][1]) && !ck_parse_left(parse, files[i][1]) &&
            access(files[i][1], R_OK) < 0) {
            ck_parse_fault(parse, line_of(parse, "http", files[i][0]), "http", files[i][0],
                           "cannot read %s", files[i][1]);
        }
    }
}

static void media_rules(struct ck_parse *parse)
{
    const struct ck_config *config = parse->config;
    if (config->media.udp_port_base + config->media.workers > 65536) {
        ck_parse_fault(parse, line_of(parse, "media", "udp_port_base"), "media", "udp_port_base",
                       "leaves no ports for %" PRId64 " workers", config->media.workers);
    }
    if ((config->media.turn_urls.count > 0) != (config->media.turn_secret.path != NULL)) {
        const char *there = config->media.turn_urls.count > 0 ? "turn_urls" : "turn_secret_file";
        ck_parse_fault(parse, line_of(parse, "media", there), "media", there,
                       "turn_urls and turn_secret_file must be given together");
    }
    if (config->media.relay_only && config->media.turn_urls.count == 0) {
        ck_parse_fault(parse, line_of(parse, "media", "relay_only"), "media", "relay_only",
                       "needs turn_urls");
    }
}

static void smtp_rules(struct ck_parse *parse)
{
    const struct ck_config *config = parse->config;
    const char *url = config->smtp.url;
    if (given(url) && !given(config->smtp.from)) {
        ck_parse_fault(parse, line_of(parse, "smtp", "url"), "smtp", "from",
                       "is missing although url is given");
    }
    if (given(config->smtp.user) != (config->smtp.password.path != NULL)) {
        const char *there = given(config->smtp.user) ? "user" : "password_file";
        ck_parse_fault(parse, line_of(parse, "smtp", there), "smtp", there,
                       "user and password_file must be given together");
    }
    bool open = strncmp(url, "smtp://", 7) == 0 && !config->smtp.starttls_required;
    if (open && !to_this_machine(url)) {
        ck_parse_fault(parse, line_of(parse, "smtp", "starttls_required"), "smtp",
                       "starttls_required",
                       "may be no only for a server on this machine (localhost, 127.0.0.1, [::1])");
    }
}

static void gateway_rules(struct ck_parse *parse, const char *section,
                          const struct ck_config_gateway *gateway)
{
    bool field = given(gateway->accept_field);
    if (field != (gateway->accept_values.count > 0)) {
        const char *there = field ? "accept_field" : "accept_values";
        ck_parse_fault(parse, line_of(parse, section, there), section, there,
                       "accept_field and accept_values must be given together");
    }
}

static void web_push_rules(struct ck_parse *parse)
{
    const struct ck_config *config = parse->config;
    if (given(config->web_push.subject) != (config->web_push.key.path != NULL)) {
        const char *there = given(config->web_push.subject) ? "subject" : "key_file";
        ck_parse_fault(parse, line_of(parse, "web_push", there), "web_push", there,
                       "key_file and subject must be given together");
    }
}

/* `low` must not be above `high`; both are durations or counts of one section. */
struct order {
    const char *section, *low, *high;
    int64_t low_value, high_value;
    bool equal_allowed;
};

static void order_rules(struct ck_parse *parse)
{
    const struct ck_config *c = parse->config;
    const struct order orders[] = {
        {"limits", "connections_per_address", "connections", c->limits.connections_per_address,
         c->limits.connections, true},
        {"limits", "staff_session", "staff_session_max", c->limits.staff_session_ms,
         c->limits.staff_session_max_ms, true},
        {"limits", "body", "upload", c->limits.body_bytes, c->limits.upload_bytes, true},
        {"policy", "notice_retry_first", "notice_retry_max", c->policy.notice_retry_first_ms,
         c->policy.notice_retry_max_ms, true},
        {"retention", "recording", "case_file", c->retention.recording_ms,
         c->retention.case_file_ms, true},
        {"retention", "risk", "case_file", c->retention.risk_ms, c->retention.case_file_ms, true},
        {"retention", "photo", "case_file", c->retention.photo_ms, c->retention.case_file_ms, true},
        {"retention", "contact", "case_file", c->retention.contact_ms, c->retention.case_file_ms,
         true},
        {"retention", "messages", "case_file", c->retention.messages_ms, c->retention.case_file_ms,
         true},
        {"retention", "concern", "case_file", c->retention.concern_ms, c->retention.case_file_ms,
         true},
        {"policy", "response_window", "late_limit",
         c->policy.response_window_ms + c->policy.grace_ms, c->policy.late_limit_ms, false},
    };
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        const struct order *o = &orders[i];
        bool good = o->equal_allowed ? o->low_value <= o->high_value : o->low_value < o->high_value;
        unsigned low = line_of(parse, o->section, o->low);
        if (!good) {
            ck_parse_fault(parse, low != 0 ? low : line_of(parse, o->section, o->high), o->section,
                           o->low, "must %s %s%s", o->equal_allowed ? "not exceed" : "be less than",
                           o->high,
                           strcmp(o->low, "response_window") == 0 ? ", together with grace" : "");
        }
    }
    if ((c->policy.attempts - 1) * c->policy.attempt_spacing_ms >= c->policy.response_window_ms) {
        unsigned line = line_of(parse, "policy", "attempts");
        ck_parse_fault(parse, line != 0 ? line : line_of(parse, "policy", "attempt_spacing"),
                       "policy", "attempts",
                       "the last attempt must ring before response_window ends: (attempts - 1) × "
                       "attempt_spacing must be less than it");
    }
}

static void key_rules(struct ck_parse *parse)
{
    const struct ck_config_secret *now = &parse->config->daemon.master_key;
    const struct ck_config_secret *old = &parse->config->daemon.old_master_key;
    if (now->bytes != NULL && old->bytes != NULL && now->size == old->size &&
        memcmp(now->bytes, old->bytes, now->size) == 0) {
        ck_parse_fault(parse, line_of(parse, "daemon", "old_master_key_file"), "daemon",
                       "old_master_key_file", "is the same key as master_key_file");
    }
}

void ck_parse_rules(struct ck_parse *parse)
{
    key_rules(parse);
    http_rules(parse);
    media_rules(parse);
    smtp_rules(parse);
    gateway_rules(parse, "sms", &parse->config->sms);
    gateway_rules(parse, "voice", &parse->config->voice);
    web_push_rules(parse);
    order_rules(parse);
}

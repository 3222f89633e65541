/* The configuration of checkind: one file of `[section]`, `key = value` and comment lines.
 *
 * Every setting is described once, in the table of settings.c (type, range, default, help);
 * reading, refusing, printing and the manual page all come from it. Reading reports every fault of
 * the file, each with file, line, key and what is allowed; nothing is taken from a file that has
 * one.
 *
 * The value is read at start and never changes; it may be read from any thread. */
#ifndef DAEMON_CONFIG_CONFIG_H
#define DAEMON_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Limits of the file itself; beyond them it is refused. */
#define CK_CONFIG_FILE_MAX (256 * 1024) /* bytes */
#define CK_CONFIG_LINE_MAX 4096         /* bytes of one line */
#define CK_CONFIG_LIST_MAX 32           /* items of one list */
#define CK_CONFIG_NAMED_MAX 8     /* sections of one kind with a name, such as [webhook NAME] */
#define CK_CONFIG_SECRET_MAX 8192 /* bytes of a file that holds a secret */

/* A notice that was handed to its channel waits so long for its turn there, and one try then takes
 * no longer than the channel's `timeout`. */
#define CK_NOTICE_WAIT_MAX_MS 20000

#define CK_CONFIG_DEFAULT_PATH "/etc/checkind/checkind.conf"

/* A list of texts; items are never NULL or empty. */
struct ck_config_list {
    char **items;
    size_t count;
};

/* A secret read from a file, without one closing line feed. `path` is NULL where none is
 * configured; then `bytes` is NULL too. A zero byte follows the bytes, so a text secret can be used
 * as a string. */
struct ck_config_secret {
    char *path;
    char *bytes;
    size_t size;
};

enum ck_log_level {
    CK_LOG_ERROR,
    CK_LOG_WARNING,
    CK_LOG_INFO,
    CK_LOG_DEBUG,
};

enum ck_clock_sync {
    CK_CLOCK_REQUIRED, /* the kernel must say that the clock is synchronised */
    CK_CLOCK_ASSUMED,  /* the operator says that something else keeps it */
};

enum ck_second_factor_rule {
    CK_SECOND_FACTOR_REQUIRED, /* nobody goes on without setting one up */
    CK_SECOND_FACTOR_OPTIONAL, /* who has set one up is asked for it */
};

enum ck_gateway_method {
    CK_GATEWAY_POST,
    CK_GATEWAY_PUT,
};

/* [sms], [voice]: a gateway that takes JSON over HTTP */
struct ck_config_gateway {
    char *url;  /* "" switches it off */
    int method; /* enum ck_gateway_method */
    char *body; /* JSON with {to} {text} {reference} {language} {kind} inside strings */
    struct ck_config_secret token; /* bearer token */
    struct ck_config_list accept;  /* status codes, "200" */
    char *accept_field;            /* path into the answer, "messages.0.code"; "": not checked */
    struct ck_config_list accept_values; /* what the field must be */
    char *id_field;                      /* path of the gateway's own id in the answer, "": none */
    struct ck_config_secret receipt_secret; /* HMAC key of receipts; none: no receipts come */
    char *ca_file;
    int64_t timeout_ms;
    int64_t parallel;
    int64_t per_minute;
};

/* [webhook NAME] */
struct ck_config_webhook {
    char *name;
    char *url;
    struct ck_config_secret secret;
};

/* Texts are never NULL: one that is not configured is "". Paths are absolute, or relative to
 * daemon.state_dir, except where the help says otherwise; ck_config_path() joins them. Durations
 * end in _ms, sizes in _bytes. */
struct ck_config {
    struct { /* [daemon] */
        char *state_dir;
        char *store_path;
        char *control_socket; /* absolute */
        char *public_url;     /* what links in notices begin with, without a closing slash */
        char *help_phone;     /* what persons call where their unit has no number; "": none */
        char *unit_zone;      /* IANA zone of the unit, such as Asia/Almaty */
        int clock_sync;       /* enum ck_clock_sync */
        int log_level;        /* enum ck_log_level */
        struct ck_config_secret master_key;     /* 32 bytes as 64 hexadecimal digits */
        struct ck_config_secret old_master_key; /* the one before; unset: none */
    } daemon;
    struct {                          /* [http] */
        struct ck_config_list listen; /* "ADDRESS:PORT", "[ADDRESS]:PORT" or "PORT" */
        struct ck_config_list
            hostnames;     /* names the server answers to; empty: that of public_url */
        char *certificate; /* PEM chain */
        char *key;         /* PEM key */
        bool self_signed;
        char *pages_dir;
        struct ck_config_list trusted_proxies; /* addresses whose X-Forwarded-For is believed */
    } http;
    struct {             /* [media] */
        int64_t workers; /* 0: one a core */
        char *program;
        char *render_program;
        int64_t udp_port_base; /* worker n listens at udp_port_base + n */
        bool tcp;              /* and takes ICE over TCP at the same number */
        struct ck_config_list
            advertise; /* addresses for ICE candidates; empty: those of the interfaces */
        int64_t bitrate_max_kbps;
        int64_t legs_max; /* of one worker */
        char *recording_dir;
        struct ck_config_list turn_urls;
        struct ck_config_secret turn_secret;
        int64_t turn_lifetime_ms;
        bool relay_only;
    } media;
    struct {       /* [smtp] */
        char *url; /* smtp://host:port or smtps://host:port; "" switches e-mail off */
        char *user;
        struct ck_config_secret password;
        char *from; /* bare address */
        char *from_name;
        bool starttls_required;
        char *ca_file; /* "": the system's */
        int64_t timeout_ms;
        int64_t parallel;
        int64_t per_minute;
    } smtp;
    struct ck_config_gateway sms;    /* [sms] */
    struct ck_config_gateway voice;  /* [voice] */
    struct {                         /* [web_push] */
        struct ck_config_secret key; /* 32 bytes as 64 hexadecimal digits; none switches it off */
        char *subject;
        struct ck_config_list services; /* hosts; those below them count as well */
        char *ca_file;
        int64_t timeout_ms;
        int64_t parallel;
        int64_t per_minute;
    } web_push;
    struct ck_config_webhook webhooks[CK_CONFIG_NAMED_MAX]; /* [webhook NAME] */
    size_t webhook_count;
    struct { /* [webhooks]: what holds for all of them */
        char *ca_file;
        int64_t timeout_ms;
        int64_t parallel;
        int64_t per_minute;
    } webhook_common;
    struct {       /* [heartbeat] */
        char *url; /* "": none is sent */
        int64_t every_ms;
    } heartbeat;
    struct {                                 /* [signer] */
        char *socket;                        /* absolute; "": checkpoints are not signed */
        char *checkpoint_dir;                /* where they are copied to; "": nowhere */
        struct ck_config_list witnesses;     /* public keys, "NAME+ID+BASE64" */
        struct ck_config_list witness_urls;  /* of C2SP tlog-witness; asked to cosign */
        struct ck_config_list witness_mails; /* addresses that get a checkpoint by mail */
        int64_t witness_every_ms;
    } signer;
    struct {               /* [access] */
        int second_factor; /* enum ck_second_factor_rule */
    } access;
    struct { /* [limits] */
        int64_t connections;
        int64_t connections_per_address;
        int64_t requests_per_address; /* a minute */
        int64_t logins_per_address;   /* failed, in 15 minutes */
        int64_t logins_per_account;   /* failed, in 15 minutes */
        int64_t links_per_address;    /* unknown link tokens, in 15 minutes */
        int64_t body_bytes;           /* of one request */
        int64_t upload_bytes;         /* of one attachment or photo */
        int64_t staff_session_ms;     /* since somebody was last at its pages */
        int64_t staff_session_max_ms; /* since log-in */
        int64_t commands_queued;      /* loop to engine */
        int64_t notices_queued;       /* waiting for a channel's turn */
        int64_t disk_reserve_bytes;   /* below it recordings and administration stop */
        int64_t recording_ring_bytes; /* between a worker's packet loop and its writer */
    } limits;
    struct { /* [policy]: what a plan or ladder has unless it says otherwise */
        int64_t attempts;
        int64_t attempt_spacing_ms;
        int64_t response_window_ms;
        int64_t grace_ms;
        int64_t late_limit_ms;
        int64_t answerable_percent; /* of the response window, for NO_ANSWER */
        int64_t makeup_delay_ms;
        int64_t
            live_wait_ms; /* an inspector's time to answer before the check-in turns unattended */
        int64_t call_max_ms;
        int64_t challenge_count;
        int64_t rejoin_ms; /* a leg that is gone may come back within */
        int64_t review_top_ms;
        int64_t review_ms;
        int64_t ladder_inspector_ms;  /* to acknowledge, then the duty officer */
        int64_t ladder_duty_ms;       /* then the supervisor */
        int64_t ladder_supervisor_ms; /* then again */
        int64_t ladder_repeat_ms;     /* of the last step */
        int64_t ack_timeout_ms;       /* an acknowledgement without a conclusion lapses */
        int64_t receipt_wait_ms;      /* accepted but not delivered: next channel */
        int64_t notice_retry_first_ms;
        int64_t notice_retry_max_ms;
        char *odara_norms; /* norm file of the risk score (norms.h); "" where there is none */
    } policy;
    struct {                  /* [retention]: how long what is kept */
        int64_t recording_ms; /* from the end of the recording */
        int64_t risk_ms;      /* from the end of the last order, like the next five */
        int64_t photo_ms;
        int64_t contact_ms;
        int64_t messages_ms;
        int64_t concern_ms;
        int64_t case_file_ms;
        int64_t access_log_ms; /* from the end of its year */
    } retention;
};

/* One thing that is wrong. `line` is 0 where it is in no line (a setting that is missing). */
struct ck_config_fault {
    unsigned line;
    char text[400]; /* "[smtp] url: …", one line, UTF-8, quoting at most 60 bytes of a value */
};

#define CK_CONFIG_FAULTS_MAX 100 /* kept; more are counted only */

struct ck_config_faults {
    struct ck_config_fault items[CK_CONFIG_FAULTS_MAX];
    size_t kept;
    size_t count;
};

/* Where the configuration is read. `credentials_dir` is what a leading "%d/" of a *_file path
 * stands for (systemd's $CREDENTIALS_DIRECTORY); NULL where there is none, which is a fault where
 * it is needed. With `leave_credentials` such files are left unread instead: the configuration can
 * then be checked by somebody who has no credentials, and is good for nothing else. */
struct ck_config_place {
    const char *credentials_dir;
    bool leave_credentials;
};

/* Reads `size` bytes of configuration, checks everything including rules across settings, and reads
 * the files of secrets. On success fills *config, which the caller releases with
 * ck_config_deinit(). CK_E_INVALID with at least one fault, sorted by line, where something is
 * wrong; -ENOMEM. */
int ck_config_parse(struct ck_config *config, const char *text, size_t size,
                    const struct ck_config_place *place, struct ck_config_faults *faults);

/* The same from a file. A file that cannot be read or is too big is a fault in line 0. */
int ck_config_load(struct ck_config *config, const char *path, const struct ck_config_place *place,
                   struct ck_config_faults *faults);

/* Releases what the configuration holds and wipes secrets. */
void ck_config_deinit(struct ck_config *config);

/* Writes the faults, one a line: "FILE:LINE: [section] key: what is wrong; what is allowed". */
void ck_config_faults_print(const struct ck_config_faults *faults, const char *file, FILE *out);

/* Writes a configuration file with every setting at its default, commented out, and its help above.
 * It is itself a file that ck_config_parse() takes. */
void ck_config_print_default(FILE *out);

/* `path` itself where it is absolute, else under daemon.state_dir. NULL where memory is short; the
 * caller frees. */
char *ck_config_path(const struct ck_config *config, const char *path);

/* The webhook of that name, the first one for "" and NULL where there is none. */
const struct ck_config_webhook *ck_config_webhook(const struct ck_config *config, const char *name);

#endif

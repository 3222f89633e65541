#include "daemon/config/settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/config/config.h"
#include "daemon/config/value_impl.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define KIB INT64_C(1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

static const char *const log_words[] = {"error", "warning", "info", "debug", NULL};
static const char *const factor_words[] = {"required", "optional", NULL};
static const char *const clock_words[] = {"required", "assumed", NULL};
static const char *const method_words[] = {"POST", "PUT", NULL};

/* What these are given are initialisers, not expressions. NOLINTBEGIN(bugprone-macro-parentheses)
 */
#define AT(field) .offset = offsetof(struct ck_config, field)
#define HOOK(field) .offset = offsetof(struct ck_config_webhook, field), .named = true

/* Where a server is trusted and how hard it is tried, the same for every channel. */
#define TRIES(name, member, timeout_text, per_minute_text)                                         \
    {.section = name,                                                                              \
     .key = "ca_file",                                                                             \
     .type = CK_SETTING_PATH,                                                                      \
     AT(member.ca_file),                                                                           \
     .standard = "",                                                                               \
     .refuse = ck_refuse_absolute,                                                                 \
     .example = "/etc/checkind/ca.pem",                                                            \
     .help =                                                                                       \
         "PEM file of the certificate authorities that are trusted there. Unset: those of the "    \
         "system."},                                                                               \
        {.section = name,                                                                          \
         .key = "timeout",                                                                         \
         .type = CK_SETTING_DURATION,                                                              \
         AT(member.timeout_ms),                                                                    \
         .standard = timeout_text,                                                                 \
         .min = 100,                                                                               \
         .max = MINUTE,                                                                            \
         .help = "How long one try may take, from connecting to the last answer."},                \
        {.section = name,                                                                          \
         .key = "parallel",                                                                        \
         .type = CK_SETTING_COUNT,                                                                 \
         AT(member.parallel),                                                                      \
         .standard = "8",                                                                          \
         .min = 1,                                                                                 \
         .max = 64,                                                                                \
         .help = "Tries that run at the same time; further ones wait their turn."},                \
    {                                                                                              \
        .section = name, .key = "per_minute", .type = CK_SETTING_COUNT, AT(member.per_minute),     \
        .standard = per_minute_text, .min = 1, .max = 100000,                                      \
        .help = "Tries begun in any minute; further ones wait and none is dropped, so that a "     \
                "carrier or a server does not block the sender."                                   \
    }

/* A gateway that takes JSON over HTTP. */
#define GATEWAY(name, member, what, none, one, body_text)                                          \
    {.section = name,                                                                              \
     .key = "url",                                                                                 \
     .type = CK_SETTING_TEXT,                                                                      \
     AT(member.url),                                                                               \
     .standard = "",                                                                               \
     .refuse = ck_refuse_url,                                                                      \
     .example = "https://" name ".example.org/v1/messages",                                        \
     .help = "The " what " gateway (protocol/" name "-gateway.md). Unset: no " none "."},          \
        {.section = name,                                                                          \
         .key = "method",                                                                          \
         .type = CK_SETTING_CHOICE,                                                                \
         AT(member.method),                                                                        \
         .standard = "POST",                                                                       \
         .words = method_words,                                                                    \
         .help = "How the gateway wants to be asked."},                                            \
        {.section = name,                                                                          \
         .key = "body",                                                                            \
         .type = CK_SETTING_TEXT,                                                                  \
         AT(member.body),                                                                          \
         .standard = body_text,                                                                    \
         .required = true,                                                                         \
         .refuse = ck_refuse_gateway_body,                                                         \
         .help =                                                                                   \
             "The JSON that is sent; inside its strings {to} stands for the number, {text} "       \
             "for the text, {language} for its language, {kind} for what it is about and "         \
             "{reference} for the notice's reference, which is the same when a notice is sent "    \
             "again."},                                                                            \
        {.section = name,                                                                          \
         .key = "token_file",                                                                      \
         .type = CK_SETTING_SECRET,                                                                \
         AT(member.token),                                                                         \
         .standard = "",                                                                           \
         .min = 1,                                                                                 \
         .max = 4096,                                                                              \
         .refuse_secret = ck_refuse_secret_text,                                                   \
         .example = "%d/" name ".token",                                                           \
         .help = "File with the token sent as \"Authorization: Bearer\"."},                        \
        {.section = name,                                                                          \
         .key = "accept",                                                                          \
         .type = CK_SETTING_LIST,                                                                  \
         AT(member.accept),                                                                        \
         .standard = "200, 201, 202",                                                              \
         .required = true,                                                                         \
         .refuse = ck_refuse_status,                                                               \
         .help = "Status codes that mean that the gateway has taken " one "."},                    \
        {.section = name,                                                                          \
         .key = "accept_field",                                                                    \
         .type = CK_SETTING_TEXT,                                                                  \
         AT(member.accept_field),                                                                  \
         .standard = "",                                                                           \
         .example = "messages.0.status",                                                           \
         .help = "Where the JSON of the answer says whether it was taken: names and indexes "      \
                 "joined by dots. Unset: the status code alone decides."},                         \
        {.section = name,                                                                          \
         .key = "accept_values",                                                                   \
         .type = CK_SETTING_LIST,                                                                  \
         AT(member.accept_values),                                                                 \
         .standard = "",                                                                           \
         .example = "ok, queued",                                                                  \
         .help = "What accept_field must be then."},                                               \
        {.section = name,                                                                          \
         .key = "id_field",                                                                        \
         .type = CK_SETTING_TEXT,                                                                  \
         AT(member.id_field),                                                                      \
         .standard = "",                                                                           \
         .example = "messages.0.id",                                                               \
         .help = "Where the answer carries the gateway's own number of it."},                      \
    {                                                                                              \
        .section = name, .key = "receipt_secret_file", .type = CK_SETTING_SECRET,                  \
        AT(member.receipt_secret), .standard = "", .min = 16, .max = 256,                          \
        .refuse_secret = ck_refuse_secret_text, .example = "%d/" name ".receipts",                 \
        .help =                                                                                    \
            "File with the secret with which the gateway signs receipts (POST /hook/receipt/" name \
            "). Unset: the gateway gives none, and none is taken."                                 \
    }

/* NOLINTEND(bugprone-macro-parentheses) */

static const struct ck_setting table[] = {
    {.section = "daemon",
     .key = "state_dir",
     .type = CK_SETTING_PATH,
     AT(daemon.state_dir),
     .standard = "/var/lib/checkind",
     .refuse = ck_refuse_absolute,
     .help = "Where everything is kept that must survive a restart."},
    {.section = "daemon",
     .key = "store_path",
     .type = CK_SETTING_PATH,
     AT(daemon.store_path),
     .standard = "checkind.db",
     .help = "The SQLite database, relative to state_dir."},
    {.section = "daemon",
     .key = "control_socket",
     .type = CK_SETTING_PATH,
     AT(daemon.control_socket),
     .standard = "/run/checkind/control.sock",
     .refuse = ck_refuse_absolute,
     .help = "The socket that checkinctl speaks to."},
    {.section = "daemon",
     .key = "public_url",
     .type = CK_SETTING_TEXT,
     AT(daemon.public_url),
     .standard = "",
     .required = true,
     .refuse = ck_refuse_public_url,
     .example = "https://checkin.example.org",
     .help = "The address under which phones and consoles reach the daemon. Links in notices "
             "begin with it."},
    {.section = "daemon",
     .key = "help_phone",
     .type = CK_SETTING_TEXT,
     AT(daemon.help_phone),
     .standard = "",
     .refuse = ck_refuse_help_phone,
     .example = "+77172000000",
     .help =
         "The number on a person's page whose link does not open, where it is not known whose it "
         "is, or their unit has none. Units have numbers of their own on the page Units."},
    {.section = "daemon",
     .key = "unit_zone",
     .type = CK_SETTING_TEXT,
     AT(daemon.unit_zone),
     .standard = "Asia/Almaty",
     .refuse = ck_refuse_zone,
     .help = "Time zone of a new unit; times in notices are in the unit's zone."},
    {.section = "daemon",
     .key = "clock_sync",
     .type = CK_SETTING_CHOICE,
     AT(daemon.clock_sync),
     .standard = "required",
     .words = clock_words,
     .help = "A check-in counts as missed only while the clock is right. required: the kernel says "
             "that a time service keeps it. assumed: something else keeps it and the kernel does "
             "not know, as in some containers."},
    {.section = "daemon",
     .key = "log_level",
     .type = CK_SETTING_CHOICE,
     AT(daemon.log_level),
     .standard = "info",
     .words = log_words,
     .help =
         "What goes to the journal: this level and worse. The audit log does not depend on it."},
    {.section = "daemon",
     .key = "master_key_file",
     .type = CK_SETTING_SECRET,
     AT(daemon.master_key),
     .required = true,
     .standard = "",
     .min = 64,
     .max = 64,
     .refuse_secret = ck_refuse_key_hex,
     .example = "%d/master.key",
     .help = "File with the key that wraps the keys of recordings and messages: 64 hexadecimal "
             "digits. Without it recordings cannot be played: give shares of it to several people "
             "(checkinctl key split), of whom some together can make it again."},
    {.section = "daemon",
     .key = "old_master_key_file",
     .type = CK_SETTING_SECRET,
     AT(daemon.old_master_key),
     .standard = "",
     .min = 64,
     .max = 64,
     .refuse_secret = ck_refuse_key_hex,
     .example = "%d/master.old.key",
     .help =
         "File with the master key before, to change it: at the next start every key is wrapped "
         "under master_key_file anew, in one step. Then it is needed no more."},

    {.section = "http",
     .key = "listen",
     .type = CK_SETTING_LIST,
     AT(http.listen),
     .standard = "8443",
     .refuse = ck_refuse_listen,
     .required = true,
     .example = "0.0.0.0:443, [::]:443",
     .help = "Where HTTPS is answered: PORT (all addresses), IPV4:PORT or [IPV6]:PORT."},
    {.section = "http",
     .key = "hostnames",
     .type = CK_SETTING_LIST,
     AT(http.hostnames),
     .standard = "",
     .refuse = ck_refuse_hostname,
     .example = "checkin.example.org",
     .help = "Host names the server answers to; requests for others are refused. Unset: the host "
             "of public_url."},
    {.section = "http",
     .key = "certificate",
     .type = CK_SETTING_PATH,
     AT(http.certificate),
     .standard = "",
     .refuse = ck_refuse_absolute,
     .example = "%d/tls.crt",
     .help = "PEM file with the server's certificate and its chain."},
    {.section = "http",
     .key = "key",
     .type = CK_SETTING_PATH,
     AT(http.key),
     .standard = "",
     .refuse = ck_refuse_absolute,
     .example = "%d/tls.key",
     .help = "PEM file with the key of the certificate."},
    {.section = "http",
     .key = "self_signed",
     .type = CK_SETTING_FLAG,
     AT(http.self_signed),
     .standard = "no",
     .help = "Make a self-signed certificate in state_dir instead. For trying out only: phones "
             "warn, and Web Push does not work."},
    {.section = "http",
     .key = "pages_dir",
     .type = CK_SETTING_PATH,
     AT(http.pages_dir),
     .standard = "/usr/share/checkind/pages",
     .refuse = ck_refuse_absolute,
     .help = "The built pages."},
    {.section = "http",
     .key = "trusted_proxies",
     .type = CK_SETTING_LIST,
     AT(http.trusted_proxies),
     .standard = "",
     .refuse = ck_refuse_address,
     .example = "10.0.0.5",
     .help = "Addresses of reverse proxies whose X-Forwarded-For is believed. Where there are any, "
             "the daemon asks itself at public_url whether pages and WebSockets come through, "
             "which must be reachable from here with a certificate that this system trusts: "
             "while they do not, no check-in counts against anybody."},

    {.section = "media",
     .key = "workers",
     .type = CK_SETTING_COUNT,
     AT(media.workers),
     .standard = "0",
     .max = 64,
     .help = "Media worker processes; 0 stands for one a core, 64 at most."},
    {.section = "media",
     .key = "program",
     .type = CK_SETTING_PATH,
     AT(media.program),
     .standard = "/usr/libexec/checkind/checkin-media",
     .refuse = ck_refuse_absolute,
     .help = "The media worker."},
    {.section = "media",
     .key = "render_program",
     .type = CK_SETTING_PATH,
     AT(media.render_program),
     .standard = "/usr/libexec/checkind/checkin-render",
     .refuse = ck_refuse_absolute,
     .help = "The worker that makes thumbnails and exports."},
    {.section = "media",
     .key = "udp_port_base",
     .type = CK_SETTING_COUNT,
     AT(media.udp_port_base),
     .standard = "20000",
     .min = 1024,
     .max = 65535,
     .help = "Worker n, counted from 0, takes all its media on UDP port udp_port_base + n."},
    {.section = "media",
     .key = "tcp",
     .type = CK_SETTING_FLAG,
     AT(media.tcp),
     .standard = "yes",
     .help =
         "Take media over TCP too, at the same port numbers, from browsers whose network blocks "
         "UDP."},
    {.section = "media",
     .key = "advertise",
     .type = CK_SETTING_LIST,
     AT(media.advertise),
     .standard = "",
     .refuse = ck_refuse_address,
     .example = "198.51.100.7, 2001:db8::7",
     .help = "Addresses under which browsers reach the media ports, such as the outer address "
             "of a NAT. Unset: the addresses of the machine."},
    {.section = "media",
     .key = "bitrate_max_kbps",
     .type = CK_SETTING_COUNT,
     AT(media.bitrate_max_kbps),
     .standard = "900",
     .min = 100,
     .max = 8000,
     .help = "Most that one sender is asked to send, in kbit/s, picture and sound."},
    {.section = "media",
     .key = "legs_max",
     .type = CK_SETTING_COUNT,
     AT(media.legs_max),
     .standard = "1000",
     .min = 2,
     .max = 20000,
     .help = "Legs that one worker takes; above it no capacity is promised."},
    {.section = "media",
     .key = "recording_dir",
     .type = CK_SETTING_PATH,
     AT(media.recording_dir),
     .standard = "recordings",
     .help = "Where sealed recordings are kept, relative to state_dir."},
    {.section = "media",
     .key = "turn_urls",
     .type = CK_SETTING_LIST,
     AT(media.turn_urls),
     .standard = "",
     .refuse = ck_refuse_turn,
     .example = "turns:turn.example.org:443?transport=tcp",
     .help = "TURN servers for browsers whose network blocks UDP. A configuration of coturn that "
             "relays to the media workers and to nobody else is turnserver.conf in "
             "/usr/share/doc/checkind/examples. Every five seconds each is asked for an address; "
             "of those with one scheme and transport one must answer, in one of two rounds, else "
             "nobody counts as missed. One that has no address left has answered."},
    {.section = "media",
     .key = "turn_secret_file",
     .type = CK_SETTING_SECRET,
     AT(media.turn_secret),
     .standard = "",
     .min = 16,
     .max = 256,
     .refuse_secret = ck_refuse_secret_text,
     .example = "%d/turn.secret",
     .help = "File with the secret shared with the TURN servers, from which credentials of "
             "limited life are made."},
    {.section = "media",
     .key = "turn_lifetime",
     .type = CK_SETTING_DURATION,
     AT(media.turn_lifetime_ms),
     .standard = "2 h",
     .min = 10 * MINUTE,
     .max = DAY,
     .help = "Life of such credentials."},
    {.section = "media",
     .key = "relay_only",
     .type = CK_SETTING_FLAG,
     AT(media.relay_only),
     .standard = "no",
     .help = "Have browsers send media by way of the TURN servers alone, so that neither side's "
             "network sees the address of the other's, nor of the media ports."},

    {.section = "smtp",
     .key = "url",
     .type = CK_SETTING_TEXT,
     AT(smtp.url),
     .standard = "",
     .refuse = ck_refuse_smtp_url,
     .example = "smtps://mail.example.org:465",
     .help = "The server that takes mail: smtps:// for TLS from the start, smtp:// with STARTTLS. "
             "Unset: no mail is sent."},
    {.section = "smtp",
     .key = "user",
     .type = CK_SETTING_TEXT,
     AT(smtp.user),
     .standard = "",
     .example = "checkind",
     .help = "Name to log in with."},
    {.section = "smtp",
     .key = "password_file",
     .type = CK_SETTING_SECRET,
     AT(smtp.password),
     .standard = "",
     .min = 1,
     .max = 1024,
     .refuse_secret = ck_refuse_secret_text,
     .example = "%d/smtp.password",
     .help = "File with the password of user."},
    {.section = "smtp",
     .key = "from",
     .type = CK_SETTING_TEXT,
     AT(smtp.from),
     .standard = "",
     .refuse = ck_refuse_mail,
     .example = "checkind@example.org",
     .help = "Sender's address; also where the server sends what it could not deliver."},
    {.section = "smtp",
     .key = "from_name",
     .type = CK_SETTING_TEXT,
     AT(smtp.from_name),
     .standard = "",
     .example = "Calls",
     .help = "Name shown beside the sender's address."},
    {.section = "smtp",
     .key = "starttls_required",
     .type = CK_SETTING_FLAG,
     AT(smtp.starttls_required),
     .standard = "yes",
     .help = "Refuse to hand over mail without TLS. May be no only for a server on this machine."},
    TRIES("smtp", smtp, "30 s", "600"),

    GATEWAY("sms", sms, "SMS", "SMS is sent", "a message",
            "{\"to\":\"{to}\",\"text\":\"{text}\",\"reference\":\"{reference}\"}"),
    TRIES("sms", sms, "20 s", "600"),

    GATEWAY("voice", voice, "voice", "call is made", "a call",
            "{\"to\":\"{to}\",\"say\":\"{text}\",\"language\":\"{language}\",\"kind\":\"{kind}\","
            "\"reference\":\"{reference}\"}"),
    TRIES("voice", voice, "20 s", "120"),

    {.section = "web_push",
     .key = "key_file",
     .type = CK_SETTING_SECRET,
     AT(web_push.key),
     .standard = "",
     .min = 64,
     .max = 64,
     .refuse_secret = ck_refuse_key_hex,
     .example = "%d/web_push.key",
     .help = "File with the private key by which push services know this daemon: 64 hexadecimal "
             "digits. Browsers that have subscribed must do so again when it changes. Unset: "
             "nothing is pushed."},
    {.section = "web_push",
     .key = "subject",
     .type = CK_SETTING_TEXT,
     AT(web_push.subject),
     .standard = "",
     .refuse = ck_refuse_subject,
     .example = "mailto:duty@example.org",
     .help = "How a push service reaches the operator."},
    {.section = "web_push",
     .key = "services",
     .type = CK_SETTING_LIST,
     AT(web_push.services),
     .standard =
         "fcm.googleapis.com, push.services.mozilla.com, push.apple.com, notify.windows.com",
     .required = true,
     .refuse = ck_refuse_hostname,
     .help = "Push services that are spoken to: these hosts and those below them. Browsers name "
             "the service; others are refused, so that nobody can make the daemon speak to a host "
             "of their choice."},
    TRIES("web_push", web_push, "20 s", "1200"),

    {.section = "webhook",
     .key = "url",
     .type = CK_SETTING_TEXT,
     HOOK(url),
     .standard = "",
     .required = true,
     .refuse = ck_refuse_url,
     .example = "https://duty.example.org/hooks/checkind",
     .help = "Where notices are posted (protocol/webhook.md)."},
    {.section = "webhook",
     .key = "secret_file",
     .type = CK_SETTING_SECRET,
     HOOK(secret),
     .standard = "",
     .required = true,
     .min = 16,
     .max = 513,
     .refuse_secret = ck_refuse_secret_pair,
     .example = "%d/webhook.secret",
     .help = "File with the secret that signs them. While it is changed it has two lines, the new "
             "one first, and every notice is signed with both."},

    TRIES("webhooks", webhook_common, "10 s", "1200"),

    {.section = "heartbeat",
     .key = "url",
     .type = CK_SETTING_TEXT,
     AT(heartbeat.url),
     .standard = "",
     .refuse = ck_refuse_url,
     .example = "https://monitor.example.org/ping/checkind",
     .help = "Asked with GET as long as the daemon finds itself sound, so that silence is an "
             "alarm somewhere else. Unset: nobody notices when the machine is gone."},
    {.section = "heartbeat",
     .key = "every",
     .type = CK_SETTING_DURATION,
     AT(heartbeat.every_ms),
     .standard = "1 min",
     .min = 10 * SECOND,
     .max = HOUR,
     .help = "How often it is asked."},

    {.section = "signer",
     .key = "socket",
     .type = CK_SETTING_PATH,
     AT(signer.socket),
     .standard = "",
     .refuse = ck_refuse_absolute,
     .example = "/run/checkin-signer/signer.sock",
     .help = "Where checkin-signer signs the checkpoints of the audit log. Unset: they are not "
             "signed, and whoever can write the store can rewrite the log unseen."},
    {.section = "signer",
     .key = "checkpoint_dir",
     .type = CK_SETTING_PATH,
     AT(signer.checkpoint_dir),
     .standard = "",
     .example = "/var/lib/checkind/checkpoints",
     .help =
         "Folder into which each signed checkpoint is copied, relative to state_dir: the newest "
         "as 'checkpoint', all of them as 'checkpoints'. Best on another machine's disk."},
    {.section = "signer",
     .key = "witnesses",
     .type = CK_SETTING_LIST,
     AT(signer.witnesses),
     .standard = "",
     .refuse = ck_refuse_witness,
     .example = "witness.example.org+2117e12c+BFDYWOCYXsx/YEGKrwzFq1h/QsJXCohAlanozKzQ9lRc",
     .help = "Public keys of the witnesses whose signatures under checkpoints are kept."},
    {.section = "signer",
     .key = "witness_urls",
     .type = CK_SETTING_LIST,
     AT(signer.witness_urls),
     .standard = "",
     .refuse = ck_refuse_url,
     .example = "https://witness.example.org/checkind",
     .help = "Witnesses that are asked to sign (C2SP tlog-witness); '/add-checkpoint' is added."},
    {.section = "signer",
     .key = "witness_mails",
     .type = CK_SETTING_LIST,
     AT(signer.witness_mails),
     .standard = "",
     .refuse = ck_refuse_mail,
     .example = "archive@prosecutor.example.org",
     .help = "Addresses that get the newest checkpoint by mail: whoever keeps it can later show "
             "whether the log was rewritten."},
    {.section = "signer",
     .key = "witness_every",
     .type = CK_SETTING_DURATION,
     AT(signer.witness_every_ms),
     .standard = "1 h",
     .min = 10 * SECOND,
     .max = 7 * DAY,
     .help = "How often witnesses are told, whether much happens or little."},

    {.section = "access",
     .key = "second_factor",
     .type = CK_SETTING_CHOICE,
     AT(access.second_factor),
     .standard = "required",
     .words = factor_words,
     .help = "One-time codes (RFC 6238) at log-in. required: who has none yet sets it up before "
             "anything else. optional: only who has set one up is asked."},

    {.section = "limits",
     .key = "connections",
     .type = CK_SETTING_COUNT,
     AT(limits.connections),
     .standard = "10000",
     .min = 16,
     .max = 100000,
     .help = "Connections open at the same time."},
    {.section = "limits",
     .key = "connections_per_address",
     .type = CK_SETTING_COUNT,
     AT(limits.connections_per_address),
     .standard = "200",
     .min = 4,
     .max = 100000,
     .help = "The same from one IPv4 address or IPv6 /64. Many phones may share the address of a "
             "mobile network."},
    {.section = "limits",
     .key = "requests_per_address",
     .type = CK_SETTING_COUNT,
     AT(limits.requests_per_address),
     .standard = "1200",
     .min = 60,
     .max = 1000000,
     .help = "Requests in a minute from one address."},
    {.section = "limits",
     .key = "logins_per_address",
     .type = CK_SETTING_COUNT,
     AT(limits.logins_per_address),
     .standard = "30",
     .min = 3,
     .max = 10000,
     .help =
         "Failed log-ins in 15 minutes from one address. A browser in which the account has "
         "logged in before is counted by itself, so that nobody else at the address locks it out."},
    {.section = "limits",
     .key = "logins_per_account",
     .type = CK_SETTING_COUNT,
     AT(limits.logins_per_account),
     .standard = "10",
     .min = 3,
     .max = 1000,
     .help = "Failed log-ins in 15 minutes to one account."},
    {.section = "limits",
     .key = "links_per_address",
     .type = CK_SETTING_COUNT,
     AT(limits.links_per_address),
     .standard = "60",
     .min = 3,
     .max = 10000,
     .help = "Unknown or expired links in 15 minutes from one address; more get 429, a right one "
             "opens all the same."},
    {.section = "limits",
     .key = "body",
     .type = CK_SETTING_SIZE,
     AT(limits.body_bytes),
     .standard = "256 KiB",
     .min = 64 * KIB,
     .max = 16 * MIB,
     .help = "Body of one request that is not an upload."},
    {.section = "limits",
     .key = "upload",
     .type = CK_SETTING_SIZE,
     AT(limits.upload_bytes),
     .standard = "10 MiB",
     .min = 64 * KIB,
     .max = 100 * MIB,
     .help = "One photo or document."},
    {.section = "limits",
     .key = "staff_session",
     .type = CK_SETTING_DURATION,
     AT(limits.staff_session_ms),
     .standard = "30 min",
     .min = MINUTE,
     .max = DAY,
     .help = "A staff session ends after so long without anybody at its pages. A call keeps it."},
    {.section = "limits",
     .key = "staff_session_max",
     .type = CK_SETTING_DURATION,
     AT(limits.staff_session_max_ms),
     .standard = "12 h",
     .min = 10 * MINUTE,
     .max = 7 * DAY,
     .help = "A staff session ends after, whatever is done in it; a call goes on to its end."},
    {.section = "limits",
     .key = "commands_queued",
     .type = CK_SETTING_COUNT,
     AT(limits.commands_queued),
     .standard = "4096",
     .min = 64,
     .max = 1000000,
     .help = "Requests waiting for the engine; above it pages are asked to try again."},
    {.section = "limits",
     .key = "notices_queued",
     .type = CK_SETTING_COUNT,
     AT(limits.notices_queued),
     .standard = "10000",
     .min = 64,
     .max = 1000000,
     .help = "Notices handed to a channel that wait their turn; above it they stay in the store "
             "and are handed over later."},
    {.section = "limits",
     .key = "disk_reserve",
     .type = CK_SETTING_SIZE,
     AT(limits.disk_reserve_bytes),
     .standard = "1 GiB",
     .min = 16 * MIB,
     .max = 1024 * GIB,
     .help = "With less room than this, recordings, administration and ordinary reads stop; "
             "check-ins and incidents go on."},
    {.section = "limits",
     .key = "recording_ring",
     .type = CK_SETTING_SIZE,
     AT(limits.recording_ring_bytes),
     .standard = "64 MiB",
     .min = MIB,
     .max = 4 * GIB,
     .help = "What a worker keeps in memory while the disk stalls; above it a recording gets a "
             "marked gap."},

    {.section = "policy",
     .key = "attempts",
     .type = CK_SETTING_COUNT,
     AT(policy.attempts),
     .standard = "3",
     .min = 1,
     .max = 10,
     .help = "How often a check-in rings."},
    {.section = "policy",
     .key = "attempt_spacing",
     .type = CK_SETTING_DURATION,
     AT(policy.attempt_spacing_ms),
     .standard = "5 min",
     .min = 5 * SECOND,
     .max = 2 * HOUR,
     .help = "From one attempt to the next."},
    {.section = "policy",
     .key = "response_window",
     .type = CK_SETTING_DURATION,
     AT(policy.response_window_ms),
     .standard = "15 min",
     .min = 10 * SECOND,
     .max = DAY,
     .help = "From the time due until the person must have answered."},
    {.section = "policy",
     .key = "grace",
     .type = CK_SETTING_DURATION,
     AT(policy.grace_ms),
     .standard = "5 min",
     .min = SECOND,
     .max = DAY,
     .help = "After the response window, before there is an outcome."},
    {.section = "policy",
     .key = "late_limit",
     .type = CK_SETTING_DURATION,
     AT(policy.late_limit_ms),
     .standard = "2 h",
     .min = 20 * SECOND,
     .max = 7 * DAY,
     .help = "From the time due: until then an answer counts as late, and the link in the notice "
             "works."},
    {.section = "policy",
     .key = "answerable_percent",
     .type = CK_SETTING_COUNT,
     AT(policy.answerable_percent),
     .standard = "60",
     .min = 10,
     .max = 100,
     .help = "Share of the response window during which the check-in must provably have been "
             "answerable; with less, a missed check-in is the system's fault."},
    {.section = "policy",
     .key = "makeup_delay",
     .type = CK_SETTING_DURATION,
     AT(policy.makeup_delay_ms),
     .standard = "30 min",
     .min = SECOND,
     .max = 7 * DAY,
     .help = "A check-in that failed through the system's fault is made up after."},
    {.section = "policy",
     .key = "live_wait",
     .type = CK_SETTING_DURATION,
     AT(policy.live_wait_ms),
     .standard = "90 s",
     .min = 2 * SECOND,
     .max = 30 * MINUTE,
     .help = "A person waits so long for an inspector; then the check-in goes on unattended."},
    {.section = "policy",
     .key = "call_max",
     .type = CK_SETTING_DURATION,
     AT(policy.call_max_ms),
     .standard = "60 min",
     .min = MINUTE,
     .max = HOUR,
     .help = "A call ends after."},
    {.section = "policy",
     .key = "challenge_count",
     .type = CK_SETTING_COUNT,
     AT(policy.challenge_count),
     .standard = "4",
     .min = 1,
     .max = 8,
     .help = "Challenges of an unattended check-in."},
    {.section = "policy",
     .key = "odara_norms",
     .type = CK_SETTING_PATH,
     AT(policy.odara_norms),
     .standard = "",
     .refuse = ck_refuse_absolute,
     .example = "/etc/checkind/odara.norms",
     .help = "The agency's norm file of the risk score. Unset: bands and proration in proportion, "
             "to be confirmed."},
    {.section = "policy",
     .key = "rejoin",
     .type = CK_SETTING_DURATION,
     AT(policy.rejoin_ms),
     .standard = "60 s",
     .min = SECOND,
     .max = 10 * MINUTE,
     .help = "Who loses the connection during a call may come back within."},
    {.section = "policy",
     .key = "review_top",
     .type = CK_SETTING_DURATION,
     AT(policy.review_top_ms),
     .standard = "30 min",
     .min = SECOND,
     .max = DAY,
     .help = "An unattended check-in of the top risk band must be reviewed within."},
    {.section = "policy",
     .key = "review",
     .type = CK_SETTING_DURATION,
     AT(policy.review_ms),
     .standard = "12 h",
     .min = SECOND,
     .max = 7 * DAY,
     .help = "An unattended check-in of another band must be reviewed within."},
    {.section = "policy",
     .key = "ladder_inspector",
     .type = CK_SETTING_DURATION,
     AT(policy.ladder_inspector_ms),
     .standard = "10 min",
     .min = SECOND,
     .max = DAY,
     .help = "The assigned inspector has so long to acknowledge; then the duty officer is told."},
    {.section = "policy",
     .key = "ladder_duty",
     .type = CK_SETTING_DURATION,
     AT(policy.ladder_duty_ms),
     .standard = "10 min",
     .min = SECOND,
     .max = DAY,
     .help = "The duty officer has so long; then the supervisor is told."},
    {.section = "policy",
     .key = "ladder_supervisor",
     .type = CK_SETTING_DURATION,
     AT(policy.ladder_supervisor_ms),
     .standard = "15 min",
     .min = SECOND,
     .max = DAY,
     .help = "The supervisor has so long; then the last step begins to repeat."},
    {.section = "policy",
     .key = "ladder_repeat",
     .type = CK_SETTING_DURATION,
     AT(policy.ladder_repeat_ms),
     .standard = "15 min",
     .min = SECOND,
     .max = DAY,
     .help = "The last step repeats so often until somebody acknowledges."},
    {.section = "policy",
     .key = "ack_timeout",
     .type = CK_SETTING_DURATION,
     AT(policy.ack_timeout_ms),
     .standard = "30 min",
     .min = SECOND,
     .max = DAY,
     .help = "An acknowledged incident without a conclusion goes back to the ladder after."},
    {.section = "policy",
     .key = "receipt_wait",
     .type = CK_SETTING_DURATION,
     AT(policy.receipt_wait_ms),
     .standard = "2 min",
     .min = SECOND,
     .max = HOUR,
     .help = "A notice accepted but not delivered is sent over the next channel after."},
    {.section = "policy",
     .key = "notice_retry_first",
     .type = CK_SETTING_DURATION,
     AT(policy.notice_retry_first_ms),
     .standard = "5 s",
     .min = 100,
     .max = HOUR,
     .help = "A notice whose try failed for the moment is tried again after; each further wait "
             "is twice as long."},
    {.section = "policy",
     .key = "notice_retry_max",
     .type = CK_SETTING_DURATION,
     AT(policy.notice_retry_max_ms),
     .standard = "5 min",
     .min = 100,
     .max = HOUR,
     .help = "Longest wait between two tries."},
    {.section = "retention",
     .key = "recording",
     .type = CK_SETTING_DURATION,
     AT(retention.recording_ms),
     .standard = "90 d",
     .min = 62 * DAY,
     .max = 3660 * DAY,
     .help = "Recordings, and pictures taken from them, after their end. Not below the two months "
             "in which somebody can still be held liable."},
    {.section = "retention",
     .key = "risk",
     .type = CK_SETTING_DURATION,
     AT(retention.risk_ms),
     .standard = "0 d",
     .min = 0,
     .max = 3660 * DAY,
     .help = "Scores and judgements of the risk form; the band stays. This and the following count "
             "from the end of the last order."},
    {.section = "retention",
     .key = "photo",
     .type = CK_SETTING_DURATION,
     AT(retention.photo_ms),
     .standard = "30 d",
     .min = 0,
     .max = 3660 * DAY,
     .help = "The reference photo."},
    {.section = "retention",
     .key = "contact",
     .type = CK_SETTING_DURATION,
     AT(retention.contact_ms),
     .standard = "90 d",
     .min = 0,
     .max = 3660 * DAY,
     .help = "Numbers, addresses, own phones and browsers."},
    {.section = "retention",
     .key = "messages",
     .type = CK_SETTING_DURATION,
     AT(retention.messages_ms),
     .standard = "365 d",
     .min = 62 * DAY,
     .max = 3660 * DAY,
     .help = "The thread of messages with the person, and officers' about incidents."},
    {.section = "retention",
     .key = "concern",
     .type = CK_SETTING_DURATION,
     AT(retention.concern_ms),
     .standard = "365 d",
     .min = 62 * DAY,
     .max = 3660 * DAY,
     .help = "What a victim or somebody else reported: concerns, safety checks, and what officers "
             "wrote about them."},
    {.section = "retention",
     .key = "case_file",
     .type = CK_SETTING_DURATION,
     AT(retention.case_file_ms),
     .standard = "1095 d",
     .min = 365 * DAY,
     .max = 3660 * DAY,
     .help = "Name, orders, notes and the text beside the audit log. Entries of the log, numbers, "
             "times and outcomes stay."},
    {.section = "retention",
     .key = "access_log",
     .type = CK_SETTING_DURATION,
     AT(retention.access_log_ms),
     .standard = "365 d",
     .min = 365 * DAY,
     .max = 3660 * DAY,
     .help = "The text beside the audit log of who came in, after the end of its year."},
};

#define TABLE_COUNT (sizeof table / sizeof table[0])

static const struct {
    const char *section;
    const char *help;
} sections[] = {
    {"daemon", "Where checkind keeps its data and how it is reached."},
    {"http", "The HTTPS server. A certificate with its key, or self_signed = yes, must be given."},
    {"media", "Calls and recordings."},
    {"smtp", "Notices by e-mail."},
    {"sms", "Notices by SMS through a gateway that speaks HTTP."},
    {"voice", "Notices by telephone calls through a gateway that speaks HTTP."},
    {"web_push",
     "Notices to browsers that have subscribed. The services see when and to whom, not what."},
    {"webhook", "One receiver of signed notices; give each a name: [webhook NAME]. At most 8."},
    {"webhooks", "What holds for all webhooks."},
    {"heartbeat", "The sign of life for a monitor elsewhere."},
    {"signer", "Signed checkpoints of the audit log, and who else keeps them."},
    {"access", "How members of staff get in."},
    {"limits", "What is refused or delayed, so that nobody can use up the machine."},
    {"policy", "What a plan or a ladder has unless it says otherwise."},
    {"retention", "How long what is kept. Then it is destroyed, unless a legal hold is on it; "
                  "nobody does it by hand."},
};

const struct ck_setting *ck_settings(size_t *count)
{
    *count = TABLE_COUNT;
    return table;
}

const char *ck_settings_section_help(const char *section)
{
    for (size_t i = 0; i < sizeof sections / sizeof sections[0]; i++) {
        if (strcmp(section, sections[i].section) == 0) {
            return sections[i].help;
        }
    }
    return NULL;
}

static void words_text(const char *const *words, char *text, size_t size)
{
    size_t at = 0;
    for (size_t i = 0; words[i] != NULL && at < size; i++) {
        const char *joint = i == 0 ? "" : words[i + 1] == NULL ? " or " : ", ";
        at += (size_t)snprintf(text + at, size - at, "%s%s", joint, words[i]);
    }
}

/* What the check of a text allows: a check tells it when it refuses, and no check takes "". */
static const char *check_text(const struct ck_setting *setting)
{
    return setting->refuse == NULL ? NULL : setting->refuse("\x01");
}

void ck_setting_allowed(const struct ck_setting *setting, char *text, size_t size)
{
    char low[32], high[32];
    const char *check = check_text(setting);
    switch (setting->type) {
    case CK_SETTING_FLAG:
        snprintf(text, size, "yes or no");
        return;
    case CK_SETTING_COUNT:
        snprintf(text, size, "a whole number from %" PRId64 " to %" PRId64, setting->min,
                 setting->max);
        return;
    case CK_SETTING_DURATION:
        ck_value_duration_text(setting->min, low, sizeof low);
        ck_value_duration_text(setting->max, high, sizeof high);
        snprintf(text, size, "a duration from %s to %s (units: ms, s, min, h, d)", low, high);
        return;
    case CK_SETTING_SIZE:
        ck_value_size_text(setting->min, low, sizeof low);
        ck_value_size_text(setting->max, high, sizeof high);
        snprintf(text, size, "a size from %s to %s (units: B, KiB, MiB, GiB)", low, high);
        return;
    case CK_SETTING_CHOICE:
        words_text(setting->words, text, size);
        return;
    case CK_SETTING_LIST:
        snprintf(text, size, "up to %d, separated by commas: %s", CK_CONFIG_LIST_MAX,
                 check == NULL ? "texts" : check);
        return;
    case CK_SETTING_SECRET:
        snprintf(text, size, "the absolute path of a file, or %%d/NAME for a systemd credential");
        return;
    case CK_SETTING_PATH:
        snprintf(text, size, "%s", check == NULL ? "a path" : check);
        return;
    case CK_SETTING_TEXT:
        snprintf(text, size, "%s", check == NULL ? "text" : check);
        return;
    }
    snprintf(text, size, "nothing");
}

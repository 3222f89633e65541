/* Notices by e-mail: SMTP through one server. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/notify/channel.h"
#include "daemon/notify/judge.h"
#include "daemon/notify/mail.h"
#include "daemon/notify/request.h"
#include "daemon/notify/words.h"
#include "protocol/base/error.h"

static char *copy_or_null(const char *text, bool *failed)
{
    if (text == NULL || *text == '\0') {
        return NULL;
    }
    char *copy = strdup(text);
    *failed |= copy == NULL;
    return copy;
}

/* The server's URL; its path is the name that EHLO says: the domain mail is sent from. */
static char *make_url(const struct ck_config *config)
{
    char *url = NULL;
    const char *domain = strchr(config->smtp.from, '@') + 1;
    return asprintf(&url, "%s/%s", config->smtp.url, domain) < 0 ? NULL : url;
}

static int make_message(const struct ck_config *config, const struct ck_sending *sending,
                        struct ck_wall now, struct ck_request *request)
{
    char line[CK_WORDS_LINE_SIZE];
    char letter[CK_WORDS_LETTER_SIZE];
    ck_words_line(sending, line);
    ck_words_letter(sending, letter);
    const struct ck_mail mail = {
        .from = config->smtp.from,
        .from_name = config->smtp.from_name,
        .to = sending->to,
        .subject = line,
        .text = letter,
        .language = sending->language,
        .message_id = sending->reference,
        .date = now,
        .important = sending->urgency >= CK_URGENCY_HIGH,
    };
    return ck_mail_build(&mail, &request->body, &request->body_size);
}

static int prepare(const struct ck_notify_channel *channel, const struct ck_sending *sending,
                   struct ck_wall now, struct ck_request *request, struct ck_sent *sent)
{
    const struct ck_config *config = channel->config;
    if (!ck_mail_address_ok(sending->to)) {
        ck_sent_fill(sent, CK_SENT_REJECTED, 0, "not a mail address that can be written to");
        return CK_E_INVALID;
    }
    struct ck_request made = {.kind = CK_REQUEST_MAIL, .timeout_ms = config->smtp.timeout_ms};
    int error = make_message(config, sending, now, &made);
    if (error == CK_E_INVALID) {
        ck_sent_fill(sent, CK_SENT_REJECTED, 0, "the notice cannot be written as a mail");
        return error;
    }
    bool failed = error != 0;
    made.url = make_url(config);
    made.mail_from = copy_or_null(config->smtp.from, &failed);
    made.mail_to = copy_or_null(sending->to, &failed);
    made.user = copy_or_null(config->smtp.user, &failed);
    made.password = copy_or_null(config->smtp.password.bytes, &failed);
    made.ca_file = copy_or_null(config->smtp.ca_file, &failed);
    made.tls_required = config->smtp.starttls_required;
    if (failed || made.url == NULL) {
        ck_request_deinit(&made);
        return -ENOMEM;
    }
    *request = made;
    return 0;
}

/* The mail is taken once the server has said 250 to its end, and not before. */
static void judge(const struct ck_notify_channel *channel, const struct ck_sending *sending,
                  const struct ck_response *response, struct ck_sent *sent)
{
    (void)channel;
    (void)sending;
    int status = response->status;
    bool replied = response->fault == CK_TRANSFER_DONE || response->fault == CK_TRANSFER_REFUSED ||
                   (response->fault == CK_TRANSFER_PROTOCOL && response->left);
    if (response->fault == CK_TRANSFER_DONE && status == 250) {
        ck_sent_fill(sent, CK_SENT_ACCEPTED, 0, "250");
    } else if (replied && (status == 530 || status == 535)) {
        ck_sent_fill(sent, CK_SENT_REFUSED, 0, "log-in needed: %s", response->detail);
    } else if (replied && status >= 500 && response->recipient_named) {
        ck_sent_fill(sent, CK_SENT_REJECTED, 0, "%d: %s", status, response->detail);
    } else if (replied && status >= 400) { /* of 5xx: it is ourselves whom the server refuses */
        ck_sent_fill(sent, CK_SENT_REFUSED, 0, "%d: %s", status, response->detail);
    } else if (!ck_judge_fault(response, sent)) {
        ck_sent_fill(sent, CK_SENT_UNKNOWN, 0, "the server ended with %d", status);
    }
}

void ck_channel_email(struct ck_notify_channel *channel, const struct ck_config *config)
{
    *channel = (struct ck_notify_channel){
        .name = "email",
        .config = config,
        .on = *config->smtp.url != '\0',
        .parallel = config->smtp.parallel,
        .per_minute = config->smtp.per_minute,
        .prepare = prepare,
        .judge = judge,
    };
}

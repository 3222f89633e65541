/* Values of strangers in a mail: whatever they hold, the message keeps its form: lines of printable
 * ASCII, CRLF, and no header that we did not write. The input is address, name, subject and text,
 * each ended by a zero. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/notify/mail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *message, size_t size)
{
    static const char *const known[] = {
        "Date: ",         "From: ",         "To: ",
        "Subject: ",      "Message-ID: ",   "Auto-Submitted: ",
        "Importance: ",   "X-Priority: ",   "Content-Language: ",
        "MIME-Version: ", "Content-Type: ", "Content-Transfer-Encoding: ",
    };
    const char *end = strstr(message, "\r\n\r\n");
    if (end == NULL || strlen(message) != size) {
        abort();
    }
    for (const char *line = message; line < end; line = strstr(line, "\r\n") + 2) {
        int good = *line == ' ';
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
            good |= strncmp(line, known[i], strlen(known[i])) == 0;
        }
        if (!good || line[strcspn(line, "\r\n")] != '\r') {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *texts = calloc(1, size + 5);
    if (texts == NULL) {
        return 0;
    }
    memcpy(texts, data, size);
    const char *values[4];
    const char *at = texts;
    for (size_t i = 0; i < 4; i++) {
        values[i] = at;
        at += strlen(at) + (at + strlen(at) < texts + size ? 1 : 0);
    }
    const struct ck_mail mail = {
        .from = "calls@example.org",
        .from_name = values[1],
        .to = values[0],
        .subject = values[2],
        .text = values[3],
        .language = values[1],
        .message_id = "N-1",
    };
    char *message;
    size_t count;
    if (ck_mail_build(&mail, &message, &count) == 0) {
        check(message, count);
        free(message);
    }
    free(texts);
    return 0;
}

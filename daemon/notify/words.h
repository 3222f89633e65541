/* The words of notices, in every language: the one catalogue is words.c. */
#ifndef DAEMON_NOTIFY_WORDS_H
#define DAEMON_NOTIFY_WORDS_H

#include <stddef.h>

#include "daemon/notify/channel.h"

#define CK_WORDS_LINE_SIZE 256 /* a subject or the text without its link */
#define CK_WORDS_SMS_SIZE 1024 /* the line and the link */
#define CK_WORDS_LETTER_SIZE 2048

/* The one line that says it: subject of a mail, title of a push. UTF-8 without control characters.
 */
void ck_words_line(const struct ck_sending *sending, char line[static CK_WORDS_LINE_SIZE]);

/* The line and the link, for a short message. */
void ck_words_sms(const struct ck_sending *sending, char text[static CK_WORDS_SMS_SIZE]);

/* The text of a mail, lines ended by LF. */
void ck_words_letter(const struct ck_sending *sending, char text[static CK_WORDS_LETTER_SIZE]);

/* "ring", "incident", …: as ck_template_name() of scheduler/effects.h where there is such a
 * template. NULL outside the enumeration; and back: -1 for an unknown name. */
const char *ck_words_name(enum ck_words words);
int ck_words_by_name(const char *name);

/* "low", "normal", "high", "top", and back: -1 for an unknown name. */
const char *ck_urgency_name(enum ck_urgency urgency);
int ck_urgency_by_name(const char *name);

#endif

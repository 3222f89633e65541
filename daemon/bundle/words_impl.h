/* The words of reports, in English, Kazakh and Russian. */
#ifndef DAEMON_BUNDLE_WORDS_IMPL_H
#define DAEMON_BUNDLE_WORDS_IMPL_H

#include <stddef.h>

enum ck_bundle_language { CK_BUNDLE_EN, CK_BUNDLE_KK, CK_BUNDLE_RU, CK_BUNDLE_LANGUAGES };

extern const char *const ck_bundle_language_names[CK_BUNDLE_LANGUAGES]; /* "en", "kk", "ru" */

/* Those of the console, made from its catalogues (words.py), sorted. */
struct ck_bundle_word {
    const char *key;
    const char *text[CK_BUNDLE_LANGUAGES];
};
extern const struct ck_bundle_word ck_bundle_words[];
extern const size_t ck_bundle_word_count;

/* The words for "fact_" + "joined"; the code itself where there are none. */
const char *ck_bundle_word_of(enum ck_bundle_language language, const char *prefix,
                              const char *code);

/* Those that only a report has. */
enum ck_bundle_text {
    CK_TEXT_TITLE,
    CK_TEXT_PERSON,
    CK_TEXT_REFERENCE,
    CK_TEXT_RECIPIENT,
    CK_TEXT_REASON,
    CK_TEXT_MADE,
    CK_TEXT_ZONE,
    CK_TEXT_CHECKIN,
    CK_TEXT_WINDOW,
    CK_TEXT_OUTCOME,
    CK_TEXT_ATTEMPTS,
    CK_TEXT_ANSWERABLE,
    CK_TEXT_CONCLUSION,
    CK_TEXT_INCIDENT,
    CK_TEXT_OPENED,
    CK_TEXT_TIMELINE,
    CK_TEXT_TIME,
    CK_TEXT_WHAT,
    CK_TEXT_DETAIL,
    CK_TEXT_LEFT_OUT,
    CK_TEXT_NOTICES,
    CK_TEXT_MESSAGES,
    CK_TEXT_BEYOND,
    CK_TEXT_ERASED,
    CK_TEXT_RECORDINGS,
    CK_TEXT_SIDE_BY_SIDE,
    CK_TEXT_LOG,
    CK_TEXT_LOG_EXPLAINED,
    CK_TEXT_WITHHELD,
    CK_TEXT_VERIFY,
    CK_TEXT_FACTS_ONLY,
    CK_TEXT_UNSIGNED,
    CK_TEXT_RING,
    CK_TEXT_NONE,
    CK_TEXTS,
};
const char *ck_bundle_text(enum ck_bundle_language language, enum ck_bundle_text text);

#endif

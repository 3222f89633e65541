#include "daemon/notify/words.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum language {
    KK,
    RU,
    EN,
    LANGUAGES,
};

/* {time}, {reference} and {severity} are replaced; nothing else may stand in braces. */
static const char *const lines[CK_WORDS_COUNT][LANGUAGES] = {
    [CK_WORDS_RING] = {"Жоспарланған қоңырау, {time}", "Запланированный звонок, {time}",
                       "Scheduled call, {time}"},
    [CK_WORDS_MESSAGE] = {"Сізге хабарлама бар", "Для вас есть сообщение", "You have a message"},
    [CK_WORDS_TEST] = {"{reference}: байланысты тексеру", "{reference}: проверка связи",
                       "{reference}: contact test"},
    [CK_WORDS_INCIDENT] = {"{reference} ({severity}): сіздің шешіміңіз қажет",
                           "{reference} ({severity}): требуется ваше решение",
                           "{reference} ({severity}): you are needed"},
    [CK_WORDS_ACK_EXPIRED] = {"{reference} ({severity}): сіз қабылдаған іс әлі ашық",
                              "{reference} ({severity}): вы приняли это, но оно ещё открыто",
                              "{reference} ({severity}): you took it over; it is still open"},
    [CK_WORDS_ANSWERED_LATE] = {"{reference} ({severity}): жаңалық бар, қорытынды жасаңыз",
                                "{reference} ({severity}): есть новости, нужно заключение",
                                "{reference} ({severity}): there is news, please conclude"},
    [CK_WORDS_REVIEW_OVERDUE] = {"{reference} ({severity}): қарап шығу мерзімі өтті",
                                 "{reference} ({severity}): срок просмотра прошёл",
                                 "{reference} ({severity}): the review is overdue"},
    [CK_WORDS_FORM_DUE] = {"{reference} ({severity}): нәтижесі енгізілмеген",
                           "{reference} ({severity}): не внесён результат",
                           "{reference} ({severity}): the result is missing"},
    [CK_WORDS_HOLD_REVIEW] = {"{reference} ({severity}): сақтау тыйымын қайта қарау керек",
                              "{reference} ({severity}): пора пересмотреть запрет на удаление",
                              "{reference} ({severity}): a legal hold is to be reviewed"},
    [CK_WORDS_CASE_OPENED] = {"{reference} ({severity}): өз тізімінен тыс іс ашылды",
                              "{reference} ({severity}): открыто дело вне своего списка",
                              "{reference} ({severity}): a case outside a caseload was opened"},
    [CK_WORDS_DIGEST] = {"{reference} ({severity}): бірден бірнеше оқиға ашық",
                         "{reference} ({severity}): открыто сразу несколько случаев",
                         "{reference} ({severity}): several incidents are open at once"},
    [CK_WORDS_ALARM] =
        {"{reference} ({severity}): жүйе шешім шығара алмай тұр, қолмен әрекет етіңіз",
         "{reference} ({severity}): система не может принимать решения, действуйте вручную",
         "{reference} ({severity}): the system cannot decide, please act by hand"},
    [CK_WORDS_NOBODY_REACHED] =
        {"{reference} ({severity}): жауаптылардың ешқайсысына хабар жетпеді, оқиғаны қабылдаңыз",
         "{reference} ({severity}): никого из ответственных не удалось известить, примите случай",
         "{reference} ({severity}): nobody on the ladder can be reached, please take it over"},
};

/* Under the link of a mail to staff. */
static const char *const staff_foot[LANGUAGES] = {
    "Бұл хатқа жауап бермеңіз: сілтемені ашып, қабылдаңыз.",
    "Не отвечайте на это письмо: откройте ссылку и примите.",
    "Please do not reply: open the link and take it over.",
};

static const char *const repeated_foot[LANGUAGES] = {
    "Қайта жіберілді: бұл сол бір хабарлама.",
    "Отправлено повторно: это то же сообщение.",
    "Sent again: this is the same notice.",
};

static const char *const severities[CK_URGENCY_COUNT][LANGUAGES] = {
    [CK_URGENCY_LOW] = {"төмен", "низкая", "low"},
    [CK_URGENCY_NORMAL] = {"қалыпты", "обычная", "normal"},
    [CK_URGENCY_HIGH] = {"жоғары", "высокая", "high"},
    [CK_URGENCY_TOP] = {"шұғыл", "срочно", "urgent"},
};

static const char *const names[CK_WORDS_COUNT] = {
    [CK_WORDS_RING] = "ring",
    [CK_WORDS_MESSAGE] = "message",
    [CK_WORDS_TEST] = "contact_test",
    [CK_WORDS_INCIDENT] = "incident",
    [CK_WORDS_ACK_EXPIRED] = "ack_expired",
    [CK_WORDS_ANSWERED_LATE] = "answered_late",
    [CK_WORDS_REVIEW_OVERDUE] = "review_overdue",
    [CK_WORDS_FORM_DUE] = "form_due",
    [CK_WORDS_HOLD_REVIEW] = "hold_review",
    [CK_WORDS_CASE_OPENED] = "case_opened",
    [CK_WORDS_DIGEST] = "digest",
    [CK_WORDS_ALARM] = "alarm",
    [CK_WORDS_NOBODY_REACHED] = "nobody_reached",
};

static const char *const urgency_names[CK_URGENCY_COUNT] = {"low", "normal", "high", "top"};

static enum language language_of(const struct ck_sending *sending)
{
    if (strcmp(sending->language, "kk") == 0) {
        return KK;
    }
    return strcmp(sending->language, "ru") == 0 ? RU : EN;
}

static bool to_staff(const struct ck_sending *sending)
{
    return sending->words >= CK_WORDS_INCIDENT;
}

/* What a placeholder stands for; "" for an unknown one. */
static const char *value_of(const struct ck_sending *sending, const char *name, size_t size)
{
    if (size == 4 && strncmp(name, "time", size) == 0) {
        return sending->time;
    }
    if (size == 9 && strncmp(name, "reference", size) == 0) {
        return sending->reference;
    }
    if (size == 8 && strncmp(name, "severity", size) == 0) {
        return severities[sending->urgency][language_of(sending)];
    }
    return "";
}

static void blank_controls(char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f) {
            *text = ' ';
        }
    }
}

void ck_words_line(const struct ck_sending *sending, char line[static CK_WORDS_LINE_SIZE])
{
    const char *from = lines[sending->words][language_of(sending)];
    size_t at = 0;
    line[0] = '\0';
    while (*from != '\0' && at < CK_WORDS_LINE_SIZE) {
        size_t plain = strcspn(from, "{");
        at += (size_t)snprintf(line + at, CK_WORDS_LINE_SIZE - at, "%.*s", (int)plain, from);
        from += plain;
        if (*from == '{' && at < CK_WORDS_LINE_SIZE) {
            size_t name = strcspn(from + 1, "}");
            at += (size_t)snprintf(line + at, CK_WORDS_LINE_SIZE - at, "%s",
                                   value_of(sending, from + 1, name));
            from += name + 2;
        }
    }
    blank_controls(line);
}

void ck_words_sms(const struct ck_sending *sending, char text[static CK_WORDS_SMS_SIZE])
{
    char line[CK_WORDS_LINE_SIZE];
    ck_words_line(sending, line);
    snprintf(text, CK_WORDS_SMS_SIZE, "%s%s%s", line, *sending->link == '\0' ? "" : " ",
             sending->link);
    blank_controls(text);
}

void ck_words_letter(const struct ck_sending *sending, char text[static CK_WORDS_LETTER_SIZE])
{
    enum language language = language_of(sending);
    bool staff = to_staff(sending);
    char line[CK_WORDS_LINE_SIZE];
    char link[CK_SENDING_LINK_SIZE];
    ck_words_line(sending, line);
    snprintf(link, sizeof link, "%s", sending->link);
    blank_controls(link);
    snprintf(text, CK_WORDS_LETTER_SIZE, "%s\n\n%s\n%s%s%s%s%s", line, link, staff ? "\n" : "",
             staff ? staff_foot[language] : "", staff ? "\n" : "",
             staff && sending->repeated ? repeated_foot[language] : "",
             staff && sending->repeated ? "\n" : "");
}

const char *ck_words_name(enum ck_words words)
{
    return (unsigned)words < CK_WORDS_COUNT ? names[words] : NULL;
}

static int find(const char *const *list, int count, const char *name)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(list[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

int ck_words_by_name(const char *name)
{
    return find(names, CK_WORDS_COUNT, name);
}

const char *ck_urgency_name(enum ck_urgency urgency)
{
    return (unsigned)urgency < CK_URGENCY_COUNT ? urgency_names[urgency] : NULL;
}

int ck_urgency_by_name(const char *name)
{
    return find(urgency_names, CK_URGENCY_COUNT, name);
}

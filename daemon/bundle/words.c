#include <stdio.h>
#include <string.h>

#include "daemon/bundle/words_impl.h"

const char *const ck_bundle_language_names[CK_BUNDLE_LANGUAGES] = {"en", "kk", "ru"};

/* Codes that the console shows with names in them, which a bundle withholds, or as a picture. */
static const struct ck_bundle_word own[] = {
    {"line_acknowledged",
     {"An officer took it over", "Қызметкер қабылдап алды", "Сотрудник взял на себя"}},
    {"line_ack_expired",
     {"It was held too long and goes on", "Тым ұзақ ұсталды, әрі қарай жалғасады",
      "Удерживалось слишком долго, продолжается"}},
    {"line_reached",
     {"An officer reached the person", "Қызметкер адаммен байланысты",
      "Сотрудник связался с лицом"}},
    {"line_notice", {"Notice to an officer", "Қызметкерге хабарлама", "Уведомление сотруднику"}},
    {"line_closed",
     {"An officer concluded and closed it", "Қызметкер қорытындылап, жапты",
      "Сотрудник дал заключение и закрыл"}},
    {"notice_queued", {"waiting to be sent", "кезекте", "в очереди"}},
    {"notice_sending", {"being sent", "жіберілуде", "отправляется"}},
    {"notice_accepted", {"accepted by the channel", "арна қабылдады", "принято каналом"}},
    {"notice_delivered", {"delivered", "жеткізілді", "доставлено"}},
    {"notice_read", {"read", "оқылды", "прочитано"}},
    {"notice_failed", {"could not be sent", "жіберілмеді", "не удалось отправить"}},
    {"notice_expired", {"its time was over", "мерзімі өтті", "срок истёк"}},
    {"notice_unknown", {"what became of it is unknown", "белгісіз", "исход неизвестен"}},
    {"recorded_recording", {"being written", "жазылуда", "записывается"}},
    {"recorded_closed", {"complete", "толық", "завершена"}},
    {"recorded_recovered",
     {"recovered after an interruption of ours", "біздің үзілістен кейін қалпына келтірілді",
      "восстановлена после нашего сбоя"}},
    {"recorded_failed",
     {"failed by our fault", "біздің кінәмізден сәтсіз", "не удалась по нашей вине"}},
    {"recorded_erased",
     {"erased when its time was over", "мерзімі өткенде өшірілді", "удалена по истечении срока"}},
};

static const struct ck_bundle_word *find(const struct ck_bundle_word *words, size_t count,
                                         const char *key)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i].key, key) == 0) {
            return &words[i];
        }
    }
    return NULL;
}

const char *ck_bundle_word_of(enum ck_bundle_language language, const char *prefix,
                              const char *code)
{
    char key[96];
    snprintf(key, sizeof key, "%s%s", prefix, code);
    const struct ck_bundle_word *word = find(ck_bundle_words, ck_bundle_word_count, key);
    word = word == NULL ? find(own, sizeof own / sizeof own[0], key) : word;
    return word == NULL ? code : word->text[language];
}

static const char *const texts[CK_TEXTS][CK_BUNDLE_LANGUAGES] = {
    [CK_TEXT_TITLE] = {"Record of a check-in", "Бейнебайланыс туралы есеп",
                       "Отчёт о проверке связи"},
    [CK_TEXT_PERSON] = {"Person", "Адам", "Лицо"},
    [CK_TEXT_REFERENCE] = {"Reference", "Нөмірі", "Номер"},
    [CK_TEXT_RECIPIENT] = {"Given to", "Кімге берілді", "Передано"},
    [CK_TEXT_REASON] = {"Reason", "Себебі", "Основание"},
    [CK_TEXT_MADE] = {"Made", "Жасалған уақыты", "Составлено"},
    [CK_TEXT_ZONE] = {"Time zone of the unit", "Бөлімшенің уақыт белдеуі",
                      "Часовой пояс подразделения"},
    [CK_TEXT_CHECKIN] = {"Check-in", "Бейнебайланыс", "Проверка связи"},
    [CK_TEXT_WINDOW] = {"Window", "Уақыт аралығы", "Промежуток времени"},
    [CK_TEXT_OUTCOME] = {"Outcome", "Нәтижесі", "Результат"},
    [CK_TEXT_ATTEMPTS] = {"Calls that rang", "Қоңырау саны", "Число звонков"},
    [CK_TEXT_ANSWERABLE] = {"Time in which it could have been answered (s), and needed (s)",
                            "Жауап беруге болатын уақыт (с), қажеті (с)",
                            "Время, когда можно было ответить (с), и требуемое (с)"},
    [CK_TEXT_CONCLUSION] = {"Conclusion of the officer", "Қызметкердің қорытындысы",
                            "Заключение сотрудника"},
    [CK_TEXT_INCIDENT] = {"Incident", "Оқиға", "Инцидент"},
    [CK_TEXT_OPENED] = {"Opened", "Ашылды", "Открыт"},
    [CK_TEXT_TIMELINE] = {"What happened, in order", "Болған жағдайлар ретімен",
                          "Что происходило, по порядку"},
    [CK_TEXT_TIME] = {"Time at the unit, below it UTC", "Бөлімше уақыты, астында UTC",
                      "Время подразделения, под ним UTC"},
    [CK_TEXT_WHAT] = {"What", "Не болды", "Что"},
    [CK_TEXT_DETAIL] = {"Detail", "Толығырақ", "Подробности"},
    [CK_TEXT_LEFT_OUT] = {"Left out of this list for its length, all of it is in facts.json",
                          "Тізім ұзақ болғандықтан қосылмады, бәрі facts.json ішінде",
                          "Не вошло в список из-за его длины, всё есть в facts.json"},
    [CK_TEXT_NOTICES] = {"Notices", "Хабарламалар", "Уведомления"},
    [CK_TEXT_MESSAGES] = {"Messages", "Хабарлар", "Сообщения"},
    [CK_TEXT_BEYOND] = {"Later messages that are not in this archive for its size",
                        "Архив көлеміне байланысты қосылмаған кейінгі хабарлар",
                        "Более поздние сообщения, не вошедшие в архив из-за его размера"},
    [CK_TEXT_ERASED] = {"(erased)", "(өшірілген)", "(удалено)"},
    [CK_TEXT_RECORDINGS] = {"Recordings", "Жазбалар", "Записи"},
    [CK_TEXT_SIDE_BY_SIDE] = {"Both sides in one picture, with the server's time (UTC)",
                              "Екі жақ бір суретте, сервер уақытымен (UTC)",
                              "Обе стороны в одном изображении, со временем сервера (UTC)"},
    [CK_TEXT_LOG] = {"Entries of the audit log", "Аудит журналының жазбалары",
                     "Записи журнала аудита"},
    [CK_TEXT_LOG_EXPLAINED] =
        {"Each entry lies in this archive with a proof that it is in the signed log. The report "
         "above is made from the system's data for people to read; the entries are what is proven.",
         "Әр жазба осы архивте қол қойылған журналда бар екенінің дәлелімен бірге жатыр. "
         "Жоғарыдағы "
         "есеп адамдар оқуы үшін жүйе деректерінен жасалған; дәлелденгені — жазбалар.",
         "Каждая запись лежит в этом архиве вместе с доказательством, что она есть в подписанном "
         "журнале. Отчёт выше составлен из данных системы для чтения людьми; доказаны записи."},
    [CK_TEXT_WITHHELD] =
        {"Left out by default: concerns, safety steps and whatever concerns other people; free "
         "texts of staff; addresses to which staff were notified.",
         "Әдепкіде қосылмайды: алаңдаушылықтар, қауіпсіздік шаралары және өзге адамдарға қатысты "
         "деректер; қызметкерлердің еркін мәтіндері; қызметкерлердің байланыс деректері.",
         "По умолчанию не включены: сообщения о беспокойстве, меры безопасности и всё, что "
         "касается "
         "других людей; свободные тексты сотрудников; контакты сотрудников."},
    [CK_TEXT_VERIFY] =
        {"To verify: checkin-verify --key=KEY bundle FILE, with the log's public key "
         "as it was published.",
         "Тексеру: checkin-verify --key=КІЛТ bundle ФАЙЛ, жарияланған ашық кілтпен.",
         "Проверка: checkin-verify --key=КЛЮЧ bundle ФАЙЛ, с опубликованным открытым "
         "ключом журнала."},
    [CK_TEXT_FACTS_ONLY] =
        {"This report states facts. Only a named officer concludes a breach.",
         "Бұл есеп тек фактілерді баяндайды. Бұзушылық туралы тек аты аталған қызметкер "
         "қорытындылайды.",
         "Отчёт излагает факты. О нарушении заключает только названный сотрудник."},
    [CK_TEXT_UNSIGNED] = {"not yet under a signed checkpoint", "әлі қол қойылмаған",
                          "ещё не под подписью"},
    [CK_TEXT_RING] = {"call rang", "қоңырау шалынды", "звонок"},
    [CK_TEXT_NONE] = {"none", "жоқ", "нет"},
};

const char *ck_bundle_text(enum ck_bundle_language language, enum ck_bundle_text text)
{
    return texts[text][language];
}

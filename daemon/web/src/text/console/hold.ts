// Taking an incident over, forms that keep what was written, and where to read on: three languages, side by side.
import { inLanguage, type Words } from "../words";

const words = {
  take_sending: ["Алынып жатыр…", "Берём…", "Taking it over…"],
  take_unsure: ["Әлі расталған жоқ: серверден жауап келмеді. Өзіміз қайта сұраймыз, осы бетті жаппаңыз.", "Пока не подтверждено: сервер не ответил. Спрашиваем снова сами, не закрывайте страницу.", "Not confirmed yet: the server did not answer. We ask again by ourselves; keep this page open."],
  take_unsure_until: ["Бұл жерде расталғанша, келесілерге хабарлау жалғасады.", "Пока здесь нет подтверждения, извещения идут дальше по очереди.", "Until it is confirmed here, the next ones are still told."],
  take_was_first: ["{name} сізден бұрын алды. Сізге ештеңе істеудің қажеті жоқ.", "{name} взял(а) раньше вас. Вам ничего делать не нужно.", "{name} took it before you. You need do nothing."],
  take_closed: ["Бұл оқиға жабылған. Сізге ештеңе істеудің қажеті жоқ.", "Этот случай уже закрыт. Вам ничего делать не нужно.", "It is closed already. You need do nothing."],
  take_yours: ["Бұл сізде.", "Это у вас.", "You hold it."],
  take_yours_until: ["Бұл сізде. {time} дейін басқаларға хабарланбайды.", "Это у вас. До {time} других не извещают.", "You hold it. Until {time} nobody else is told."],
  take_from: ["{name} орнына алу", "Взять вместо: {name}", "Take it from {name}"],
  take_from_reason: ["Неліктен {name} орнына сіз аласыз? Бұл журналда қалады.", "Почему вместо: {name}? Это останется в журнале.", "Why do you take it from {name}? It stays in the log."],
  login_expired: ["Сеанс аяқталды. Қайта кіріңіз: тоқтаған жеріңізден жалғастырасыз, жазғаныңыз сақталды.", "Сеанс завершён. Войдите снова: продолжите с того же места, написанное сохранено.", "Your session has ended. Log in again: you go on where you were, and what you wrote is kept."],
  login_then: ["Кіргеннен кейін сілтеме бірден ашылады.", "После входа ссылка откроется сразу.", "The link opens as soon as you are in."],
  paths_unreachable_n: ["{n} адамға қоңырау да, хабар да жетпейді", "Не дозвониться и не дописаться: {n} {n|человек|человека|человек}", "{n} {n|person|people} cannot be reached in any way"],
  paths_unreachable_do: ["Телефонын немесе поштасын енгізіңіз. Әйтпесе байланыс болмаса, бұл біздің кінәміз болып жазылады.", "Внесите телефон или почту. Иначе отсутствие связи будет записано как наш сбой.", "Enter a telephone or an e-mail address. Without one, missed contact is written down as a fault of ours."],
  paths_colleague: ["қызметкер", "сотрудник", "colleague"],
  paths_show_all: ["Барлығын көрсету ({n})", "Показать всех ({n})", "Show all ({n})"],
  to_duty: ["Кезекшілік кестесі", "График дежурств", "The duty week"],
  incident_in_log: ["Журналда басынан қадағалау", "Проследить по журналу", "Follow it in the log"],
  log_read_session: ["{actor}: ашық сеанстарды қарады", "{actor}: просмотр открытых сеансов", "{actor} looked at open sessions"],
  object_person: ["Адам", "Человек", "Person"],
  object_checkin: ["Белгілену", "Отметка", "Check-in"],
  object_incident: ["Оқиға", "Случай", "Incident"],
  object_recording: ["Жазба", "Запись", "Recording"],
  object_notice: ["Хабарлама", "Извещение", "Notice"],
  object_order: ["Шара", "Мера", "Order"],
  object_plan: ["Жоспар", "План", "Plan"],
  object_staff: ["Қызметкер", "Сотрудник", "Member of staff"],
  object_session: ["Сеанс", "Сеанс", "Session"],
  object_unit: ["Бөлімше", "Подразделение", "Unit"],
  object_approval: ["Келісу", "Согласование", "Approval"],
  object_message: ["Хабар", "Сообщение", "Message"],
  object_hold: ["Жоюға тыйым", "Запрет на удаление", "Legal hold"],
  object_log: ["Журнал", "Журнал", "Log"],
  object_system: ["Жүйе", "Система", "System"],
  object_setting: ["Баптау", "Настройка", "Setting"],
  fact_form_due: ["Әңгіме аяқталды, нәтижесі жазылмаған", "Разговор окончен, итог не записан", "The call is over; its outcome is not written"],
  outcome_write: ["Нәтижені жазу", "Записать итог", "Write the outcome"],
  draft_restored: ["Сіз бұрын жазғаныңыз қайтарылды.", "Восстановлено то, что вы писали раньше.", "What you wrote before is here again."],
  fault_birth_date: ["Бүгіннен ертерек күн. 18 жасқа толмағандар тіркелмейді.", "Дата раньше сегодняшней. Несовершеннолетних не ставят на учёт.", "A date before today. Nobody under 18 is enrolled."],
  fault_unmarked: ["Сервер мына жолды қабылдамады: {field}.", "Сервер не принял поле: {field}.", "The server did not accept this field: {field}."],
  draft_discard: ["Жаңадан бастау", "Начать заново", "Begin anew"],
} as const satisfies Record<string, Words>;

export type HoldKey = keyof typeof words;
export const holdKk = inLanguage(words, 0);
export const holdRu = inLanguage(words, 1);
export const holdEn = inLanguage(words, 2);

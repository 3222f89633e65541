// Invented people, places and events. Nobody bears these names; the numbers are nobody's.
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

// A fixed moment: Saturday 21 November 2026, 19:04 in Almaty.
export const NOW = Date.parse("2026-11-21T14:04:00.000Z");
export const at = (minutes) => new Date(NOW + minutes * MINUTE).toISOString();
export const day = (days) => new Date(NOW + 5 * 60 * MINUTE + days * DAY).toISOString().slice(0, 10);

export const unit = { id: 1, name: "Тасқайнар ауданының бөлімі", zone: "Asia/Almaty", phone: "+77172000000" };

export function me(roles = ["inspector"], language = "en") {
  return {
    id: 11, login: "s.tamyrova", name: "Сәнияш Тамыртасова", roles, unit, language, csrf: "csrf-token", server_time: at(0), must_change_password: false, second_factor: true, second_factor_required: true,
    version: "0.1.0", utc_offset_min: 300, session_until: at(600), session_idle_ms: 1800000,
  };
}

const names = ["Дәуренбек Жалғызтау", "Ысқақ Көкжидеев", "Үмітжан Өрікбаев", "Ғалымтай Шоқтасов", "Павел Верхнеключев", "Нұрәділ Қарақияков", "Олег Семиложный", "Һәкім Ақсуатов"];
const bands = ["medium", "top", "low", "high", "medium", "low", "medium", "high"];
const patterns = [
  "cccclcccncccccccclcccocccc", "cccnccnncclccnccdcnccl", "cccccccccccccccc", "clccccuccclcccciccfcc", "ccccccccccccccccccccccccccc", "ccccw", "", "cclcccccc",
];
const letters = { c: "completed", l: "late", n: "no_answer", d: "declined", u: "unstaffed", o: "could_not_connect", f: "person_fault", i: "identity_doubt", w: "waived", s: "system_fault" };

function strip(index) {
  const pattern = patterns[index];
  return [...pattern].map((letter, i) => ({ checkin_id: index * 100 + i, day: day(i - pattern.length), mark: letters[letter] }));
}

export const persons = names.map((name, index) => ({
  id: 101 + index, name, reference: `P-48${21 + index}`, inspector_id: 11, inspector_name: "Сәнияш Тамыртасова", band: bands[index], has_photo: index !== 6,
  strip: strip(index), next_window: index === 6 ? null : { start: at(24 * 60 - 64 + index * 1440 / 4), end: at(24 * 60 + 176 + index * 1440 / 4) },
  open_incidents: index === 1 ? 1 : 0, unread_messages: index === 0 ? 2 : 0,
}));

export const orders = [
  {
    id: 501, person_id: 101, kind: "protective_order", article: "60", number: "ҚН-2214", issuer: "Тасқайнар аудандық полиция бөлімі", from: day(-12), until: day(18),
    conditions: "Байланысқа шықпау, іздемеу, тұрғын үйіне жақындамау.", per_day_max: 3, in_force: true, hours_start: "08:00", hours_end: "22:00", ended: null, ended_reason: null,
    requirements: [{ id: 521, source: "court", count: 2, days: 7, modes: ["live", "unattended"], mandatory: true, video: "supplements", citation: null, proposer: null, approver: null }],
  },
  {
    id: 502, person_id: 101, kind: "official_warning", article: "51", number: "РЕ-118", issuer: "Тасқайнар аудандық полиция бөлімі", from: day(-70), until: day(-40),
    conditions: "", per_day_max: 3, in_force: false, hours_start: "08:00", hours_end: "22:00",
    requirements: [{ id: 522, source: "court", count: 2, days: 30, modes: ["live", "unattended"], mandatory: true, video: "supplements", citation: null, proposer: null, approver: null }], ended: day(-40), ended_reason: "Мерзімі аяқталды.",
  },
];
export const plans = [
  {
    id: 601, person_id: 101, version: 1, ended: null, state: "active", order_id: 501, kind: "live", mandatory: true, recurrence: "FREQ=WEEKLY;BYDAY=MO,TH", first_date: day(-12),
    windows: [{ start: "18:00", end: "22:00", draws: 1 }], attempts: 3, attempt_spacing_s: 300, response_window_s: 900, grace_s: 900, late_limit_s: 3600,
    from: day(-12), until: null, place_of: null,
  },
];
// Another one takes its place in five days.
export const succession = [
  { ...plans[0], until: day(4) },
  { ...plans[0], id: 602, recurrence: "FREQ=DAILY", windows: [{ start: "08:00", end: "12:00", draws: 1 }], from: day(5), place_of: 601 },
];

export const devices = [
  { id: 41, name: "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/23.0 Chrome/115.0.0.0 Mobile Safari/537.36", created: at(-9000), used: at(-60), revoked: null },
  { id: 40, name: "Mozilla/5.0 (Android 11; Mobile; rv:120.0) Gecko/120.0 Firefox/120.0", created: at(-20000), used: null, revoked: at(-9001) },
];

export const blackouts = [
  { id: 701, person_id: 101, source: "hospital", reason: "Аудандық аурухана, анықтама № 14", from: at(1440), until: at(3 * 1440), by: "Сәнияш Тамыртасова", approver: "Сәнияш Тамыртасова", created: at(-30) },
];

const asked = (change) => ({
  unit_id: 1, person_id: 101, person_name: names[0], proposer_id: 12, proposer: "Жанболат Бозінген", created: at(-90), expires: at(12 * 1440), state: "open",
  decided_by: null, decided: null, decided_reason: null, may_decide: true, alone: false, ...change,
});
export const approvals = [
  asked({ id: 31, kind: "order.replaces", body: { order: 501, requirement: 521, citation: "Art. 61, part 3" }, reason: "Lives 90 km away; no bus on weekdays." }),
  asked({ id: 32, kind: "blackout.absence", body: { source: "absence", from: at(1440), until: at(2880), reason: "Funeral in another town" }, reason: "Funeral in another town", proposer_id: 11, proposer: "Сәнияш Тамыртасова", may_decide: false }),
];
export const ahead = { plan: 601, person: 101, state: "active", zone: "Asia/Almaty", windows: [2, 5, 9].map((n) => ({ date: day(n), start: at(1440 * n - 64), end: at(1440 * n + 176), draws: 1, extended: false })) };

export function person(id) {
  const row = persons.find((other) => other.id === id) || persons[0];
  return {
    ...row, birth_date: "1989-03-14", phone: "+77000000101", email: null, language: "kk", address: "Тасқайнар ауылы, Жиделі көшесі, 7", note: "Кешке жұмыстан 18:30-да келеді.",
    unit_id: 1, devices: id === 106 ? [] : devices, orders: orders.map((order) => ({ ...order, person_id: row.id })), plans: plans.map((plan) => ({ ...plan, person_id: row.id })), blackouts: blackouts.map((blackout) => ({ ...blackout, person_id: row.id })),
  };
}

export function checkinRow(id, index, change) {
  return {
    id, person_id: 101 + index, person_name: names[index], band: bands[index], inspector_id: 11, kind: "live", mandatory: true, state: "planned", outcome: null,
    window: { start: at(-64), end: at(176) }, due: null, attempt: 0, attempts: 3, decided: null, review_deadline: null, waiting_since: null, taken_by: null, incident_id: null, next: null, ...change,
  };
}

export function incidentRow(change) {
  return {
    id: 71, person_id: 102, person_name: names[1], band: "top", kind: "no_contact", checkin_id: 902, outcome: "no_answer", opened: at(-14), state: "open", holder: null, holder_id: null,
    step: 1, steps: 3, next: { what: "step", target: "Кезекші офицер Ж. Бозінген", at: at(4) }, last_contact: at(-2904), answered_late: false, ...change,
  };
}

export const rows = {
  waiting: checkinRow(901, 0, { state: "connected", attempt: 1, due: at(-4), waiting_since: at(-2), next: { what: "unattended", at: at(3) } }),
  ringing: checkinRow(903, 3, { state: "ringing", attempt: 2, due: at(-7), next: { what: "ring", at: at(3) } }),
  review: checkinRow(904, 4, { kind: "unattended", state: "awaiting_review", due: at(-95), review_deadline: at(55), next: { what: "review_due", at: at(55) } }),
  review2: checkinRow(905, 7, { kind: "unattended", state: "awaiting_review", due: at(-190), review_deadline: at(-10), next: { what: "review_due", at: at(5) } }),
  ahead: checkinRow(906, 2, { window: { start: at(26), end: at(176) } }),
  ahead2: checkinRow(907, 5, { kind: "unattended", window: { start: at(56), end: at(176) } }),
  done: checkinRow(908, 7, { state: "done", outcome: "completed", due: at(-244), decided: at(-240) }),
  done2: checkinRow(909, 5, { state: "done", outcome: "late", due: at(-300), decided: at(-262) }),
  done3: checkinRow(910, 6, { state: "done", outcome: "system_fault", due: at(-410), decided: at(-390) }),
  missed: checkinRow(902, 1, { state: "done", outcome: "no_answer", due: at(-44), decided: at(-14), incident_id: 71 }),
};

export function today(change = {}) {
  const lists = {
    waiting: [rows.waiting], ringing: [rows.ringing], connected: [], due: [rows.ahead, rows.ahead2], reviews: [rows.review2, rows.review], done: [rows.missed, rows.done, rows.done2, rows.done3],
    incidents: [incidentRow({})], ...change,
  };
  return {
    server_time: at(0), day: day(0),
    counts: { waiting: lists.waiting.length, ringing: lists.ringing.length, due: lists.due.length, reviews: lists.reviews.length, incidents: lists.incidents.length, unread: 2 }, ...lists,
  };
}

export const quietDay = () => today({ waiting: [], ringing: [], reviews: [], incidents: [] });
export const emptyDay = () => today({ waiting: [], ringing: [], due: [], reviews: [], done: [], incidents: [] });

export function checkin(id) {
  const row = Object.values(rows).find((other) => other.id === id) || rows.review;
  const unattended = row.kind === "unattended";
  return {
    ...row, conclusion: null, answerable_s: 812, answerable_needed_s: 540, declined_reason: null, make_up_of: null, has_thumbnail: unattended,
    attempts_made: [1, 2, 3].slice(0, unattended ? 1 : 3).map((number) => ({ number, at: at(-44 + 5 * number), notices: 1, accepted: at(-44 + 5 * number + 0.05), delivered: number < 3 ? at(-44 + 5 * number + 0.2) : null, opened: null })),
    evidence: unattended
      ? [["page_opened", 0], ["permission_granted", 0.4], ["joined", 0.9], ["ice", 0.95], ["dtls", 0.96], ["first_audio", 1], ["first_frame", 1.02]].map(([fact, m]) => ({ at: at(-94 + m), fact, detail: null }))
      : [{ at: at(-39), fact: "notice_accepted", detail: "SMS" }, { at: at(-38.8), fact: "notice_delivered", detail: "SMS" }, { at: at(-34), fact: "notice_delivered", detail: "SMS" }],
    health: [{ from: at(-44), until: at(-14), ok: true, what: "all" }], notices: [
      { id: 1, reference: "N-77120", to: "+7 700 ••• 01 02", channel: "sms", state: "delivered", at: at(-39), accepted: at(-39), delivered: at(-38.8), failed: null, tries: 1 },
      { id: 2, reference: "N-77121", to: "+7 700 ••• 01 02", channel: "sms", state: "failed", at: at(-29), accepted: null, delivered: null, failed: "rejected", tries: 3 },
    ],
    recordings: unattended ? [{ id: 3001, leg: "person", from: at(-93), seconds: 24, bytes: 1_800_000, state: "closed", gaps: [], measures: [{ measure: "silent", from_ms: 2000, until_ms: 5000 }, { measure: "covered", from_ms: 9400, until_ms: 12100 }] }] : [],
    challenges: unattended ? [
      { number: 1, kind: "read_digits", text: "4 9 1 7", at: at(-92.9), at_s: 3 }, { number: 2, kind: "turn_left", text: "", at: at(-92.7), at_s: 11 }, { number: 3, kind: "look_up", text: "", at: at(-92.6), at_s: 17 },
    ] : [],
    form: null, review: null, concerns: [],
  };
}

export function incident(change = {}) {
  return {
    ...incidentRow({}), checkin: checkin(902), conclusion: null,
    line: [
      { at: at(-14), what: "opened", who: null, channel: null, state: null, text: null, reference: null },
      { at: at(-14), what: "notice", who: "Сәнияш Тамыртасова", channel: "console", state: "delivered", text: null, reference: "N-77125" },
      { at: at(-14), what: "notice", who: "Сәнияш Тамыртасова", channel: "email", state: "accepted", text: null, reference: "N-77126" },
      { at: at(-9), what: "notice", who: "Сәнияш Тамыртасова", channel: "sms", state: "failed", text: null, reference: "N-77127" },
    ],
    ...change,
  };
}

export const templates = [
  { id: 1, kk: "Келесі қоңырау кестеге сай болады. Уақытында үйде болыңыз.", ru: "Следующий звонок будет по расписанию. Будьте дома вовремя.", en: "The next call comes as planned. Please be at home in time.", changed: at(-6000), by: "Инесса Речная-Полынная" },
  { id: 2, kk: "Құжатыңыз қабылданды.", ru: "Ваш документ принят.", en: "Your document was received.", changed: at(-5000), by: "Инесса Речная-Полынная" },
];

export const messages = [
  { id: 1, client_id: "a", from: "staff", author: "С. Тамыртасова", author_id: null, file: null, text: "Сәлеметсіз бе! Бүгінгі қоңырау 18:00 мен 22:00 арасында болады.", sent: at(-1500), delivered: at(-1499), read: at(-1490) },
  { id: 2, client_id: "b", from: "person", author: "Д. Жалғызтау", author_id: null, file: null, text: "Жақсы, үйде боламын.", sent: at(-1480), delivered: at(-1480), read: at(-1470) },
  { id: 3, client_id: "c", from: "person", author: "Д. Жалғызтау", author_id: null, file: null, text: "Жұмыстан кешіксем не істеймін? Автобус 18:40-та келеді.", sent: at(-20), delivered: at(-20), read: null },
];

export const withFiles = [
  ...messages,
  { id: 4, client_id: "d", from: "person", author: "Д. Жалғызтау", author_id: null, text: "", file: { name: "анықтама.pdf", type: "application/pdf", size: 182_400 }, sent: at(-12), delivered: at(-12), read: null },
  { id: 5, client_id: "e", from: "person", author: "Д. Жалғызтау", author_id: null, text: "Бүгінгі қағаз", file: { name: "photo.jpg", type: "image/jpeg", size: 1_240_000 }, sent: at(-11), delivered: at(-11), read: null },
];

export const incidentMessages = [
  { id: 71, client_id: "i1", from: "staff", author: "Жанболат Бозінген", author_id: 12, text: "Телефон өшірулі. Үйге шықтым, 19:10-да боламын.", file: null, sent: at(-9), delivered: null, read: null },
  { id: 72, client_id: "i2", from: "staff", author: "Сәнияш Тамыртасова", author_id: 11, text: "Жақсы, мен туыстарына қоңырау шаламын.", file: null, sent: at(-7), delivered: null, read: null },
];

export const staff = [
  { id: 11, login: "s.tamyrova", name: "Сәнияш Тамыртасова", roles: ["inspector"], unit_id: 1, language: "kk", email: "s.tamyrova@example.org", phone: "+77000000011", on_duty: false, disabled: false },
  { id: 12, login: "zh.bozingen", name: "Жанболат Бозінген", roles: ["officer"], unit_id: 1, language: "kk", email: "duty@example.org", phone: "+77000000012", on_duty: true, disabled: false },
  { id: 13, login: "i.rechnaya", name: "Инесса Речная-Полынная", roles: ["supervisor", "officer"], unit_id: 1, language: "ru", email: "i.rechnaya@example.org", phone: null, on_duty: false, disabled: false },
  { id: 14, login: "root", name: "Талғатбек Ойпанов", roles: ["administrator"], unit_id: 1, language: "ru", email: null, phone: null, on_duty: false, disabled: false },
  { id: 15, login: "old", name: "Рахия Ескіжолова", roles: ["inspector", "officer"], unit_id: 1, language: "kk", email: null, phone: null, on_duty: false, disabled: true },
];

export function figures() {
  const onTime = [41, 44, 39, 47, 45, 49, 48, 51, 47, 52, 50, 53];
  return {
    weeks: onTime.map((on_time, index) => ({ week: day(-7 * (11 - index) - 5), on_time, total: 55 + (index % 3), ack_median_s: 540 - index * 22 + (index % 4) * 35, system_faults: [2, 0, 1, 0, 0, 3, 0, 1, 0, 0, 0, 1][index], reviews_overdue: [4, 3, 3, 2, 4, 2, 1, 2, 1, 1, 0, 1][index] })),
    now: { on_time_ratio: 0.94, ack_median_s: 312, system_faults: 1, reviews_overdue: 1 },
  };
}

export function system() {
  return {
    version: "0.1.0", started: at(-4000), engine_lag_ms: 3, workers: [{ index: 0, pid: 4117, state: "ready", legs: 2, restarts: 0 }, { index: 1, pid: 4118, state: "ready", legs: 0, restarts: 1 }],
    channels: [
      { channel: "console", configured: true, last_ok: at(-2), last_error: null, queued: 0 }, { channel: "email", configured: true, last_ok: at(-14), last_error: null, queued: 0 },
      { channel: "sms", configured: true, last_ok: at(-38), last_error: "503 from gateway", queued: 2 }, { channel: "webhook", configured: false, last_ok: null, last_error: null, queued: 0 },
    ],
    clock: { synchronised: true, offset_ms: 2 }, log: { size: 18420, root: "9f1c2d7a4be0538c16de77aa0b6d4ff13c98e2ab51077c6d2f4e8b90a1c3d5e7", verified: { at: at(-900), good: true, entry: 18002 } }, quarantined: 0,
    certificate: { until: at(60 * 24 * 61), good: true }, disk: { free_bytes: 184e9, reserve_bytes: 10e9, low: false, recordings: true }, signer: { configured: true, trouble: null }, relay: { configured: true, good: true, full: false }, reaches_persons: true,
  };
}

// ---------------------------------------------------------------- the person's side
export function personState(change = {}, checkinChange = {}) {
  return {
    csrf: "person-csrf", challenge: "challenge-of-this-session", bound: true, requests: [], language: "en", server_time: at(0), zone: "Asia/Almaty", utc_offset_min: 300, unit: unit.name, help_phone: "+77172000000", inspector: "Сәнияш Тамыртасова",
    notice: { version: 1, acknowledged: null },
    checkin: { id: 901, kind: "live", state: "ringing", due: at(-4), answer_until: at(11), late_until: at(71), result: null, receipt: null, ...checkinChange },
    history: [
      { id: 894, at: at(-4400), result: "received", receipt: "K7-2F41" }, { id: 893, at: at(-8700), result: "received_late", receipt: "K6-90C2" }, { id: 892, at: at(-12900), result: "our_fault", receipt: "K6-1B07" }, { id: 891, at: at(-17000), result: "not_established", receipt: "K5-E6A9" },
    ],
    unread: 1, next_window: { start: at(2816), end: at(3056), at: null }, ...change,
  };
}
export const acknowledged = (change = {}, checkinChange = {}) => personState({ notice: { version: 1, acknowledged: at(-1) }, ...change }, checkinChange);

export const secondFactor = {
  key: "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA", uri: "otpauth://totp/checkind:s.tamyrova?secret=GEZDGNBV",
  qr_svg: `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><rect width="9" height="9" fill="#fff"/><path fill="#000" d="M1 1h3v3h-3zM5 5h3v3h-3zM5 1h2v2h-2z"/></svg>`,
};
export const sessions = [
  { id: 71, created: at(-30), seen: at(0), expires: at(30), peer: "10.0.4.17", device: "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36", current: true },
  { id: 70, created: at(-400), seen: at(-45), expires: at(20), peer: "10.0.4.2", device: "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0", current: false },
];

export const requests = [
  { id: 81, kind: "dispute", person_id: 102, person_name: names[1], checkin_id: 902, text: "Телефоным қолымда болды, бірақ шырылдамады.", at: at(-130), accepted: null, answer: null, answered: null, answered_by: null },
  { id: 80, kind: "reschedule", person_id: 101, person_name: names[0], checkin_id: null, text: "По понедельникам я в ночную смену, прошу звонить после 14:00.", at: at(-900), accepted: null, answer: null, answered: null, answered_by: null },
  { id: 79, kind: "reschedule", person_id: 103, person_name: names[2], checkin_id: null, text: "Дәрігерге барамын.", at: at(-4000), accepted: true, answer: "Келісемін, келесі аптадан бастап.", answered: at(-3900), answered_by: "Сәнияш Тамыртасова" },
];
// The week of the first Monday before today, as the server gives it.
export function roster() {
  const today = day(0);
  const weekday = (new Date(today + "T00:00:00Z").getUTCDay() + 6) % 7;
  const monday = day(-weekday);
  const shift = (id, staff_id, kind, weekdays, start, end) => weekdays.map((day, index) => ({ id: id + index, staff_id, kind, weekday: day, from_date: "2026-01-01", until_date: null, start, end }));
  return {
    monday, from: at(-1440 * weekday), until: at(1440 * (7 - weekday)), server_time: at(0),
    staff: staff.filter((one) => !one.disabled && one.roles[0] !== "administrator").map((one, index) => ({ id: one.id, name: one.name, roles: one.roles, on_duty: one.on_duty, presence: ["there", "there", "off"][index] })),
    on_duty: [12], shifts: [...shift(1, 11, "work", [0, 1, 2, 3, 4], "09:00", "18:00"), ...shift(20, 12, "duty", [0, 2, 4, 6], "20:00", "08:00"), ...shift(30, 13, "duty", [1, 3, 5], "20:00", "08:00")],
    absences: [{ id: 5, staff_id: 11, from: day(1) + "T09:00", until: day(2) + "T18:00", from_at: at(1440), until_at: at(2880), reason: "training", stand_in_id: null }],
    stand_ins: [{ staff_id: 11, stand_in_id: 13, now: false }], gaps: [{ from: at(-600), until: at(-300) }],
  };
}

const ladder = {
  steps: [
    { targets: [{ kind: "inspector" }, { kind: "stand_in" }], channels: ["console", "web_push", "email"], parallel: true, ack_timeout_s: 900, rounds: 1, min_interval_s: 60 },
    { targets: [{ kind: "duty" }], channels: ["console", "sms", "voice"], parallel: true, ack_timeout_s: 900, rounds: 2, min_interval_s: 60 },
    { targets: [{ kind: "supervisor" }, { kind: "duty" }], channels: ["console", "sms", "voice", "email"], parallel: true, ack_timeout_s: 900, rounds: 1, min_interval_s: 900 },
  ],
  ack_hold_s: 1800, late_answer_calms: true, calm_interval_s: 43200, quiet_hours: false,
};
export const ladders = () => ({
  ladders: [
    ...["low", "medium", "high"].map((band) => ({ band, version: 0, by: null, approved_by: null, at: null, ladder })),
    { band: "top", version: 3, by: "Инесса Речная-Полынная", approved_by: "Талғатбек Ойпанов", at: at(-9000), ladder },
    { band: "safety", version: 0, by: null, approved_by: null, at: null, ladder: { ...ladder, steps: ladder.steps.slice(1), late_answer_calms: false } },
  ],
  channels: ["console", "email", "sms", "webhook"],
});
export const findings = () => ({ fatal: false, findings: [{ reason: "has_gaps", step: 2, share: 18, channel: null }, { reason: "channel_off", step: 2, share: 0, channel: "voice" }] });
export const proposals = () => ({ approvals: [{ id: 9, kind: "ladder", unit_id: 1, person_id: null, person_name: null, body: { band: "high", ladder, apply_open: true }, reason: "Түнде кезекші екеу болды", proposer_id: 14, proposer: "Талғатбек Ойпанов", created: at(-50), expires: at(9000), state: "open", decided_by: null, decided: null, decided_reason: null, may_decide: true, alone: false }], next: null });
export const paths = () => ({
  paths: [
    { staff_id: 12, person_id: null, name: "Жанболат Бозінген", channel: "voice", state: "failed", tested: at(-300), last_ok: at(-10380), failure: "busy", next: at(9000) },
    { staff_id: 12, person_id: null, name: "Жанболат Бозінген", channel: "sms", state: "ok", tested: at(-300), last_ok: at(-300), failure: null, next: at(9000) },
    { staff_id: null, person_id: 41, name: "Дәурен Жалғызтау", channel: "sms", state: "testing", tested: at(-1), last_ok: null, failure: null, next: at(9000) },
  ],
  unreachable: [{ name: "Нұрбек Таусоғар", staff_id: null, person_id: 44 }],
});

const keptItem = (id, change) => ({ id, class: "recording", state: "kept", person_id: 12, person_name: "Ерлан Бекқожин", person_reference: "P-4821", recording_id: 500 + id, checkin_id: 300 + id, leg: "person", since: at(-1440 * 80), expires: at(1440 * 10), erased: null, hold_id: null, ...change });
export const retention = () => ({
  policy: [{ class: "recording", days: 90, shorter: null }, { class: "risk", days: 0, shorter: null }, { class: "photo", days: 30, shorter: null }, { class: "contact", days: 90, shorter: null }, { class: "messages", days: 365, shorter: null }, { class: "concern", days: 365, shorter: null }, { class: "case_file", days: 1095, shorter: null }, { class: "access_log", days: 365, shorter: null }],
  totals: [{ class: "recording", waiting: 3, held: 1, first: at(1440 * 10) }, { class: "case_file", waiting: 1, held: 0, first: at(1440 * 900) }],
  items: [
    keptItem(1, { state: "held", expires: null, hold_id: 4 }),
    keptItem(2, {}),
    keptItem(3, { leg: "staff", hold_id: 4, expires: at(1440 * 12) }),
    keptItem(4, { class: "case_file", recording_id: null, checkin_id: null, leg: null, expires: at(1440 * 900) }),
    keptItem(5, { class: "access_log", person_id: null, person_name: null, person_reference: null, recording_id: null, checkin_id: null, leg: null, expires: at(1440 * 398) }),
  ],
  holds: [
    { id: 4, kind: "incident", person_id: 12, person_name: "Ерлан Бекқожин", incident_id: 71, recording_id: null, checkin_id: null, reason: "Апелляция, іс № 3-114/2026", by: "Гүлнәр Сәтбаева", created: at(-1440 * 40), review: at(-1440 * 2), overdue: true, release_id: null },
    { id: 5, kind: "person", person_id: 13, person_name: "Марат Оспанов", incident_id: null, recording_id: null, checkin_id: null, reason: "Прокуратура сұрауы № 17", by: "Гүлнәр Сәтбаева", created: at(-1440 * 4), review: at(1440 * 86), overdue: false, release_id: 9 },
  ],
  cut: false,
});

// ---------------------------------------------------------------- scores, the policy table, what lies ahead
export const risk = () => ({
  scores: [{
    id: 1, by: "Сәнияш Тамыртасова", at: at(-3000), norms: { version: "2026-11", source: "Order 12" }, index_date: day(-40),
    eligibility: { known_to_police: true, partner: true, contact_or_threat: true, adult_man_to_woman: true },
    items: [1, 1, 0, 1, 1, null, 0, 1, 0, 0, 1, 0, null], note: "Хаттамалар бойынша",
    result: { eligible: true, enough: true, raw: 6, missing: 2, prorated: 7, low: 6, high: 8, band: "7_13", uncertain: true, handled_as: "7_13" },
  }],
  judgements: [{ id: 2, by: "Сәнияш Тамыртасова", at: at(-2000), band: "high", reasons: "Көрші тұрады, телефонын жиі өшіреді." }],
});
export const proposal = () => ({
  basis: "score", score_band: "7_13", band: "top", gave_way: ["contacts"], advice: ["weekly_visit", "case_conference"],
  request: { order_id: 501, kind: "live", mandatory: true, recurrence: "FREQ=DAILY", first_date: day(1), windows: [{ start: "18:00", end: "22:00", draws: 1 }], attempts: 3, attempt_spacing_s: 300, response_window_s: 900, grace_s: 300, late_limit_s: 3600, max_silence_s: 172800 },
});
export const cadence = () => ({
  approved: null,
  bands: ["unscored", "0", "1", "2", "3", "4", "5_6", "7_13"].map((band, n) => ({ band, contacts: Math.max(1, n - 1), weeks: n < 3 ? 2 : 1, random: true, start: "18:00", end: "22:00", max_silence_h: n > 6 ? 48 : 0, weekly_visit: n > 5, supervisor_review: n > 6, case_conference: n > 6 })),
});
export const overload = () => ({
  from: at(0), until: at(14 * 1440), inspectors: 2, due: 37, cut: false, unattended: 4, nobody: 1,
  overloads: [{ from: at(300), until: at(345), due: 4, able: 2 }, { from: at(1800), until: at(1830), due: 2, able: 0 }],
});
export const zonePreview = (zone) => ({ was: "Asia/Almaty", zone, from: day(1), checkins: 42, persons: 3, minutes: -60 });

/* Commands about the people of the store: units, staff, persons, orders, messages, photos. Handlers
 * of daemon/core/command.h; rights are checked before they run (daemon/access), what they check is
 * form and sense.
 *
 * Of each command: what the body has → what the result has.
 *
 *   setup.first        login, name, language, hash, unit {name, zone} → staff, unit;
 *                      CONFLICT where there is staff already
 *   unit.create        name, zone → Unit
 *   staff.create       login, name, hash, must_change, roles, unit_id, language, email, phone,
 *                      on_duty → id
 *   staff.update       staff, and any of name, roles, unit_id, email, phone, on_duty, language,
 *                      disabled with disabled_reason → id
 *   staff.password     staff, hash, must_change → nothing
 *   staff.language     language → nothing (of the actor)
 *   person.create      PersonRequest → id
 *   person.update      person, and any members of PersonRequest → id
 *   person.enrol       person → token, expires
 *   person.language    language → nothing (of the actor, a person)
 *   photo.store        person, jpeg (base64) → nothing
 *   checkin.thumbnail  checkin, jpeg (base64) → nothing
 *   order.create       person, OrderRequest → id
 *   message.send       person or incident, client_id, text, file: {name, data (base64)} → Message;
 *                      the same one again for a client_id that was sent before. With a file the
 *                      text may be empty; its type is what its bytes say (file_type.h)
 *   message.delivered, message.read   person or incident, up_to → changed
 *   template.create    kk, ru, en → id; template.update also template; template.remove template
 *   approval.*         approval.h
 *   risk.*             risk.h
 *
 *   request.make       kind: reschedule, dispute; text; receipt of a dispute → nothing (of the
 * actor, a person) request.answer     request, accept, answer → nothing; a dispute by a supervisor
 * alone
 *
 * `hash` is an encoded Argon2id; it never gets into the log. */
#ifndef DAEMON_CASES_CASES_H
#define DAEMON_CASES_CASES_H

#include "daemon/core/command.h"

#define CK_NAME_MAX 200        /* bytes of a name */
#define CK_LOGIN_MAX 64        /* characters of a log-in: letters, digits, . _ - */
#define CK_MAIL_MAX 254        /* bytes of a mail address */
#define CK_NOTE_MAX 4000       /* bytes of a note or an address */
#define CK_CONDITIONS_MAX 8000 /* bytes of an order's conditions */
#define CK_PER_DAY_MAX 24      /* contacts on one date that an order may allow */
#define CK_PHOTO_MAX (2 << 20) /* bytes of a JPEG */
#define CK_MESSAGE_MAX 8000    /* bytes of a message: 2000 characters */
#define CK_MESSAGES_MAX 1000   /* of one sender in one thread within 24 hours */
#define CK_FILE_MAX (4 << 20)  /* bytes of a photo or document in a message */
#define CK_FILE_NAME_MAX 120   /* bytes of its name */
#define CK_FILES_MAX 20        /* of one sender in one thread, within … */
#define CK_FILES_WINDOW_MS (INT64_C(24) * 3600000) /* … this time; one more is refused */
#define CK_TEMPLATES_MAX 100                       /* texts kept ready in one unit */
#define CK_TEMPLATE_MAX 4000                       /* bytes of one of them in one language */
#define CK_REQUEST_MAX 4000                 /* bytes of a request or its answer: 1000 characters */
#define CK_REQUESTS_OPEN_MAX 5              /* of one person that wait for an answer */
#define CK_AGE_MIN 18                       /* years: nobody younger is enrolled */
#define CK_ENROL_MS (INT64_C(12) * 3600000) /* an enrolment link, and the session behind it */

void ck_cases_register(struct ck_registry *registry);

/* For handlers: ends the sessions of a staff member but one (0: all of them), and the sockets
 * behind them after the commit. */
int ck_staff_end_sessions(struct ck_turn *turn, int64_t staff, int64_t but);

/* Opens a photo or thumbnail (daemon/store/person.h). Any thread. `jpeg` has room for size -
 * CK_GCM_TAG_SIZE bytes. CK_E_AUTH. */
struct ck_photo;
int ck_photo_open(const uint8_t master[static CK_KEY_SIZE], const struct ck_photo *photo,
                  void *jpeg);

#endif

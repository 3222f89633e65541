/* Rows of persons and photos. */
#ifndef DAEMON_STORE_PERSON_H
#define DAEMON_STORE_PERSON_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/store/store.h"
#include "protocol/base/digest.h"

struct ck_person_row {
    int64_t id;
    const char *reference;                      /* "P-4821"; unique */
    const char *name, *birth_date, *language;   /* never NULL */
    const char *phone, *email, *address, *note; /* NULL: none */
    const char *band;
    int64_t unit, inspector;
    const uint8_t *pseudonym; /* 16 bytes; insert only */
    const uint8_t *salt;      /* 32 bytes; insert only */
};

/* CK_E_CONFLICT: the reference is taken. Sets row->id. */
int ck_person_insert(struct ck_store *store, struct ck_person_row *row, struct ck_wall now);
/* Sets everything but reference, pseudonym and salt. CK_E_NOT_FOUND. */
int ck_person_update(struct ck_store *store, const struct ck_person_row *row);
int ck_person_set_language(struct ck_store *store, int64_t id, const char *language);
/* Name and reference, cut to the places given. CK_E_NOT_FOUND. */
int ck_person_names(struct ck_store *store, int64_t id, char *name, size_t name_size,
                    char *reference, size_t reference_size);
int ck_person_set_band(struct ck_store *store, int64_t id, const char *band);
/* Whose caseload it is in. CK_E_NOT_FOUND. */
int ck_person_owner(struct ck_store *store, int64_t id, int64_t *unit, int64_t *inspector);

/* A sealed picture: the reference photo (checkin 0; a new one takes the place of the old) or a
 * check-in's thumbnail. */
struct ck_photo_row {
    int64_t person, checkin, by_staff;
    const void *key; /* wrapped */
    size_t key_size;
    uint8_t nonce[CK_GCM_NONCE_SIZE];
    const void *sealed;
    size_t size;
};

/* *id is the new row's; wrap keys and seal for ck_photo_next_id() first. CK_E_CONFLICT: this
 * check-in has one. */
int ck_photo_next_id(struct ck_store *store, int64_t *id);
int ck_photo_insert(struct ck_store *store, int64_t id, const struct ck_photo_row *row,
                    struct ck_wall now);

/* The newest reference photo of a person (checkin 0) or the thumbnail of a check-in; blobs are the
 * caller's to free. CK_E_NOT_FOUND. Any connection. */
struct ck_photo {
    int64_t id;
    void *key;
    size_t key_size;
    uint8_t nonce[CK_GCM_NONCE_SIZE];
    void *sealed;
    size_t size;
};
int ck_photo_load(struct ck_store *store, int64_t person, int64_t checkin, struct ck_photo *photo);
void ck_photo_clear(struct ck_photo *photo);

#endif

/* What a message holds, as it lies sealed: the text, and of the file that belongs to it the name,
 * type, size, digest and key. As JSON {text, file: {name, type, size, sha256, key} | null}. Any
 * thread. */
#ifndef DAEMON_CASES_CONTENT_H
#define DAEMON_CASES_CONTENT_H

#include <stdint.h>

#include <jansson.h>

#include "daemon/store/message.h"
#include "protocol/base/digest.h"

/* Seals a content under the key of a thread, to which it is bound. *sealed is the caller's to
 * free. -ENOMEM. */
int ck_content_seal(const uint8_t key[static CK_KEY_SIZE],
                    const uint8_t nonce[static CK_GCM_NONCE_SIZE], int64_t thread,
                    const json_t *content, uint8_t **sealed, size_t *size);

/* Opens the message of a row of the store: its members `nonce` and `sealed` (hexadecimal), under
 * the thread's wrapped key. CK_E_AUTH: changed, of another thread, or its key was destroyed
 * (wrapped NULL or ""); -EUCLEAN: not of this form. The content is the caller's. */
int ck_content_open(const uint8_t master[static CK_KEY_SIZE], int64_t thread, const char *wrapped,
                    const json_t *row, json_t **content);

/* Sets the members `text` and `file` (name, type, size; never the key) of a Message as the pages
 * see it. `content` NULL: it was erased. -ENOMEM. */
int ck_content_show(const json_t *content, json_t *message);

/* Replaces the members `nonce` and `sealed` of every message of a page of ck_query_messages() by
 * what they hold, and takes `thread` and `key` away. */
int ck_content_open_page(const uint8_t master[static CK_KEY_SIZE], json_t *page);

/* Opens the file of a content in place: `file->sealed` then holds `file->size` - CK_GCM_TAG_SIZE
 * bytes of it. CK_E_AUTH; CK_E_NOT_FOUND: the message has none. */
int ck_content_open_file(const json_t *content, struct ck_message_file *file);

#endif

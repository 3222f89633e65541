/* Enumerations by the words that scheduler/ gives them, for columns. */
#ifndef DAEMON_STORE_NAME_IMPL_H
#define DAEMON_STORE_NAME_IMPL_H

#include <string.h>

/* Sets *value to the member of an enumeration of `count` whose name is `text`; false where there is
 * none. */
#define CK_NAME_FIND(name_of, count, text, value)                                                  \
    __extension__({                                                                                \
        bool ck_found = false;                                                                     \
        const char *ck_text_wanted = (text);                                                       \
        for (int ck_i = 0; ck_text_wanted != NULL && !ck_found && ck_i < (int)(count); ck_i++) {   \
            const char *ck_name = name_of((__typeof__(*(value)))ck_i);                             \
            if (ck_name != NULL && strcmp(ck_name, ck_text_wanted) == 0) {                         \
                *(value) = (__typeof__(*(value)))ck_i;                                             \
                ck_found = true;                                                                   \
            }                                                                                      \
        }                                                                                          \
        ck_found;                                                                                  \
    })

#endif

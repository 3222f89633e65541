/* Files to verify: small ones read whole, large ones mapped. */
#ifndef DAEMON_VERIFY_INPUT_H
#define DAEMON_VERIFY_INPUT_H

#include <stddef.h>
#include <stdint.h>

/* Reads a whole file of at most `capacity` bytes. CK_E_LIMIT where it is longer; -errno. */
int ck_input_read(const char *path, void *bytes, size_t capacity, size_t *size);

/* The same of a file in a folder that is open. */
int ck_input_read_in(int folder, const char *path, void *bytes, size_t capacity, size_t *size);

/* A file mapped for reading; `bytes` of an empty one is not NULL. */
struct ck_input {
    const uint8_t *bytes;
    size_t size;
};

int ck_input_map(const char *path, struct ck_input *input); /* -errno */
void ck_input_unmap(struct ck_input *input);

#endif

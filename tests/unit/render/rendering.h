/* A checkin-render under test: started, spoken to by its protocol, ended. */
#ifndef TESTS_UNIT_RENDER_RENDERING_H
#define TESTS_UNIT_RENDER_RENDERING_H

#include <stdbool.h>
#include <sys/types.h>

#include "protocol/render.h"

struct rendering {
    pid_t pid;
    int fd;
    uint8_t bytes[CK_RENDER_MESSAGE_MAX]; /* of the last answer */
};

/* Starts it and waits for READY. */
void rendering_start(struct rendering *rendering);

/* Closes the socket and gives the process's status, as waitpid does. */
int rendering_stop(struct rendering *rendering);

void rendering_send(struct rendering *rendering, const void *bytes, size_t size, const int *fds,
                    size_t count);
void rendering_order(struct rendering *rendering, const struct ck_render_message *job,
                     const int *fds);

/* The next answer; false where the socket was closed instead. */
bool rendering_answer(struct rendering *rendering, struct ck_render_message *answer);

/* A memory file with these bytes, at its start. */
int rendering_file(const void *bytes, size_t size);

#endif

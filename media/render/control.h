/* The socket to checkind: one message a datagram, its descriptors beside it. */
#ifndef MEDIA_RENDER_CONTROL_H
#define MEDIA_RENDER_CONTROL_H

#include <stddef.h>
#include <stdint.h>

#include "protocol/render.h"

/* 0, or -errno where it is no SOCK_SEQPACKET socket. */
int ck_control_check(int fd);

/* Waits for a message. `bytes` holds CK_RENDER_MESSAGE_MAX and backs the message's texts. The
 * descriptors that the message asks for are the caller's then. CK_E_NOT_FOUND: the other end is
 * closed. CK_E_SYNTAX and so on: not understood, or another number of descriptors. -errno. */
int ck_control_receive(int fd, uint8_t *bytes, struct ck_render_message *message,
                       int fds[static CK_RENDER_FDS_MAX]);

/* 0, -EPIPE where the other end is closed, -errno. */
int ck_control_send(int fd, const struct ck_render_message *message);

#endif

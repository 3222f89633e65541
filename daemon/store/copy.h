/* A copy of the store for a backup, taken while the daemon goes on writing. */
#ifndef DAEMON_STORE_COPY_H
#define DAEMON_STORE_COPY_H

/* Writes the store at `path`, as it is at one instant, into a new file `to` that only its owner can
 * read; whole and durable on return. The writer is not held up; what it writes meanwhile is not in
 * the copy. CK_E_NOT_FOUND: there is no store; CK_E_CONFLICT: `to` is there already; CK_E_SYNTAX: a
 * file of somebody else; -EUCLEAN: the store or what was written is damaged; another negative
 * errno. On failure `to` is as it was. */
int ck_store_copy(const char *path, const char *to);

#endif

/* GStreamer, with the plug-ins that jobs need and no others, loaded by name before the sandbox
 * closes. There is no registry file and no scanner process: what is not loaded here does not exist.
 */
#ifndef MEDIA_RENDER_LIBRARY_H
#define MEDIA_RENDER_LIBRARY_H

#include <stddef.h>

/* Once, before any thread. 0, or CK_E_NOT_FOUND or -errno with what is missing in `text`, which on
 * success names the library. Threads that begin later have small stacks. */
int ck_render_load(char *text, size_t size);

#endif

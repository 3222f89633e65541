#include "media/render/library.h"

#include <errno.h>
#include <gst/gst.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "protocol/base/error.h"

static const char *const plugins[] = {
    "libgstcoreelements.so",  "libgstapp.so",
    "libgstvpx.so",           "libgstvideoconvertscale.so",
    "libgstjpeg.so",          "libgstmatroska.so",
    "libgstopus.so",          "libgstaudioconvert.so",
    "libgstaudioresample.so", "libgstvideorate.so",
    "libgstaudiomixer.so",    "libgstcompositor.so",
};

static const struct {
    const char *name;
    const char *value;
} environment[] = {
    {"GST_REGISTRY_1_0", "/dev/null"},
    {"GST_REGISTRY_UPDATE", "no"},
    {"GST_REGISTRY_FORK", "no"},
    {"GST_PLUGIN_SYSTEM_PATH_1_0", "/nonexistent"},
    {"GST_PLUGIN_PATH_1_0", "/nonexistent"},
    {"GST_DEBUG", "0"},
    {"ORC_CODE", "backup"}, /* no code is made at run time: the sandbox forbids it */
    {"LC_ALL", "C"},
};

/* A film of many parts has five threads for each: with the usual eight megabytes of stack, and an
 * arena of 64 for every second one, they would not fit the cage. */
#define THREAD_STACK ((size_t)1024 * 1024)
#define ARENAS 2

static int make_threads_small(void)
{
    pthread_attr_t attributes;
    int error = pthread_getattr_default_np(&attributes);
    if (error != 0) {
        return -error;
    }
    error = pthread_attr_setstacksize(&attributes, THREAD_STACK);
    error = error == 0 ? pthread_setattr_default_np(&attributes) : error;
    pthread_attr_destroy(&attributes);
    (void)mallopt(M_ARENA_MAX, ARENAS); /* another allocator, as of a sanitizer, has none */
    return -error;
}

int ck_render_load(char *text, size_t size)
{
    int r = make_threads_small();
    if (r != 0) {
        snprintf(text, size, "threads: %s", ck_error_text(r));
        return r;
    }
    for (size_t i = 0; i < sizeof environment / sizeof environment[0]; i++) {
        setenv(environment[i].name, environment[i].value, 1);
    }
    GError *error = NULL;
    if (!gst_init_check(NULL, NULL, &error)) {
        snprintf(text, size, "GStreamer: %s", error->message);
        g_error_free(error);
        return CK_E_NOT_FOUND;
    }
    for (size_t i = 0; i < sizeof plugins / sizeof plugins[0]; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", CK_GST_PLUGINS, plugins[i]);
        GstPlugin *plugin = gst_plugin_load_file(path, &error);
        if (plugin == NULL) {
            snprintf(text, size, "%s: %s", path, error->message);
            g_error_free(error);
            return CK_E_NOT_FOUND;
        }
        gst_object_unref(plugin);
    }
    gchar *version = gst_version_string();
    snprintf(text, size, "%s", version);
    g_free(version);
    return 0;
}

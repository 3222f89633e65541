/* What the log says of ourselves: which program started, with which tables and clock; how right the
 * clock was every hour and whenever that changed; that it was set. */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/checkind/product_impl.h"

#define CLOCK_EVERY_MS (INT64_C(3600) * 1000)

static void submit(struct ck_product *product, const char *command, json_t *body)
{
    const struct ck_actor actor = ck_actor_system();
    if (product->bus == NULL || body == NULL) {
        json_decref(body);
        return;
    }
    ck_bus_submit(product->bus, command, &actor, body, NULL, NULL);
}

/* SHA-256 of the program that runs; "" where it cannot be read. */
static void build_of(char text[static CK_HEX_SIZE(CK_SHA256_SIZE)])
{
    uint8_t digest[CK_SHA256_SIZE];
    struct stat about;
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    void *bytes = fd < 0 || fstat(fd, &about) < 0
                      ? MAP_FAILED
                      : mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    text[0] = '\0';
    if (bytes != MAP_FAILED) {
        const struct ck_slice slice = {bytes, (size_t)about.st_size};
        if (ck_sha256(&slice, 1, digest) == 0) {
            ck_hex_encode(digest, sizeof digest, text);
        }
        munmap(bytes, (size_t)about.st_size);
    }
    if (fd >= 0) {
        close(fd);
    }
}

static json_t *clock_json(const struct ck_product *product)
{
    struct ck_clock_status status = ck_clock_status();
    json_t *offset = status.known ? json_integer((json_int_t)status.offset_us) : json_null();
    return json_pack("{s:b, s:o}", "synchronised", (int)ck_product_clock_good(product), "offset_us",
                     offset);
}

json_t *ck_product_started(struct ck_product *product)
{
    char build[CK_HEX_SIZE(CK_SHA256_SIZE)];
    json_t *body = clock_json(product);
    build_of(build);
    if (body != NULL) {
        json_object_set_new(body, "version", json_string(CK_VERSION));
        json_object_set_new(body, "build", json_string(build));
    }
    product->clock_noted = ck_product_clock_good(product);
    product->clock_noted_ms = ck_clock_mono().us / 1000;
    return body;
}

void ck_product_note_stop(struct ck_product *product)
{
    submit(product, "system.stopping", json_object());
}

void ck_product_note_clock(struct ck_product *product)
{
    bool good = ck_product_clock_good(product);
    int64_t now_ms = ck_clock_mono().us / 1000;
    if (good != product->clock_noted || now_ms - product->clock_noted_ms >= CLOCK_EVERY_MS) {
        product->clock_noted = good;
        product->clock_noted_ms = now_ms;
        submit(product, "system.clock", clock_json(product));
    }
}

void ck_product_note_jump(struct ck_product *product, int64_t jump_ms)
{
    json_t *body = clock_json(product);
    if (body != NULL) {
        json_object_set_new(body, "jump_ms", json_integer((json_int_t)jump_ms));
    }
    submit(product, "system.clock", body);
}

#include "daemon/ctl/share.h"

#include <errno.h>
#include <libgfshare.h>
#include <stdio.h>
#include <string.h>

#include "daemon/core/rekey.h"
#include "protocol/base/error.h"
#include "protocol/base/text.h"

/* "checkind share 1 KEY NEEDED NUMBER\nBYTES CHECK\n" */
#define FIRST_LINE "checkind share 1 %16[0-9a-f] %u %u"
#define CHECK_SIZE 4 /* bytes of a digest of everything before it */

struct share {
    char name[CK_KEY_NAME_SIZE];
    unsigned needed, number;
    uint8_t bytes[CK_KEY_SIZE];
};

static int check_of(const struct share *share, char check[static CK_HEX_SIZE(CHECK_SIZE)])
{
    char head[64];
    uint8_t digest[CK_SHA256_SIZE];
    snprintf(head, sizeof head, "%s %u %u", share->name, share->needed, share->number);
    const struct ck_slice slices[] = {{head, strlen(head)}, {share->bytes, sizeof share->bytes}};
    int r = ck_sha256(slices, 2, digest);
    if (r == 0) {
        ck_hex_encode(digest, CHECK_SIZE, check);
    }
    return r;
}

static int write_share(const struct share *share, char text[static CK_SHARE_TEXT_SIZE])
{
    char check[CK_HEX_SIZE(CHECK_SIZE)], bytes[CK_HEX_SIZE(CK_KEY_SIZE)];
    int r = check_of(share, check);
    if (r == 0) {
        ck_hex_encode(share->bytes, sizeof share->bytes, bytes);
        snprintf(text, CK_SHARE_TEXT_SIZE, "checkind share 1 %s %u %u\n%s %s\n", share->name,
                 share->needed, share->number, bytes, check);
        ck_wipe(bytes, sizeof bytes);
    }
    return r;
}

static int read_share(const char *text, struct share *share)
{
    char bytes[2 * CK_KEY_SIZE + 1], given[2 * CHECK_SIZE + 1], check[CK_HEX_SIZE(CHECK_SIZE)];
    _Static_assert(CK_KEY_SIZE == 32 && CHECK_SIZE == 4, "the widths below");
    /* Numbers too large for their type give a wrong check. NOLINTNEXTLINE(cert-err34-c) */
    if (sscanf(text, FIRST_LINE " %64[0-9a-f] %8[0-9a-f]", share->name, &share->needed,
               &share->number, bytes, given) != 5 ||
        ck_hex_decode(bytes, share->bytes, sizeof share->bytes) != 0) {
        return CK_E_SYNTAX;
    }
    ck_wipe(bytes, sizeof bytes);
    int r = check_of(share, check);
    return r != 0 ? r : strcmp(check, given) == 0 ? 0 : CK_E_SYNTAX;
}

/* ---- making ---- */

/* The library asks without a context: set for the length of one split, in one thread. */
static void (*split_random)(void *user, void *bytes, size_t size);
static void *split_user;

static void fill(unsigned char *bytes, unsigned size)
{
    split_random(split_user, bytes, size);
}

int ck_share_split(const uint8_t key[static CK_KEY_SIZE], unsigned needed, unsigned count,
                   void (*random)(void *user, void *bytes, size_t size), void *user,
                   char texts[][CK_SHARE_TEXT_SIZE])
{
    uint8_t numbers[CK_SHARES_MAX], secret[CK_KEY_SIZE];
    struct share share = {.needed = needed};
    if (needed < 2 || count < needed || count > CK_SHARES_MAX) {
        return CK_E_INVALID;
    }
    for (unsigned i = 0; i < count; i++) {
        numbers[i] = (uint8_t)(i + 1);
    }
    split_random = random;
    split_user = user;
    gfshare_fill_rand = fill;
    gfshare_ctx *context = gfshare_ctx_init_enc(numbers, count, (uint8_t)needed, CK_KEY_SIZE);
    int r = context == NULL ? -ENOMEM : ck_key_name(key, share.name);
    if (r == 0) {
        memcpy(secret, key, sizeof secret);
        gfshare_ctx_enc_setsecret(context, secret);
        ck_wipe(secret, sizeof secret);
    }
    for (unsigned i = 0; r == 0 && i < count; i++) {
        share.number = i + 1;
        gfshare_ctx_enc_getshare(context, (uint8_t)i, share.bytes);
        r = write_share(&share, texts[i]);
    }
    if (context != NULL) {
        gfshare_ctx_free(context); /* the library overwrites what it frees */
    }
    ck_wipe(&share, sizeof share);
    return r;
}

/* ---- joining ---- */

static int fault_at(struct ck_share_fault *fault, unsigned share, int code, const char *text)
{
    fault->share = share;
    snprintf(fault->text, sizeof fault->text, "%s", text);
    return code;
}

static int read_all(const char *const *texts, unsigned count, struct share *shares,
                    struct ck_share_fault *fault)
{
    for (unsigned i = 0; i < count; i++) {
        int r = read_share(texts[i], &shares[i]);
        if (r != 0) {
            return fault_at(fault, i, r, "is no share, or was copied wrongly");
        }
        if (strcmp(shares[i].name, shares[0].name) != 0 || shares[i].needed != shares[0].needed) {
            return fault_at(fault, i, CK_E_INVALID, "is of another key");
        }
        for (unsigned k = 0; k < i; k++) {
            if (shares[k].number == shares[i].number) {
                return fault_at(fault, i, CK_E_INVALID, "was given twice");
            }
        }
    }
    if (count < shares[0].needed) {
        char text[64];
        snprintf(text, sizeof text, "is not enough: %u shares are needed", shares[0].needed);
        return fault_at(fault, count - 1, CK_E_INVALID, text);
    }
    return 0;
}

/* With nothing to make up, the library only overwrites what it frees by this. */
static void overwrite(unsigned char *bytes, unsigned size)
{
    ck_wipe(bytes, size);
}

static int combine(const struct share *shares, unsigned count, uint8_t key[static CK_KEY_SIZE])
{
    uint8_t numbers[CK_SHARES_MAX], secret[CK_KEY_SIZE], bytes[CK_KEY_SIZE];
    char name[CK_KEY_NAME_SIZE];
    for (unsigned i = 0; i < count; i++) {
        numbers[i] = (uint8_t)shares[i].number;
    }
    gfshare_fill_rand = overwrite;
    gfshare_ctx *context = gfshare_ctx_init_dec(numbers, count, CK_KEY_SIZE);
    if (context == NULL) {
        return -ENOMEM;
    }
    for (unsigned i = 0; i < count; i++) {
        memcpy(bytes, shares[i].bytes, sizeof bytes);
        gfshare_ctx_dec_giveshare(context, (uint8_t)i, bytes);
    }
    gfshare_ctx_dec_extract(context, secret);
    gfshare_ctx_free(context);
    int r = ck_key_name(secret, name);
    r = r == 0 && strcmp(name, shares[0].name) != 0 ? CK_E_AUTH : r;
    if (r == 0) {
        memcpy(key, secret, sizeof secret);
    }
    ck_wipe(secret, sizeof secret);
    ck_wipe(bytes, sizeof bytes);
    return r;
}

int ck_share_join(const char *const *texts, unsigned count, uint8_t key[static CK_KEY_SIZE],
                  struct ck_share_fault *fault)
{
    struct share shares[CK_SHARES_MAX];
    if (count == 0 || count > CK_SHARES_MAX) {
        return fault_at(fault, 0, CK_E_INVALID, "1 to 16 shares can be given");
    }
    int r = read_all(texts, count, shares, fault);
    r = r == 0 ? combine(shares, count, key) : r;
    if (r == CK_E_AUTH) {
        fault_at(fault, 0, r, "and the others do not give the key that they name");
    }
    ck_wipe(shares, sizeof shares);
    return r;
}

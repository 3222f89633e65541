#include "media/transport/algorithms.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/provider.h>

#define NAMES_MAX 6

struct choice {
    int operation;
    const char *property;         /* that it must have; NULL: any */
    const char *names[NAMES_MAX]; /* the first of the names it goes by */
};

/* SHA-1 hashes no message here: it is OpenSSL's name of a certificate. CTR-DRBG runs on AES-256-CTR
 * and gets its seed by SEED-SRC. */
static const struct choice choices[] = {
    {OSSL_OP_DIGEST, NULL, {"SHA1", "SHA2-256", "SHA2-384", "SHA2-512"}},
    {OSSL_OP_CIPHER,
     NULL,
     {"AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305", "AES-256-CTR", "AES-256-ECB"}},
    {OSSL_OP_MAC, NULL, {"HMAC"}},
    {OSSL_OP_KDF, NULL, {"TLS1-PRF"}},
    {OSSL_OP_RAND, NULL, {"CTR-DRBG", "SEED-SRC"}},
    {OSSL_OP_KEYMGMT, NULL, {"EC", "RSA", "X25519"}},
    {OSSL_OP_KEYEXCH, NULL, {"ECDH", "X25519"}},
    {OSSL_OP_SIGNATURE, NULL, {"ECDSA", "RSA"}},
    {OSSL_OP_DECODER, "structure=SubjectPublicKeyInfo", {"EC", "RSA"}},
};
#define CHOICES (sizeof choices / sizeof *choices)

/* A provider's functions get the context of the provider whose implementations they hand out, so
 * these cannot be found through it. Filled in once, the same each time. */
static OSSL_PROVIDER *whole;
static OSSL_ALGORITHM chosen[CHOICES][NAMES_MAX + 1];

static bool goes_by(const OSSL_ALGORITHM *algorithm, const char *name)
{
    size_t size = strlen(name);
    return strncmp(algorithm->algorithm_names, name, size) == 0 &&
           (algorithm->algorithm_names[size] == ':' || algorithm->algorithm_names[size] == '\0');
}

static const OSSL_ALGORITHM *find(const struct choice *choice, const char *name)
{
    int no_cache;
    const OSSL_ALGORITHM *all = OSSL_PROVIDER_query_operation(whole, choice->operation, &no_cache);
    for (; all != NULL && all->algorithm_names != NULL; all++) {
        if (goes_by(all, name) && (choice->property == NULL ||
                                   strstr(all->property_definition, choice->property) != NULL)) {
            return all;
        }
    }
    return NULL;
}

static bool choose(void)
{
    for (size_t i = 0; i < CHOICES; i++) {
        for (size_t k = 0; k < NAMES_MAX && choices[i].names[k] != NULL; k++) {
            const OSSL_ALGORITHM *found = find(&choices[i], choices[i].names[k]);
            if (found == NULL) {
                return false;
            }
            chosen[i][k] = *found;
        }
    }
    return true;
}

static const OSSL_ALGORITHM *query(void *context, int operation, int *no_cache)
{
    (void)context;
    *no_cache = 0;
    for (size_t i = 0; i < CHOICES; i++) {
        if (choices[i].operation == operation) {
            return chosen[i];
        }
    }
    return NULL;
}

/* The groups that TLS may use; those whose keys are not chosen are left out by OpenSSL. */
static int capabilities(void *context, const char *capability, OSSL_CALLBACK *each, void *user)
{
    (void)context;
    return OSSL_PROVIDER_get_capabilities(whole, capability, each, user);
}

static int begin(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core,
                 const OSSL_DISPATCH **functions, void **context)
{
    static const OSSL_DISPATCH table[] = {
        {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query},
        {OSSL_FUNC_PROVIDER_GET_CAPABILITIES, (void (*)(void))capabilities},
        {0, NULL},
    };
    (void)handle;
    (void)core;
    *functions = table;
    *context = OSSL_PROVIDER_get0_provider_ctx(whole);
    return 1;
}

int ck_algorithms_init(struct ck_algorithms *algorithms)
{
    /* Stays loaded as long as the process lives, as it would without us. */
    if (whole == NULL) {
        whole = OSSL_PROVIDER_load(NULL, "default");
    }
    *algorithms = (struct ck_algorithms){.library = OSSL_LIB_CTX_new()};
    if (algorithms->library == NULL) {
        return -ENOMEM;
    }
    if (whole != NULL && choose() &&
        OSSL_PROVIDER_add_builtin(algorithms->library, "media", begin) == 1) {
        algorithms->provider = OSSL_PROVIDER_load(algorithms->library, "media");
    }
    if (algorithms->provider == NULL) {
        ck_algorithms_deinit(algorithms);
        return -EIO;
    }
    return 0;
}

void ck_algorithms_deinit(struct ck_algorithms *algorithms)
{
    if (algorithms->provider != NULL) {
        (void)OSSL_PROVIDER_unload(algorithms->provider);
    }
    OSSL_LIB_CTX_free(algorithms->library);
    *algorithms = (struct ck_algorithms){NULL, NULL};
}

/* The certificate of the pages: read at the start and again at SIGHUP, so that it can be renewed
 * without ending a call, and watched, because nobody can answer a check-in once it is over. */
#include <errno.h>
#include <stdlib.h>

#include "daemon/checkind/product_impl.h"
#include "daemon/config/log.h"
#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

/* Frees a text that holds a key. */
static void wipe_freep(char **text)
{
    if (*text != NULL) {
        ck_wipe(*text, strlen(*text));
    }
    free(*text);
}

static int read_files(const struct ck_config *config, const char *const *names, size_t count,
                      char **certificate_pem, char **key_pem)
{
    bool given = config->http.certificate[0] != '\0';
    ck_cleanup(ck_freep) char *certificate =
        ck_config_path(config, given ? config->http.certificate : "self-signed.pem");
    ck_cleanup(ck_freep) char *key =
        ck_config_path(config, config->http.key[0] != '\0' ? config->http.key : "self-signed.key");
    if (certificate == NULL || key == NULL) {
        return -ENOMEM;
    }
    bool make = config->http.self_signed;
    int error = ck_certificate_load(certificate, key, make ? names : NULL, make ? count : 0,
                                    ck_clock_wall(), certificate_pem, key_pem);
    if (error != 0) {
        ck_log_error("[http] certificate %s, key %s: %s", certificate, key, ck_error_text(error));
    }
    return error;
}

/* When it ends; a text without a certificate is refused by whoever shows it. */
static struct ck_wall end_of(const char *pem)
{
    struct ck_wall until = {0};
    (void)ck_certificate_expiry(pem, strlen(pem), &until);
    return until;
}

static void tell_until(struct ck_wall until)
{
    char text[CK_WALL_TEXT_SIZE];
    ck_wall_text(until, text);
    ck_log(ck_wall_before(until, ck_clock_wall()) ? CK_LOG_ERROR : CK_LOG_INFO,
           "the certificate is good until %s", text);
}

static void take_over(struct ck_product *product, char **certificate, char **key)
{
    free(product->certificate_pem);
    wipe_freep(&product->key_pem);
    product->certificate_pem = ck_take(*certificate);
    product->key_pem = ck_take(*key);
    product->certificate_until = end_of(product->certificate_pem);
    tell_until(product->certificate_until);
}

int ck_product_certificate_load(struct ck_product *product, const char *const *names, size_t count)
{
    ck_cleanup(ck_freep) char *certificate = NULL;
    ck_cleanup(wipe_freep) char *key = NULL;
    int error = read_files(product->config, names, count, &certificate, &key);
    if (error == 0) {
        take_over(product, &certificate, &key);
    }
    return error;
}

void ck_product_certificate_reload(struct ck_product *product)
{
    ck_cleanup(ck_freep) char *certificate = NULL;
    ck_cleanup(wipe_freep) char *key = NULL;
    int error = read_files(product->config, NULL, 0, &certificate, &key);
    if (error == 0) {
        error = ck_http_set_certificate(product->http, certificate, strlen(certificate), key,
                                        strlen(key));
    }
    if (error == 0 && !ck_product_behind_proxy(product)) {
        error = ck_probe_set_ca(product->probe, certificate);
    }
    if (error != 0) {
        ck_log_error("the certificate stays as it was");
        return;
    }
    take_over(product, &certificate, &key);
}

int64_t ck_product_certificate_left_ms(const struct ck_product *product, struct ck_wall now)
{
    return product->certificate_until.ms - now.ms;
}

#include "daemon/http/certificate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "protocol/base/cleanup.h"
#include "protocol/base/error.h"

#define NAME_MAX_BYTES 253 /* RFC 1035 */

static void pkey_freep(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static void x509_freep(X509 **certificate)
{
    X509_free(*certificate);
}

static void bio_freep(BIO **bio)
{
    BIO_free(*bio);
}

static bool is_address(const char *name)
{
    struct in6_addr address;
    return inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1;
}

static bool is_dns_name(const char *name)
{
    size_t size = strlen(name);
    return size > 0 && size <= NAME_MAX_BYTES &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-*_") ==
               size;
}

static int add_extension(X509 *certificate, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    int result = extension != NULL && X509_add_ext(certificate, extension, -1) == 1 ? 0 : -ENOMEM;
    X509_EXTENSION_free(extension);
    return result;
}

static int add_names(X509 *certificate, const char *const *names, size_t count)
{
    char list[4096] = "";
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        bool address = is_address(names[i]);
        if (!address && !is_dns_name(names[i])) {
            return -EINVAL;
        }
        int size = snprintf(list + at, sizeof list - at, "%s%s:%s", i == 0 ? "" : ",",
                            address ? "IP" : "DNS", names[i]);
        if (size < 0 || (size_t)size >= sizeof list - at) {
            return -EINVAL;
        }
        at += (size_t)size;
    }
    X509_NAME *subject = X509_get_subject_name(certificate);
    if (X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)"checkind",
                                   -1, -1, 0) != 1 ||
        X509_set_issuer_name(certificate, subject) != 1) {
        return -ENOMEM;
    }
    int result = add_extension(certificate, NID_subject_alt_name, list);
    if (result == 0) {
        result = add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE");
    }
    if (result == 0) {
        result = add_extension(certificate, NID_ext_key_usage, "serverAuth");
    }
    return result;
}

static char *pem_text(BIO *bio)
{
    char *data;
    long size = BIO_get_mem_data(bio, &data);
    char *text = size <= 0 ? NULL : malloc((size_t)size + 1);
    if (text != NULL) { /* no zero follows what a memory BIO holds */
        memcpy(text, data, (size_t)size);
        text[size] = '\0';
    }
    return text;
}

int ck_certificate_make(const char *const *names, size_t count, struct ck_wall now,
                        char **certificate_pem, char **key_pem)
{
    ck_cleanup(pkey_freep) EVP_PKEY *key = EVP_EC_gen("P-256");
    ck_cleanup(x509_freep) X509 *x = X509_new();
    ck_cleanup(bio_freep) BIO *certificate_out = BIO_new(BIO_s_mem());
    ck_cleanup(bio_freep) BIO *key_out = BIO_new(BIO_s_mem());
    uint8_t serial[8];
    if (count == 0) {
        return -EINVAL;
    }
    if (key == NULL || x == NULL || certificate_out == NULL || key_out == NULL ||
        RAND_bytes(serial, sizeof serial) != 1) {
        return -ENOMEM;
    }
    serial[0] &= 0x7f;
    time_t from = (time_t)(now.ms / 1000 - 3600);
    BIGNUM *number = BN_bin2bn(serial, sizeof serial, NULL);
    bool numbered = number != NULL && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x)) != NULL;
    BN_free(number);
    if (!numbered || X509_set_version(x, X509_VERSION_3) != 1 ||
        ASN1_TIME_set(X509_getm_notBefore(x), from) == NULL ||
        ASN1_TIME_adj(X509_getm_notAfter(x), from, CK_CERTIFICATE_DAYS, 0) == NULL ||
        X509_set_pubkey(x, key) != 1) {
        return -ENOMEM;
    }
    int result = add_names(x, names, count);
    if (result != 0) {
        return result;
    }
    if (X509_sign(x, key, EVP_sha256()) == 0 || PEM_write_bio_X509(certificate_out, x) != 1 ||
        PEM_write_bio_PrivateKey(key_out, key, NULL, NULL, 0, NULL, NULL) != 1) {
        return -ENOMEM;
    }
    ck_cleanup(ck_freep) char *certificate_text = pem_text(certificate_out);
    ck_cleanup(ck_freep) char *key_text = pem_text(key_out);
    if (certificate_text == NULL || key_text == NULL) {
        return -ENOMEM;
    }
    *certificate_pem = ck_take(certificate_text);
    *key_pem = ck_take(key_text);
    return 0;
}

int ck_certificate_expiry(const char *pem, size_t size, struct ck_wall *expiry)
{
    if (size > CK_CERTIFICATE_PEM_MAX) {
        return CK_E_SYNTAX;
    }
    ck_cleanup(bio_freep) BIO *bio = BIO_new_mem_buf(pem, (int)size);
    if (bio == NULL) {
        return -ENOMEM;
    }
    ck_cleanup(x509_freep) X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    struct tm end;
    if (x == NULL || ASN1_TIME_to_tm(X509_get0_notAfter(x), &end) != 1) {
        return CK_E_SYNTAX;
    }
    *expiry = (struct ck_wall){(int64_t)timegm(&end) * 1000};
    return 0;
}

/* ---- files ---- */

static int read_file(const char *path, char **text)
{
    ck_cleanup(ck_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    ck_cleanup(ck_freep) char *bytes = malloc(CK_CERTIFICATE_PEM_MAX + 1);
    if (bytes == NULL) {
        return -ENOMEM;
    }
    size_t size = 0;
    for (ssize_t got; (got = read(fd, bytes + size, CK_CERTIFICATE_PEM_MAX - size)) != 0;) {
        if (got < 0) {
            return -errno;
        }
        size += (size_t)got;
    }
    if (size == CK_CERTIFICATE_PEM_MAX) {
        return -EFBIG;
    }
    bytes[size] = '\0';
    *text = ck_take(bytes);
    return 0;
}

static int write_file(const char *path, const char *text, mode_t mode)
{
    ck_cleanup(ck_closep) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) {
        return -errno;
    }
    for (size_t at = 0, size = strlen(text); at < size;) {
        ssize_t put = write(fd, text + at, size - at);
        if (put < 0) {
            return -errno;
        }
        at += (size_t)put;
    }
    return fsync(fd) == 0 ? 0 : -errno;
}

int ck_certificate_load(const char *certificate_path, const char *key_path,
                        const char *const *names, size_t count, struct ck_wall now,
                        char **certificate_pem, char **key_pem)
{
    ck_cleanup(ck_freep) char *certificate = NULL;
    ck_cleanup(ck_freep) char *key = NULL;
    int result = read_file(certificate_path, &certificate);
    int key_result = read_file(key_path, &key);
    if (result == -ENOENT && key_result == -ENOENT && count > 0) {
        result = ck_certificate_make(names, count, now, &certificate, &key);
        key_result = result == 0 ? write_file(key_path, key, 0600) : result;
        result = key_result == 0 ? write_file(certificate_path, certificate, 0644) : key_result;
    }
    if (result != 0 || key_result != 0) {
        return result != 0 ? result : key_result;
    }
    *certificate_pem = ck_take(certificate);
    *key_pem = ck_take(key);
    return 0;
}

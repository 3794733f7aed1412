/* SPDX-License-Identifier: BSD-2-Clause */
#include "net/tls_certificate.h"

#include <arpa/inet.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <strings.h>
#include <time.h>

#define names_of_one_max 64 /* alternative names that are looked at */
#define name_max 256

static void append(char *list, size_t size, const char *prefix, const char *name)
{
    size_t used = strlen(list);

    snprintf(list + used, size - used, "%s%s%s", used > 0 ? ", " : "", prefix, name);
    for (char *c = list + used; *c != '\0'; c++) /* it comes from outside and goes into a log */
        if (*c < 0x20 || *c == 0x7f || *c == '\'' || (unsigned char)*c >= 0x80)
            *c = '?';
}

static bool is_allowed(const char *allowed, const char *name)
{
    size_t length = strlen(name);

    if (allowed == NULL)
        return true;
    while (*allowed != '\0') {
        size_t word = strcspn(allowed, ", ");

        if (word == length && word > 0 && strncasecmp(allowed, name, word) == 0)
            return true;
        allowed += word;
        allowed += strspn(allowed, ", ");
    }
    return false;
}

/* RFC 5280 section 4.2.1.6. An address becomes text; other kinds are left out. Returns its prefix or NULL. */
static const char *alternative_name(gnutls_x509_crt_t certificate, unsigned index, char name[name_max], bool *more)
{
    char bytes[name_max] = "";
    size_t size = sizeof(bytes) - 1;
    int type = gnutls_x509_crt_get_subject_alt_name(certificate, index, bytes, &size, NULL);

    *more = type >= 0 || type == GNUTLS_E_SHORT_MEMORY_BUFFER;
    if (type < 0)
        return NULL;
    bytes[min_u64(size, sizeof(bytes) - 1)] = '\0';
    snprintf(name, name_max, "%s", bytes);
    switch (type) {
    case GNUTLS_SAN_DNSNAME:
        return strlen(bytes) == size ? "DNS:" : NULL; /* a NUL inside hides another name: CVE-2009-2408 and kin */
    case GNUTLS_SAN_RFC822NAME:
        return strlen(bytes) == size ? "email:" : NULL;
    case GNUTLS_SAN_URI:
        return strlen(bytes) == size ? "URI:" : NULL;
    case GNUTLS_SAN_IPADDRESS:
        if ((size != 4 && size != 16) || inet_ntop(size == 4 ? AF_INET : AF_INET6, bytes, name, name_max) == NULL)
            return NULL;
        return "IP:";
    default:
        return NULL;
    }
}

/* Writes whose certificate it is; returns whether one of its names is allowed. */
static bool collect_names(gnutls_x509_crt_t certificate, const char *allowed, char list[tls_certificate_name_max])
{
    char name[name_max] = "";
    size_t size = sizeof(name) - 1;
    bool found = allowed == NULL, more = true;

    list[0] = '\0';
    if (gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, name, &size) == 0 &&
        strlen(name) == size) {
        append(list, tls_certificate_name_max, "CN=", name);
        found = is_allowed(allowed, name);
    }
    for (unsigned i = 0; i < names_of_one_max && more; i++) {
        const char *prefix = alternative_name(certificate, i, name, &more);

        if (prefix == NULL)
            continue;
        append(list, tls_certificate_name_max, prefix, name);
        found = found || is_allowed(allowed, name);
    }
    if (list[0] == '\0')
        snprintf(list, tls_certificate_name_max, "a certificate without names");
    return found;
}

static void day_text(time_t seconds, char out[32])
{
    struct tm parts;

    if (gmtime_r(&seconds, &parts) == NULL || strftime(out, 32, "%Y-%m-%d %H:%M:%S UTC", &parts) == 0)
        snprintf(out, 32, "an unknown day");
}

bool tls_certificate_outdated(gnutls_x509_crt_t certificate, struct error *error)
{
    time_t now = time(NULL), first = gnutls_x509_crt_get_activation_time(certificate);
    time_t last = gnutls_x509_crt_get_expiration_time(certificate);
    char day[32];

    if (last != (time_t)-1 && last < now) {
        day_text(last, day);
        error_set(error, "has expired on %s", day);
        return true;
    }
    if (first != (time_t)-1 && first > now) {
        day_text(first, day);
        error_set(error, "is not valid before %s", day);
        return true;
    }
    return false;
}

/* Verbs for the flags of a failed verification, the most telling first. */
static const struct {
    unsigned flag;
    const char *text;
} complaints[] = {
    {GNUTLS_CERT_REVOKED, "is revoked by crl.pem"},
    {GNUTLS_CERT_SIGNATURE_FAILURE, "has a signature that is not right"},
    {GNUTLS_CERT_SIGNER_NOT_CA, "is signed by a certificate that may not sign others"},
    {GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE, "is outside of what its authority may sign"},
    {GNUTLS_CERT_INSECURE_ALGORITHM, "is signed with an algorithm that is not safe any more"},
    {GNUTLS_CERT_PURPOSE_MISMATCH, "is not for this purpose"},
};

static int complain(unsigned status, gnutls_x509_crt_t certificate, const char *authority, const char *name,
                    struct error *error)
{
    struct error dates;

    if ((status & GNUTLS_CERT_SIGNER_NOT_FOUND) != 0)
        return error_set(error, "the certificate for '%s' is not signed by %s", name, authority);
    if (tls_certificate_outdated(certificate, &dates))
        return error_set(error, "the certificate for '%s' %s", name, dates.text);
    for (unsigned i = 0; i < array_length(complaints); i++)
        if ((status & complaints[i].flag) != 0)
            return error_set(error, "the certificate for '%s' %s", name, complaints[i].text);
    if ((status & GNUTLS_CERT_EXPIRED) != 0)
        return error_set(error, "an authority of the certificate for '%s' has expired", name);
    if ((status & GNUTLS_CERT_NOT_ACTIVATED) != 0)
        return error_set(error, "an authority of the certificate for '%s' is not valid yet", name);
    return error_set(error, "the certificate for '%s' cannot be trusted (status 0x%x)", name, status);
}

int tls_certificate_check(gnutls_session_t session, const char *authority, const char *allowed,
                          char name[tls_certificate_name_max], struct error *error)
{
    const gnutls_datum_t *list;
    gnutls_x509_crt_t certificate;
    unsigned count = 0, status = 0;
    bool allowed_name;
    int code, result = 0;

    list = gnutls_certificate_get_peers(session, &count);
    if (list == NULL || count == 0)
        return error_set(error, "it showed no certificate, which must be signed by '%s'", authority);
    if (gnutls_x509_crt_init(&certificate) < 0)
        return error_set(error, "out of memory");
    code = gnutls_x509_crt_import(certificate, &list[0], GNUTLS_X509_FMT_DER);
    if (code < 0) {
        gnutls_x509_crt_deinit(certificate);
        return error_set(error, "its certificate cannot be read: %s", gnutls_strerror(code));
    }
    allowed_name = collect_names(certificate, allowed, name);
    code = gnutls_certificate_verify_peers2(session, &status);
    if (code < 0)
        result = error_set(error, "the certificate for '%s' cannot be checked: %s", name, gnutls_strerror(code));
    else if (status != 0)
        result = complain(status, certificate, authority, name, error);
    else if (!allowed_name)
        result = error_set(error, "the certificate for '%s' has none of the names allowed: %.120s", name, allowed);
    gnutls_x509_crt_deinit(certificate);
    return result;
}

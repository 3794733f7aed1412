/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Certificates, as net/tls.c needs them: the check of a peer's, and the words that tell whose it is and what is wrong
 * with it. Included by net/ only, since GnuTLS shows.
 */
#ifndef NET_TLS_CERTIFICATE_H
#define NET_TLS_CERTIFICATE_H

#include <gnutls/gnutls.h>

#include "base/error.h"

#define tls_certificate_name_max 256

/*
 * To be called from GnuTLS's verify function. Checks the peer's certificate against the authorities, of which the file
 * is named in the phrase, and its names against `allowed` (joined by commas, exact but for case; NULL: any). Returns
 * 0, or -1 with the phrase; `name` gets whose it is in both cases.
 */
int tls_certificate_check(gnutls_session_t session, const char *authority, const char *allowed,
                          char name[tls_certificate_name_max], struct error *error);

/* True when a certificate's time has passed or has not come; the phrase says when. */
bool tls_certificate_outdated(gnutls_x509_crt_t certificate, struct error *error);

#endif

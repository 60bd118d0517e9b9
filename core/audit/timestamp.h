/* TIME-STAMPS (RFC 3161, by libcrypto): an authority's word that some bytes existed at a time. What it answers is kept
 * as it came; `openssl ts -verify -data FILE -in ANSWER -CAfile CA` checks it too. */
#ifndef PUENTE_AUDIT_TIMESTAMP_H
#define PUENTE_AUDIT_TIMESTAMP_H

#include "core/base/buffer.h"

enum { TIMESTAMP_LIMIT = 64 << 10 };
extern const char timestamp_query_type[]; /* of the request's body */

/* Appends a request (DER) for the SHA-256 of the bytes, with a nonce, and for the authority's certificate. */
enum status timestamp_request(struct slice bytes, struct buffer *request, struct error *error) MUST_CHECK;
/* ERR_REMOTE where the authority granted nothing, ERR_AUTH where the answer is not for this request, or not signed for
 * time-stamps by a certificate that leads to `ca_file` (PEM). `*at`: microseconds since the epoch. */
enum status timestamp_verify(struct slice request, struct slice answer, const char *ca_file, int64_t *at,
                             struct error *error) MUST_CHECK;

#endif

/* The SHA-256 of a copy in a file beside it, COPY.sha256, in the form that sha256sum writes and checks: what tells a
 * copy that a disk changed, which the database's own check of its pages does not see within a value. */
#ifndef PUENTE_STORE_COPY_DIGEST_H
#define PUENTE_STORE_COPY_DIGEST_H

#include "core/base/error.h"

#include <stdbool.h>

/* Of the bytes in `written`, for the copy that will be named `copy`. Mode 0600. */
enum status copy_digest_write(const char *written, const char *copy, struct error *error) MUST_CHECK;
/* ERR_STORE where the copy's bytes are others; `known` is false where no digest lies beside it. */
enum status copy_digest_check(const char *copy, bool *known, struct error *error) MUST_CHECK;
/* Deletes the digest of a copy that is gone; one that is not there is no error. */
void copy_digest_forget(const char *copy);
#endif

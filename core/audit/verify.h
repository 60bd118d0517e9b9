/* Whether the log is what was written: entry by entry from the store or from an exported file, and against checkpoints
 * that somebody else kept. */
#ifndef PUENTE_AUDIT_VERIFY_H
#define PUENTE_AUDIT_VERIFY_H

#include "core/audit/audit.h"
#include "core/audit/checkpoint.h"

/* As audit_verify does, and with checkpoints finds what the chain alone cannot: a tail that was cut together with its
 * head, and a chain that was written anew. */
enum status audit_verify_against(struct store *store, const struct checkpoint *checkpoints, size_t checkpoint_count,
                                 struct audit_check *check, struct error *error) MUST_CHECK;
/* The same of a file of entries as lines.h writes them; `path` "-": standard input. ERR_INPUT where a line is none. */
enum status audit_verify_file(const char *path, const struct checkpoint *checkpoints, size_t checkpoint_count,
                              struct audit_check *check, struct error *error) MUST_CHECK;

#endif

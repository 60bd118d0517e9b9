/* WHETHER THE STORE IS STILL WHAT THE LOG SAYS: bytes against their keyed digests, outcomes against the Merkle roots of
 * the log, mappings against the digests that the log has of their texts, staged rows against what the mapping makes of
 * the bytes once more, memberships against the roots of linkings, decisions about pairs against their digests.
 * docs/audit-log.md says what each root covers. */
#ifndef PUENTE_SERVICE_PROOF_H
#define PUENTE_SERVICE_PROOF_H

#include "core/audit/audit.h"
#include "core/service/workspace.h"

/* The first that is wrong. No value of a record stands in it. */
struct proof_fault {
  bool found;
  char place[160]; /* "record 4294967297 (version …) of sistra", "entry 12 of the log", … */
  char what[320];
};

struct proof_counts {
  int64_t entries;  /* of the log whose root was made again */
  int64_t unnamed;  /* that do not say which records they cover: of before this was logged */
  int64_t versions; /* current ones whose bytes were digested */
  int64_t empty;    /* without bytes: taken out */
  int64_t rows;     /* staged rows compared with what was mapped again */
  int64_t unsure;   /* records whose plan is another one today (code lists, model or program changed) and whose rows
                     * differ: nobody can tell from the store alone why */
  int64_t members;  /* changes of memberships */
};

/* Everything, or one source; stops at the first fault of each kind and keeps the first of all. OK with a fault, too. */
enum status proof_verify(struct workspace *workspace, const char *source, struct proof_counts *counts,
                         struct proof_fault *fault, struct error *error) MUST_CHECK;

/* ---- one record; for explain ---- */

struct proof;
/* Reads what the log says of plans and of covered records. NULL allowed to close. */
enum status proof_open(struct workspace *workspace, struct proof **proof, struct error *error) MUST_CHECK;
void proof_close(struct proof *proof);
/* A current version: its bytes, its rows, and the entry that covers its landing: `*entry` (0: none names it). */
enum status proof_record(struct proof *proof, int64_t raw_id, int64_t *entry, struct proof_fault *fault,
                         struct error *error) MUST_CHECK;

#endif

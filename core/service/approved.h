/* WHAT ACTS ONLY ONCE A SECOND PERSON HAS AGREED (`approval: required:` of puente.yaml): which text of a mapping or a
 * link file counts, which files wait, and the steps from a proposal to its approval. An approval is of a text, byte for
 * byte; until then the text approved before goes on being used. Each step is in the log as "approval". */
#ifndef PUENTE_SERVICE_APPROVED_H
#define PUENTE_SERVICE_APPROVED_H

#include "core/resolve/weights.h"
#include "core/service/pull.h"
#include "core/store/approval.h"

enum { APPROVED_FILE_MOST = 16 << 20, APPROVED_WAITING_MOST = 4096 };

/* Fills workspace->texts from the store; leaves it NULL where nothing is required, and for sessions of the database
 * that have a role: they run nothing. */
enum status approved_read(struct workspace *workspace, struct error *error) MUST_CHECK;

/* The code lists that count, where none were read yet. Approved ones that were changed in the store, or do not fit
 * together, leave the program's, and `unfit`: what maps does not work then, what approves does. */
enum status approved_lists(struct workspace *workspace, struct error *error) MUST_CHECK;
/* A line in the log for each code list whose file is not the approved one. */
void approved_lists_tell(const struct workspace *workspace);

/* A file whose text is not the approved one. */
struct waiting_text {
  enum text_kind kind;
  const char *name, *path;      /* path NULL: learned weights, which wait as they were proposed */
  struct sha256 digest, former; /* of the file now, and of the approved text; zeros: no file; never approved */
  bool missing, first;          /* the file is gone; nothing was approved before */
  int64_t since;                /* when the file was last written, microseconds; 0: missing */
  int64_t proposal;             /* that waits; 0: none. Its digest may be another: */
  bool stale;                   /* the file changed again since it was proposed */
  const char *proposed_by, *reason, *document; /* NULL without a proposal */
};
/* In the arena, in the order of the configuration. */
enum status approved_waiting(const struct workspace *workspace, struct arena *arena, struct waiting_text **items,
                             size_t *count, struct error *error) MUST_CHECK;

struct approval_request {
  const char *kind, *name;       /* of propose; name NULL: all files of the kind that wait and are not proposed */
  int64_t id;                    /* of accept, reject */
  const char *reason, *document; /* document: of propose; of accept where weights are, which have none before */
};
/* ERR_USAGE where the file is approved already; what is wrong with the file is told and nothing is proposed. `ids` has
 * room for APPROVED_WAITING_MOST. */
enum status approval_propose(struct workspace *workspace, const struct approval_request *request, int64_t *ids,
                             size_t *count, struct error *error) MUST_CHECK;
/* ERR_AUTH for who proposed it, by whatever spelling of the login; ERR_USAGE where the file changed since, or weights
 * are accepted without a document. `made` tells id, kind and name, in the arena. */
enum status approval_decide(struct workspace *workspace, const struct approval_request *request, bool accept,
                            struct arena *arena, struct approval *made, struct error *error) MUST_CHECK;

/* The difference of text, line by line, and of which approval; `former` is empty where there is none. */
struct approval_shown {
  struct approval approval; /* in the arena */
  struct slice former;
  enum text_kind kind;
  int64_t linked; /* rows that `puente link` has to place again; -1: neither a link file nor weights */
};
enum status approval_show(struct workspace *workspace, int64_t id, struct arena *arena, struct approval_shown *shown,
                          struct error *error) MUST_CHECK;
/* What weights would change, comparison by comparison; nothing of other kinds, or of what does not wait. */
enum status approval_weights(struct workspace *workspace, const struct approval_shown *shown, weights_visitor *visit,
                             void *context, struct error *error) MUST_CHECK;
/* How many pairs and which number of persons and cases they would change, by linking all rows in memory: `*tried` false
 * for other kinds, and for what does not wait. */
enum status approval_effect(struct workspace *workspace, const struct approval_shown *shown, bool *tried,
                            struct weights_effect effects[2], struct error *error) MUST_CHECK;
/* What the sources' records would be: `puente remap --dry-run` as if the text were approved; of a code list, of each
 * source whose mapping it changes. `request` tells where the report of each source goes. */
enum status approval_try(struct workspace *workspace, const struct approval_shown *shown, struct pull_request *request,
                         struct pull_summary *summary, struct error *error) MUST_CHECK;

#endif

/* THE STORE: one interface over SQLite and PostgreSQL. All SQL against Puente's own tables lives in this folder.
 *
 * driver.h is the small contract that the two implementations meet (transactions, append rows, run a statement, read a
 * result); everything here is written once on top of it. A handle is used by one thread. Every writing function must be
 * called between store_begin and store_commit; the audit entry is written last before the commit.
 *
 * Ids are arithmetic, so that a replay gives the same ones and rows of a record lie together without an index:
 *   record id = source (11 bits) · number in the source (32 bits), the number from a counter row of the transaction
 *   raw id, row id = record id · ordinal (20 bits): versions of a record, rows of an entity made from it. */
#ifndef PUENTE_STORE_STORE_H
#define PUENTE_STORE_STORE_H

#include "core/base/digest.h"
#include "core/config.h"
#include "mapping/plan.h"

#include <stdatomic.h>

struct store;

enum { ORDINAL_BITS = 20, RECORD_BITS = 32 };
static inline int64_t record_of(int64_t row_or_raw_id) {
  return row_or_raw_id >> ORDINAL_BITS;
}
static inline int source_of_record(int64_t record_id) {
  return (int)(record_id >> RECORD_BITS);
}

struct store_options {
  enum store_kind kind;
  const char *path;     /* sqlite */
  const char *dsn;      /* postgres */
  const char *password; /* postgres, or NULL */
  const char *schema;
  const char *folder; /* where a migration puts its copy of a postgres store; NULL: the working folder */
  const struct model *model;
  /* For keyed columns and sealed bodies; NULL: neither can be read or written. It gets the store's root of digests
   * where its file was replaced. */
  struct key *key;
  const char *key_file; /* for messages where `key` is NULL; NULL allowed */
  bool read_only;
  bool views_only; /* of a login that may read some views and no table: the version is not asked for (postgres) */
  /* While another one writes, it is waited for: with `stop` for a quarter of an hour, but not for long once it is set
   * (then ERR_INTERRUPTED); with NULL for half a minute. Borrowed while the store is open. */
  const atomic_bool *stop;
};

/* Opens an existing store; ERR_NOT_FOUND where there is none, ERR_VERSION where it is newer than this program, and
 * ERR_CONFIG "run `puente store migrate`" where it is older, or where `key` is not the one it was made with. */
enum status store_open(const struct store_options *options, struct store **store, struct error *error) MUST_CHECK;
void store_close(struct store *store); /* rolls back what is open; NULL allowed */
/* Makes the tables in an empty store. */
enum status store_create(const struct store_options *options, struct error *error) MUST_CHECK;
/* Copies the store (backup.h), then applies numbered migrations one by one, each in its own transaction, going on where
 * a former try stopped; also adds the columns that the model has gained. `backup` names the copy made (sqlite: a file).
 */
enum status store_migrate(const struct store_options *options, int *from, int *to, struct buffer *backup,
                          struct error *error) MUST_CHECK;
int store_version(const struct store *store);
int store_format(void); /* the version that this program makes */

enum status store_begin(struct store *store, struct error *error) MUST_CHECK;
enum status store_commit(struct store *store, struct error *error) MUST_CHECK;
void store_rollback(struct store *store);

/* ---- sources, leases, passes ---- */

/* Upserts the declared sources and gives each its small number (1 …), stable for ever. ids[i] is for sources[i].
 * Sources that stand there so already are not written. */
enum status store_sources(struct store *store, const struct source_config *sources, size_t count, int *ids,
                          struct error *error) MUST_CHECK;
/* The numbers alone, outside a transaction too; `same`: the store has all of them as they are declared. */
enum status store_sources_stand(struct store *store, const struct source_config *sources, size_t count, int *ids,
                                bool *same, struct error *error) MUST_CHECK;

/* A fenced lease on a source: only the holder of the newest token may commit for it (checked by store_pass_save). Who
 * takes one has the source's hold (watch.h), which ends with its process: a lease that another one left is taken over
 * at once. In a short transaction of its own where none is open. */
struct lease {
  int source_id;
  int64_t token;
};
enum status store_lease(struct store *store, int source_id, const char *holder, struct lease *lease,
                        struct error *error) MUST_CHECK;
/* ERR_BUSY with the name of who took the last lease, for a hold that another one has. */
enum status store_leased(struct store *store, int source_id, struct error *error) MUST_CHECK;
enum status store_release(struct store *store, const struct lease *lease, struct error *error) MUST_CHECK;

/* Where a source's pulling stands. Text is allocated; freed by pass_free. */
struct pass {
  char *cursor;         /* NULL: no pass is under way */
  char *watermark;      /* of the last complete pass; NULL: none yet */
  char *mark;           /* highest seen in the pass under way */
  char *looks;          /* what the pass under way has shown of its fields (core/sync/drift.h); NULL: nothing */
  int64_t first_run;    /* run that began the pass under way; 0: none */
  int64_t complete_run; /* last run that completed a pass; 0: never */
};
void pass_free(struct pass *pass);
enum status store_pass(struct store *store, int source_id, struct pass *pass, struct error *error) MUST_CHECK;
/* In the page's transaction. ERR_BUSY where the lease's token is no longer the newest. */
enum status store_pass_save(struct store *store, const struct lease *lease, const struct pass *pass,
                            struct error *error) MUST_CHECK;
enum status store_remember(struct store *store, int source_id, const char *memory, int64_t run,
                           struct error *error) MUST_CHECK;
enum status store_remembers(struct store *store, int source_id, const char *memory, bool *known,
                            struct error *error) MUST_CHECK;
/* Whether it was remembered by the last run that was given something to remember. */
enum status store_remembers_last(struct store *store, int source_id, const char *memory, bool *known,
                                 struct error *error) MUST_CHECK;

/* ---- runs ---- */

struct counts {
  int64_t pulled, fresh, changed, unchanged, repeated, rejected; /* pulled = the sum of the other five */
  int64_t mapped, quarantined, withheld;                         /* fresh + changed = the sum of these */
  int64_t deleted, cut, warnings, pages, bytes;
  int64_t source_count; /* -1: the source gives none */
};
enum run_state { RUN_RUNNING, RUN_DONE, RUN_FAILED, RUN_INTERRUPTED };
struct run {
  int64_t id;
  const char *kind;   /* "sync", "remap", "link", "retry", … */
  int source_id;      /* 0: none */
  const char *source; /* its code */
  const char *actor, *purpose;
  int64_t started, ended;
  enum run_state state;
  struct counts counts;
  const char *message; /* of a failed run: the error, place and hint */
};
enum status store_run_begin(struct store *store, const char *kind, int source_id, const char *actor,
                            const char *purpose, int64_t *run, struct error *error) MUST_CHECK;
/* Earlier runs of the source that never ended were killed: they become interrupted. The caller has the source's lease.
 */
enum status store_runs_ended(struct store *store, int source_id, int64_t run, struct error *error) MUST_CHECK;
/* Counts so far, in the page's transaction, so that a killed run still tells what it did. */
enum status store_run_counts(struct store *store, int64_t run, const struct counts *counts,
                             struct error *error) MUST_CHECK;
enum status store_run_end(struct store *store, int64_t run, enum run_state state, const struct counts *counts,
                          const char *message, struct error *error) MUST_CHECK;

/* ---- landing ---- */

enum record_state { RECORD_MAPPED, RECORD_QUARANTINED, RECORD_WITHHELD, RECORD_DISMISSED };
/* Positions are the text in the store: "mapped", "quarantined", "withheld", "dismissed". */

struct record_state_found {
  int64_t record_id; /* 0: the key is unknown */
  int64_t raw_id;    /* its current version; 0 where the record is deleted */
  struct keyed_digest digest;
  int64_t from_run, plan_id;
  bool bare; /* its bytes are not kept */
  enum record_state state;
};
enum status store_find_records(struct store *store, int source_id, const struct keyed_digest *keys, size_t count,
                               struct record_state_found *found, struct error *error) MUST_CHECK;

struct landed {
  /* in */
  int64_t record_id; /* 0: new; the store gives one */
  struct keyed_digest key_digest;
  struct slice source_key;
  struct keyed_digest digest; /* of the record's bytes */
  uint32_t offset, len;       /* within the chunk's body */
  enum record_state state;
  /* out */
  int64_t raw_id;
};
struct landing {
  int source_id;
  int64_t run, plan_id;
  const char *origin; /* page's */
  const char *format;
  struct slice context; /* the splitter's */
  struct slice body;    /* records end to end; compressed by the store */
  struct landed *records;
  size_t count;
  int64_t chunk_id; /* out */
};
/* Writes one chunk and a version for each record; the former version of a changed record is closed (to_run). */
enum status store_land(struct store *store, struct landing *landing, struct error *error) MUST_CHECK;
/* The plan's number, its text kept once by digest. */
enum status store_plan(struct store *store, int source_id, const struct plan *plan, int64_t run, int64_t *plan_id,
                       struct error *error) MUST_CHECK;

/* The run that first used a plan. */
enum status store_plan_run(struct store *store, int64_t plan_id, int64_t *run, struct error *error) MUST_CHECK;
/* What the configuration was when it was last written down: a text of the caller's. Noted in the caller's transaction;
 * appends nothing where none was. */
enum status store_note_config(struct store *store, struct slice text, struct error *error) MUST_CHECK;
enum status store_noted_config(struct store *store, struct buffer *text, struct error *error) MUST_CHECK;

/* Appends the mapping file of a plan as it was when the plan was first used; ERR_NOT_FOUND. */
enum status store_plan_text(struct store *store, int64_t plan_id, struct buffer *text, struct error *error) MUST_CHECK;

/* Rows and issues of a batch: rows[e].heads[i].record and issues[i].record are positions in `landed`. Rows of new
 * records are appended; of known ones compared with what is current: unchanged rows are not written, others closed. */
struct staging {
  int source_id;
  int64_t run, plan_id;
  const char *institution;
  const struct landed *records;
  size_t count;
  const struct batch *batch;
  bool all_new; /* no record was known before: nothing to compare */
};
struct staged {
  int64_t opened, closed, same; /* rows */
};
enum status store_stage(struct store *store, const struct staging *staging, struct staged *staged,
                        struct error *error) MUST_CHECK;
/* Sets the state of landed versions after a remap or a retry; plan_id becomes the plan that decided. What they were is
 * kept (store_visit_changed). */
enum status store_record_states(struct store *store, int64_t run, int64_t plan_id, const int64_t *raw_ids,
                                const enum record_state *states, size_t count, struct error *error) MUST_CHECK;

/* Deletions. Seen records of the pass under way are kept until it ends. */
enum status store_seen(struct store *store, int source_id, const int64_t *record_ids, size_t count,
                       struct error *error) MUST_CHECK;
/* A new pass begins: what a former one saw, and did not end with, is forgotten. */
enum status store_forget_seen(struct store *store, int source_id, struct error *error) MUST_CHECK;
enum status store_sweep_count(struct store *store, int source_id, int64_t *current, int64_t *unseen,
                              struct error *error) MUST_CHECK;
enum status store_sweep(struct store *store, int source_id, int64_t run, int64_t *deleted,
                        struct error *error) MUST_CHECK;
enum status store_delete_records(struct store *store, int64_t run, const int64_t *record_ids, size_t count,
                                 struct error *error) MUST_CHECK;

/* ---- reading back what landed: remap, retry, explain ---- */

struct raw_version {
  int64_t raw_id;
  const char *source_key, *origin, *format;
  struct slice context, bytes;
  struct keyed_digest digest;
  enum record_state state;
  int64_t plan_id, from_run, to_run; /* to_run 0: current */
  int64_t chunk_id, offset;          /* of the bytes in the unpacked chunk */
};
typedef enum status raw_visitor(void *context, const struct raw_version *version, struct error *error);
/* Current versions of a source in order of raw id; `state` -1 for all; from raw id `after` on, at most `most`. Memory
 * is one chunk. Visiting during writes of the same transaction is allowed. */
enum status store_visit_raw(struct store *store, int source_id, int state, int64_t after, size_t most,
                            raw_visitor *visit, void *context, struct error *error) MUST_CHECK;
enum status store_raw(struct store *store, int64_t raw_id, raw_visitor *visit, void *context,
                      struct error *error) MUST_CHECK;
/* The record of "source:key", where key may be that of a person or another row of the record; of a key alone that is no
 * number, where one source has it (ERR_USAGE: several); or of a decimal id, of the record or of one of its versions or
 * rows; ERR_NOT_FOUND. */
enum status store_record_id(struct store *store, const char *reference, int64_t *record_id,
                            struct error *error) MUST_CHECK;

/* The version of that id, or the newest one of a record named as above; ERR_NOT_FOUND. */
enum status store_version_id(struct store *store, const char *reference, int64_t *raw_id,
                             struct error *error) MUST_CHECK;

/* ---- outcomes, as entries of the log have them ---- */

/* What became of a version when it was landed, or when `run` mapped it again, whatever became of it since. */
struct outcome_row {
  int64_t raw_id, chunk_id, run;
  struct keyed_digest key, digest;
  enum record_state state;
  int64_t plan_id;
};
typedef enum status outcome_visitor(void *context, const struct outcome_row *outcome, struct error *error);
/* Versions of raw ids and chunks in these bounds as they were landed, by chunk and raw id. The visitor asks the store
 * nothing. */
struct outcome_bounds {
  int64_t raw_first, raw_last, first, last; /* of chunks; of runs */
};
enum status store_visit_landed(struct store *store, const struct outcome_bounds *bounds, outcome_visitor *visit,
                               void *context, struct error *error) MUST_CHECK;
/* Versions whose outcome runs in these bounds changed, as they were then, by run and raw id. */
enum status store_visit_changed(struct store *store, const struct outcome_bounds *bounds, outcome_visitor *visit,
                                void *context, struct error *error) MUST_CHECK;
/* What stands of a version now; `length` 0: its bytes are gone. By raw id. */
struct version_state {
  int64_t raw_id, length, plan_id;
  struct keyed_digest key, digest;
  enum record_state state;
};
typedef enum status version_state_visitor(void *context, const struct version_state *version, struct error *error);
enum status store_visit_version_states(struct store *store, const int64_t *raw_ids, size_t count,
                                       version_state_visitor *visit, void *context, struct error *error) MUST_CHECK;
/* Of all versions of records. */
enum status store_visit_record_states(struct store *store, const int64_t *records, size_t count,
                                      version_state_visitor *visit, void *context, struct error *error) MUST_CHECK;
/* The plan that a record's version of after `run` had then; 0: there was none. */
enum status store_plan_then(struct store *store, int64_t record_id, int64_t run, int64_t *plan_id,
                            struct error *error) MUST_CHECK;
/* All versions of a source, or its rows, lie between these. */
int64_t store_source_first(int source_id);
int64_t store_source_last(int source_id);

enum cluster_kind { CLUSTER_PERSON, CLUSTER_CASE };
struct member {
  int64_t row_id; /* of a staged person, or case */
  int64_t id;     /* of the consolidated one */
};
/* A row that a linking took out of its person or case (id 0), or put into one. */
struct membership_change {
  int64_t run;
  enum cluster_kind kind;
  struct member member;
};
typedef enum status membership_visitor(void *context, const struct membership_change *change, struct error *error);
/* By run, kind, those taken out first, row. The visitor asks the store nothing. */
enum status store_visit_memberships(struct store *store, membership_visitor *visit, void *context,
                                    struct error *error) MUST_CHECK;

/* ---- reading staged rows ---- */

struct row {
  int64_t row_id;
  int source_id;
  struct slice key, case_key, person_key, institution, region;
  const struct cell *cells; /* entity->column_count; identifiers CELL_NULL unless asked for */
  int64_t from_run, to_run;
};
typedef enum status row_visitor(void *context, const struct row *row, struct error *error);
struct row_filter {
  bool identity;     /* decode identifiers too; the caller has logged the purpose */
  int64_t record_id; /* 0: all */
  bool history;      /* closed rows too */
  int64_t as_of_run; /* rows as they stood after that run; 0: now */
  int64_t after_run; /* rows that were opened or closed by later runs, whichever to_run tells; 0: whenever */
  /* Only rows of these ids, or of these records, whichever is not NULL: costs those rows alone. Each id once. */
  const int64_t *rows, *records;
  size_t count; /* of rows, or of records */
};
enum status store_visit_rows(struct store *store, const struct entity *entity, const struct row_filter *filter,
                             row_visitor *visit, void *context, struct error *error) MUST_CHECK;

/* Until which run all rows had come and were settled (passes.h of core/resolve) when a linking was made; rows that runs
 * after it opened or closed may be new since then. */
enum status store_settled_until(struct store *store, int64_t link_run, int64_t *until, struct error *error) MUST_CHECK;
/* Makes the indexes that store_visit_changes needs, where they are not there yet: the first landing of a large source
 * is spared their keeping. */
enum status store_index_changes(struct store *store, const struct entity *entity, struct error *error) MUST_CHECK;
/* Rows that later runs opened or closed, whichever to_run tells, without identifiers: costs those rows alone. */
enum status store_visit_changes(struct store *store, const struct entity *entity, int64_t after_run, row_visitor *visit,
                                void *context, struct error *error) MUST_CHECK;

/* Codes of names that may not be shared, of those among `rows` that have one: for linking alone. */
typedef enum status encoding_visitor(void *context, int64_t row_id, struct slice text, struct error *error);
enum status store_visit_encodings(struct store *store, const int64_t *rows, size_t count, encoding_visitor *visit,
                                  void *context, struct error *error) MUST_CHECK;
/* Whether there is any, of former versions too. */
enum status store_has_encodings(struct store *store, bool *any, struct error *error) MUST_CHECK;
/* The key of digest.h's encoding_key. */
enum status store_encoding_key(const struct store *store, uint8_t key[KEY_SIZE], struct error *error) MUST_CHECK;

/* ---- consolidated persons and cases ---- */

typedef enum status member_visitor(void *context, const struct member *member, struct error *error);
enum status store_visit_members(struct store *store, enum cluster_kind kind, member_visitor *visit, void *context,
                                struct error *error) MUST_CHECK;
/* The present members among `rows`, each once where each row is; costs those rows alone. */
enum status store_visit_members_of(struct store *store, enum cluster_kind kind, const int64_t *rows, size_t count,
                                   member_visitor *visit, void *context, struct error *error) MUST_CHECK;
/* `count` new ids, never used before: first, first + 1, … */
enum status store_new_ids(struct store *store, enum cluster_kind kind, int64_t count, int64_t *first,
                          struct error *error) MUST_CHECK;
/* Closes the membership of `closed` rows and opens the `opened` ones. */
enum status store_write_members(struct store *store, enum cluster_kind kind, int64_t run, const int64_t *closed,
                                size_t closed_count, const struct member *opened, size_t opened_count,
                                struct error *error) MUST_CHECK;

struct origin {
  int column;       /* of the entity */
  int64_t row_id;   /* staged row that the value came from */
  const char *rule; /* survivorship rule */
};
struct consolidated {
  int64_t id;
  int64_t records;          /* members */
  const struct cell *cells; /* entity->column_count */
  const struct origin *origins;
  size_t origin_count;
};
/* Writes the persons or cases whose values changed as a new interval; unchanged ones are left alone. */
enum status store_write_consolidated(struct store *store, enum cluster_kind kind, int64_t run,
                                     const struct consolidated *items, size_t count, struct error *error) MUST_CHECK;
/* Closes ids that lost all members; into 0: dissolved, else redirected. */
struct redirect {
  int64_t id, into;
};
enum status store_write_redirects(struct store *store, enum cluster_kind kind, int64_t run,
                                  const struct redirect *redirects, size_t count, struct error *error) MUST_CHECK;
/* ---- linkage: pairs, decisions, keys, models. Pairs, keys and models are of one kind; a row is of one kind only ----
 */

/* A pair that linking looked at: joined, waiting for a person, or kept apart. Values of `outcome` are those of
 * enum link_outcome in core/link/link.h, `reason` is the text of link_reason_name. */
enum { PAIR_JOINED, PAIR_WAITING, PAIR_APART };
struct link_pair_row {
  int64_t row_a, row_b; /* row_a < row_b */
  double weight;        /* finite */
  const char *rule;     /* blocking rule that proposed it; NULL: none did */
  const char *verdict;  /* rule above weights that decided; NULL: none */
  int outcome;
  const char *reason;
  int64_t since; /* given back: the run since which it waits without a break; 0 where it does not wait */
};
/* Fills the next pair, its texts valid until the next call; false: there is none. It may not use the store. */
typedef bool pair_giver(void *context, struct link_pair_row *pair);
/* Drops all pairs with one of `rows` on either side (NULL: all pairs of the kind), then writes those given, of which
 * each has one of them. A pair that waited before and waits now keeps its `since`. */
enum status store_replace_pairs(struct store *store, enum cluster_kind kind, int64_t run, const int64_t *rows,
                                size_t row_count, pair_giver *give, void *context, struct error *error) MUST_CHECK;
typedef enum status pair_visitor(void *context, const struct link_pair_row *pair, struct error *error);
/* Pairs with one of `rows` on either side, each once, in no order; rows NULL: all of the kind, by (row_a, row_b). */
enum status store_visit_pairs(struct store *store, enum cluster_kind kind, const int64_t *rows, size_t row_count,
                              pair_visitor *visit, void *context, struct error *error) MUST_CHECK;

/* What a person decided about two records. The two are named by record and staged key, so that a decision outlives the
 * versions of their rows. Decisions are never deleted: a newer one that stands revokes the older ones of its pair. */
enum decision_state { DECISION_PROPOSED, DECISION_STANDING, DECISION_REVOKED };
/* Positions are the text in the store's views: "proposed", "standing", "revoked". */
struct review_decision {
  int64_t id;
  int64_t record_a, record_b; /* record_a <= record_b */
  struct slice key_a, key_b;
  bool same;
  enum decision_state state;
  const char *actor, *reason, *approved_by; /* approved_by NULL: by none */
  int64_t at, run, approved_at, revoked_at; /* microseconds; 0: not */
};
typedef enum status decision_visitor(void *context, const struct review_decision *decision, struct error *error);
/* Those that stand, by id: what linking has to follow. */
enum status store_visit_decisions(struct store *store, enum cluster_kind kind, decision_visitor *visit, void *context,
                                  struct error *error) MUST_CHECK;
/* All that were ever taken, by id. */
enum status store_visit_all_decisions(struct store *store, enum cluster_kind kind, decision_visitor *visit,
                                      void *context, struct error *error) MUST_CHECK;
/* Those that were taken, approved or revoked since a run began, or in the minute before. */
enum status store_visit_decisions_since(struct store *store, enum cluster_kind kind, int64_t run,
                                        decision_visitor *visit, void *context, struct error *error) MUST_CHECK;
/* All that were ever taken about two staged rows or former versions of them, by id. */
enum status store_pair_decisions(struct store *store, enum cluster_kind kind, int64_t row_a, int64_t row_b,
                                 decision_visitor *visit, void *context, struct error *error) MUST_CHECK;
/* Of two who decide at the same time the second waits here, until its transaction sees what the first one did. */
enum status store_await_decisions(struct store *store, struct error *error) MUST_CHECK;
struct decide {
  int64_t row_a, row_b;
  bool same;
  int approvals; /* persons who have to agree before it stands: 1 or 2 */
  int64_t run;
  const char *actor, *reason;
};
/* Writes a decision, or this actor's approval of one that another proposed: what differs from it stands until it has
 * its approvals. `decision` (texts NULL) tells id and state. ERR_USAGE where it is decided so already, or where the
 * second actor is the first one; ERR_NOT_FOUND where a row is unknown. */
enum status store_decide(struct store *store, enum cluster_kind kind, const struct decide *decide,
                         struct review_decision *decision, struct error *error) MUST_CHECK;

/* Waiting pairs about which no decision stands, highest weight first, at most `most` (0: all); keys are the staged
 * ones. `proposed`: a decision waits for its approval. */
struct waiting_pair {
  struct link_pair_row pair;
  struct slice key_a, key_b;
  int64_t since; /* microseconds */
  bool proposed;
};
typedef enum status waiting_visitor(void *context, const struct waiting_pair *pair, struct error *error);
enum status store_visit_waiting(struct store *store, enum cluster_kind kind, int64_t most, waiting_visitor *visit,
                                void *context, struct error *error) MUST_CHECK;
/* How many there are, and how many waiting pairs have a decision that the next linking follows. */
enum status store_count_waiting(struct store *store, enum cluster_kind kind, int64_t *waiting, int64_t *decided,
                                struct error *error) MUST_CHECK;

/* Blocking keys of rows, as link_keys gives them, so that new rows find old ones. */
struct link_key {
  uint64_t key;
  int64_t row_id;
};
/* Drops the keys of `rows` (NULL: of all of the kind), then writes those given, which it sorts. A row that is no more
 * is among `rows` and has no key. */
enum status store_replace_keys(struct store *store, enum cluster_kind kind, const int64_t *rows, size_t row_count,
                               struct link_key *keys, size_t key_count, struct error *error) MUST_CHECK;
/* Drops some keys whatever their rows. */
enum status store_drop_keys(struct store *store, enum cluster_kind kind, const uint64_t *keys, size_t key_count,
                            struct error *error) MUST_CHECK;
typedef enum status key_visitor(void *context, const struct link_key *key, struct error *error);
/* The rows that have one of `keys`, once for each key that they have; the keys in no order, each once. */
enum status store_visit_keys(struct store *store, enum cluster_kind kind, const uint64_t *keys, size_t key_count,
                             key_visitor *visit, void *context, struct error *error) MUST_CHECK;

/* 16 bytes that key the hashes of such an index, of this workspace alone. */
enum status store_secret(struct store *store, const char *purpose, uint8_t secret[KEYED_SIZE],
                         struct error *error) MUST_CHECK;

/* Rows that linking cannot join to anything: sealed, or without a blocking key. Drops those among `rows` (NULL: all of
 * the kind), then writes the `unlinkable` ones, each once. */
enum status store_replace_unlinkable(struct store *store, enum cluster_kind kind, const int64_t *rows, size_t row_count,
                                     const int64_t *unlinkable, size_t count, struct error *error) MUST_CHECK;
typedef enum status row_id_visitor(void *context, int64_t row_id, struct error *error);
/* Ascending. A row that has left since the last linking may still be among them. */
enum status store_visit_unlinkable(struct store *store, enum cluster_kind kind, row_id_visitor *visit, void *context,
                                   struct error *error) MUST_CHECK;

/* The model that linking uses. Former ones are kept. Text as link_model_write makes it. */
struct link_model_kept {
  int64_t id, run, trained_at; /* trained_at: microseconds */
  struct sha256 digest;        /* of the text */
};
/* The text becomes the active model; one that is active already is left alone. */
enum status store_write_model(struct store *store, enum cluster_kind kind, int64_t run, struct slice text,
                              struct error *error) MUST_CHECK;
/* The active one, its text appended; ERR_NOT_FOUND where there is none yet. `kept` may be NULL. */
enum status store_model(struct store *store, enum cluster_kind kind, struct buffer *text, struct link_model_kept *kept,
                        struct error *error) MUST_CHECK;

/* ---- audit log (see core/audit) ---- */

struct audit_row {
  int64_t sequence;
  int64_t at, run;
  const char *event, *source, *actor, *purpose, *body; /* body: canonical JSON */
  struct sha256 outcomes;                              /* Merkle root; zero where the event has none */
  struct sha256 previous, hash;
};
/* Locks the head row until the end of the transaction. A new store's head is sequence 0, hash zero. */
enum status store_audit_head(struct store *store, int64_t *sequence, struct sha256 *hash,
                             struct error *error) MUST_CHECK;
/* The head without its lock, outside a transaction too: for verification. */
enum status store_audit_peek(struct store *store, int64_t *sequence, struct sha256 *hash,
                             struct error *error) MUST_CHECK;
enum status store_audit_append(struct store *store, const struct audit_row *row, struct error *error) MUST_CHECK;
typedef enum status audit_visitor(void *context, const struct audit_row *row, struct error *error);
enum status store_visit_audit(struct store *store, int64_t from_sequence, audit_visitor *visit, void *context,
                              struct error *error) MUST_CHECK;
/* Those of event "approval", which are sought at every start: they have an index. */
enum status store_visit_approval_entries(struct store *store, audit_visitor *visit, void *context,
                                         struct error *error) MUST_CHECK;

/* ---- reading for people: documented views, and one read-only statement ---- */

/* A result is read row by row; text is valid until the next row. */
struct result;
size_t result_columns(const struct result *result);
const char *result_name(const struct result *result, size_t column);
enum status result_next(struct result *result, struct error *error) MUST_CHECK; /* OK or END */
bool result_null(const struct result *result, size_t column);
struct slice result_text(const struct result *result, size_t column);
int64_t result_integer(const struct result *result, size_t column);
bool result_is_integer(const struct result *result,
                       size_t column);                            /* of the row at hand: a number, no text of digits */
bool result_is_bytes(const struct result *result, size_t column); /* likewise: no text, whatever bytes */
void result_free(struct result *result);

/* Rows of a documented view (store/views.c lists them: persons, cases, involvements, …, sources, runs, quarantine,
 * issues, plans, audit) with named columns (NULL: all), equality filters and order. Names are checked, values bound. */
struct filter {
  const char *column;
  const char *text; /* NULL: the column is null */
};
struct selection {
  const char *view;
  const char *const *columns;
  size_t column_count;
  const struct filter *filters;
  size_t filter_count;
  const char *order; /* a column, "-column" for descending; NULL: the view's own order */
  int64_t most;      /* 0: all */
  int64_t as_of_run; /* as it stood after that run: for persons, cases, their members and origins, and rows; 0: now */
};
enum status store_select(struct store *store, const struct selection *selection, struct result **result,
                         struct error *error) MUST_CHECK;
/* One statement of the user's, read-only, over the documented views and nothing else, bounded in time. */
enum status store_query(struct store *store, const char *sql, int64_t timeout, struct result **result,
                        struct error *error) MUST_CHECK;

struct view_column {
  const char *name, *description;
};
struct view {
  const char *name, *description;
  const struct view_column *columns;
  size_t column_count;
};
const struct view *store_views(const struct store *store, size_t *count);

/* Current records by enum record_state, of one source; source 0: of all, with the persons and cases that they make. */
struct record_tally {
  int64_t records[4];
  int64_t persons, cases;
  int plans; /* of one source: different plans that made its mapped records, of those that a remap can reach */
};
/* Whether there is a current record of the source. */
enum status store_holds_records(struct store *store, int source_id, bool *any, struct error *error) MUST_CHECK;
enum status store_tally(struct store *store, int source_id, struct record_tally *tally, struct error *error) MUST_CHECK;

/* Quarantine as a workplace: closes the issues of a record with a reason. */
enum status store_dismiss(struct store *store, int64_t raw_id, int64_t run, const char *reason,
                          struct error *error) MUST_CHECK;

#endif

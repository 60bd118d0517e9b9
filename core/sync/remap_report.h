/* What a mapping that changed changes: rows and fields of each entity, quarantine by reason, plans. Filled by
 * sync_remap while it maps, before anything is written, so that a dry run tells the same as the run that follows it.
 *
 * Memory is bounded whatever the number of records: counts, and the most frequent changes of each field. A value is
 * shown where its field is open or coded by a code list, and is a shape elsewhere. The report owns what it points to;
 * entities and columns are the model's. */
#ifndef PUENTE_SYNC_REMAP_REPORT_H
#define PUENTE_SYNC_REMAP_REPORT_H

#include "core/store/store.h"

enum { REMAP_SHOWN = 64, REMAP_KEPT = 64, REMAP_TOP = 5, REMAP_REASONS = 64, REMAP_PLANS = 8, REMAP_DIGEST = 13 };

struct remap_value {
  bool empty;
  char text[REMAP_SHOWN]; /* of an empty one the reason, "not_recorded", or "" */
};
struct remap_transition {
  struct remap_value from, to;
  int64_t rows; /* at least so many; exact unless the field is `crowded` */
  int64_t over; /* what a place taken over from another transition was counted at */
};
/* Of rows that stand before and after: one value for another, a value for none, none for a value. */
struct remap_field {
  const struct column *column;
  bool masked;  /* values are shapes */
  bool crowded; /* more than REMAP_KEPT transitions: rare ones were forgotten */
  int64_t changed, appeared, vanished;
  struct remap_transition *transitions; /* most frequent first once the report has ended */
  size_t transition_count;
};
struct remap_entity {
  const struct entity *entity;
  int64_t changed, appeared, vanished, same; /* rows */
  struct remap_field *fields;                /* entity->column_count of them */
};
struct remap_reason {
  char code[REMAP_SHOWN];
  int64_t before, after;           /* records */
  int64_t last_before, last_after; /* that was counted: a record counts once */
};
struct remap_plan {
  int64_t plan_id;
  char digest[REMAP_DIGEST]; /* first digits; "" unknown */
  int64_t records;           /* that it had mapped, of those mapped anew */
};
struct remap_report {
  struct remap_entity *entities; /* by entity->index */
  size_t entity_count;
  struct remap_reason reasons[REMAP_REASONS]; /* the last one takes what finds no place */
  size_t reason_count;
  int64_t quarantined_before, quarantined_after; /* records; with several reasons counted once */
  struct remap_plan former[REMAP_PLANS];         /* the last one takes all further ones */
  size_t former_count;
  char plan[REMAP_DIGEST];
  int64_t rekeyed;       /* records that have another key now */
  struct arena *scratch; /* of one parcel */
  int64_t counted;       /* records that came with issues, ever */
};

enum status remap_report_init(struct remap_report *report, const struct model *model, struct error *error) MUST_CHECK;
void remap_report_free(struct remap_report *report);

/* ---- for sync_remap ---- */

/* What is in quarantine now; `record_id` 0: of the whole source. */
enum status remap_report_begin(struct remap_report *report, struct store *store, const char *source, int64_t record_id,
                               const struct plan *plan, struct error *error) MUST_CHECK;
void remap_report_former(struct remap_report *report, int64_t plan_id);
/* What a batch makes of records, compared with what is staged of them: rows[e].heads[i].record is a position in
 * `records`. `rekeyed`: they are records that had another key, so that their rows are met in order where keys differ.
 */
enum status remap_report_compare(struct remap_report *report, struct store *store, const struct batch *batch,
                                 const int64_t *records, size_t count, bool rekeyed, struct error *error) MUST_CHECK;
/* Orders transitions and names the former plans. */
enum status remap_report_end(struct remap_report *report, struct store *store, const char *source,
                             struct error *error) MUST_CHECK;
/* The number of the plan, if the store knows it; 0. */
enum status remap_plan_known(struct store *store, const char *source, const struct plan *plan, int64_t *plan_id,
                             struct error *error) MUST_CHECK;

#endif

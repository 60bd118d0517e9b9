#include "core/sync/consent.h"

#include <stdlib.h>

/* Strictest last: of several involvements of a person the strictest counts. */
enum ruling { RULING_KEPT, RULING_COUNTED, RULING_MISSING, RULING_WITHDRAWN };

static int column_of(const struct entity *entity, const char *name) {
  const struct field *field = entity == NULL ? NULL : entity_field(entity, slice_of(name));
  return field == NULL ? -1 : field->column;
}

enum status consent_init(struct consent *consent, const struct terms_config *terms, const struct model *model,
                         const struct key *key, struct error *error) {
  *consent = (struct consent){.required = terms->consent_required,
                              .key = key,
                              .person = model_entity(model, "person"),
                              .involvement = model_entity(model, "involvement"),
                              .rulings = map_new()};
  consent->scope = column_of(consent->involvement, "consent");
  consent->given = column_of(consent->involvement, "consent_on");
  consent->withdrawn = column_of(consent->involvement, "consent_withdrawn_on");
  return consent->rulings == NULL ? error_memory(error) : OK;
}

void consent_free(struct consent *consent) {
  map_free(consent->rulings);
  consent->rulings = NULL;
}

/* ---- what a record tells ---- */

static struct slice text_at(const struct cell *cells, int column) {
  bool told = column >= 0 && cells[column].kind == CELL_TEXT;
  return told ? slice_make(cells[column].text, cells[column].len) : slice_make(NULL, 0);
}

/* Dates are ISO 8601: their order is that of their texts. */
static enum ruling ruling_of(const struct consent *consent, const struct cell *cells) {
  struct slice given = text_at(cells, consent->given), withdrawn = text_at(cells, consent->withdrawn);
  struct slice scope = text_at(cells, consent->scope);
  if (slice_is(scope, "withdrawn") || (withdrawn.len > 0 && slice_compare(given, withdrawn) <= 0)) {
    return RULING_WITHDRAWN;
  }
  if (slice_is(scope, "share") || slice_is(scope, "link") || slice_is(scope, "law")) {
    return RULING_KEPT;
  }
  if (slice_is(scope, "count")) {
    return RULING_COUNTED;
  }
  int missing = consent->scope < 0 ? MISSING_UNSTATED : cells[consent->scope].missing;
  bool silent = scope.len == 0 && missing != MISSING_INVALID && missing != MISSING_REFUSED;
  return consent->required ? RULING_MISSING : silent ? RULING_KEPT : RULING_COUNTED;
}

/* Where the rows of the record begin, which are the last ones. */
static size_t first_row(const struct rows *rows, uint32_t record) {
  size_t first = rows->count;
  while (first > 0 && rows->heads[first - 1].record == record) {
    first--;
  }
  return first;
}

static enum status read_scopes(struct consent *consent, const struct rows *rows, uint32_t record) {
  for (size_t i = first_row(rows, record); i < rows->count; i++) {
    enum ruling ruling = ruling_of(consent, rows_cells(rows, i));
    uint32_t former = map_get(consent->rulings, rows->heads[i].person_key);
    if ((former == MAP_NONE || former < ruling) && map_put(consent->rulings, rows->heads[i].person_key, ruling) != OK) {
      return ERR_MEMORY;
    }
  }
  return OK;
}

static enum ruling ruling_on(const struct consent *consent, struct slice person) {
  uint32_t ruling = map_get(consent->rulings, person);
  return ruling != MAP_NONE ? (enum ruling)ruling : consent->required ? RULING_MISSING : RULING_KEPT;
}

static void look(struct consent *consent, const struct batch *batch, uint32_t record, bool whole) {
  memset(&consent->seen, 0, sizeof consent->seen);
  consent->seen.whole = whole;
  map_clear(consent->rulings);
  if (consent->person == NULL || consent->involvement == NULL) {
    return;
  }
  const struct rows *persons = &batch->rows[consent->person->index];
  consent->seen.failed = read_scopes(consent, &batch->rows[consent->involvement->index], record);
  for (size_t i = first_row(persons, record); i < persons->count; i++) {
    enum ruling ruling = ruling_on(consent, persons->heads[i].key);
    consent->seen.persons++;
    consent->seen.gone += ruling >= RULING_MISSING;
    consent->seen.counted += ruling == RULING_COUNTED;
    consent->seen.withdrawn = consent->seen.withdrawn || ruling == RULING_WITHDRAWN;
  }
}

static enum status note(const struct consent *consent, struct parcel *parcel, uint32_t record, struct slice person) {
  enum ruling ruling = ruling_on(consent, person);
  if (ruling == RULING_KEPT) {
    return OK;
  }
  if (parcel->revoked_count == parcel->revoked_capacity) {
    size_t capacity = parcel->revoked_capacity == 0 ? 64 : parcel->revoked_capacity * 2;
    struct revoked *grown = realloc(parcel->revoked, capacity * sizeof *grown);
    if (grown == NULL) {
      return ERR_MEMORY;
    }
    parcel->revoked = grown;
    parcel->revoked_capacity = capacity;
  }
  struct slice key = arena_copy(parcel->mapped.arena, person);
  parcel->revoked[parcel->revoked_count++] =
      (struct revoked){.record = record,
                       .person = key,
                       .cause = ruling == RULING_MISSING ? ERASE_NO_CONSENT : ERASE_WITHDRAWN,
                       .counted = ruling == RULING_COUNTED};
  return key.data == NULL ? ERR_MEMORY : OK;
}

/* ---- quarantine ---- */

static void losing(void *context, const struct batch *batch, uint32_t record, bool whole) {
  struct consent *consent = context;
  look(consent, batch, record, whole);
  if (consent->person == NULL || consent->seen.gone == consent->seen.persons) {
    return;
  }
  const struct rows *persons = &batch->rows[consent->person->index];
  for (size_t i = first_row(persons, record); i < persons->count && consent->seen.failed == OK; i++) {
    consent->seen.failed = note(consent, consent->parcel, record, persons->heads[i].key);
  }
}

void consent_listen(struct consent *consent, struct parcel *parcel) {
  memset(&consent->seen, 0, sizeof consent->seen);
  consent->parcel = parcel;
  parcel->mapped.losing = losing;
  parcel->mapped.losing_context = consent;
}

/* Some of it may be of persons who do not consent. */
void consent_unread(const struct consent *consent, struct item *item) {
  item->bare = item->bare || consent->required;
}

/* ---- what is kept ---- */

/* The record counts, and nothing else of it stays. */
static enum status withhold(const struct consent *consent, struct parcel *parcel, uint32_t position, struct item *item,
                            struct error *error) {
  struct batch *batch = &parcel->mapped;
  char hex[2 * KEYED_SIZE + 1];
  for (size_t e = 0; e < MODEL_ENTITIES_MOST; e++) {
    batch->rows[e].count = first_row(&batch->rows[e], position);
  }
  while (batch->issue_count > 0 && batch->issues[batch->issue_count - 1].record == position) {
    batch->issue_count--;
  }
  hex_format(item->key_digest.bytes, KEYED_SIZE, hex);
  const char *hidden = arena_printf(batch->arena, "~%s", hex);
  item->cause = consent->seen.withdrawn ? ERASE_WITHDRAWN : ERASE_NO_CONSENT;
  item->unconsented = item->bare = true;
  item->state = RECORD_WITHHELD;
  item->hidden = slice_of(hidden == NULL ? "" : hidden);
  const char *reason = erase_cause_names[item->cause];
  return hidden == NULL ? error_memory(error) : parcel_issue(parcel, position, reason, _(plan_hint(reason)), error);
}

static void strip(const struct rows *rows, size_t row) {
  for (size_t c = 0; c < rows->entity->column_count; c++) {
    const struct field *field = rows->entity->columns[c].field;
    if (field->sensitivity == SENSITIVITY_IDENTIFIER || field->local) {
      rows_cells(rows, row)[c] = (struct cell){.kind = CELL_NULL, .missing = MISSING_PROTECTED};
    }
  }
}

static bool hide(const struct consent *consent, struct arena *arena, struct slice *key) {
  char hidden[HIDDEN_KEY_SIZE];
  erase_hide_key(consent->key, *key, hidden);
  *key = arena_copy(arena, slice_of(hidden));
  return key->data != NULL;
}

/* Deliberately nameless from here on, which also keeps linking from joining her with anybody. */
static enum status count_only(const struct consent *consent, struct parcel *parcel, const struct revoked *revoked,
                              struct error *error) {
  struct arena *arena = parcel->mapped.arena;
  bool kept = true;
  for (size_t e = 0; e < MODEL_ENTITIES_MOST; e++) {
    struct rows *rows = &parcel->mapped.rows[e];
    for (size_t i = first_row(rows, revoked->record); i < rows->count && kept; i++) {
      struct row_head *head = &rows->heads[i];
      bool person = rows->entity == consent->person;
      if (!slice_equal(person ? head->key : head->person_key, revoked->person)) {
        continue;
      }
      strip(rows, i);
      kept = hide(consent, arena, &head->key) && (person || hide(consent, arena, &head->person_key));
    }
  }
  return kept ? OK : error_memory(error);
}

static enum status spare(struct consent *consent, struct parcel *parcel, uint32_t position, struct item *item,
                         struct error *error) {
  const struct rows *persons = &parcel->mapped.rows[consent->person->index];
  size_t former = parcel->revoked_count;
  enum status status = OK;
  item->bare = true;
  for (size_t i = first_row(persons, position); i < persons->count && status == OK; i++) {
    status = note(consent, parcel, position, persons->heads[i].key) == OK ? OK : error_memory(error);
  }
  for (size_t i = former; i < parcel->revoked_count && status == OK; i++) {
    const struct revoked *revoked = &parcel->revoked[i];
    if (revoked->counted) {
      status = count_only(consent, parcel, revoked, error);
    } else {
      parcel_drop_person(parcel, position, revoked->person);
    }
  }
  return status;
}

enum status consent_settle(struct consent *consent, struct parcel *parcel, uint32_t position, struct item *item,
                           enum outcome outcome, struct error *error) {
  if (outcome == OUTCOME_WITHHELD) {
    consent_unread(consent, item);
    return OK;
  }
  bool mapped = outcome == OUTCOME_MAPPED;
  if (mapped) {
    look(consent, &parcel->mapped, position, true);
  }
  if (consent->seen.failed != OK) {
    return error_memory(error);
  }
  bool nobody = consent->seen.persons == 0;
  if (nobody ? consent->required && mapped : consent->seen.gone == consent->seen.persons) {
    return withhold(consent, parcel, position, item, error);
  }
  bool some = consent->seen.gone + consent->seen.counted > 0;
  if (mapped) {
    return some ? spare(consent, parcel, position, item, error) : OK;
  }
  item->bare = item->bare || some || (consent->required && (nobody || !consent->seen.whole));
  return OK;
}

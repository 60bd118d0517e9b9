#include "core/base/date.h"
#include "core/store/internal.h"
#include "core/store/watch.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const STATES[] = {
    [SOURCE_ACTIVE] = "active", [SOURCE_PAUSED] = "paused", [SOURCE_RETIRED] = "retired"};
static const char *const DELETES[] = {
    [DELETES_NONE] = "none", [DELETES_TOMBSTONE] = "tombstone", [DELETES_SWEEP] = "sweep"};

enum { SOURCES_MOST = 2047, NAME_SIZE = 160 };

/* Whether a source stands in the store as it is declared; its number, 0 where it is not there. */
static enum status stands(struct store *store, const struct source_config *source, int64_t *number, bool *same,
                          struct error *error) {
  struct cursor *cursor;
  *number = 0;
  *same = false;
  enum status status =
      db_query(store, error, &cursor,
               "SELECT source_id, CASE WHEN title IS NOT DISTINCT FROM $2 AND institution IS NOT DISTINCT FROM $3 "
               "AND contact IS NOT DISTINCT FROM $4 AND unit IS NOT DISTINCT FROM $5 AND state IS NOT DISTINCT FROM $6 "
               "AND connector IS NOT DISTINCT FROM $7 AND deletes IS NOT DISTINCT FROM $8 "
               "AND linked IS NOT DISTINCT FROM $9 AND precedence IS NOT DISTINCT FROM $10 "
               "THEN 1 ELSE 0 END FROM source WHERE code = $1",
               VALUES(text_value(source->code), text_value(source->title), text_value(source->institution),
                      text_value(source->contact), text_value(source->unit), text_value(STATES[source->state]),
                      text_value(source->connector == NULL ? NULL : source->connector->name),
                      text_value(DELETES[source->deletes]), int_value(source->linked), int_value(source->precedence)));
  if (status != OK) {
    return status;
  }
  status = store->ops->next(cursor, error);
  if (status == OK) {
    *number = int_of_value(store->ops->value(cursor, 0));
    *same = int_of_value(store->ops->value(cursor, 1)) != 0;
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}

/* From then on it can be late. */
static enum status note_known(struct store *store, const char *code, struct error *error) {
  const struct duty known = {.began = clock_now(), .ended = clock_now(), .outcome = OK};
  char name[NAME_SIZE];
  snprintf(name, sizeof name, "source:%s", code);
  return store_duty_save(store, name, &known, error);
}

static enum status add_source(struct store *store, const struct source_config *source, int64_t *number,
                              struct error *error) {
  enum status status = db_count(store, "sources", 1, number, error);
  if (status == OK && *number > SOURCES_MOST) {
    return error_set(error, ERR_LIMIT, _("a store holds at most %d sources"), SOURCES_MOST);
  }
  if (status != OK) {
    return status;
  }
  status = db_execute(store, error,
                      "INSERT INTO source (source_id, code, lease_token, first_run, complete_run) "
                      "VALUES ($1, $2, 0, 0, 0)",
                      VALUES(int_value(*number), text_value(source->code)));
  return status == OK ? note_known(store, source->code, error) : status;
}

/* A row that is right already is left alone: writing it would wait for a linking or a page under way. */
static enum status write_source(struct store *store, const struct source_config *source, int *id, struct error *error) {
  int64_t number = 0;
  bool same = false;
  enum status status = stands(store, source, &number, &same, error);
  if (status == OK && number == 0) {
    status = add_source(store, source, &number, error);
  }
  *id = (int)number;
  if (status != OK || same) {
    return status;
  }
  return db_execute(store, error,
                    "UPDATE source SET title = $2, institution = $3, contact = $4, unit = $5, state = $6, "
                    "connector = $7, deletes = $8, linked = $9, precedence = $10 WHERE source_id = $1",
                    VALUES(int_value(number), text_value(source->title), text_value(source->institution),
                           text_value(source->contact), text_value(source->unit), text_value(STATES[source->state]),
                           text_value(source->connector == NULL ? NULL : source->connector->name),
                           text_value(DELETES[source->deletes]), int_value(source->linked),
                           int_value(source->precedence)));
}

enum status store_sources(struct store *store, const struct source_config *sources, size_t count, int *ids,
                          struct error *error) {
  enum status status = db_writing(store, error);
  for (size_t i = 0; i < count && status == OK; i++) {
    status = write_source(store, &sources[i], &ids[i], error);
  }
  return status;
}

enum status store_sources_stand(struct store *store, const struct source_config *sources, size_t count, int *ids,
                                bool *same, struct error *error) {
  enum status status = OK;
  *same = true;
  for (size_t i = 0; i < count && status == OK; i++) {
    int64_t number = 0;
    bool stood = false;
    status = stands(store, &sources[i], &number, &stood, error);
    ids[i] = (int)number;
    *same = *same && stood;
  }
  return status;
}

enum status store_source_known(struct store *store, const char *code, int64_t *since, struct error *error) {
  struct duty known;
  char name[NAME_SIZE];
  snprintf(name, sizeof name, "source:%s", code);
  enum status status = store_duty(store, name, &known, error);
  *since = status == OK ? known.began : 0;
  return status;
}

/* ---- leases ---- */

static enum status busy(struct store *store, int source_id, bool late, struct error *error) {
  struct cursor *cursor;
  enum status status = db_query(store, error, &cursor, "SELECT code, lease_holder FROM source WHERE source_id = $1",
                                VALUES(int_value(source_id)));
  if (status != OK) {
    return status;
  }
  status = store->ops->next(cursor, error);
  if (status == OK) {
    struct slice code = slice_of_value(store->ops->value(cursor, 0));
    struct slice holder = slice_of_value(store->ops->value(cursor, 1));
    if (holder.len == 0) {
      holder = slice_of(_("another process"));
    }
    status = error_set(error, ERR_BUSY,
                       late ? _("the source was taken over by %.*s") : _("the source is being worked on by %.*s"),
                       SLICE_ARG(holder));
    error_place(error, _("source %.*s"), SLICE_ARG(code));
    error_hint(error, "%s",
               late ? _("this process stood still or was cut off; what it had not stored yet is left to the other one")
                    : _("wait for it to end"));
  } else if (status == END) {
    status = error_set(error, ERR_NOT_FOUND, _("the store knows no source %d"), source_id);
  }
  store->ops->finish(cursor);
  return status;
}

enum status store_leased(struct store *store, int source_id, struct error *error) {
  return busy(store, source_id, false, error);
}

static enum status take_lease(struct store *store, int source_id, const char *holder, struct lease *lease,
                              struct error *error) {
  bool found = false;
  *lease = (struct lease){.source_id = source_id};
  enum status status = db_integer(store, error, &lease->token, &found,
                                  "UPDATE source SET lease_token = lease_token + 1, lease_holder = $2 "
                                  "WHERE source_id = $1 RETURNING lease_token",
                                  VALUES(int_value(source_id), text_value(holder)));
  return status == OK && !found ? busy(store, source_id, false, error) : status;
}

enum status store_lease(struct store *store, int source_id, const char *holder, struct lease *lease,
                        struct error *error) {
  bool own;
  enum status status = db_begin_own(store, &own, error);
  if (status != OK) {
    return status;
  }
  return db_finish_own(store, own, take_lease(store, source_id, holder, lease, error), error);
}

enum status store_release(struct store *store, const struct lease *lease, struct error *error) {
  bool own;
  enum status status = db_begin_own(store, &own, error);
  if (status != OK) {
    return status;
  }
  status = db_execute(store, error,
                      "UPDATE source SET lease_holder = NULL "
                      "WHERE source_id = $1 AND lease_token = $2",
                      VALUES(int_value(lease->source_id), int_value(lease->token)));
  return db_finish_own(store, own, status, error);
}

/* ---- passes ---- */

void pass_free(struct pass *pass) {
  free(pass->cursor);
  free(pass->watermark);
  free(pass->mark);
  free(pass->looks);
  *pass = (struct pass){0};
}

static bool copy_text(struct value value, char **text) {
  *text = NULL;
  if (value.kind != VALUE_TEXT) {
    return true;
  }
  *text = strndup(value.text, value.len);
  return *text != NULL;
}

enum status store_pass(struct store *store, int source_id, struct pass *pass, struct error *error) {
  struct cursor *cursor;
  *pass = (struct pass){0};
  enum status status = db_query(store, error, &cursor,
                                "SELECT cursor, watermark, mark, first_run, complete_run, looks FROM source "
                                "WHERE source_id = $1",
                                VALUES(int_value(source_id)));
  if (status != OK) {
    return status;
  }
  status = store->ops->next(cursor, error);
  if (status == OK) {
    bool copied = copy_text(store->ops->value(cursor, 0), &pass->cursor)
                  && copy_text(store->ops->value(cursor, 1), &pass->watermark)
                  && copy_text(store->ops->value(cursor, 2), &pass->mark)
                  && copy_text(store->ops->value(cursor, 5), &pass->looks);
    pass->first_run = int_of_value(store->ops->value(cursor, 3));
    pass->complete_run = int_of_value(store->ops->value(cursor, 4));
    status = copied ? OK : error_memory(error);
  } else if (status == END) {
    status = error_set(error, ERR_NOT_FOUND, _("the store knows no source %d"), source_id);
  }
  store->ops->finish(cursor);
  if (status != OK) {
    pass_free(pass);
  }
  return status;
}

enum status store_pass_save(struct store *store, const struct lease *lease, const struct pass *pass,
                            struct error *error) {
  enum status status = db_writing(store, error);
  int64_t changed = 0;
  if (status != OK) {
    return status;
  }
  status = db_change(
      store, error, &changed,
      "UPDATE source SET cursor = $3, watermark = $4, mark = $5, first_run = $6, complete_run = $7, looks = $8 "
      "WHERE source_id = $1 AND lease_token = $2",
      VALUES(int_value(lease->source_id), int_value(lease->token), text_value(pass->cursor),
             text_value(pass->watermark), text_value(pass->mark), int_value(pass->first_run),
             int_value(pass->complete_run), text_value(pass->looks)));
  return status == OK && changed == 0 ? busy(store, lease->source_id, true, error) : status;
}

/* ---- what a source was given before ---- */

enum status store_remember(struct store *store, int source_id, const char *memory, int64_t run, struct error *error) {
  enum status status = db_writing(store, error);
  if (status != OK) {
    return status;
  }
  return db_execute(store, error,
                    "INSERT INTO memory (source_id, item, run) VALUES ($1, $2, $3) "
                    "ON CONFLICT (source_id, item) DO UPDATE SET run = excluded.run",
                    VALUES(int_value(source_id), slice_value(db_text(store, slice_of(memory))), int_value(run)));
}

enum status store_remembers(struct store *store, int source_id, const char *memory, bool *known, struct error *error) {
  int64_t one = 0;
  return db_integer(store, error, &one, known, "SELECT 1 FROM memory WHERE source_id = $1 AND item = $2",
                    VALUES(int_value(source_id), slice_value(db_text(store, slice_of(memory)))));
}

enum status store_remembers_last(struct store *store, int source_id, const char *memory, bool *known,
                                 struct error *error) {
  int64_t one = 0;
  return db_integer(store, error, &one, known,
                    "SELECT 1 FROM memory WHERE source_id = $1 AND item = $2 "
                    "AND run = (SELECT max(run) FROM memory WHERE source_id = $1)",
                    VALUES(int_value(source_id), slice_value(db_text(store, slice_of(memory)))));
}

#include "core/store/internal.h"

int store_format(void) {
  return STORE_VERSION;
}

enum status store_forget_seen(struct store *store, int source_id, struct error *error) {
  enum status status = db_writing(store, error);
  if (status != OK) {
    return status;
  }
  return db_execute(
      store, error, "DELETE FROM seen WHERE record_id BETWEEN $1 AND $2",
      VALUES(int_value(source_first(source_id) >> ORDINAL_BITS), int_value(source_last(source_id) >> ORDINAL_BITS)));
}

static enum status count_current(struct store *store, enum cluster_kind kind, int64_t *count, struct error *error) {
  const struct whole *whole = &store->wholes[kind];
  if (whole->shelf == NULL) {
    return OK;
  }
  const char *sql = arena_printf(store->scratch, "SELECT count(*) FROM \"%s\" WHERE to_run IS NULL", whole->table.name);
  return sql == NULL ? error_memory(error) : db_integer(store, error, count, NULL, sql, NULL, 0);
}

enum status store_holds_records(struct store *store, int source_id, bool *any, struct error *error) {
  int64_t one = 0;
  return db_integer(store, error, &one, any,
                    "SELECT 1 FROM raw_record WHERE raw_id BETWEEN $1 AND $2 AND to_run IS NULL LIMIT 1",
                    VALUES(int_value(source_first(source_id)), int_value(source_last(source_id))));
}

enum status store_tally(struct store *store, int source_id, struct record_tally *tally, struct error *error) {
  int64_t least = source_id == 0 ? 0 : source_first(source_id);
  int64_t most = source_id == 0 ? INT64_MAX : source_last(source_id);
  struct cursor *cursor;
  *tally = (struct record_tally){.persons = 0};
  enum status status = db_query(store, error, &cursor,
                                "SELECT state, CASE WHEN chunk_length > 0 THEN plan_id ELSE 0 END, count(*) "
                                "FROM raw_record WHERE raw_id BETWEEN $1 AND $2 AND to_run IS NULL GROUP BY 1, 2",
                                VALUES(int_value(least), int_value(most)));
  if (status != OK) {
    return status;
  }
  while ((status = store->ops->next(cursor, error)) == OK) {
    int64_t state = int_of_value(store->ops->value(cursor, 0));
    if (state >= RECORD_MAPPED && state <= RECORD_DISMISSED) {
      tally->records[state] += int_of_value(store->ops->value(cursor, 2));
      tally->plans += state == RECORD_MAPPED && int_of_value(store->ops->value(cursor, 1)) != 0;
    }
  }
  store->ops->finish(cursor);
  status = status == END ? OK : status;
  if (status == OK && source_id == 0) {
    status = count_current(store, CLUSTER_PERSON, &tally->persons, error);
  }
  return status == OK && source_id == 0 ? count_current(store, CLUSTER_CASE, &tally->cases, error) : status;
}

#include "core/store/watch.h"

#include "core/store/internal.h"

#include <stdio.h>

/* ---- holds ---- */

enum status store_hold(struct store *store, const char *name, struct error *error) {
  bool taken = false;
  enum status status = store->ops->hold(store->driver, name, &taken, error);
  if (status != OK || taken) {
    return status;
  }
  error_set(error, ERR_BUSY, _("another process is at it: %s"), name);
  error_hint(error, "%s", _("wait for it to end; `puente status` shows what runs"));
  return ERR_BUSY;
}

void store_unhold(struct store *store, const char *name) {
  store->ops->unhold(store->driver, name);
}

enum status store_held(struct store *store, const char *name, bool *held, struct error *error) {
  return store->ops->held(store->driver, name, held, error);
}

/* ---- duties ---- */

/* Outcomes are kept by name: their numbers are the program's. */
static enum status status_of(struct value value) {
  struct slice name = slice_of_value(value);
  for (int status = OK; status < STATUS_COUNT; status++) {
    if (slice_equal(name, slice_of(status_name((enum status)status)))) {
      return (enum status)status;
    }
  }
  return OK;
}

enum status store_duty(struct store *store, const char *name, struct duty *duty, struct error *error) {
  struct cursor *cursor;
  *duty = (struct duty){.outcome = OK};
  enum status status = db_query(store, error, &cursor, "SELECT due, began, ended, outcome FROM duty WHERE name = $1",
                                VALUES(text_value(name)));
  if (status != OK) {
    return status;
  }
  status = store->ops->next(cursor, error);
  if (status == OK) {
    duty->due = int_of_value(store->ops->value(cursor, 0));
    duty->began = int_of_value(store->ops->value(cursor, 1));
    duty->ended = int_of_value(store->ops->value(cursor, 2));
    duty->outcome = status_of(store->ops->value(cursor, 3));
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}

enum status store_duty_save(struct store *store, const char *name, const struct duty *duty, struct error *error) {
  bool own;
  enum status status = db_begin_own(store, &own, error);
  if (status != OK) {
    return status;
  }
  status = db_execute(store, error,
                      "INSERT INTO duty (name, due, began, ended, outcome) VALUES ($1, $2, $3, $4, $5) "
                      "ON CONFLICT (name) DO UPDATE SET due = excluded.due, began = excluded.began, "
                      "ended = excluded.ended, outcome = excluded.outcome",
                      VALUES(text_value(name), int_value(duty->due), int_value(duty->began), int_value(duty->ended),
                             text_value(status_name(duty->outcome))));
  return db_finish_own(store, own, status, error);
}

/* ---- health ---- */

const char *const health_names[] = {
    [HEALTH_UNKNOWN] = "unknown", [HEALTH_OK] = "ok",           [HEALTH_UNREACHABLE] = "unreachable",
    [HEALTH_REFUSED] = "refused", [HEALTH_CHANGED] = "changed", [HEALTH_EMPTY] = "empty",
    [HEALTH_FAILED] = "failed"};

static void read_health(struct store *store, const struct cursor *cursor, struct arena *arena,
                        struct source_health *health) {
  int64_t kind = int_of_value(store->ops->value(cursor, 0));
  health->health = kind >= 0 && kind <= HEALTH_FAILED ? (enum health)kind : HEALTH_UNKNOWN;
  health->since = int_of_value(store->ops->value(cursor, 1));
  health->failures = (int)int_of_value(store->ops->value(cursor, 2));
  health->tried = int_of_value(store->ops->value(cursor, 3));
  health->succeeded = int_of_value(store->ops->value(cursor, 4));
  health->error = status_of(store->ops->value(cursor, 5));
  health->message = text_of_value(arena, store->ops->value(cursor, 6));
  health->place = text_of_value(arena, store->ops->value(cursor, 7));
  health->hint = text_of_value(arena, store->ops->value(cursor, 8));
}

enum status store_health(struct store *store, int source_id, struct arena *arena, struct source_health *health,
                         struct error *error) {
  struct cursor *cursor;
  *health = (struct source_health){.health = HEALTH_UNKNOWN};
  enum status status = db_query(store, error, &cursor,
                                "SELECT health, since, failures, tried, succeeded, error, message, place, hint "
                                "FROM health WHERE source_id = $1",
                                VALUES(int_value(source_id)));
  if (status != OK) {
    return status;
  }
  status = store->ops->next(cursor, error);
  if (status == OK) {
    read_health(store, cursor, arena, health);
    status = arena_failed(arena) ? error_memory(error) : OK;
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}

static struct value said(struct store *store, const char *text) {
  return text == NULL ? null_value() : slice_value(db_text(store, slice_of(text)));
}

enum status store_health_save(struct store *store, int source_id, const struct source_health *health,
                              struct error *error) {
  enum status status = db_writing(store, error);
  if (status != OK) {
    return status;
  }
  return db_execute(store, error,
                    "INSERT INTO health (source_id, health, since, failures, tried, succeeded, error, message, place, "
                    "hint) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (source_id) DO UPDATE SET "
                    "health = excluded.health, since = excluded.since, failures = excluded.failures, "
                    "tried = excluded.tried, succeeded = excluded.succeeded, error = excluded.error, "
                    "message = excluded.message, place = excluded.place, hint = excluded.hint",
                    VALUES(int_value(source_id), int_value(health->health), int_value(health->since),
                           int_value(health->failures), int_value(health->tried), int_value(health->succeeded),
                           text_value(status_name(health->error)), said(store, health->message),
                           said(store, health->place), said(store, health->hint)));
}

/* ---- volume ---- */

enum status store_visit_past(struct store *store, int source_id, int64_t run, int64_t since, size_t most,
                             past_visitor *visit, void *context, struct error *error) {
  struct cursor *cursor;
  enum status status =
      db_query(store, error, &cursor,
               "SELECT run_id, started, pulled, mapped, quarantined FROM run WHERE source_id = $1 "
               "AND run_id < $2 AND started >= $3 AND kind = 'sync' AND state = 'done' "
               "ORDER BY run_id DESC LIMIT $4",
               VALUES(int_value(source_id), int_value(run), int_value(since), int_value((int64_t)most)));
  if (status != OK) {
    return status;
  }
  while ((status = store->ops->next(cursor, error)) == OK) {
    struct past_sync past = {.run = int_of_value(store->ops->value(cursor, 0)),
                             .started = int_of_value(store->ops->value(cursor, 1)),
                             .pulled = int_of_value(store->ops->value(cursor, 2)),
                             .mapped = int_of_value(store->ops->value(cursor, 3)),
                             .quarantined = int_of_value(store->ops->value(cursor, 4))};
    if ((status = visit(context, &past, error)) != OK) {
      break;
    }
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}

enum status store_has_memory(struct store *store, int source_id, bool *any, struct error *error) {
  int64_t one = 0;
  return db_integer(store, error, &one, any, "SELECT 1 FROM memory WHERE source_id = $1 LIMIT 1",
                    VALUES(int_value(source_id)));
}

/* ---- expiries ---- */

enum status store_visit_expiries(struct store *store, expiry_visitor *visit, void *context, struct error *error) {
  struct cursor *cursor;
  char what[64];
  enum status status = db_query(store, error, &cursor,
                                "SELECT source_id, what, ends, seen FROM expiry ORDER BY source_id, what", NULL, 0);
  if (status != OK) {
    return status;
  }
  while ((status = store->ops->next(cursor, error)) == OK) {
    struct slice named = slice_of_value(store->ops->value(cursor, 1));
    snprintf(what, sizeof what, "%.*s", SLICE_ARG(named));
    struct expiry_seen expiry = {.source_id = (int)int_of_value(store->ops->value(cursor, 0)),
                                 .what = what,
                                 .at = int_of_value(store->ops->value(cursor, 2)),
                                 .seen = int_of_value(store->ops->value(cursor, 3))};
    if ((status = visit(context, &expiry, error)) != OK) {
      break;
    }
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}

enum status store_expiry_save(struct store *store, const struct expiry_seen *expiry, struct error *error) {
  bool own;
  enum status status = db_begin_own(store, &own, error);
  if (status != OK) {
    return status;
  }
  status = db_execute(
      store, error,
      "INSERT INTO expiry (source_id, what, ends, seen) VALUES ($1, $2, $3, $4) "
      "ON CONFLICT (source_id, what) DO UPDATE SET ends = excluded.ends, seen = excluded.seen",
      VALUES(int_value(expiry->source_id), text_value(expiry->what), int_value(expiry->at), int_value(expiry->seen)));
  return db_finish_own(store, own, status, error);
}

/* ---- notices ---- */

enum { NOTICE_NAME_SIZE = 512 };

enum status store_visit_notices(struct store *store, notice_visitor *visit, void *context, struct error *error) {
  struct cursor *cursor;
  char name[NOTICE_NAME_SIZE];
  enum status status =
      db_query(store, error, &cursor,
               "SELECT name, since, sent, closed, level FROM notice WHERE closed = 0 ORDER BY name", NULL, 0);
  if (status != OK) {
    return status;
  }
  while ((status = store->ops->next(cursor, error)) == OK) {
    struct slice named = slice_of_value(store->ops->value(cursor, 0));
    snprintf(name, sizeof name, "%.*s", SLICE_ARG(named));
    struct notice notice = {.name = name,
                            .since = int_of_value(store->ops->value(cursor, 1)),
                            .sent = int_of_value(store->ops->value(cursor, 2)),
                            .closed = int_of_value(store->ops->value(cursor, 3)),
                            .level = int_of_value(store->ops->value(cursor, 4))};
    if ((status = visit(context, &notice, error)) != OK) {
      break;
    }
  }
  store->ops->finish(cursor);
  return status == END ? OK : status;
}

enum status store_notice_save(struct store *store, const struct notice *notice, struct error *error) {
  bool own;
  if (strlen(notice->name) >= NOTICE_NAME_SIZE) {
    return error_set(error, ERR_INTERNAL, "%s", "the name of a notice is too long");
  }
  enum status status = db_begin_own(store, &own, error);
  if (status != OK) {
    return status;
  }
  status = db_execute(store, error,
                      "INSERT INTO notice (name, since, sent, closed, level) VALUES ($1, $2, $3, $4, $5) "
                      "ON CONFLICT (name) DO UPDATE SET since = excluded.since, sent = excluded.sent, "
                      "closed = excluded.closed, level = excluded.level",
                      VALUES(text_value(notice->name), int_value(notice->since), int_value(notice->sent),
                             int_value(notice->closed), int_value(notice->level)));
  return db_finish_own(store, own, status, error);
}

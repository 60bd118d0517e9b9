#include "core/sync/drift_tree.h"

#include "core/base/date.h"

#include <math.h>
#include <stdio.h>

enum { REMEMBERED = 2000 /* looks; older ones fade */, FINDINGS_MOST = 500, NAMES_SHOWN = 3 };
#define CHANCE 0.001

struct settle {
  struct drift_watch *watch;
  int64_t run, now;
  struct field_seen *fields;
  size_t field_count;
  struct drift *findings;
  size_t count;
  struct drift_found *found;
  char shown[3][200]; /* names by kind */
  int64_t shown_count[3];
  bool memory; /* there was none */
};

/* ---- what the store knows ---- */

static enum status take_field(void *context, const struct field_seen *field, struct error *error) {
  (void)error;
  struct seen *seen = drift_at(context, field->path);
  if (seen == NULL || seen->parent == NULL) {
    return OK;
  }
  seen->known = true;
  seen->former = *field;
  if (seen->parent->former_instances < field->looked) {
    seen->parent->former_instances = field->looked;
  }
  return OK;
}

static enum status take_open(void *context, const struct drift *drift, struct error *error) {
  (void)error;
  struct seen *seen = drift_at(context, drift->path);
  if (seen == NULL) {
    return OK;
  }
  if (drift->kind == DRIFT_MISSING) {
    seen->was_missing = true;
    seen->open_missing = *drift;
  } else if (drift->kind == DRIFT_RETYPED) {
    seen->was_retyped = true;
    seen->open_retyped = *drift;
  }
  return OK;
}

/* ---- findings ---- */

static void show(struct settle *settle, struct slice path, enum drift_kind kind, bool mapped) {
  char *names = settle->shown[kind];
  size_t used = strlen(names), size = sizeof settle->shown[kind];
  if (++settle->shown_count[kind] <= NAMES_SHOWN && used + path.len + 40 < size) {
    snprintf(names + used, size - used, "%s%.*s%s", used == 0 ? "" : ", ", SLICE_ARG(path),
             mapped ? _(" (the mapping reads it)") : "");
  }
}

/* `open`: it stands since then; NULL: it is new. */
static void add(struct settle *settle, const struct seen *field, enum drift_kind kind, int was,
                const struct drift *open) {
  struct slice path = drift_path(settle->watch, field);
  if (path.data == NULL || settle->count == FINDINGS_MOST) {
    settle->memory = settle->memory || path.data == NULL;
    return;
  }
  struct drift *drift = &settle->findings[settle->count++];
  *drift = open != NULL ? *open : (struct drift){.kind = kind, .was = was, .run = settle->run, .since = settle->now};
  drift->path = path;
  drift->mapped = field->mapped;
  drift->is = kind == DRIFT_MISSING ? 0 : field->kinds;
  if (open == NULL) {
    int64_t *counts[] = {&settle->found->fresh, &settle->found->missing, &settle->found->retyped};
    ++*counts[kind];
    show(settle, path, kind, field->mapped);
  }
}

/* Whether a thing that is there `had` of `of` times is absent `times` times by chance hardly ever. */
static bool improbable(int64_t had, int64_t of, int64_t times) {
  double share = (double)had / (double)(of + 1);
  return pow(1 - share, (double)times) < CHANCE;
}

/* Looks of this pass join the former ones, which fade; that a field never was absent stays true. */
static void remember(struct settle *settle, const struct seen *field, int64_t had, int64_t looked) {
  struct field_seen *row = &settle->fields[settle->field_count++];
  *row = (struct field_seen){.path = drift_path(settle->watch, field),
                             .kinds = field->kinds | (field->known ? field->former.kinds : 0),
                             .records = had,
                             .looked = looked,
                             .first_run = field->known ? field->former.first_run : settle->run,
                             .last_run = field->had > 0 ? settle->run : field->former.last_run};
  settle->memory = settle->memory || row->path.data == NULL;
  if (row->looked > REMEMBERED) {
    bool always = row->records == row->looked;
    int64_t records = row->records * REMEMBERED / row->looked;
    row->records = always ? REMEMBERED : records == 0 && row->records > 0 ? 1 : records;
    row->looked = REMEMBERED;
  }
}

static void settle_absent(struct settle *settle, const struct seen *field, int64_t looked) {
  const struct field_seen *former = &field->former;
  if (field->was_missing && field->mapped) {
    add(settle, field, DRIFT_MISSING, 0, &field->open_missing);
    return;
  }
  if (!field->known) {
    if (settle->watch->flat && field->mapped) {
      add(settle, field, DRIFT_MISSING, 0, NULL);
      remember(settle, field, 0, looked);
    }
    return;
  }
  bool at_once = field->mapped && (former->records == former->looked || settle->watch->flat);
  if (former->records > 0 && (at_once || improbable(former->records, former->looked, looked))) {
    add(settle, field, DRIFT_MISSING, former->kinds, NULL);
    remember(settle, field, 0, looked); /* it is no part of the records any more */
  } else {
    remember(settle, field, former->records, former->looked + looked);
  }
}

static void settle_present(struct settle *settle, const struct seen *field, int64_t looked) {
  const struct field_seen *former = &field->former;
  int known = field->known ? former->kinds & ~KIND_NULL : 0, now = field->kinds & ~KIND_NULL;
  bool comes_back = field->known && former->records == 0;
  if (!field->known && field->parent->former_instances > 0
      && improbable(field->had, looked, field->parent->former_instances)) {
    add(settle, field, DRIFT_NEW, 0, NULL);
  }
  if (field->was_retyped && field->mapped && (now & ~field->open_retyped.was) != 0) {
    add(settle, field, DRIFT_RETYPED, 0, &field->open_retyped);
  } else if (known != 0 && (now & ~known) != 0) {
    add(settle, field, DRIFT_RETYPED, former->kinds, NULL);
  }
  if (comes_back || !field->known) {
    remember(settle, field, field->had, looked);
  } else {
    remember(settle, field, former->records + field->had, former->looked + looked);
  }
}

/* A field in something that is missing, or that never came, tells nothing: its findings stand. */
static void settle_unseen(struct settle *settle, const struct seen *field) {
  if (field->was_missing && field->mapped) {
    add(settle, field, DRIFT_MISSING, 0, &field->open_missing);
  }
  if (field->was_retyped && field->mapped) {
    add(settle, field, DRIFT_RETYPED, 0, &field->open_retyped);
  }
}

static void settle_all(struct settle *settle) {
  const struct seen *root = &settle->watch->root;
  for (const struct seen *field = drift_following(root, root); field != NULL; field = drift_following(root, field)) {
    int64_t looked = field->parent->instances;
    if (looked == 0) {
      settle_unseen(settle, field);
    } else if (field->had == 0) {
      settle_absent(settle, field, looked);
    } else {
      settle_present(settle, field, looked);
    }
  }
}

/* ---- words ---- */

void drift_kinds_text(int kinds, char text[96]) {
  static const struct {
    int kind;
    const char *name;
  } names[] = {{KIND_TEXT, N_("text")}, {KIND_NUMBER, N_("number")}, {KIND_BOOLEAN, N_("yes or no")},
               {KIND_LIST, N_("list")}, {KIND_OBJECT, N_("object")}, {KIND_NULL, N_("nothing")}};
  size_t used = 0;
  text[0] = '\0';
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if ((kinds & names[i].kind) != 0 && used < 90) {
      int added = snprintf(text + used, 96 - used, "%s%s", used == 0 ? "" : ", ", _(names[i].name));
      used += added > 0 ? (size_t)added : 0;
    }
  }
}

static void compose(const struct settle *settle, char words[320]) {
  static const char *const titles[] = {N_("new fields: %s"), N_("missing fields: %s"),
                                       N_("fields in another form: %s")};
  static const enum drift_kind order[] = {DRIFT_MISSING, DRIFT_RETYPED, DRIFT_NEW};
  words[0] = '\0';
  for (size_t i = 0; i < sizeof order / sizeof *order; i++) {
    char part[260], names[230];
    int64_t more = settle->shown_count[order[i]] - NAMES_SHOWN;
    if (settle->shown_count[order[i]] == 0) {
      continue;
    }
    snprintf(names, sizeof names, "%s", settle->shown[order[i]]);
    if (more > 0) {
      size_t used = strlen(names);
      snprintf(names + used, sizeof names - used, _(" and %lld more"), (long long)more);
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* one of three constants */
    snprintf(part, sizeof part, _(titles[order[i]]), names);
#pragma GCC diagnostic pop
    size_t used = strlen(words);
    if (used + strlen(part) + 3 < 320) {
      snprintf(words + used, 320 - used, "%s%s", used == 0 ? "" : "; ", part);
    }
  }
}

static enum status save(struct settle *settle, struct store *store, int source_id, struct error *error) {
  if (settle->memory) {
    return error_memory(error);
  }
  enum status status = store_save_fields(store, source_id, settle->fields, settle->field_count, error);
  return status == OK ? store_replace_drift(store, source_id, settle->findings, settle->count, error) : status;
}

enum status drift_settle(struct drift_watch *watch, struct store *store, int source_id, int64_t run,
                         struct drift_found *found, struct error *error) {
  *found = (struct drift_found){.open = 0};
  if (watch->root.instances == 0) {
    return OK;
  }
  enum status status = store_visit_fields(store, source_id, take_field, watch, error);
  if (status == OK) {
    status = store_visit_drift(store, source_id, take_open, watch, error);
  }
  struct settle settle = {.watch = watch, .run = run, .now = clock_now(), .found = found};
  settle.fields = arena_array(watch->arena, watch->count + 1, sizeof *settle.fields);
  settle.findings = arena_array(watch->arena, FINDINGS_MOST, sizeof *settle.findings);
  if (settle.fields == NULL || settle.findings == NULL) {
    return error_memory(error);
  }
  if (status == OK) {
    settle_all(&settle);
    found->open = (int64_t)settle.count;
    compose(&settle, found->words);
    status = save(&settle, store, source_id, error);
  }
  return status;
}

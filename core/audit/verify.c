#include "core/audit/verify.h"

#include "core/audit/lines.h"
#include "core/audit/told.h"
#include "core/base/map.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { ENTRY_LIMIT = 16 << 20 };

struct verifier {
  struct audit_check *check;
  const struct checkpoint *checkpoints;
  size_t checkpoint_count;
  struct buffer form;
  int64_t expected;
  struct map *lists; /* digests of lists that entries name; NULL: they are not looked for */
  int64_t *named;    /* by position in it: the first entry that names it; 0: its text was found */
  size_t capacity;
  struct told_check *told; /* NULL: what reports told is not looked at */
};

static void found_wrong(struct audit_check *check, int64_t sequence, const char *what) {
  if (check->first_wrong == 0) {
    check->first_wrong = sequence;
    snprintf(check->what, sizeof check->what, "%s", what);
  }
}

/* What the chain itself cannot tell: it is whole, and yet another one than the holder of the checkpoint saw. */
static void compare_checkpoints(const struct verifier *self, const struct audit_row *row) {
  for (size_t i = 0; i < self->checkpoint_count; i++) {
    const struct checkpoint *checkpoint = &self->checkpoints[i];
    if (checkpoint->sequence == row->sequence && memcmp(&checkpoint->hash, &row->hash, sizeof row->hash) != 0) {
      found_wrong(self->check, row->sequence,
                  _("the entry is not the one that the checkpoint signs: the log was written anew, here or before"));
    }
  }
}

/* ---- lists of persons beside the log ---- */

static enum status note_list(struct verifier *self, const struct audit_row *row, struct error *error) {
  struct sha256 digest;
  if (self->lists == NULL || !shown_named(row->body, &digest)) {
    return OK;
  }
  uint32_t known = map_count(self->lists);
  if (known == self->capacity) {
    size_t capacity = known == 0 ? 64 : 2 * (size_t)known;
    int64_t *more = realloc(self->named, capacity * sizeof *more);
    if (more == NULL) {
      return error_memory(error);
    }
    self->named = more;
    self->capacity = capacity;
  }
  uint32_t at = map_intern(self->lists, slice_make((const char *)digest.bytes, SHA256_SIZE));
  if (at == known) {
    self->named[at] = row->sequence;
  }
  return at == MAP_NONE ? error_memory(error) : OK;
}

static enum status find_list(void *context, struct slice ids, struct error *error) {
  struct verifier *self = context;
  (void)error;
  struct sha256 digest = sha256_of(ids);
  uint32_t at = map_get(self->lists, slice_make((const char *)digest.bytes, SHA256_SIZE));
  if (at != MAP_NONE) {
    self->named[at] = 0;
  }
  return OK;
}

/* Lists are read after the entries: one that is appended meanwhile has its list already. */
static enum status verify_lists(struct verifier *self, struct store *store, struct error *error) {
  int64_t first = 0;
  if (map_count(self->lists) == 0) {
    return OK; /* a copy of before there were lists has no table of them */
  }
  enum status status = store_visit_shown(store, find_list, self, error);
  for (uint32_t i = 0; i < map_count(self->lists) && status == OK; i++) {
    first = self->named[i] != 0 && (first == 0 || self->named[i] < first) ? self->named[i] : first;
  }
  if (status == OK && first != 0) {
    found_wrong(self->check, first, _("the list of persons whom it showed was changed or taken out"));
  }
  return status;
}

/* ---- what reports told ---- */

/* A row without an entry has no place in the log: the last entry stands for all that do not name it. */
static enum status verify_told(const struct verifier *self, struct store *store, struct error *error) {
  int64_t wrong = 0, last = self->expected > 1 ? self->expected - 1 : 1;
  bool unnamed = false;
  enum status status = told_check_rows(self->told, store, &wrong, &unnamed, error);
  if (status == OK && wrong != 0) {
    found_wrong(self->check, wrong, _("what a report told was changed or taken out of table `told`, or put in"));
  }
  if (status == OK && unnamed) {
    found_wrong(self->check, last, _("table `told` has a row that no entry up to this one names: it was put in"));
  }
  return status;
}

/* ---- entries ---- */

static enum status verify_entry(void *context, const struct audit_row *row, struct error *error) {
  struct verifier *self = context;
  struct audit_check *check = self->check;
  struct sha256 hash;
  enum status status = audit_hash(row, &self->form, &hash, error);
  if (status != OK) {
    return status;
  }
  if (row->sequence > self->expected) {
    found_wrong(check, self->expected, _("the entry is missing"));
  } else if (row->sequence < self->expected) {
    found_wrong(check, row->sequence, _("the entry stands here a second time, or in the wrong place"));
  } else if (memcmp(&row->previous, &check->head, sizeof check->head) != 0) {
    found_wrong(check, row->sequence, _("the entry does not follow the one before it"));
  } else if (memcmp(&row->hash, &hash, sizeof hash) != 0) {
    found_wrong(check, row->sequence, _("the entry was changed after it was written"));
  }
  compare_checkpoints(self, row);
  check->entries++;
  check->head = row->hash;
  self->expected = row->sequence + 1;
  status = note_list(self, row, error);
  return status == OK && self->told != NULL ? told_check_entry(self->told, row, error) : status;
}

static void begin(struct verifier *self, const struct checkpoint *checkpoints, size_t count,
                  struct audit_check *check) {
  *check = (struct audit_check){0};
  *self = (struct verifier){.check = check, .checkpoints = checkpoints, .checkpoint_count = count, .expected = 1};
  buffer_init(&self->form, ENTRY_LIMIT);
}

/* Checkpoints of entries behind the end: of several the lowest is the first entry that is known to be missing. */
static void finish(struct verifier *self) {
  for (size_t i = 0; i < self->checkpoint_count; i++) {
    if (self->checkpoints[i].sequence >= self->expected) {
      found_wrong(self->check, self->expected,
                  _("the entry is missing: the end of the log was cut off, a checkpoint signs a later one"));
    }
  }
  buffer_free(&self->form);
  map_free(self->lists);
  free(self->named);
}

enum status audit_verify_against(struct store *store, const struct checkpoint *checkpoints, size_t checkpoint_count,
                                 struct audit_check *check, struct error *error) {
  struct verifier self;
  struct told_check told;
  struct sha256 head;
  int64_t sequence = 0;
  begin(&self, checkpoints, checkpoint_count, check);
  self.lists = map_new();
  self.told = &told;
  /* The head is read first, and the last row told: entries that are appended meanwhile come after them. */
  enum status status = told_check_begin(&told, store, error);
  status = status == OK && self.lists == NULL ? error_memory(error) : status;
  status = status == OK ? store_audit_peek(store, &sequence, &head, error) : status;
  if (status == OK) {
    status = store_visit_audit(store, 1, verify_entry, &self, error);
  }
  if (status == OK && self.expected <= sequence) {
    found_wrong(check, self.expected, _("the entry is missing: the log ends before its head"));
  }
  if (status == OK && self.expected == sequence + 1 && memcmp(&head, &check->head, sizeof head) != 0) {
    found_wrong(check, sequence, _("the last entry is not the head of the log"));
  }
  status = status == OK ? verify_lists(&self, store, error) : status;
  status = status == OK ? verify_told(&self, store, error) : status;
  told_check_free(&told);
  finish(&self);
  return status;
}

enum status audit_verify(struct store *store, struct audit_check *check, struct error *error) {
  return audit_verify_against(store, NULL, 0, check, error);
}

static enum status verify_line(struct verifier *self, struct slice line, int64_t number, struct arena *arena,
                               const char *path, struct error *error) {
  struct audit_row row;
  arena_reset(arena);
  enum status status = audit_line_read(line, arena, &row, error);
  if (status == OK) {
    status = verify_entry(self, &row, error);
  }
  if (status != OK) {
    error_place(error, "%s:%lld", path, (long long)number);
  }
  return status;
}

static enum status verify_stream(struct verifier *self, FILE *file, const char *path, struct error *error) {
  struct arena *arena = arena_new(4 * (size_t)AUDIT_LINE_LIMIT);
  char *line = NULL;
  size_t size = 0;
  int64_t number = 0;
  enum status status = arena == NULL ? error_memory(error) : OK;
  while (status == OK) {
    ssize_t len = getline(&line, &size, file);
    if (len < 0) {
      break;
    }
    number++;
    if (line[len - 1] != '\n') {
      status = error_set(error, ERR_INPUT, "%s", _("the last line of the log does not end: the file was cut off"));
      error_place(error, "%s:%lld", path, (long long)number);
      break;
    }
    status = verify_line(self, slice_make(line, (size_t)len - 1), number, arena, path, error);
  }
  if (status == OK && ferror(file)) {
    error_set(error, ERR_IO, _("the file cannot be read: %s"), strerror(errno));
    error_place(error, "%s", path);
    status = ERR_IO;
  }
  free(line);
  arena_free(arena);
  return status;
}

enum status audit_verify_file(const char *path, const struct checkpoint *checkpoints, size_t checkpoint_count,
                              struct audit_check *check, struct error *error) {
  struct verifier self;
  bool standard = strcmp(path, "-") == 0;
  FILE *file = standard ? stdin : fopen(path, "re");
  begin(&self, checkpoints, checkpoint_count, check);
  enum status status = OK;
  if (file == NULL) {
    status = error_set(error, ERR_IO, _("the file cannot be read: %s"), strerror(errno));
    error_place(error, "%s", path);
  } else {
    status = verify_stream(&self, file, path, error);
  }
  if (file != NULL && !standard) {
    fclose(file);
  }
  finish(&self);
  return status;
}

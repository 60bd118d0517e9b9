#include "core/service/auditing.h"

#include "core/audit/lines.h"
#include "core/base/date.h"
#include "core/base/file.h"
#include "core/service/lineage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- checkpoints ---- */

enum status auditing_checkpoints(const struct workspace *workspace, const char *const *paths, size_t count,
                                 struct checkpoint *checkpoints, struct error *error) {
  uint8_t trusted[SIGNING_PUBLIC_SIZE];
  if (count > CHECKPOINTS_MOST) {
    return error_set(error, ERR_USAGE, _("at most %d checkpoints are looked at together"), CHECKPOINTS_MOST);
  }
  if (workspace != NULL && workspace->key != NULL) {
    checkpoint_public(workspace->key, trusted);
  }
  enum status status = OK;
  for (size_t i = 0; i < count && status == OK; i++) {
    struct buffer text;
    status = file_read(paths[i], CHECKPOINT_LIMIT, &text, error);
    if (status == OK) {
      status = checkpoint_read(buffer_view(&text), workspace == NULL ? NULL : trusted, &checkpoints[i], error);
      if (status != OK) {
        error_place(error, "%s", paths[i]);
      }
      buffer_free(&text);
    }
  }
  return status;
}

enum status auditing_checkpoint(struct workspace *workspace, struct checkpoint *checkpoint, struct buffer *text,
                                struct error *error) {
  struct audit_check check;
  enum status status = audit_verify(workspace->store, &check, error);
  if (status != OK) {
    return status;
  }
  if (check.first_wrong != 0) {
    error_set(error, ERR_STORE, _("the audit log was altered: %s"), check.what);
    error_place(error, _("entry %lld"), (long long)check.first_wrong);
    error_hint(error, "%s",
               _("a log that is not whole is not signed; keep the store as it is, and tell the data officer"));
    return ERR_STORE;
  }
  *checkpoint = (struct checkpoint){.sequence = check.entries, .at = clock_now(), .hash = check.head};
  checkpoint_name(workspace->config->name, checkpoint->workspace);
  return checkpoint_sign(workspace->key, checkpoint, text, error);
}

/* ---- the log to take away ---- */

struct exporting {
  FILE *file;
  const char *path;
  struct buffer line;
  int64_t *entries;
};

static enum status export_failed(const char *path, struct error *error) {
  int cause = errno;
  enum status status = error_set(error, cause == ENOSPC ? ERR_FULL : ERR_IO, _("cannot write: %s"), strerror(cause));
  error_place(error, "%s", path);
  file_hint(cause, error);
  return status;
}

static enum status write_text(void *context, struct slice text, struct error *error) {
  struct exporting *self = context;
  return fwrite(text.data, 1, text.len, self->file) == text.len ? OK : export_failed(self->path, error);
}

static enum status export_one(void *context, const struct audit_row *row, struct error *error) {
  struct exporting *self = context;
  buffer_reset(&self->line);
  audit_line_write(row, &self->line);
  enum status status = buffer_check(&self->line, _("an audit entry"), error);
  status = status == OK ? write_text(self, buffer_view(&self->line), error) : status;
  *self->entries += status == OK;
  return status;
}

static enum status export_to(struct workspace *workspace, enum auditing_form form, FILE *file, const char *path,
                             int64_t *entries, struct error *error) {
  struct exporting self = {.file = file, .path = path, .entries = entries};
  *entries = 0;
  buffer_init(&self.line, AUDIT_LINE_LIMIT);
  enum status status = form == AUDITING_OPENLINEAGE ? lineage_openlineage(workspace, write_text, &self, entries, error)
                       : form == AUDITING_PROV      ? lineage_prov(workspace, write_text, &self, entries, error)
                                                    : store_visit_audit(workspace->store, 1, export_one, &self, error);
  if (status == OK && fflush(file) != 0) {
    status = export_failed(path, error);
  }
  buffer_free(&self.line);
  return status;
}

const char *const auditing_forms[] = {"jsonl", "openlineage", "prov", NULL};

enum status auditing_export(struct workspace *workspace, enum auditing_form form, const char *path, int64_t *entries,
                            struct error *error) {
  if (strcmp(path, "-") == 0) {
    return export_to(workspace, form, stdout, path, entries, error);
  }
  char part[PATH_MAX];
  enum status status = file_replaceable(path, error);
  if (status != OK) {
    return status;
  }
  if (snprintf(part, sizeof part, "%s.part", path) >= (int)sizeof part) {
    return error_set(error, ERR_USAGE, "%s", _("the path is too long"));
  }
  int descriptor = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
  if (file == NULL) {
    return export_failed(path, error);
  }
  status = export_to(workspace, form, file, path, entries, error);
  if (status == OK && fsync(descriptor) != 0) {
    status = export_failed(path, error);
  }
  if (fclose(file) != 0 && status == OK) {
    status = export_failed(path, error);
  }
  if (status == OK && rename(part, path) != 0) {
    status = export_failed(path, error);
  }
  if (status != OK) {
    unlink(part);
  }
  return status;
}

#include "core/base/texts.h"

#include "core/base/file.h"
#include "core/base/log.h"

#include <stdlib.h>
#include <string.h>

const char *const text_kind_names[TEXT_KINDS + 1] = {"mapping", "codelist", "link", "weights"};

enum status approved_texts_new(const bool required[TEXT_KINDS], struct approved_texts **texts, struct error *error) {
  struct approved_texts *made = calloc(1, sizeof *made);
  *texts = NULL;
  if (made == NULL) {
    return error_memory(error);
  }
  made->arena = arena_new(0);
  made->items = made->arena == NULL ? NULL : arena_array(made->arena, APPROVED_TEXTS_MOST, sizeof *made->items);
  if (made->items == NULL) {
    approved_texts_free(made);
    return error_memory(error);
  }
  memcpy(made->required, required, sizeof made->required);
  *texts = made;
  return OK;
}

void approved_texts_free(struct approved_texts *texts) {
  if (texts != NULL) {
    arena_free(texts->arena);
    free(texts);
  }
}

const struct approved_text *approved_texts_find(const struct approved_texts *texts, enum text_kind kind,
                                                const char *path) {
  for (size_t i = 0; texts != NULL && i < texts->count; i++) {
    if (texts->items[i].kind == kind && strcmp(texts->items[i].path, path) == 0) {
      return &texts->items[i];
    }
  }
  return NULL;
}

enum status approved_texts_add(struct approved_texts *texts, const struct approved_text *text, struct error *error) {
  const struct approved_text *former = approved_texts_find(texts, text->kind, text->path);
  size_t at = former == NULL ? texts->count : (size_t)(former - texts->items);
  if (at == APPROVED_TEXTS_MOST) {
    return error_set(error, ERR_LIMIT, _("more than %d approved texts"), APPROVED_TEXTS_MOST);
  }
  struct approved_text own = {.kind = text->kind,
                              .path = arena_text(texts->arena, slice_of(text->path)),
                              .name = arena_text(texts->arena, slice_of(text->name)),
                              .fault = text->fault == NULL ? NULL : arena_text(texts->arena, slice_of(text->fault)),
                              .body = arena_copy(texts->arena, text->body)};
  bool whole = own.path != NULL && own.name != NULL && (own.fault != NULL || text->fault == NULL)
               && (own.body.data != NULL || text->body.len == 0);
  if (!whole) {
    return error_memory(error);
  }
  texts->items[at] = own;
  texts->count += at == texts->count;
  return OK;
}

bool approved_texts_govern(const struct approved_texts *texts, enum text_kind kind) {
  return texts != NULL && texts->required[kind];
}

void approved_texts_tell(const struct approved_text *text, size_t most) {
  struct buffer now;
  struct error ignored;
  bool there = file_read(text->path, most, &now, &ignored) == OK;
  if (!there || !slice_equal(buffer_view(&now), text->body)) {
    log_message(LEVEL_WARNING,
                _("%s %s: the approved version is used; the file differs and waits for approval, see "
                  "`puente approve list`"),
                text_kind_names[text->kind], text->name);
  }
  if (there) {
    buffer_free(&now);
  }
}

static enum status refuse_new(enum text_kind kind, const char *path, struct error *error) {
  error_set(error, ERR_CONFIG, _("this file has never been approved, and a %s acts only once it is"),
            text_kind_names[kind]);
  error_place(error, "%s", path);
  error_hint(error,
             _("`puente approve propose %s --reason TEXT --document NUMBER`, then a second person: "
               "`puente approve accept ID --reason TEXT`"),
             text_kind_names[kind]);
  return ERR_CONFIG;
}

enum status approved_texts_refuse(const struct approved_text *text, struct error *error) {
  error_set(error, ERR_CONFIG, "%s", text->fault);
  error_place(error, "%s", text->path);
  error_hint(error, "%s", _("have the log verified (`puente audit verify`), then propose and approve the file anew"));
  return ERR_CONFIG;
}

enum status approved_texts_read(const struct approved_texts *texts, enum text_kind kind, const char *path, size_t most,
                                struct buffer *text, struct error *error) {
  if (!approved_texts_govern(texts, kind)) {
    return file_read(path, most, text, error);
  }
  const struct approved_text *found = approved_texts_find(texts, kind, path);
  buffer_init(text, most);
  if (found == NULL || found->fault != NULL) {
    return found == NULL ? refuse_new(kind, path, error) : approved_texts_refuse(found, error);
  }
  approved_texts_tell(found, most);
  enum status status = buffer_slice(text, found->body) == OK ? OK : buffer_check(text, text_kind_names[kind], error);
  if (status != OK) {
    buffer_free(text);
  }
  return status;
}

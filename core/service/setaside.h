/* Quarantine as a workplace: what is set aside and why, one record masked or revealed, and letting it rest. */
#ifndef PUENTE_SERVICE_SETASIDE_H
#define PUENTE_SERVICE_SETASIDE_H

#include "core/service/workspace.h"

/* Records of one source set aside for one reason at one field. Text in the list's arena. */
struct setaside_group {
  const char *source, *field, *reason, *hint, *shape;
  int64_t records;
  int64_t example; /* raw id of the first one */
};
struct setaside_list {
  struct setaside_group *groups; /* most records first */
  size_t count;
  int64_t records; /* with several reasons counted once */
  struct arena *memory;
};
/* `source` NULL: all. */
enum status setaside_read(struct workspace *workspace, const char *source, struct setaside_list *list,
                          struct error *error) MUST_CHECK;
void setaside_free(struct setaside_list *list);

/* One line of a record: a member with its value, masked unless revealed; `reason` where an issue stands at it. */
struct setaside_line {
  int depth;
  struct slice name, value;
  bool leaf;
  const char *reason, *hint;
};
struct setaside_head {
  int64_t raw_id;
  const char *source, *origin, *format, *state;
};
struct setaside_visitor {
  void (*head)(void *context, const struct setaside_head *head);
  void (*issue)(void *context, const char *field, const char *reason, const char *path, const char *hint, int64_t line);
  void (*line)(void *context, const struct setaside_line *line);
  void *context;
};
/* With `reveal`, an audit entry with the purpose is committed before anything is read; without a purpose ERR_USAGE. */
enum status setaside_show(struct workspace *workspace, int64_t raw_id, bool reveal, const char *purpose,
                          const struct setaside_visitor *visitor, struct error *error) MUST_CHECK;
enum status setaside_dismiss(struct workspace *workspace, int64_t raw_id, const char *reason,
                             struct error *error) MUST_CHECK;

#endif

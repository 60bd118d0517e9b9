/* Quarantine as a workplace: what is set aside and why, one record masked or revealed, and letting it rest. */
#ifndef PUENTE_SERVICE_SETASIDE_H
#define PUENTE_SERVICE_SETASIDE_H

#include "core/service/workspace.h"

/* Records of one source set aside for one reason at one field. Text in the list's arena. */
struct setaside_group {
  const char *source, *field, *reason, *hint, *shape;
  int64_t records;
  int64_t lately;    /* of them, set aside in the last seven days */
  int64_t example;   /* raw id of the first one */
  int64_t since_run; /* that found the oldest one */
  const char *since; /* its day, UTC: "2026-11-22"; "" unknown */
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

/* ---- setaside_decide.c ---- */

/* A record that is in quarantine, by number or SOURCE:KEY, and its source; ERR_NOT_FOUND where it is not. */
enum status setaside_find(struct workspace *workspace, const char *reference, int64_t *record_id,
                          const struct source_config **source, struct error *error) MUST_CHECK;

struct dismissal {
  const char *reason;     /* why they may rest; needed */
  const int64_t *raw_ids; /* these; or: */
  size_t count;
  const char *source, *because; /* all of a source that are set aside for this reason code and no other */
};
struct dismissed {
  int64_t records;
  int64_t left; /* set aside for this reason and others: left alone */
};
/* Transactions of some hundred records, each with a run and an audit entry that names source, actor, reason and
 * records. ERR_NOT_FOUND where one is not in quarantine. */
enum status setaside_dismiss(struct workspace *workspace, const struct dismissal *dismissal,
                             struct dismissed *dismissed, struct error *error) MUST_CHECK;

#endif

#include "core/service/setaside.h"

#include "core/audit/audit.h"
#include "core/base/date.h"
#include "core/base/map.h"
#include "core/service/access.h"
#include "core/service/hint.h"
#include "core/service/purpose.h"
#include "core/sync/encode.h"

#include <stdio.h>
#include <stdlib.h>

enum { SHAPE_MOST = 40, BODY_LIMIT = 4096, NUMBER_SIZE = 24 };

/* ---- groups ---- */

static const char *const GROUP_COLUMNS[] = {"source", "field", "reason", "hint", "shape", "raw_id", "run"};
enum { GROUP_SOURCE, GROUP_FIELD, GROUP_REASON, GROUP_HINT, GROUP_SHAPE, GROUP_RAW, GROUP_RUN, GROUP_COLUMN_COUNT };

struct gathering {
  struct setaside_list *list;
  struct map *positions; /* of source, field and reason, and the hint where there is no field */
  struct map *records;
  size_t capacity;
  struct hints hints;
  int64_t lately; /* first run of the last seven days */
};

static const char *text_at(struct arena *arena, const struct result *result, size_t column) {
  return arena_text(arena, result_null(result, column) ? slice_of("") : result_text(result, column));
}

static enum status add_group(struct gathering *gathering, const struct result *result, const char *const *texts,
                             struct error *error) {
  struct setaside_list *list = gathering->list;
  if (list->count == gathering->capacity) {
    size_t capacity = gathering->capacity == 0 ? 64 : gathering->capacity * 2;
    struct setaside_group *groups = arena_array(list->memory, capacity, sizeof *groups);
    if (groups == NULL) {
      return error_memory(error);
    }
    if (list->count > 0) {
      memcpy(groups, list->groups, list->count * sizeof *groups);
    }
    list->groups = groups;
    gathering->capacity = capacity;
  }
  list->groups[list->count++] = (struct setaside_group){.source = texts[GROUP_SOURCE],
                                                        .field = texts[GROUP_FIELD],
                                                        .reason = texts[GROUP_REASON],
                                                        .hint = texts[GROUP_HINT],
                                                        .shape = texts[GROUP_SHAPE],
                                                        .since = "",
                                                        .since_run = INT64_MAX,
                                                        .example = result_integer(result, GROUP_RAW)};
  return OK;
}

static enum status gather(struct gathering *gathering, const struct result *result, struct error *error) {
  struct arena *memory = gathering->list->memory;
  int64_t raw_id = result_integer(result, GROUP_RAW), run = result_integer(result, GROUP_RUN);
  const char *texts[GROUP_RAW];
  for (size_t i = 0; i < GROUP_RAW; i++) {
    texts[i] = text_at(memory, result, i);
    if (texts[i] == NULL) {
      return error_memory(error);
    }
  }
  texts[GROUP_HINT] = hint_read(&gathering->hints, texts[GROUP_REASON], texts[GROUP_HINT]);
  /* Of a whole record only the hint says what is wrong; that of a field may name its value's nearest code. */
  const char *hint = texts[GROUP_FIELD][0] == '\0' ? texts[GROUP_HINT] : "";
  char *name =
      arena_printf(memory, "%s\n%s\n%s\n%s", texts[GROUP_SOURCE], texts[GROUP_FIELD], texts[GROUP_REASON], hint);
  if (name == NULL) {
    return error_memory(error);
  }
  uint32_t position = map_get(gathering->positions, slice_of(name));
  if (position == MAP_NONE) {
    position = map_intern(gathering->positions, slice_of(name));
    enum status status = position == MAP_NONE ? error_memory(error) : add_group(gathering, result, texts, error);
    if (status != OK) {
      return status;
    }
  }
  struct setaside_group *group = &gathering->list->groups[position];
  group->records++;
  group->lately += run >= gathering->lately;
  group->since_run = run < group->since_run ? run : group->since_run;
  bool counted = map_intern(gathering->records, slice_make((const char *)&raw_id, sizeof raw_id)) != MAP_NONE;
  return counted ? OK : error_memory(error);
}

/* ---- since when ---- */

enum { WEEK_DAYS = 7, DAY_LENGTH = 10 };
static const char *const RUN_COLUMNS[] = {"run_id", "started"};

/* Numbers of runs ascend with time: those that began in the last seven days are the ones from `*first` on. */
static enum status first_lately(struct workspace *workspace, int64_t *first, struct error *error) {
  char limit[TIMESTAMP_TEXT_SIZE];
  clock_format(clock_now() - WEEK_DAYS * INT64_C(86400000000), limit);
  const struct selection selection = {.view = "runs", .columns = RUN_COLUMNS, .column_count = 2, .order = "-run_id"};
  struct result *result = NULL;
  *first = INT64_MAX;
  enum status status = store_select(workspace->store, &selection, &result, error);
  while (status == OK && (status = result_next(result, error)) == OK) {
    if (slice_compare(result_text(result, 1), slice_of(limit)) < 0) {
      break;
    }
    *first = result_integer(result, 0);
  }
  result_free(result);
  return status == END ? OK : status;
}

static enum status set_since(struct workspace *workspace, struct setaside_list *list, struct setaside_group *group,
                             struct error *error) {
  char number[NUMBER_SIZE];
  snprintf(number, sizeof number, "%lld", (long long)group->since_run);
  const struct filter filter = {.column = "run_id", .text = number};
  const struct selection selection = {
      .view = "runs", .columns = RUN_COLUMNS, .column_count = 2, .filters = &filter, .filter_count = 1};
  struct result *result = NULL;
  enum status status = store_select(workspace->store, &selection, &result, error);
  if (status == OK && (status = result_next(result, error)) == OK) {
    struct slice day = result_text(result, 1);
    day.len = day.len < DAY_LENGTH ? day.len : DAY_LENGTH;
    group->since = arena_text(list->memory, day);
    status = group->since == NULL ? error_memory(error) : OK;
  }
  result_free(result);
  return status == END ? OK : status;
}

static enum status set_all_since(struct workspace *workspace, struct setaside_list *list, struct error *error) {
  enum status status = OK;
  for (size_t i = 0; i < list->count && status == OK; i++) {
    struct setaside_group *group = &list->groups[i];
    for (size_t k = 0; k < i && group->since[0] == '\0'; k++) {
      group->since = list->groups[k].since_run == group->since_run ? list->groups[k].since : group->since;
    }
    status = group->since[0] == '\0' ? set_since(workspace, list, group, error) : OK;
  }
  return status;
}

static int by_records(const void *a, const void *b) {
  const struct setaside_group *left = a, *right = b;
  if (left->records != right->records) {
    return left->records > right->records ? -1 : 1;
  }
  int order = strcmp(left->source, right->source);
  order = order != 0 ? order : strcmp(left->field, right->field);
  order = order != 0 ? order : strcmp(left->reason, right->reason);
  return order != 0 ? order : strcmp(left->hint, right->hint);
}

static enum status gather_all(struct workspace *workspace, const char *source, struct gathering *gathering,
                              struct error *error) {
  const struct filter filter = {.column = "source", .text = source};
  const struct selection selection = {.view = "quarantine",
                                      .columns = GROUP_COLUMNS,
                                      .column_count = GROUP_COLUMN_COUNT,
                                      .filters = &filter,
                                      .filter_count = source != NULL ? 1 : 0};
  struct result *result = NULL;
  enum status status = store_select(workspace->store, &selection, &result, error);
  if (status != OK) {
    return status;
  }
  while ((status = result_next(result, error)) == OK) {
    status = gather(gathering, result, error);
    if (status != OK) {
      break;
    }
  }
  result_free(result);
  return status == END ? OK : status;
}

enum status setaside_read(struct workspace *workspace, const char *source, struct setaside_list *list,
                          struct error *error) {
  *list = (struct setaside_list){.memory = arena_new(0)};
  struct gathering gathering = {.list = list, .positions = map_new(), .records = map_new()};
  bool fine = list->memory != NULL && gathering.positions != NULL && gathering.records != NULL;
  enum status status = fine ? hints_open(&gathering.hints, error) : error_memory(error);
  if (status == OK) {
    status = first_lately(workspace, &gathering.lately, error);
  }
  if (status == OK) {
    status = gather_all(workspace, source, &gathering, error);
  }
  if (status == OK) {
    status = set_all_since(workspace, list, error);
  }
  if (status == OK) {
    list->records = map_count(gathering.records);
    if (list->count > 0) {
      qsort(list->groups, list->count, sizeof *list->groups, by_records);
    }
  } else {
    setaside_free(list);
  }
  hints_close(&gathering.hints);
  map_free(gathering.positions);
  map_free(gathering.records);
  return status;
}

void setaside_free(struct setaside_list *list) {
  arena_free(list->memory);
  *list = (struct setaside_list){.memory = NULL};
}

/* ---- one record ---- */

/* What is known of the issues of a record while it is shown. */
struct issue_note {
  const char *path, *reason, *hint;
};
struct showing {
  struct workspace *workspace;
  const struct setaside_visitor *visitor;
  bool reveal;
  struct arena *arena;
  struct hints hints;
  struct issue_note notes[32];
  size_t note_count;
};

static const char *const ISSUE_COLUMNS[] = {"field", "reason", "path", "hint", "line", "source"};

static enum status show_issues(struct showing *showing, int64_t raw_id, const char **source, struct error *error) {
  char number[NUMBER_SIZE];
  snprintf(number, sizeof number, "%lld", (long long)raw_id);
  const struct filter filter = {.column = "raw_id", .text = number};
  const struct selection selection = {.view = "issues",
                                      .columns = ISSUE_COLUMNS,
                                      .column_count = sizeof ISSUE_COLUMNS / sizeof *ISSUE_COLUMNS,
                                      .filters = &filter,
                                      .filter_count = 1};
  struct result *result = NULL;
  enum status status = store_select(showing->workspace->store, &selection, &result, error);
  if (status != OK) {
    return status;
  }
  while ((status = result_next(result, error)) == OK) {
    const char *texts[4];
    for (size_t i = 0; i < 4; i++) {
      texts[i] = text_at(showing->arena, result, i);
    }
    *source = arena_text(showing->arena, result_text(result, 5));
    if (texts[0] == NULL || texts[1] == NULL || texts[2] == NULL || texts[3] == NULL || *source == NULL) {
      status = error_memory(error);
      break;
    }
    texts[3] = hint_read(&showing->hints, texts[1], texts[3]);
    showing->visitor->issue(showing->visitor->context, texts[0], texts[1], texts[2], texts[3],
                            result_integer(result, 4));
    if (showing->note_count < sizeof showing->notes / sizeof *showing->notes) {
      showing->notes[showing->note_count++] = (struct issue_note){texts[2], texts[1], texts[3]};
    }
  }
  result_free(result);
  return status == END ? OK : status;
}

/* The issue whose path ends with this member's name. */
static const struct issue_note *note_at(const struct showing *showing, struct slice name) {
  for (size_t i = 0; i < showing->note_count && name.len > 0; i++) {
    const char *path = showing->notes[i].path;
    size_t length = strlen(path);
    bool ends = length >= name.len && memcmp(path + length - name.len, name.data, name.len) == 0;
    if (ends && (length == name.len || path[length - name.len - 1] == '/')) {
      return &showing->notes[i];
    }
  }
  return NULL;
}

static void show_node(struct showing *showing, const struct node *node, int depth) {
  const struct issue_note *note = note_at(showing, node->name);
  bool leaf = node->count == 0;
  struct slice value = showing->reveal ? node->text : text_shape(showing->arena, node->text, SHAPE_MOST);
  const struct setaside_line line = {.depth = depth,
                                     .name = node->name,
                                     .value = leaf ? value : slice_make(NULL, 0),
                                     .leaf = leaf,
                                     .reason = note == NULL ? NULL : note->reason,
                                     .hint = note == NULL ? NULL : note->hint};
  if (depth >= 0) {
    showing->visitor->line(showing->visitor->context, &line);
  }
  for (uint32_t i = 0; i < node->count; i++) {
    show_node(showing, &node->children[i], depth + 1);
  }
}

static const char *state_name(enum record_state state) {
  static const char *const names[] = {"mapped", "quarantined", "withheld", "dismissed"};
  return names[state];
}

struct raw_showing {
  struct showing *showing;
  const char *source;
};

static enum status show_raw(void *context, const struct raw_version *version, struct error *error) {
  struct raw_showing *raw = context;
  struct showing *showing = raw->showing;
  struct slice bytes = encoded_record(version->bytes);
  const struct setaside_head head = {.raw_id = version->raw_id,
                                     .source = raw->source,
                                     .origin = version->origin,
                                     .format = version->format,
                                     .state = state_name(version->state)};
  const struct format *format = format_find(version->format);
  struct decoder *decoder = NULL;
  struct node *root = NULL;
  struct error broken;
  showing->visitor->head(showing->visitor->context, &head);
  if (format == NULL) {
    return error_set(error, ERR_STORE, _("landed bytes of unknown format %s"), version->format);
  }
  enum status status = format->decoder_new(version->context, &decoder, &broken);
  status = status == OK ? format->parse(decoder, bytes, showing->arena, &root, &broken) : status;
  if (status == OK) {
    show_node(showing, root, -1);
  } else if (status != ERR_MEMORY) {
    struct slice shape = showing->reveal ? bytes : text_shape(showing->arena, bytes, SHAPE_MOST);
    const struct setaside_line line = {.name = slice_of("?"), .value = shape, .leaf = true, .reason = "record_broken"};
    showing->visitor->line(showing->visitor->context, &line);
  }
  if (decoder != NULL) {
    format->decoder_free(decoder);
  }
  return status == ERR_MEMORY ? error_memory(error) : OK;
}

/* Who looked at what and why is on record before the values are read. */
static enum status log_reveal(struct workspace *workspace, int64_t raw_id, const char *source, const char *purpose,
                              struct error *error) {
  if (purpose == NULL || purpose[0] == '\0') {
    error_set(error, ERR_USAGE, _("a purpose is needed to reveal values"));
    error_hint(error, _("--reveal --purpose \"why you have to see them\": the log records it"));
    return ERR_USAGE;
  }
  char body[NUMBER_SIZE + 32];
  snprintf(body, sizeof body, "{\"raw_id\":%lld}", (long long)raw_id);
  const struct audit_event event = {
      .event = "reveal", .source = source, .actor = workspace->actor, .purpose = purpose, .body = body};
  enum status status = purpose_require(workspace, source_of_record(record_of(raw_id)), purpose, error);
  status = status == OK ? access_person(workspace, error) : status;
  if (status != OK) {
    return status;
  }
  status = store_begin(workspace->store, error);
  if (status == OK) {
    status = audit_append(workspace->store, &event, error);
  }
  if (status == OK) {
    status = store_commit(workspace->store, error);
  }
  if (status != OK) {
    store_rollback(workspace->store);
  }
  return status;
}

enum status setaside_show(struct workspace *workspace, int64_t raw_id, bool reveal, const char *purpose,
                          const struct setaside_visitor *visitor, struct error *error) {
  struct showing showing = {
      .workspace = workspace, .visitor = visitor, .reveal = reveal, .arena = arena_new((size_t)256 << 20)};
  struct raw_showing raw = {.showing = &showing};
  if (showing.arena == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < workspace->config->source_count; i++) {
    if (workspace->source_ids[i] == source_of_record(record_of(raw_id))) {
      raw.source = workspace->config->sources[i].code;
    }
  }
  const char *source = raw.source;
  enum status status = reveal ? log_reveal(workspace, raw_id, source, purpose, error) : OK;
  if (status == OK) {
    status = hints_open(&showing.hints, error);
  }
  if (status == OK) {
    status = show_issues(&showing, raw_id, &source, error);
  }
  raw.source = source == NULL ? "?" : source;
  if (status == OK) {
    status = store_raw(workspace->store, raw_id, show_raw, &raw, error);
  }
  hints_close(&showing.hints);
  arena_free(showing.arena);
  return status;
}

/* Applies one field rule: reads what its paths find, converts it, sets the cells, and notes what could not be read. */
#include "mapping/plan_internal.h"

#include "core/base/text.h"

#include <stdio.h>

static bool out_of_memory(struct run *run) {
  run->failed = ERR_MEMORY;
  return false;
}

/* ---- reading ---- */

struct reading {
  struct slice text; /* several values stand apart by VALUE_SEPARATOR */
  bool there, several;
};

/* Values of the nodes from `before` on, joined. */
static bool gather(struct run *run, size_t before, struct reading *reading) {
  struct plan_scratch *scratch = run->scratch;
  size_t len = 0;
  struct slice text;
  for (size_t i = before; i < scratch->node_count; i++) {
    len += node_value(scratch->nodes[i], &text) ? text.len + 1 : 0;
  }
  if (len == 0) {
    return true;
  }
  char *bytes = arena_bytes(run->batch->arena, len), *at = bytes;
  if (bytes == NULL) {
    return out_of_memory(run);
  }
  for (size_t i = before; i < scratch->node_count; i++) {
    if (node_value(scratch->nodes[i], &text)) {
      memcpy(at, text.data, text.len);
      at += text.len;
      *at++ = VALUE_SEPARATOR;
    }
  }
  reading->text = slice_make(bytes, len - 1);
  reading->there = true;
  return true;
}

static bool path_read(struct run *run, const struct path *path, bool many, const struct node *node,
                      struct reading *reading) {
  if (path->let >= 0) {
    const struct let_value *let = &run->scratch->lets[path->let];
    reading->there = !let->absent && let->text.len > 0;
    reading->text = let->text;
    return true;
  }
  bool several = false;
  const struct node *first = path_first(run, path, node, &several);
  if (first == NULL) {
    return true;
  }
  if (!several || !many) {
    reading->there = node_value(first, &reading->text);
    reading->several = reading->several || several;
    return true;
  }
  size_t before = run->scratch->node_count;
  bool fine = path_all(run, path, node) && gather(run, before, reading);
  run->scratch->node_count = before;
  return fine;
}

static bool joined_read(struct run *run, const struct rule *rule, const struct node *node, struct reading *reading) {
  struct slice parts[RULE_PATHS_MOST];
  size_t count = 0, len = 0;
  for (size_t i = 0; i < rule->path_count; i++) {
    struct reading part = {0};
    if (!path_read(run, rule->paths[i], false, node, &part)) {
      return false;
    }
    if (part.there) {
      parts[count++] = part.text;
      len += part.text.len + rule->join.len;
    }
  }
  if (count < 2) {
    reading->there = count == 1;
    reading->text = count == 1 ? parts[0] : reading->text;
    return true;
  }
  char *bytes = arena_bytes(run->batch->arena, len), *at = bytes;
  if (bytes == NULL) {
    return out_of_memory(run);
  }
  for (size_t i = 0; i < count; i++) {
    if (i > 0) {
      memcpy(at, rule->join.data, rule->join.len);
      at += rule->join.len;
    }
    memcpy(at, parts[i].data, parts[i].len);
    at += parts[i].len;
  }
  *reading = (struct reading){.text = slice_make(bytes, (size_t)(at - bytes)), .there = true};
  return true;
}

static bool rule_read(struct run *run, const struct rule *rule, const struct node *node, struct reading *reading) {
  if (rule->single) {
    const struct node *found = path_first(run, rule->paths[0], node, &reading->several);
    reading->there = found != NULL && node_value(found, &reading->text);
    return true;
  }
  if (rule->joined) {
    return joined_read(run, rule, node, reading);
  }
  for (size_t i = 0; i < rule->path_count && !reading->there; i++) {
    if (!path_read(run, rule->paths[i], rule->many, node, reading)) {
      return false;
    }
  }
  return true;
}

/* ---- converting ---- */

static bool word_take(const struct word *word, struct value *value) {
  value->settled = true;
  value->text = word->text;
  value->absent = word->absent;
  value->missing = word->missing;
  return true;
}

static bool look_up_words(const struct words *words, struct arena *arena, struct value *value) {
  const struct word *word;
  if (!words_find(words, arena, value->text, &word)) {
    return false;
  }
  return word == NULL || word_take(word, value);
}

static bool convert_one(const struct rule *rule, const struct transform_context *context, struct value *value) {
  size_t next = 0;
  if (rule->repairs) {
    if (!rule->cleaning[next++].transform->apply(NULL, context, value)) {
      return false;
    }
  }
  if (rule->missing != NULL && !look_up_words(rule->missing, context->arena, value)) {
    return false;
  }
  for (; next < rule->cleaning_count && !value->settled; next++) {
    if (!rule->cleaning[next].transform->apply(NULL, context, value)) {
      return false;
    }
  }
  if (!value->settled && value->text.len == 0) {
    return value_missing(value, MISSING_UNSTATED);
  }
  if (!value->settled && rule->values != NULL && !look_up_words(rule->values, context->arena, value)) {
    return false;
  }
  return value->settled || rule->part.transform == NULL
         || rule->part.transform->apply(rule->part.settings, context, value);
}

/* The next of several values, trimmed; false at the end. */
static bool next_part(const struct rule *rule, struct slice *rest, struct slice *part) {
  while (rest->len > 0) {
    size_t end = 0, skip = 0;
    for (; end < rest->len && skip == 0; end++) {
      if (rest->data[end] == VALUE_SEPARATOR) {
        skip = 1;
      } else if (rule->separator_len > 0 && rest->len - end >= rule->separator_len
                 && memcmp(rest->data + end, rule->separator, rule->separator_len) == 0) {
        skip = rule->separator_len;
      }
    }
    size_t len = skip == 0 ? end : end - 1;
    *part = slice_trim(slice_make(rest->data, len));
    size_t used = len + skip;
    *rest = slice_make(rest->data + used, rest->len - used);
    if (part->len > 0) {
      return true;
    }
  }
  return false;
}

static bool part_is_known(const char *begin, const char *end, struct slice part) {
  for (const char *at = begin; at < end;) {
    const char *stop = memchr(at, ';', (size_t)(end - at));
    stop = stop == NULL ? end : stop;
    if (slice_equal(slice_make(at, (size_t)(stop - at)), part)) {
      return true;
    }
    at = stop + 1;
  }
  return false;
}

struct joined {
  char text[4096];
  size_t len;
};

/* False: no room. */
static bool join_part(struct joined *joined, struct slice part) {
  if (part_is_known(joined->text, joined->text + joined->len, part)) {
    return true;
  }
  if (joined->len + part.len + 1 > sizeof joined->text) {
    return false;
  }
  if (joined->len > 0) {
    joined->text[joined->len++] = ';';
  }
  memcpy(joined->text + joined->len, part.data, part.len);
  joined->len += part.len;
  return true;
}

/* What one of several values adds to the faults of all; false: it gives no text. */
static bool take_part(const struct rule *rule, struct value *one, struct value *result) {
  bool unread = one->fault != NULL && !one->mild;
  result->fault = result->fault == NULL ? one->fault : result->fault;
  result->hint = result->hint == NULL ? one->hint : result->hint;
  result->grave = result->grave || one->grave;
  result->missing = one->absent ? one->missing : result->missing;
  if (unread && rule->otherwise == OTHERWISE_CODE) {
    one->text = slice_make(rule->else_cell.text, rule->else_cell.len);
    return true;
  }
  return !unread && !one->absent;
}

/* Each of several values is converted by itself; what can be read is kept, each once, joined by ';'. */
static bool convert_many(const struct rule *rule, const struct transform_context *context, struct value *value) {
  struct joined joined;
  struct slice rest = value->text, part;
  struct value result = {.absent = true};
  joined.len = 0;
  while (next_part(rule, &rest, &part)) {
    struct value one = {.text = part};
    if (!convert_one(rule, context, &one)) {
      return false;
    }
    if (!take_part(rule, &one, &result)) {
      continue;
    }
    if (!join_part(&joined, one.text)) {
      return value_fault(value, "value_too_long");
    }
    result.absent = false;
  }
  *value = result;
  value->mild = !result.absent && rule->otherwise != OTHERWISE_QUARANTINE;
  value->fault = rule->otherwise == OTHERWISE_CODE && value->mild ? NULL : value->fault;
  value->text = arena_copy(context->arena, slice_make(joined.text, joined.len));
  return value->text.data != NULL;
}

static bool convert(struct run *run, const struct rule *rule, const struct cell *cells, struct value *value) {
  struct transform_context context = {.arena = run->batch->arena, .cells = cells};
  if (value->text.len > VALUE_BYTES_MOST) {
    return value_fault(value, "value_too_long");
  }
  if (memchr(value->text.data, '\0', value->text.len) != NULL) {
    return value_fault(value, "text_unreadable");
  }
  uint32_t hash = 0;
  struct slice raw = value->text;
  bool keep = rule->kept && raw.len <= KEPT_VALUE_MOST;
  const struct kept *kept = keep ? kept_find(run->scratch, rule->number, raw, &hash) : NULL;
  if (kept != NULL) {
    *value = kept->value;
    return true;
  }
  if (!(rule->many ? convert_many(rule, &context, value) : convert_one(rule, &context, value))) {
    return out_of_memory(run);
  }
  if (keep) {
    kept_add(run->scratch, rule->number, raw, hash, value);
  }
  return true;
}

/* ---- setting cells ---- */

static struct cell text_cell(struct slice text) {
  return (struct cell){.kind = CELL_TEXT, .len = (uint32_t)text.len, .text = text.data};
}

static struct cell missing_cell(uint8_t missing) {
  return (struct cell){.kind = CELL_NULL, .missing = missing};
}

/* The cell of the field's type; a value that does not fit it gets a fault. */
static struct cell typed_cell(const struct rule *rule, struct value *value) {
  const struct field *field = rule->field;
  int64_t integer;
  struct date date;
  switch (field->type) {
  case FIELD_INTEGER:
    if (!text_to_int64(value->text, &integer)) {
      value->fault = "number_unreadable";
    } else if (integer < field->least || integer > field->most) {
      value->fault = "number_range";
    } else {
      return (struct cell){.kind = CELL_INTEGER, .integer = integer};
    }
    break;
  case FIELD_BOOLEAN:
    return (struct cell){.kind = CELL_INTEGER, .integer = slice_is(value->text, "true")};
  case FIELD_DATE:
    if (!value->settled || date_parse_iso(value->text, &date)) {
      return text_cell(value->text);
    }
    value->fault = "date_unreadable";
    break;
  case FIELD_TEXT:
  case FIELD_DECIMAL:
  case FIELD_CODE:
  case FIELD_ENCODING:
    return text_cell(value->text);
  }
  value->mild = false;
  return missing_cell(MISSING_INVALID);
}

static struct cell otherwise_cell(const struct rule *rule) {
  if (rule->otherwise == OTHERWISE_CODE) {
    return rule->else_cell;
  }
  return missing_cell(rule->otherwise == OTHERWISE_MISSING ? rule->else_missing : MISSING_INVALID);
}

static bool value_issue(struct run *run, const struct rule *rule, const struct value *value, struct slice raw) {
  bool declared = !value->mild && (rule->otherwise == OTHERWISE_CODE || rule->otherwise == OTHERWISE_MISSING);
  bool grave = value->grave || (!value->mild && (rule->otherwise == OTHERWISE_QUARANTINE || rule->required));
  return (declared && !grave)
         || issue_add(run, grave ? ISSUE_ERROR : ISSUE_WARNING, rule->name, value->fault, rule->path_text, raw,
                      value->hint, rule->line);
}

static struct cell value_cell(const struct rule *rule, struct value *value) {
  struct cell cell;
  if (value->fault != NULL && !value->mild) {
    return otherwise_cell(rule);
  }
  if (value->absent) {
    cell = missing_cell(value->missing);
    return rule->has_fallback && value->missing == MISSING_UNSTATED ? rule->fallback : cell;
  }
  cell = typed_cell(rule, value);
  return value->fault != NULL && !value->mild ? otherwise_cell(rule) : cell;
}

/* The source's own code, and its text where the mapping names one. */
static bool own_cell(struct run *run, const struct rule *rule, const struct node *node, const struct reading *reading,
                     struct cell *cell) {
  struct reading text = {0};
  if (rule->text != NULL && !path_read(run, rule->text, false, node, &text)) {
    return false;
  }
  struct slice code = reading->there ? reading->text : slice_of("");
  if (code.len + text.text.len > VALUE_BYTES_MOST) {
    return true;
  }
  if (!text.there && memchr(code.data, VALUE_SEPARATOR, code.len) == NULL) {
    *cell = reading->there ? text_cell(code) : missing_cell(MISSING_UNSTATED);
    return true;
  }
  size_t len = code.len + (text.there ? text.text.len + 1 : 0);
  char *bytes = arena_bytes(run->batch->arena, len);
  if (bytes == NULL) {
    return out_of_memory(run);
  }
  for (size_t i = 0; i < code.len; i++) {
    bytes[i] = code.data[i] == VALUE_SEPARATOR ? ';' : code.data[i];
  }
  if (text.there) {
    bytes[code.len] = '|';
    memcpy(bytes + code.len + 1, text.text.data, text.text.len);
  }
  *cell = text_cell(slice_make(bytes, len));
  return true;
}

static bool trace(struct run *run, const struct rule *rule, struct slice raw, const struct cell *cell) {
  char number[24];
  struct slice output = {.data = ""};
  if (cell->kind == CELL_TEXT) {
    output = slice_make(cell->text, cell->len);
  } else if (cell->kind == CELL_INTEGER) {
    int len = snprintf(number, sizeof number, "%lld", (long long)cell->integer);
    output = arena_copy(run->batch->arena, slice_make(number, (size_t)len));
  }
  const char *dot = strchr(rule->name, '.');
  char *entity = arena_text(run->batch->arena, slice_make(rule->name, (size_t)(dot - rule->name)));
  if (entity == NULL || output.data == NULL) {
    return out_of_memory(run);
  }
  struct trace_step step = {.entity = entity,
                            .field = dot + 1,
                            .path = rule->path_text,
                            .transforms = rule->transforms_text,
                            .key = run->row_key,
                            .input = raw,
                            .output = output,
                            .line = rule->line};
  run->scratch->trace_status = run->scratch->trace(run->scratch->trace_context, &step);
  run->failed = run->scratch->trace_status;
  return run->failed == OK;
}

static bool let_set(struct run *run, const struct rule *rule, const struct value *value) {
  bool unread = value->fault != NULL && !value->mild;
  struct let_value *let = &run->scratch->lets[rule->target];
  *let = (struct let_value){.text = value->text, .absent = value->absent || unread, .missing = value->missing};
  if (let->absent && rule->has_fallback) {
    *let = (struct let_value){.text = slice_make(rule->fallback.text, rule->fallback.len)};
  }
  return true;
}

static bool cells_set(struct run *run, const struct rule *rule, const struct node *node, const struct reading *reading,
                      struct value *value, struct cell *cells) {
  struct cell *cell = &cells[rule->target];
  *cell = value_cell(rule, value);
  if (rule->field->type == FIELD_CODE && !own_cell(run, rule, node, reading, cell + 1)) {
    return false;
  }
  if (value->fault != NULL && !value_issue(run, rule, value, reading->text)) {
    return false;
  }
  if (value->fault == NULL && rule->required && cell->kind == CELL_NULL
      && !issue_add(run, ISSUE_ERROR, rule->name, "value_required", rule->path_text, slice_of(""), NULL, rule->line)) {
    return false;
  }
  return run->scratch->trace == NULL || trace(run, rule, reading->text, cell);
}

static void blank_value(const struct rule *rule, struct value *value) {
  const struct word *blank = rule->values != NULL && rule->values->has_blank     ? &rule->values->blank
                             : rule->missing != NULL && rule->missing->has_blank ? &rule->missing->blank
                                                                                 : NULL;
  if (blank != NULL) {
    word_take(blank, value);
  } else {
    value_missing(value, MISSING_UNSTATED);
  }
}

bool rule_apply(struct run *run, const struct rule *rule, const struct node *node, struct cell *cells) {
  struct value value = {.absent = true};
  struct reading reading = {.text = slice_of("")};
  bool applies = rule->when == NULL || condition_holds(run, rule->when, node);
  if (run->failed != OK) {
    return false;
  }
  if (!applies) {
    return rule->field != NULL || let_set(run, rule, &value);
  }
  if (rule->has_constant) {
    if (rule->field == NULL) {
      value = (struct value){.text = slice_make(rule->constant.text, rule->constant.len)};
      return let_set(run, rule, &value);
    }
    cells[rule->target] = rule->constant;
    return run->scratch->trace == NULL || trace(run, rule, reading.text, &rule->constant);
  }
  if (!rule_read(run, rule, node, &reading)) {
    return false;
  }
  if (reading.there) {
    value = (struct value){.text = reading.text};
    if (!convert(run, rule, cells, &value)) {
      return false;
    }
  } else {
    reading.text = slice_of("");
    blank_value(rule, &value);
  }
  if (reading.several && !rule->many
      && !issue_add(run, ISSUE_WARNING, rule->name, "several_values", rule->path_text, reading.text, NULL,
                    rule->line)) {
    return false;
  }
  return rule->field == NULL ? let_set(run, rule, &value) : cells_set(run, rule, node, &reading, &value, cells);
}

bool rules_apply(struct run *run, const struct rules *rules, const struct node *node, struct cell *cells) {
  for (size_t i = 0; i < rules->count; i++) {
    if (!rule_apply(run, &rules->items[i], node, cells)) {
      return false;
    }
  }
  return true;
}

/* Cases of mappings kept as text. */
#include "core/service/maptest.h"

#include "core/base/file.h"

#include <stdlib.h>

enum { CASE_FILE_MOST = 4 << 20, REPORT_MOST = 16 << 20, LINES_MOST = 2000 };

struct sections {
  struct slice mapping, input, expect, mistakes;
  bool has_mapping, has_input, has_expect, has_mistakes;
  struct slice title;
  size_t line, mapping_line;
};
struct runner {
  const struct mapping_bench *bench;
  const char *path;
  struct maptest_counts *counts;
  struct buffer *report;
  struct sections sections;
  size_t line;
};

/* ---- differences ---- */

struct lines {
  struct slice items[LINES_MOST];
  size_t count;
};

static void lines_split(struct slice text, struct lines *lines) {
  lines->count = 0;
  while (text.len > 0 && lines->count < LINES_MOST) {
    const char *end = memchr(text.data, '\n', text.len);
    size_t len = end == NULL ? text.len : (size_t)(end - text.data);
    size_t used = end == NULL ? len : len + 1;
    while (len > 0 && (text.data[len - 1] == ' ' || text.data[len - 1] == '\r')) {
      len--;
    }
    lines->items[lines->count++] = slice_make(text.data, len);
    text = slice_make(text.data + used, text.len - used);
  }
  while (lines->count > 0 && lines->items[lines->count - 1].len == 0) {
    lines->count--;
  }
}

static void put_line(struct buffer *out, char sign, struct slice line) {
  buffer_printf(out, "  %c %.*s\n", sign, SLICE_ARG(line));
}

/* Longest common subsequence: table[i][j] is its length from line i of one and j of the other on. */
static void put_difference(const struct lines *a, const struct lines *b, const uint16_t *table, struct buffer *out) {
  size_t width = b->count + 1, i = 0, j = 0;
  while (i < a->count || j < b->count) {
    if (i < a->count && j < b->count && slice_equal(a->items[i], b->items[j])) {
      put_line(out, ' ', a->items[i++]);
      j++;
    } else if (j == b->count || (i < a->count && table[(i + 1) * width + j] >= table[i * width + j + 1])) {
      put_line(out, '-', a->items[i++]);
    } else {
      put_line(out, '+', b->items[j++]);
    }
  }
}

static enum status difference(const struct lines *a, const struct lines *b, struct buffer *out, struct error *error) {
  size_t width = b->count + 1;
  uint16_t *table = calloc((a->count + 1) * width, sizeof *table);
  if (table == NULL) {
    return error_memory(error);
  }
  for (size_t i = a->count; i-- > 0;) {
    for (size_t j = b->count; j-- > 0;) {
      uint16_t down = table[(i + 1) * width + j], right = table[i * width + j + 1];
      table[i * width + j] = slice_equal(a->items[i], b->items[j]) ? (uint16_t)(table[(i + 1) * width + j + 1] + 1)
                             : down > right                        ? down
                                                                   : right;
    }
  }
  if (table[0] != a->count || a->count != b->count) {
    put_difference(a, b, table, out);
  }
  free(table);
  return buffer_check(out, "difference", error);
}

enum status text_difference(struct slice expected, struct slice got, struct buffer *out, struct error *error) {
  struct lines *both = calloc(2, sizeof *both);
  if (both == NULL) {
    return error_memory(error);
  }
  lines_split(expected, &both[0]);
  lines_split(got, &both[1]);
  enum status status = difference(&both[0], &both[1], out, error);
  free(both);
  return status;
}

/* ---- running ---- */

/* What the mapping makes of the input, or the compiler's words where it does not compile. */
static enum status case_run(struct runner *runner, struct buffer *got, bool *compiled, struct error *error) {
  struct plan *plan = NULL;
  struct buffer mistakes;
  buffer_init(&mistakes, (size_t)1 << 20);
  enum status status = plan_parse("mapping", runner->sections.mapping, runner->bench->model, runner->bench->lists,
                                  &plan, &mistakes, error);
  *compiled = status == OK;
  if (status == OK && !runner->sections.has_mistakes) {
    status = mapping_show(plan, runner->bench->model, runner->sections.input, true, got, error);
    if (status == ERR_INPUT || status == ERR_LIMIT) {
      buffer_printf(got, "input broken: %s\n", error->message);
      status = OK;
    }
  } else if (status == ERR_CONFIG || status == ERR_LIMIT || status == ERR_INPUT) {
    buffer_slice(got, buffer_view(&mistakes));
    status = OK;
  }
  plan_free(plan);
  buffer_free(&mistakes);
  return status;
}

static enum status case_check(struct runner *runner, struct error *error) {
  struct sections *sections = &runner->sections;
  struct buffer got, lines;
  bool compiled = false;
  buffer_init(&got, REPORT_MOST);
  buffer_init(&lines, REPORT_MOST);
  enum status status = case_run(runner, &got, &compiled, error);
  struct slice expected = sections->has_mistakes ? sections->mistakes : sections->expect;
  if (status == OK) {
    status = text_difference(expected, buffer_view(&got), &lines, error);
  }
  runner->counts->cases++;
  if (status == OK && lines.len > 0) {
    runner->counts->failed++;
    buffer_printf(runner->report, "%s:%zu: %.*s%s\n", runner->path, sections->line, SLICE_ARG(sections->title),
                  compiled || sections->has_mistakes ? "" : _(" (the mapping does not compile)"));
    buffer_slice(runner->report, buffer_view(&lines));
    status = buffer_check(runner->report, "report", error);
  }
  buffer_free(&got);
  buffer_free(&lines);
  return status;
}

/* The mapping stays for the next case; the rest does not. */
static enum status case_end(struct runner *runner, struct error *error) {
  struct sections *sections = &runner->sections;
  enum status status = OK;
  if (sections->has_expect || sections->has_mistakes) {
    if (!sections->has_mapping) {
      error_set(error, ERR_INPUT, _("the case has no mapping"));
      error_place(error, "%s:%zu", runner->path, sections->line);
      return ERR_INPUT;
    }
    status = case_check(runner, error);
  }
  *sections = (struct sections){
      .mapping = sections->mapping, .has_mapping = sections->has_mapping, .mapping_line = sections->mapping_line};
  return status;
}

static enum status section_set(struct runner *runner, struct slice name, struct slice body, struct error *error) {
  struct sections *sections = &runner->sections;
  if (slice_is(name, "mapping")) {
    sections->mapping = body;
    sections->has_mapping = true;
  } else if (slice_is(name, "input")) {
    sections->input = body;
    sections->has_input = true;
  } else if (slice_is(name, "expect")) {
    sections->expect = body;
    sections->has_expect = true;
  } else if (slice_is(name, "mistakes")) {
    sections->mistakes = body;
    sections->has_mistakes = true;
  } else {
    error_set(error, ERR_INPUT, _("unknown section '%.*s'"), SLICE_ARG(name));
    error_place(error, "%s:%zu", runner->path, runner->line);
    error_hint(error, "%s", _("sections are mapping, input, expect, mistakes"));
    return ERR_INPUT;
  }
  return OK;
}

static struct slice take_line(struct slice *rest) {
  const char *end = memchr(rest->data, '\n', rest->len);
  size_t len = end == NULL ? rest->len : (size_t)(end - rest->data) + 1;
  struct slice line = slice_make(rest->data, len);
  *rest = slice_make(rest->data + len, rest->len - len);
  return line;
}

static bool begins(struct slice line, const char *with) {
  size_t len = strlen(with);
  return line.len >= len && memcmp(line.data, with, len) == 0;
}

/* Lines up to the next section or title. */
static struct slice take_body(struct runner *runner, struct slice *rest) {
  const char *from = rest->data;
  while (rest->len > 0 && !begins(*rest, "--- ") && !begins(*rest, "=== ")) {
    take_line(rest);
    runner->line++;
  }
  return slice_make(from, (size_t)(rest->data - from));
}

static enum status cases_run(struct runner *runner, struct slice text, struct error *error) {
  enum status status = OK;
  while (status == OK && text.len > 0) {
    runner->line++;
    struct slice line = slice_trim(take_line(&text));
    struct sections *sections = &runner->sections;
    if (begins(line, "=== ")) {
      status = case_end(runner, error);
      sections->title = slice_make(line.data + 4, line.len - 4);
      sections->line = runner->line;
    } else if (begins(line, "--- ")) {
      struct slice name = slice_trim(slice_make(line.data + 4, line.len - 4));
      bool ended = sections->has_expect || sections->has_mistakes;
      status = ended ? case_end(runner, error) : OK;
      sections->line = sections->line == 0 ? runner->line : sections->line;
      struct slice body = take_body(runner, &text);
      status = status == OK ? section_set(runner, name, body, error) : status;
    } else if (line.len > 0 && line.data[0] != '#') {
      error_set(error, ERR_INPUT, _("a line stands in no section"));
      error_place(error, "%s:%zu", runner->path, runner->line);
      return ERR_INPUT;
    }
  }
  return status == OK ? case_end(runner, error) : status;
}

/* Each ```case block by itself. */
static enum status markdown_run(struct runner *runner, struct slice text, struct error *error) {
  enum status status = OK;
  while (status == OK && text.len > 0) {
    runner->line++;
    if (!begins(take_line(&text), "```case")) {
      continue;
    }
    const char *from = text.data;
    size_t before = runner->line, lines = 0;
    while (text.len > 0 && !begins(text, "```")) {
      take_line(&text);
      lines++;
    }
    runner->sections = (struct sections){0};
    status = cases_run(runner, slice_make(from, (size_t)(text.data - from)), error);
    runner->line = before + lines;
  }
  return status;
}

enum status maptest_file(const struct mapping_bench *bench, const char *path, struct maptest_counts *counts,
                         struct buffer *report, struct error *error) {
  struct runner runner = {.bench = bench, .path = path, .counts = counts, .report = report};
  struct buffer text;
  size_t before = counts->cases, len = strlen(path);
  buffer_init(&text, CASE_FILE_MOST);
  enum status status = file_read(path, CASE_FILE_MOST, &text, error);
  if (status == OK) {
    bool markdown = len > 3 && strcmp(path + len - 3, ".md") == 0;
    status =
        markdown ? markdown_run(&runner, buffer_view(&text), error) : cases_run(&runner, buffer_view(&text), error);
  }
  if (status == OK && counts->cases == before) {
    error_set(error, ERR_INPUT, _("there is no case in the file"));
    error_place(error, "%s", path);
    error_hint(error, "%s", _("a case has the sections --- mapping, --- input and --- expect"));
    status = ERR_INPUT;
  }
  buffer_free(&text);
  return status;
}

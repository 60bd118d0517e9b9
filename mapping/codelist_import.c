#include "mapping/codelist.h"

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/base/file.h"
#include "core/base/folder.h"
#include "core/base/map.h"
#include "core/base/text.h"

#include <ctype.h>

enum { FILE_MOST = 16 << 20, ROWS_MOST = 100000, CELLS_MOST = 64 };
enum { INEI, RENIEC, DEPARTMENT, PROVINCE, DISTRICT, COLUMNS };

static const char *const NAMES[COLUMNS] = {"inei", "reniec", "departamento", "provincia", "distrito"};

struct district {
  struct slice cells[COLUMNS];
};

struct importing {
  struct arena *arena;
  const char *csv;
  int column[COLUMNS]; /* where each stands in the file */
  struct map *inei;    /* code → position in `districts` */
  struct map *reniec;
  struct map *departments; /* first two digits, '/', name: one name a code */
  struct district *districts;
  size_t count;
  struct codelist_import *result;
};

/* Splits one line at commas; a cell in quotes may hold commas, and "" for a quote is left as it is. */
static size_t split(struct slice line, struct slice cells[CELLS_MOST]) {
  size_t count = 0, at = 0;
  while (count < CELLS_MOST) {
    bool quoted = at < line.len && line.data[at] == '"';
    size_t begin = at + (quoted ? 1 : 0), end = begin;
    while (end < line.len && line.data[end] != (quoted ? '"' : ',')) {
      end++;
    }
    cells[count++] = slice_trim(slice_make(line.data + begin, end - begin));
    at = end + (quoted && end < line.len ? 1 : 0);
    if (at >= line.len) {
      break;
    }
    at++;
  }
  return count;
}

static bool next_line(struct slice *text, struct slice *line) {
  if (text->len == 0) {
    return false;
  }
  const char *end = memchr(text->data, '\n', text->len);
  size_t len = end == NULL ? text->len : (size_t)(end - text->data);
  size_t taken = end == NULL ? len : len + 1;
  *line = slice_trim(slice_make(text->data, len));
  *text = slice_make(text->data + taken, text->len - taken);
  return true;
}

static enum status read_header(struct importing *importing, struct slice line, struct error *error) {
  struct slice cells[CELLS_MOST];
  size_t count = split(line, cells);
  for (int i = 0; i < COLUMNS; i++) {
    importing->column[i] = -1;
    for (size_t c = 0; c < count; c++) {
      importing->column[i] = slice_is(text_lower(importing->arena, cells[c]), NAMES[i]) ? (int)c : importing->column[i];
    }
    if (importing->column[i] < 0) {
      error_set(error, ERR_INPUT, _("the file has no column '%s'"), NAMES[i]);
      error_place(error, "%s:1", importing->csv);
      error_hint(error, "%s", _("its first line has to name inei, reniec, departamento, provincia, distrito"));
      return ERR_INPUT;
    }
  }
  return OK;
}

static bool is_code(struct slice text) {
  if (text.len != 6) {
    return false;
  }
  for (size_t i = 0; i < text.len; i++) {
    if (!isdigit((unsigned char)text.data[i])) {
      return false;
    }
  }
  return true;
}

/* Signs that no name has, and that would break the list written from it. */
static bool is_name(struct slice text) {
  for (size_t i = 0; i < text.len; i++) {
    if (text.data[i] == '"' || text.data[i] == '\\' || iscntrl((unsigned char)text.data[i])) {
      return false;
    }
  }
  return text.len > 0 && text.len <= 100 && utf8_valid(text);
}

static bool is_blank(struct slice text) {
  return text.len == 0 || slice_is(text, "NA");
}

static struct slice department_of(const struct district *district) {
  return slice_make(district->cells[INEI].data, 2);
}

/* Whether the department of this code was named alike so far. */
static bool same_department(const struct importing *importing, const struct district *district) {
  uint32_t first = map_get(importing->departments, department_of(district));
  return first == MAP_NONE || slice_equal(importing->districts[first].cells[DEPARTMENT], district->cells[DEPARTMENT]);
}

static bool is_valid(const struct importing *importing, const struct district *district) {
  const struct slice *cells = district->cells;
  for (int i = DEPARTMENT; i < COLUMNS; i++) {
    if (!is_name(cells[i])) {
      return false;
    }
  }
  if (!is_code(cells[INEI]) || (!is_blank(cells[RENIEC]) && !is_code(cells[RENIEC]))) {
    return false;
  }
  return map_get(importing->inei, cells[INEI]) == MAP_NONE
         && (is_blank(cells[RENIEC]) || map_get(importing->reniec, cells[RENIEC]) == MAP_NONE)
         && same_department(importing, district);
}

static enum status remember(struct importing *importing, const struct district *district) {
  uint32_t at = (uint32_t)importing->count;
  struct slice department = department_of(district), reniec = district->cells[RENIEC];
  enum status status = map_put(importing->inei, district->cells[INEI], at);
  if (status == OK && !is_blank(reniec)) {
    status = map_put(importing->reniec, reniec, at);
  }
  if (status == OK && map_get(importing->departments, department) == MAP_NONE) {
    status = map_put(importing->departments, department, at);
  }
  return status;
}

static enum status read_row(struct importing *importing, struct slice line, struct error *error) {
  struct slice cells[CELLS_MOST];
  size_t count = split(line, cells);
  struct district *district = &importing->districts[importing->count];
  importing->result->rows++;
  for (int i = 0; i < COLUMNS; i++) {
    district->cells[i] = (size_t)importing->column[i] < count ? cells[importing->column[i]] : slice_of("");
  }
  importing->result->without_inei += is_blank(district->cells[INEI]);
  importing->result->without_reniec += is_blank(district->cells[RENIEC]);
  if (!is_valid(importing, district)) {
    importing->result->rejected++;
    return OK;
  }
  importing->result->accepted++;
  enum status status = remember(importing, district);
  importing->count += status == OK;
  return status == OK ? OK : error_memory(error);
}

static void count_collisions(struct importing *importing) {
  for (size_t i = 0; i < importing->count; i++) {
    const struct slice *cells = importing->districts[i].cells;
    if (is_blank(cells[RENIEC]) || slice_equal(cells[INEI], cells[RENIEC])) {
      continue;
    }
    importing->result->differing++;
    importing->result->collisions += map_get(importing->inei, cells[RENIEC]) != MAP_NONE;
  }
}

static enum status read_all(struct importing *importing, struct slice text, struct error *error) {
  struct slice line;
  enum status status = OK;
  if (!next_line(&text, &line)) {
    line = slice_of("");
  }
  status = read_header(importing, line, error);
  while (status == OK && next_line(&text, &line)) {
    if (line.len == 0) {
      continue;
    }
    if (importing->result->rows == ROWS_MOST) {
      return error_set(error, ERR_LIMIT, _("the file has more than %d lines"), ROWS_MOST);
    }
    status = read_row(importing, line, error);
  }
  if (status == OK && importing->count == 0) {
    error_set(error, ERR_INPUT, _("none of %zu lines is a district"), importing->result->rows);
    error_place(error, "%s", importing->csv);
    error_hint(error, "%s", _("an inei code has 6 digits, and each is there once"));
    return ERR_INPUT;
  }
  return status;
}

static void write_district(struct buffer *out, const struct slice *cells) {
  buffer_printf(out, "  \"%.*s\": {es: ", SLICE_ARG(cells[INEI]));
  buffer_json(out, cells[DISTRICT]);
  buffer_printf(out, ", parent: \"%.4s\", alias: ", cells[INEI].data);
  buffer_printf(out, "\"%.*s/%.*s/%.*s\"", SLICE_ARG(cells[DEPARTMENT]), SLICE_ARG(cells[PROVINCE]),
                SLICE_ARG(cells[DISTRICT]));
  buffer_printf(out, ", in: {inei: \"%.*s\"", SLICE_ARG(cells[INEI]));
  if (!is_blank(cells[RENIEC])) {
    buffer_printf(out, ", reniec: \"%.*s\"", SLICE_ARG(cells[RENIEC]));
  }
  buffer_text(out, "}}\n");
}

static enum status write_list(const struct importing *importing, const char *target, struct error *error) {
  struct buffer out;
  buffer_init(&out, FILE_MOST);
  const char *name = folder_stem(importing->arena, target);
  buffer_printf(&out,
                "# %zu districts of Peru; the code is INEI's. Written by `puente codelist import ubigeo`: import again"
                " instead of editing.\n",
                importing->count);
  buffer_printf(&out, "list: %s\nlabel: {en: District, es: Distrito}\nsystems:\n  inei: INEI\n  reniec: RENIEC\n",
                name == NULL ? "district" : name);
  buffer_text(&out, "codes:\n");
  for (size_t i = 0; i < importing->count; i++) {
    write_district(&out, importing->districts[i].cells);
  }
  enum status status = buffer_check(&out, "code list", error);
  if (status == OK) {
    status = file_write(target, buffer_view(&out), 0644, error);
  }
  buffer_free(&out);
  return status;
}

static enum status import(struct importing *importing, const char *target, struct error *error) {
  struct buffer text;
  buffer_init(&text, FILE_MOST);
  enum status status = file_read(importing->csv, FILE_MOST, &text, error);
  importing->districts = arena_array(importing->arena, ROWS_MOST + 1, sizeof *importing->districts);
  if (status == OK && importing->districts == NULL) {
    status = error_memory(error);
  }
  if (status == OK) {
    status = read_all(importing, slice_trim(buffer_view(&text)), error);
  }
  if (status == OK) {
    count_collisions(importing);
    status = write_list(importing, target, error);
  }
  buffer_free(&text);
  return status;
}

enum status codelist_import_ubigeo(const char *csv, const char *target, struct codelist_import *result,
                                   struct error *error) {
  *result = (struct codelist_import){0};
  struct importing importing = {.arena = arena_new(64 << 20),
                                .csv = csv,
                                .inei = map_new(),
                                .reniec = map_new(),
                                .departments = map_new(),
                                .result = result};
  enum status status;
  if (importing.arena == NULL || importing.inei == NULL || importing.reniec == NULL || importing.departments == NULL) {
    status = error_memory(error);
  } else {
    status = import(&importing, target, error);
  }
  map_free(importing.inei);
  map_free(importing.reniec);
  map_free(importing.departments);
  arena_free(importing.arena);
  return status;
}

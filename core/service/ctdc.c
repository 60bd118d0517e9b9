#include "core/service/ctdc.h"

#include "core/base/date.h"
#include "core/base/file.h"
#include "core/base/map.h"
#include "core/disclose/anonymise.h"
#include "core/service/ctdc_columns.h"
#include "core/service/outbound_cell.h"
#include "core/service/release_text.h"
#include "core/service/releasing.h"
#include "core/service/showing.h"

#include <stdio.h>
#include <stdlib.h>

enum { BODY_SIZE = 512, NUMBER_SIZE = 24, SHARE_STEP = 5, ARENA_LIMIT = 1 << 30 };
static const size_t FILE_LIMIT = (size_t)2 << 30;

struct writing {
  struct workspace *workspace;
  const struct export_request *request;
  struct ctdc_rows rows;
  int64_t run;
  struct ctdc_made *made;
};

/* ---- rows ---- */

static void put_csv(const struct writing *writing, const uint32_t *values, struct buffer *out) {
  for (size_t at = 0; at < CTDC_COLUMNS; at++) {
    buffer_text(out, at == 0 ? "" : ",");
    if (values[at] != MAP_NONE) {
      csv_cell(out, map_key(writing->rows.texts, values[at]));
    }
  }
}

static void put_json(const struct writing *writing, const uint32_t *values, struct buffer *out) {
  for (size_t at = 0; at < CTDC_COLUMNS; at++) {
    enum ctdc_kind kind = ctdc_columns[at].kind;
    buffer_printf(out, "%s\"%s\":", at == 0 ? "{" : ",", ctdc_columns[at].name);
    if (values[at] == MAP_NONE) {
      buffer_text(out, "null");
    } else if (kind == CTDC_YEAR || kind == CTDC_FLAG) {
      buffer_slice(out, map_key(writing->rows.texts, values[at]));
    } else {
      buffer_json(out, map_key(writing->rows.texts, values[at]));
    }
  }
  buffer_char(out, '}');
}

static int by_text(const void *a, const void *b, void *text) {
  const char *bytes = text;
  return strcmp(bytes + *(const size_t *)a, bytes + *(const size_t *)b);
}

/* In the order of their text, which tells neither the order of the store nor what was hidden in which step. */
static enum status put_rows(const struct writing *writing, size_t kept, struct buffer *out, struct error *error) {
  struct buffer lines;
  size_t *starts = calloc(kept + 1, sizeof *starts);
  buffer_init(&lines, FILE_LIMIT);
  buffer_text(&lines, "");
  for (size_t i = 0; starts != NULL && i < kept; i++) {
    const uint32_t *values = writing->rows.values + i * CTDC_COLUMNS;
    starts[i] = lines.len;
    if (writing->request->json) {
      put_json(writing, values, &lines);
    } else {
      put_csv(writing, values, &lines);
    }
    buffer_char(&lines, '\0');
  }
  enum status status = starts == NULL ? error_memory(error) : buffer_check(&lines, _("the rows"), error);
  if (status == OK) {
    qsort_r(starts, kept, sizeof *starts, by_text, lines.data);
    for (size_t i = 0; i < kept; i++) {
      buffer_text(out, lines.data + starts[i]);
      buffer_text(out, writing->request->json ? "\n" : "\r\n");
    }
    status = buffer_check(out, _("the rows"), error);
  }
  free(starts);
  buffer_free(&lines);
  return status;
}

static enum status make_rows(struct writing *writing, struct buffer *out, struct error *error) {
  uint64_t steps[CTDC_STEPS];
  ctdc_steps(steps);
  struct anonymise rows = {.values = writing->rows.values,
                           .columns = CTDC_COLUMNS,
                           .count = writing->rows.count,
                           .missing = MAP_NONE,
                           .k = writing->made->k,
                           .steps = steps,
                           .step_count = CTDC_STEPS};
  enum status status = anonymise(&rows, error);
  for (size_t at = 0; at < CTDC_COLUMNS && !writing->request->json; at++) {
    buffer_printf(out, "%s%s", at == 0 ? "" : ",", ctdc_columns[at].name);
  }
  buffer_text(out, writing->request->json ? "" : "\r\n");
  writing->made->rows = (int64_t)rows.kept;
  writing->made->complete = (int64_t)rows.at[0];
  writing->made->left_out = (int64_t)(rows.count - rows.kept);
  writing->made->withheld = writing->rows.withheld;
  return status == OK ? put_rows(writing, rows.kept, out, error) : status;
}

/* ---- dictionary ---- */

static void put_line(struct buffer *out, const char *item, const char *value, const char *en, const char *es) {
  const char *const fields[] = {item, value, en, es};
  for (size_t i = 0; i < 4; i++) {
    buffer_text(out, i == 0 ? "" : ",");
    release_text_put(out, fields[i]);
  }
  buffer_text(out, "\n");
}

/* The day on which the run ended. */
static enum status snapshot_date(struct writing *writing, char day[DATE_TEXT_SIZE], struct error *error) {
  static const char *const columns[] = {"ended"};
  char number[NUMBER_SIZE];
  snprintf(number, sizeof number, "%lld", (long long)writing->run);
  const struct filter filter = {.column = "run_id", .text = number};
  const struct selection selection = {
      .view = "runs", .columns = columns, .column_count = 1, .filters = &filter, .filter_count = 1};
  struct result *result = NULL;
  day[0] = '\0';
  enum status status = store_select(writing->workspace->store, &selection, &result, error);
  while (status == OK && (status = result_next(result, error)) == OK) {
    struct slice text = result_text(result, 0);
    snprintf(day, DATE_TEXT_SIZE, "%.*s", text.len < 10 ? 0 : 10, text.len < 10 ? "" : text.data);
  }
  result_free(result);
  return status == END ? OK : status;
}

/* How many are left out stays here: a small number would be told by subtraction. */
static enum status put_facts(struct writing *writing, struct buffer *out, struct error *error) {
  char day[DATE_TEXT_SIZE], number[NUMBER_SIZE];
  int64_t waiting = 0, decided = 0, all = writing->made->rows + writing->made->left_out;
  enum status status = snapshot_date(writing, day, error);
  status =
      status == OK ? store_count_waiting(writing->workspace->store, CLUSTER_PERSON, &waiting, &decided, error) : status;
  put_line(out, "item", "value", "en", "es");
  put_line(out, "unit", "person", "one row for each victim, whatever the number of records, sources and cases",
           "una fila por cada víctima, sean cuales sean los registros, fuentes y casos");
  put_line(out, "definition", "victim",
           "persons with the role of victim in a case, without those found not to be victims, and without those who "
           "agreed to be counted only or withdrew",
           "personas con el rol de víctima en un caso, sin las descartadas como víctimas ni quienes solo aceptaron ser "
           "contadas o se retiraron");
  put_line(out, "snapshot_date", day, "last day of what was read", "último día de lo leído");
  snprintf(number, sizeof number, "%lld", (long long)writing->run);
  put_line(out, "snapshot_run", number, "the store as it stood after this run",
           "el almacén tal como estaba después de esta ejecución");
  snprintf(number, sizeof number, "%d", writing->made->k);
  put_line(out, "k", number, "each combination of values in the file is that of so many rows at least",
           "cada combinación de valores del archivo es la de al menos tantas filas");
  snprintf(number, sizeof number, "%lld",
           all == 0 ? 0LL : (long long)(writing->made->rows * 100 / all / SHARE_STEP * SHARE_STEP));
  put_line(out, "share_of_victims", number, "percent of the victims who have a row, down to a multiple of 5",
           "porcentaje de las víctimas que tienen una fila, redondeado hacia abajo a un múltiplo de 5");
  bool few = waiting > 0 && waiting < writing->made->k;
  snprintf(number, sizeof number, "%lld", (long long)waiting);
  put_line(out, "linkage_waiting_pairs", few ? "few" : number,
           "pairs of records that may be one person and wait for a decision: each could make one row fewer",
           "pares de registros que pueden ser una persona y esperan una decisión: cada uno podría quitar una fila");
  put_line(out, "coverage", "ctdc_coverage.csv", "which source gave records for which department and years",
           "qué fuente dio registros para qué departamento y años");
  put_line(out, "empty", "", "not recorded, or hidden so that nobody is found: never zero and never 'no'",
           "no registrado, u oculto para que nadie sea identificado: nunca cero y nunca «no»");
  return status;
}

static enum status make_dictionary(struct writing *writing, struct buffer *out, struct error *error) {
  enum status status = put_facts(writing, out, error);
  for (size_t at = 0; at < CTDC_COLUMNS; at++) {
    const struct ctdc_column *column = &ctdc_columns[at];
    put_line(out, "column", column->name, column->en, column->es);
    if (column->kind == CTDC_FLAG) {
      put_line(out, column->name, "1", "recorded", "registrado");
    }
  }
  return status == OK ? buffer_check(out, _("the dictionary"), error) : status;
}

/* ---- files ---- */

static enum status write_named(const struct writing *writing, const char *name, struct slice text,
                               struct error *error) {
  char path[sizeof writing->made->path];
  int length = snprintf(path, sizeof path, "%s/%s", writing->request->folder, name);
  if (length < 0 || (size_t)length >= sizeof path) {
    return error_set(error, ERR_LIMIT, _("the folder's name is too long"));
  }
  return file_write(path, text, 0600, error);
}

static enum status write_coverage(const struct writing *writing, struct error *error) {
  struct arena *arena = arena_new(ARENA_LIMIT);
  struct release_plan *plan = arena == NULL ? NULL : arena_alloc(arena, sizeof *plan);
  struct ledger_table table = {.name = NULL};
  if (plan == NULL) {
    arena_free(arena);
    return error_memory(error);
  }
  *plan = (struct release_plan){.count = 1};
  plan->tables[0].indicator.date = DATE_OF_REGISTRATION;
  const struct release_facts facts = {
      .workspace = writing->workspace, .plan = plan, .run = writing->run, .k = writing->made->k};
  enum status status = release_text_coverage(&facts, arena, &table, error);
  status = status == OK ? write_named(writing, "ctdc_coverage.csv", table.body, error) : status;
  arena_free(arena);
  return status;
}

/* In the log before they are files. */
static enum status write_files(struct writing *writing, struct slice rows, struct slice dictionary,
                               struct error *error) {
  char body[BODY_SIZE], hex[2 * SHA256_SIZE + 1];
  struct sha256 digest = sha256_of(rows);
  hex_format(digest.bytes, SHA256_SIZE, hex);
  const struct ctdc_made *made = writing->made;
  char left_out[24] = "null"; /* few: the log tells no more than the command */
  if (made->left_out != CTDC_FEW) {
    snprintf(left_out, sizeof left_out, "%lld", (long long)made->left_out);
  }
  snprintf(body, sizeof body, "{\"digest\":\"%s\",\"form\":\"ctdc\",\"k\":%d,\"left_out\":%s,\"rows\":%lld}", hex,
           made->k, left_out, (long long)made->rows);
  enum status status = outbound_log(writing->workspace, "exported", writing->request->purpose, body, NULL, error);
  status = status == OK ? write_coverage(writing, error) : status;
  status = status == OK ? write_named(writing, "ctdc_dictionary.csv", dictionary, error) : status;
  return status == OK ? file_write(writing->made->path, rows, 0600, error) : status;
}

/* Who else counts the victims would know of few whom the file leaves out. */
static int64_t told(int64_t count, int k) {
  return count > 0 && count < k ? CTDC_FEW : count;
}

static enum status make(struct writing *writing, struct error *error) {
  struct buffer rows, dictionary;
  buffer_init(&rows, FILE_LIMIT);
  buffer_init(&dictionary, 1 << 20);
  buffer_text(&rows, "");
  enum status status = ctdc_rows_read(writing->workspace, writing->run, &writing->rows, error);
  status = status == OK ? make_rows(writing, &rows, error) : status;
  status = status == OK ? make_dictionary(writing, &dictionary, error) : status;
  writing->made->left_out = told(writing->made->left_out, writing->made->k);
  writing->made->withheld = told(writing->made->withheld, writing->made->k);
  status = status == OK ? write_files(writing, buffer_view(&rows), buffer_view(&dictionary), error) : status;
  ctdc_rows_free(&writing->rows);
  buffer_free(&rows);
  buffer_free(&dictionary);
  return status;
}

/* Who is in the file is found by reading all: so all were seen. */
static enum status log_begin(const struct writing *writing, struct error *error) {
  char body[BODY_SIZE];
  struct shown shown;
  shown_init(&shown);
  enum status status = showing_all(writing->workspace, writing->run, &shown, error);
  if (status == OK) {
    snprintf(body, sizeof body, "{\"form\":\"ctdc\",\"k\":%d,\"persons\":%lld,\"run\":%lld,\"shown\":\"%s\"}",
             writing->made->k, (long long)shown.persons, (long long)writing->run, shown.hex);
    status = outbound_log(writing->workspace, "export", writing->request->purpose, body, &shown, error);
  }
  shown_free(&shown);
  return status;
}

enum status service_ctdc(struct workspace *workspace, const struct export_request *request, struct ctdc_made *made,
                         struct error *error) {
  struct writing writing = {.workspace = workspace, .request = request, .made = made};
  *made = (struct ctdc_made){.k = workspace->config->disclosure.k};
  int length = snprintf(made->path, sizeof made->path, "%s/ctdc.%s", request->folder, request->json ? "jsonl" : "csv");
  if (length < 0 || (size_t)length >= sizeof made->path) {
    return error_set(error, ERR_LIMIT, _("the folder's name is too long"));
  }
  enum status status = outbound_enter(workspace, request, error);
  status = status == OK ? releasing_run(workspace, &writing.run, error) : status;
  status = status == OK ? log_begin(&writing, error) : status;
  return status == OK ? make(&writing, error) : status;
}

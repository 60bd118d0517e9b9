#include "core/service/outbound_dictionary.h"

#include "core/service/release_text.h"

#include <stdio.h>

enum { NUMBER_SIZE = 24, DAY = 10, WORDS_SIZE = 200 };

static void put_line(struct buffer *out, const char *item, const char *value, const char *en, const char *es) {
  const char *const fields[] = {item, value, en, es};
  for (size_t i = 0; i < 4; i++) {
    buffer_text(out, i == 0 ? "" : ",");
    release_text_put(out, fields[i]);
  }
  buffer_text(out, "\n");
}

enum status dictionary_begin(struct workspace *workspace, const char *form, struct buffer *out, struct error *error) {
  static const char *const columns[] = {"run_id", "ended"};
  static const struct filter done = {.column = "state", .text = "done"};
  const struct selection selection = {.view = "runs",
                                      .columns = columns,
                                      .column_count = 2,
                                      .filters = &done,
                                      .filter_count = 1,
                                      .order = "-run_id",
                                      .most = 1};
  char run[NUMBER_SIZE] = "", day[DAY + 1] = "";
  struct result *result = NULL;
  enum status status = store_select(workspace->store, &selection, &result, error);
  while (status == OK && (status = result_next(result, error)) == OK) {
    struct slice ended = result_text(result, 1);
    snprintf(run, sizeof run, "%lld", (long long)result_integer(result, 0));
    snprintf(day, sizeof day, "%.*s", ended.len < DAY ? 0 : DAY, ended.len < DAY ? "" : ended.data);
  }
  result_free(result);
  put_line(out, "item", "value", "en", "es");
  put_line(out, "form", form, "how rows are written", "cómo están escritas las filas");
  put_line(out, "snapshot_run", run, "the last run that had ended", "la última ejecución terminada");
  put_line(out, "snapshot_date", day, "the day on which it ended", "el día en que terminó");
  put_line(out, "empty", "", "not recorded: never zero and never 'no'", "no registrado: nunca cero y nunca «no»");
  return status == END ? OK : status;
}

void dictionary_file(struct buffer *out, const struct entity *entity, const char *file, int64_t rows) {
  char number[NUMBER_SIZE], en[WORDS_SIZE], es[WORDS_SIZE];
  bool whole = strcmp(entity->name, "person") == 0 || strcmp(entity->name, "case") == 0;
  put_line(out, "file", file, entity->label_en, entity->label_es);
  snprintf(number, sizeof number, "%lld", (long long)rows);
  snprintf(en, sizeof en,
           whole ? "%s: one row each, consolidated from all sources" : "%s: one row as one source reported it",
           entity->label_en);
  snprintf(es, sizeof es,
           whole ? "%s: una fila por cada uno, consolidado de todas las fuentes"
                 : "%s: una fila tal como la reportó una fuente",
           entity->label_es);
  put_line(out, "unit", entity->name, en, es);
  put_line(out, "rows", number, "rows of the file", "filas del archivo");
}

/* Columns that the store adds to those of the model. */
static const struct {
  const char *name, *en, *es;
} OWN[] = {
    {"case_id", "consolidated case", "caso consolidado"},
    {"person_id", "consolidated person", "persona consolidada"},
    {"row_id", "the row, as long as its record says the same", "la fila, mientras su registro diga lo mismo"},
    {"record_id", "the source's record", "el registro de la fuente"},
    {"records", "records that are joined in it", "registros unidos en ella"},
    {"sources", "sources of these records", "fuentes de esos registros"},
    {"from_run", "run since which it is so", "ejecución desde la que es así"},
    {"source", "source", "fuente"},
    {"institution", "institution that supplied it", "institución que lo proporcionó"},
    {"region", "where the facts were, as far as rows are shown by region",
     "dónde fueron los hechos, según se muestran filas por región"},
    {"missing", "why fields are empty, where the source says so", "por qué faltan campos, si la fuente lo dice"},
};

void dictionary_column(struct buffer *out, const char *name, const char *column, const struct field *field) {
  if (field != NULL) {
    put_line(out, "column", name, field->label_en, field->label_es);
    if (field->codelist != NULL) {
      char en[WORDS_SIZE], es[WORDS_SIZE];
      snprintf(en, sizeof en, "values of %s are codes of this list", name);
      snprintf(es, sizeof es, "los valores de %s son códigos de esta lista", name);
      put_line(out, "codelist", field->codelist, en, es);
    }
    return;
  }
  for (size_t i = 0; i < sizeof OWN / sizeof *OWN; i++) {
    if (strcmp(OWN[i].name, column) == 0) {
      put_line(out, "column", name, OWN[i].en, OWN[i].es);
      return;
    }
  }
  put_line(out, "column", name, "the source's own code and text of the field",
           "el código y texto propios de la fuente");
}

#include "tests/support/terms.h"

#include "core/base/file.h"
#include "core/service/workspace.h"
#include "core/store/internal.h"
#include "tests/support/dump.h"
#include "tests/support/postgres.h"
#include "tests/support/program.h"
#include "tests/support/temp.h"
#include "tests/support/workspace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char NGO[] = "source: ngo\ninstitution: PE/CHS\nunit: victim\nconnector: file\n"
                          "options: {path: incoming/ngo, settle: 0s}\nprecedence: 1\n";
static const char RETA[] = "source: reta\ninstitution: PE/PNP\nunit: denuncia\nconnector: file\n"
                           "options: {path: incoming/reta, settle: 0s}\nprecedence: 2\n";
static const char NGO_MAPPING[] =
    "source: ngo\nformat: json\n"
    "case:\n  key: key\n  denuncia_number: key\n  reported_on: date\n"
    "person:\n  key: [key, doc]\n  role: victim\n  given_names: given\n  paternal_surname: paternal\n"
    "  maternal_surname: maternal\n  document_type: {value: dni, when: {path: doc, present: true}}\n"
    "  document_number: doc\n  birth_date: born\n  sex: sex\n"
    "  involvement:\n    consent: consent\n    consent_withdrawn_on: withdrawn\n";
static const char RETA_MAPPING[] =
    "source: reta\nformat: json\n"
    "case:\n  key: num\n  denuncia_number: num\n  reported_on: date\n"
    "person:\n  each: victims\n  key: [../num, doc]\n  role: victim\n  given_names: given\n"
    "  paternal_surname: paternal\n  maternal_surname: maternal\n"
    "  document_type: {value: dni, when: {path: doc, present: true}}\n  document_number: doc\n  birth_date: born\n"
    "  sex: sex\n  involvement:\n    consent: consent\n";

void terms_begin(struct terms_ground *ground, const char *schema, const char *terms) {
  char text[2048];
  *ground = (struct terms_ground){.folder = temp_make(), .schema = schema};
  shell("mkdir -p %s/sources %s/mappings %s/incoming/ngo %s/incoming/reta", ground->folder, ground->folder,
        ground->folder, ground->folder);
  if (schema == NULL) {
    snprintf(text, sizeof text, "name: terms\nstore: {sqlite: puente.db}\n");
  } else {
    snprintf(text, sizeof text, "name: terms\nstore: {postgres: \"%s\", schema: %s}\n", postgres_start(), schema);
  }
  program_write(ground->folder, "puente.yaml", text);
  snprintf(text, sizeof text, "%s%s", NGO, terms == NULL ? "" : terms);
  program_write(ground->folder, "sources/ngo.yaml", text);
  program_write(ground->folder, "sources/reta.yaml", RETA);
  program_write(ground->folder, "mappings/ngo.yaml", NGO_MAPPING);
  program_write(ground->folder, "mappings/reta.yaml", RETA_MAPPING);
  workspace_key(ground->folder);
}

void terms_end(struct terms_ground *ground) {
  program_forget();
  temp_remove(ground->folder);
}

void terms_page(const struct terms_ground *ground, const char *source, const char *name, const char *lines) {
  char path[128];
  snprintf(path, sizeof path, "incoming/%s/%s.json", source, name);
  program_write(ground->folder, path, lines);
}

const char *terms_run(const struct terms_ground *ground, int code, const char *arguments) {
  struct said said = program_run(ground->folder, arguments);
  if (said.code != code) {
    fail_msg("%s: exit code %d, not %d\n%s%s", arguments, said.code, code, said.out, said.err);
  }
  return said.out;
}

/* ---- looking for a text ---- */

static bool holds(const char *bytes, size_t len, const char *text) {
  return bytes != NULL && len > 0 && memmem(bytes, len, text, strlen(text)) != NULL;
}

static bool file_holds(const struct terms_ground *ground, const char *name, const char *text) {
  char path[512];
  struct buffer bytes;
  struct error error;
  snprintf(path, sizeof path, "%s/%s", ground->folder, name);
  if (file_read(path, 1 << 28, &bytes, &error) != OK) {
    return false;
  }
  bool found = holds(bytes.data, bytes.len, text);
  buffer_free(&bytes);
  return found;
}

static bool dump_holds(const struct terms_ground *ground, const char *text) {
  char path[512], key[512], hex[256] = "";
  snprintf(path, sizeof path, "%s/puente.db", ground->folder);
  snprintf(key, sizeof key, "%s/puente.key", ground->folder);
  char *dump = ground->schema == NULL ? dump_sqlite(path, key, 1 << 20)
                                      : dump_postgres(postgres_start(), ground->schema, key, 1 << 20);
  for (size_t i = 0; i < 120 && text[i] != '\0'; i++) {
    snprintf(hex + 2 * i, 3, "%02x", (unsigned char)text[i]);
  }
  bool found = strstr(dump, text) != NULL || strcasestr(dump, hex) != NULL;
  free(dump);
  return found;
}

static bool chunks_hold(struct workspace *workspace, const char *text) {
  struct cursor *cursor;
  struct error error;
  struct chunk chunk;
  bool found = false;
  chunk_init(&chunk);
  assert_int_equal(db_query(workspace->store, &error, &cursor, "SELECT chunk_id FROM raw_chunk", NULL, 0), OK);
  while (workspace->store->ops->next(cursor, &error) == OK) {
    int64_t id = int_of_value(workspace->store->ops->value(cursor, 0));
    assert_int_equal(chunk_read(workspace->store, id, &chunk, &error), OK);
    found = found || holds(chunk.body, chunk.len, text);
  }
  workspace->store->ops->finish(cursor);
  chunk_free(&chunk);
  return found;
}

struct search {
  const char *text;
  bool found;
};

static enum status look_in_row(void *context, const struct row *row, struct error *error) {
  struct search *search = context;
  (void)error;
  for (size_t i = 0; row->cells != NULL && row->cells[i].kind <= CELL_TEXT && i < 64; i++) {
    search->found = search->found
                    || (row->cells[i].kind == CELL_TEXT && holds(row->cells[i].text, row->cells[i].len, search->text));
  }
  return OK;
}

static bool rows_hold(struct workspace *workspace, const char *text) {
  struct search search = {.text = text};
  const struct row_filter filter = {.identity = true, .history = true};
  struct error error;
  assert_int_equal(store_visit_rows(workspace->store, model_entity(workspace->model, "person"), &filter, look_in_row,
                                    &search, &error),
                   OK);
  return search.found;
}

bool terms_dumped(const struct terms_ground *ground, const char *text) {
  char hex[256] = "";
  int code = 0;
  char *dump = shell_output(&code, "pg_dump --dbname='%s' --schema='%s*'", postgres_start(), ground->schema);
  assert_int_equal(code, 0);
  assert_true(strstr(dump, "COPY ") != NULL);
  for (size_t i = 0; i < 120 && text[i] != '\0'; i++) {
    snprintf(hex + 2 * i, 3, "%02x", (unsigned char)text[i]);
  }
  bool found = strstr(dump, text) != NULL || strcasestr(dump, hex) != NULL;
  free(dump);
  return found;
}

const char *terms_found(const struct terms_ground *ground, const char *text) {
  static const char *const FILES[] = {"puente.db", "puente.db-wal", "puente.db-shm"};
  for (size_t i = 0; ground->schema == NULL && i < 3; i++) {
    if (file_holds(ground, FILES[i], text)) {
      return FILES[i];
    }
  }
  if (dump_holds(ground, text)) {
    return "a column";
  }
  if (ground->schema != NULL && terms_dumped(ground, text)) {
    return "what pg_dump writes";
  }
  char path[512];
  struct workspace workspace;
  struct error error;
  snprintf(path, sizeof path, "%s/puente.yaml", ground->folder);
  if (workspace_open_bare(path, WORKSPACE_READ, &workspace, &error) != OK) {
    fail_msg("%s", error.message);
  }
  const char *where = chunks_hold(&workspace, text) ? "a chunk" : rows_hold(&workspace, text) ? "an identity" : NULL;
  workspace_close(&workspace);
  return where;
}

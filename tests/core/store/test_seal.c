/* What identifies is sealed in both stores: the database's own bytes hold none of it, a body opens at its own place
 * alone, and without the key, or with another, the store says so. */
#include "core/base/seal.h"
#include "core/store/reseal.h"
#include "tests/support/contract.h"
#include "tests/support/postgres.h"
#include "tests/support/workspace.h"

#include <stdio.h>

static void add_person(struct sheet *sheet, struct stand *stand, const char *key, const char *surname) {
  uint32_t record = sheet_record(sheet, stand, key, surname, RECORD_MAPPED);
  struct cell *cells = batch_row(&sheet->batch, stand->model, "person", record, key, "", "");
  set_text(stand->model, "person", cells, "paternal_surname", surname);
  set_text(stand->model, "person", cells, "document_number", "41234567");
  set_text(stand->model, "person", cells, "sex", "female");
}

static void store_two(struct stand *stand) {
  struct sheet sheet;
  struct staged staged;
  contract_sources(stand);
  int64_t run = contract_run(stand, "sync", 1);
  sheet_open(&sheet, stand);
  add_person(&sheet, stand, "A-1", "CCONISLLA");
  add_person(&sheet, stand, "A-2", "YUPANQUI");
  sheet_store(&sheet, stand, 1, run, &staged);
  sheet_close(&sheet);
}

static enum status no_row(void *context, const struct row *row, struct error *error) {
  const struct model *model = context;
  const struct entity *person = model_entity(model, "person");
  (void)error;
  for (size_t i = 0; i < person->column_count; i++) {
    if (strcmp(person->columns[i].name, "document_number") == 0) {
      assert_int_equal(row->cells[i].kind, CELL_TEXT);
      assert_memory_equal(row->cells[i].text, "41234567", 8);
    }
  }
  return OK;
}

static enum status read_identities(struct stand *stand, struct store *store, struct error *error) {
  const struct row_filter filter = {.identity = true};
  return store_visit_rows(store, model_entity(stand->model, "person"), &filter, no_row, stand->model, error);
}

static enum status take_version(void *context, const struct raw_version *version, struct error *error) {
  int *seen = context;
  (void)error;
  assert_memory_equal(version->context.data, "{\"header\":1}", version->context.len);
  assert_int_equal(version->context.len, 12);
  assert_memory_equal(version->bytes.data, *seen == 0 ? "{A-1 CCONISLLA}" : "{A-2 YUPANQUI}", version->bytes.len);
  ++*seen;
  return OK;
}

static enum status read_raw(struct store *store, int *seen, struct error *error) {
  *seen = 0;
  return store_visit_raw(store, 1, -1, 0, 0, take_version, seen, error);
}

static void write_model(struct stand *stand) {
  struct error error;
  MUST(store_begin(stand->store, &error));
  MUST(store_write_model(stand->store, CLUSTER_PERSON, 1, slice_of("{\"frequent\":[\"CCONISLLA\"]}"), &error));
  MUST(store_commit(stand->store, &error));
}

/* All bytes of the database: the file, or every row of every table as text, bytes in hexadecimal. */
static char *everything(const struct stand *stand, size_t *len) {
  int code = 0;
  char *text;
  if (stand->options.kind == STORE_SQLITE) {
    text = shell_output(&code, "cat %s %s-wal | od -An -v -tx1 | tr -d ' \\n'", stand->path, stand->path);
  } else {
    text = shell_output(&code, "pg_dump '%s' -n %s | od -An -v -tx1 | tr -d ' \\n'", stand->options.dsn, stand->schema);
  }
  assert_int_equal(code, 0);
  *len = strlen(text);
  assert_true(*len > 10000);
  return text;
}

static bool holds(const char *haystack, const char *needle) {
  char hex[256], twice[512];
  hex_format((const uint8_t *)needle, strlen(needle), hex);
  hex_format((const uint8_t *)hex, strlen(hex), twice); /* bytes that PostgreSQL shows in hexadecimal */
  return strstr(haystack, hex) != NULL || strstr(haystack, twice) != NULL;
}

static void test_nothing_shows(void **state) {
  struct stand *stand = *state;
  struct error error;
  size_t len;
  int seen;
  store_two(stand);
  write_model(stand);
  char *all = everything(stand, &len);
  assert_true(holds(all, "A-1"));
  assert_false(holds(all, "CCONISLLA"));
  assert_false(holds(all, "YUPANQUI"));
  assert_false(holds(all, "41234567"));
  assert_false(holds(all, "header"));
  free(all);
  MUST(read_identities(stand, stand->store, &error));
  MUST(read_raw(stand->store, &seen, &error));
  assert_int_equal(seen, 2);
  struct buffer text;
  buffer_init(&text, 1 << 16);
  MUST(store_model(stand->store, CLUSTER_PERSON, &text, NULL, &error));
  assert_string_equal(text.data, "{\"frequent\":[\"CCONISLLA\"]}");
  buffer_free(&text);
}

static void is_refused(enum status status, const struct error *error, const char *place) {
  assert_int_equal(status, ERR_STORE);
  assert_string_equal(error->message, "a sealed body was changed, or put in the place of another");
  assert_memory_equal(error->place, place, strlen(place));
  assert_string_equal(error->hint, "restore the last backup beside it and compare; keep the store as it is");
}

static void test_swapped(void **state) {
  struct stand *stand = *state;
  struct error error;
  int seen;
  store_two(stand);
  contract_sql(stand, "UPDATE identity SET body = (SELECT i.body FROM identity i WHERE i.row_id <> identity.row_id)");
  is_refused(read_identities(stand, stand->store, &error), &error, "identity.body ");
  contract_sql(stand, "UPDATE raw_chunk SET context = body");
  is_refused(read_raw(stand->store, &seen, &error), &error, "raw_chunk.context ");
  contract_sql(stand, "UPDATE raw_chunk SET chunk_id = chunk_id + 1, context = ''");
  contract_sql(stand, "UPDATE raw_record SET chunk_id = chunk_id + 1");
  is_refused(read_raw(stand->store, &seen, &error), &error, "raw_chunk.body ");
}

static void test_without_key(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct store *store;
  int seen;
  store_two(stand);
  struct store_options options = stand->options;
  options.key = NULL;
  options.key_file = "/somewhere/puente.key";
  MUST(store_open(&options, &store, &error));
  assert_int_equal(read_identities(stand, store, &error), ERR_CONFIG);
  assert_string_equal(error.message,
                      "this is sealed, and the key file of the workspace is not there, or not yours to read");
  assert_string_equal(error.place, "/somewhere/puente.key");
  assert_string_equal(error.hint,
                      "put its copy there, mode 0600, or join two shares: `puente key join SHARE SHARE FILE`");
  assert_int_equal(read_raw(store, &seen, &error), ERR_CONFIG);
  assert_int_equal(seen, 0);
  store_close(store);
}

static void test_wrapped_key_changed(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct store *store;
  store_two(stand);
  contract_sql(stand, "UPDATE data_key SET key_id = 2");
  assert_int_equal(store_open(&stand->options, &store, &error), ERR_STORE);
  assert_string_equal(error.message, "data key 2 was changed in the store and does not open");
  contract_sql(stand, "DELETE FROM data_key");
  MUST(store_open(&stand->options, &store, &error)); /* a new one is made for what is written */
  assert_int_equal(read_identities(stand, store, &error), ERR_STORE);
  assert_string_equal(error.message, "data key 1, under which this was sealed, is not in the store");
  store_close(store);
}

/* ---- rotation ---- */

static bool rotate_once(struct stand *stand, struct resealing *pass) {
  struct error error;
  bool done = false;
  MUST(store_begin(stand->store, &error));
  MUST(store_reseal(stand->store, pass, &done, &error));
  MUST(store_commit(stand->store, &error));
  return done;
}

static int64_t retire(struct stand *stand, bool *left) {
  struct error error;
  int64_t retired = 0;
  MUST(store_begin(stand->store, &error));
  MUST(store_retire_data_keys(stand->store, &retired, left, &error));
  MUST(store_commit(stand->store, &error));
  return retired;
}

static void new_key(struct stand *stand) {
  struct error error;
  MUST(store_begin(stand->store, &error));
  MUST(store_new_data_key(stand->store, &error));
  MUST(store_commit(stand->store, &error));
}

/* Another handle, open since before, reads what is under a key that it does not know, and writes with it. */
static void test_rotated(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct store *other;
  int seen;
  bool left = false;
  store_two(stand);
  write_model(stand);
  MUST(store_open(&stand->options, &other, &error));
  new_key(stand);
  assert_int_equal(retire(stand, &left), 0);
  assert_true(left);
  struct resealing pass = {.part = 0};
  while (!rotate_once(stand, &pass)) {
  }
  assert_int_equal(pass.sealed, 4);
  assert_int_equal(retire(stand, &left), 1);
  assert_false(left);
  MUST(read_identities(stand, other, &error));
  MUST(read_raw(other, &seen, &error));
  assert_int_equal(seen, 2);
  MUST(store_begin(other, &error));
  MUST(store_write_model(other, CLUSTER_PERSON, 1, slice_of("{}"), &error));
  MUST(store_commit(other, &error));
  store_close(other);
  pass = (struct resealing){.part = 0};
  while (!rotate_once(stand, &pass)) {
  }
  assert_int_equal(pass.sealed, 0); /* what another one wrote is under the present key */
  stand_reopen(stand);
  MUST(read_identities(stand, stand->store, &error));
}

/* Bodies of before there were seals. */
static void test_old_bodies(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct buffer text;
  bool left = false;
  store_two(stand);
  contract_sql(stand, "DELETE FROM identity");
  contract_sql(stand, stand->options.kind == STORE_SQLITE
                          ? "INSERT INTO identity (row_id, body) SELECT row_id, x'0101024141' FROM st_person"
                          : "INSERT INTO identity (row_id, body) SELECT row_id, '\\x0101024141' FROM st_person");
  contract_sql(stand, "INSERT INTO link_model (model_id, kind, body, active) VALUES (9, 0, 'CCONISLLA', 1)");
  buffer_init(&text, 1 << 16);
  MUST(store_model(stand->store, CLUSTER_PERSON, &text, NULL, &error));
  assert_string_equal(text.data, "CCONISLLA");
  struct resealing pass = {.part = 0};
  while (!rotate_once(stand, &pass)) {
  }
  assert_int_equal(pass.sealed, 3);
  retire(stand, &left);
  assert_false(left);
  buffer_reset(&text);
  MUST(store_model(stand->store, CLUSTER_PERSON, &text, NULL, &error));
  assert_string_equal(text.data, "CCONISLLA");
  buffer_free(&text);
}

/* What a copy is tried with: each sealed body, or a sample of each table. */
static void test_bodies_open(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct store *store;
  int64_t opened = 0;
  store_two(stand);
  write_model(stand);
  MUST(store_open_bodies(stand->store, 0, &opened, &error));
  assert_int_equal(opened, 4);
  contract_sql(stand, "INSERT INTO identity (row_id, body) SELECT 1000000000000, body FROM identity LIMIT 1");
  assert_int_equal(store_open_bodies(stand->store, 0, &opened, &error), ERR_STORE);
  assert_string_equal(error.place, "identity.body 1000000000000");
  contract_sql(stand, "DELETE FROM identity WHERE row_id >= 1000000000000");
  contract_sql(stand, "DELETE FROM data_key");
  MUST(store_open(&stand->options, &store, &error));
  assert_int_equal(store_open_bodies(store, 0, &opened, &error), ERR_STORE);
  assert_string_equal(error.message, "data key 1, under which this was sealed, is not in the store");
  store_close(store);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      EACH(test_nothing_shows), EACH(test_swapped),    EACH(test_without_key), EACH(test_wrapped_key_changed),
      EACH(test_rotated),       EACH(test_old_bodies), EACH(test_bodies_open),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

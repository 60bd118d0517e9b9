/* Linking a store: stable ids over changes, merges and splits, survivorship with origins, nothing new, one entry of the
 * audit log, on both stores.
 * lint: long because the stories of ids, roles and decisions are told with one way to stage and look. */
#include "core/audit/audit.h"
#include "core/base/file.h"
#include "core/resolve/policy.h"
#include "core/resolve/resolve.h"
#include "tests/support/stores.h"
#include "tests/support/temp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ALPHA = 1, BETA = 2, RECORDS_MOST = 16, IDS_MOST = 64 };

static enum store_kind kinds[2] = {STORE_SQLITE, STORE_POSTGRES};
#define EACH(function)                                                                                                 \
  {"sqlite: " #function, function, setup, teardown, &kinds[0]}, {                                                      \
    "postgres: " #function, function, setup, teardown, &kinds[1]                                                       \
  }

static struct source_config sources[2] = {
    {.code = "alpha", .title = "Alpha", .institution = "PE/MP", .unit = "denuncia", .linked = true, .precedence = 1},
    {.code = "beta", .title = "Beta", .institution = "PE/PNP", .unit = "denuncia", .linked = true, .precedence = 2}};
static struct config config = {.sources = sources, .source_count = 2, .link_file = "config/link/default.yaml"};

static int setup(void **state) {
  enum store_kind kind = *(enum store_kind *)*state;
  struct error error;
  int ids[2];
  struct stand *stand = calloc(1, sizeof *stand);
  stand_open(stand, kind);
  MUST(store_begin(stand->store, &error));
  MUST(store_sources(stand->store, sources, 2, ids, &error));
  MUST(store_commit(stand->store, &error));
  assert_int_equal(ids[1], BETA);
  *state = stand;
  return 0;
}

static int teardown(void **state) {
  sources[1].linked = true;
  stand_close(*state);
  free(*state);
  return 0;
}

/* ---- staging: one record holds one case, one person, and the person's part in it ---- */

struct stage {
  struct stand *stand;
  struct landed records[RECORDS_MOST];
  struct batch batch;
  struct buffer body;
  size_t count;
};

static void stage_open(struct stage *stage, struct stand *stand) {
  *stage = (struct stage){.stand = stand};
  buffer_init(&stage->body, 1 << 20);
  batch_open(&stage->batch, stand->model);
}

/* `key` is the record's and its rows', or "RECORD/ROWS"; `fields` is "name=value|name=value|…" of the person; a name of
 * the form case.x is a field of the case. */
static void person(struct stage *stage, const char *key, const char *role, const char *fields) {
  const struct model *model = stage->stand->model;
  struct arena *arena = stage->batch.arena;
  uint32_t at = (uint32_t)stage->count;
  char *text = arena_text(arena, slice_of(fields));
  struct landed *record = &stage->records[stage->count++];
  const char *slash = strchr(key, '/');
  struct slice record_key = slash == NULL ? slice_of(key) : slice_make(key, (size_t)(slash - key));
  key = slash == NULL ? key : slash + 1;
  *record = (struct landed){.source_key = slice_of(arena_text(arena, record_key)),
                            .key_digest = key_digest(stage->stand->key, "record", record_key),
                            .digest = key_digest(stage->stand->key, "bytes", slice_of(fields)),
                            .offset = (uint32_t)stage->body.len,
                            .len = (uint32_t)strlen(fields),
                            .state = RECORD_MAPPED};
  buffer_text(&stage->body, fields);
  struct cell *one_case = batch_row(&stage->batch, model, "case", at, key, "", "");
  struct cell *one = batch_row(&stage->batch, model, "person", at, key, key, "");
  struct cell *part = batch_row(&stage->batch, model, "involvement", at, key, key, key);
  set_text(model, "involvement", part, "role", role);
  char *rest = NULL;
  for (char *field = strtok_r(text, "|", &rest); field != NULL; field = strtok_r(NULL, "|", &rest)) {
    char *value = strchr(field, '=');
    assert_non_null(value);
    *value++ = '\0';
    if (strncmp(field, "case.", 5) == 0) {
      set_text(model, "case", one_case, field + 5, value);
    } else if (strcmp(field, "protected") == 0) {
      set_missing(model, "person", one, value, MISSING_PROTECTED);
    } else {
      set_text(model, "person", one, field, value);
    }
  }
}

static void stage_commit(struct stage *stage, int source_id) {
  struct store *store = stage->stand->store;
  struct error error;
  struct keyed_digest keys[RECORDS_MOST];
  struct record_state_found found[RECORDS_MOST];
  struct staged staged;
  int64_t run;
  bool all_new = true;
  for (size_t i = 0; i < stage->count; i++) {
    keys[i] = stage->records[i].key_digest;
  }
  MUST(store_begin(store, &error));
  MUST(store_run_begin(store, "sync", source_id, "tester", NULL, &run, &error));
  MUST(store_find_records(store, source_id, keys, stage->count, found, &error));
  for (size_t i = 0; i < stage->count; i++) {
    stage->records[i].record_id = found[i].record_id;
    all_new = all_new && found[i].record_id == 0;
  }
  struct landing landing = {.source_id = source_id,
                            .run = run,
                            .plan_id = 1,
                            .origin = "page",
                            .format = "csv",
                            .context = slice_of("{}"),
                            .body = buffer_view(&stage->body),
                            .records = stage->records,
                            .count = stage->count};
  MUST(store_land(store, &landing, &error));
  struct staging staging = {.source_id = source_id,
                            .run = run,
                            .plan_id = 1,
                            .institution = source_id == ALPHA ? "PE/MP" : "PE/PNP",
                            .records = stage->records,
                            .count = stage->count,
                            .batch = &stage->batch,
                            .all_new = all_new};
  MUST(store_stage(store, &staging, &staged, &error));
  MUST(store_run_end(store, run, RUN_DONE, NULL, NULL, &error));
  MUST(store_commit(store, &error));
  buffer_free(&stage->body);
  batch_close(&stage->batch);
}

/* One record of one person by itself. */
static void stage_one(struct stand *stand, int source_id, const char *key, const char *role, const char *fields) {
  struct stage stage;
  stage_open(&stage, stand);
  person(&stage, key, role, fields);
  stage_commit(&stage, source_id);
}

static void delete_record(struct stand *stand, int source_id, const char *key) {
  struct error error;
  struct keyed_digest digest = key_digest(stand->key, "record", slice_of(key));
  struct record_state_found found;
  int64_t run;
  MUST(store_begin(stand->store, &error));
  MUST(store_run_begin(stand->store, "sync", source_id, "tester", NULL, &run, &error));
  MUST(store_find_records(stand->store, source_id, &digest, 1, &found, &error));
  MUST(store_delete_records(stand->store, run, &found.record_id, 1, &error));
  MUST(store_run_end(stand->store, run, RUN_DONE, NULL, NULL, &error));
  MUST(store_commit(stand->store, &error));
}

static struct resolve_result run_link(struct stand *stand) {
  struct error error;
  struct resolve_result result;
  struct resolve_options options = {.actor = "tester", .purpose = "test"};
  MUST(resolve_run(stand->store, &config, stand->model, &options, &result, &error));
  return result;
}

/* ---- what the store says then ---- */

struct reading {
  struct member members[IDS_MOST];
  size_t count;
  struct buffer *out;
  int64_t id;
};

static enum status see_member(void *context, const struct member *member, struct error *error) {
  struct reading *reading = context;
  (void)error;
  assert_true(reading->count < IDS_MOST);
  reading->members[reading->count++] = *member;
  return OK;
}

static enum status see_row(void *context, const struct row *row, struct error *error) {
  struct reading *reading = context;
  (void)error;
  for (size_t i = 0; i < reading->count; i++) {
    if (reading->members[i].row_id == row->row_id && reading->members[i].id == reading->id) {
      buffer_printf(reading->out, " %.*s", SLICE_ARG(row->key));
    }
  }
  return OK;
}

/* "1: a1 b1; 2: a2" */
static void assert_members(struct stand *stand, enum cluster_kind kind, const char *wanted) {
  struct error error;
  struct buffer text;
  struct reading reading = {.out = &text};
  const struct entity *entity = model_entity(stand->model, kind == CLUSTER_PERSON ? "person" : "case");
  struct row_filter filter = {.identity = false};
  buffer_init(&text, 4096);
  MUST(store_visit_members(stand->store, kind, see_member, &reading, &error));
  for (reading.id = 1; reading.id < IDS_MOST; reading.id++) {
    bool used = false;
    for (size_t i = 0; i < reading.count; i++) {
      used = used || reading.members[i].id == reading.id;
    }
    if (used) {
      buffer_printf(&text, "%s%lld:", text.len > 0 ? "; " : "", (long long)reading.id);
      MUST(store_visit_rows(stand->store, entity, &filter, see_row, &reading, &error));
    }
  }
  assert_string_equal(text.data == NULL ? "" : text.data, wanted);
  buffer_free(&text);
}

/* Columns of a view by '|', rows by ';', for the rows of one kind and id. */
static void assert_view(struct stand *stand, const char *view, const char *columns, const char *where, const char *is,
                        const char *wanted) {
  struct error error;
  struct buffer text;
  char names[200];
  const char *list[8];
  size_t count = 0;
  char *rest = NULL;
  snprintf(names, sizeof names, "%s", columns);
  for (char *name = strtok_r(names, " ", &rest); name != NULL; name = strtok_r(NULL, " ", &rest)) {
    list[count++] = name;
  }
  struct filter filters[2] = {{.column = "kind", .text = "person"}, {.column = where, .text = is}};
  bool kinded = strcmp(view, "origins") == 0 || strcmp(view, "redirects") == 0 || strcmp(view, "pairs") == 0;
  struct selection selection = {.view = view,
                                .columns = list,
                                .column_count = count,
                                .filters = kinded ? filters : filters + 1,
                                .filter_count = (size_t)kinded + (where != NULL),
                                .order = list[0]};
  struct result *result;
  enum status status;
  MUST(store_select(stand->store, &selection, &result, &error));
  buffer_init(&text, 8192);
  while ((status = result_next(result, &error)) == OK) {
    buffer_text(&text, text.len > 0 ? ";" : "");
    for (size_t i = 0; i < count; i++) {
      buffer_text(&text, i > 0 ? "|" : "");
      buffer_slice(&text, result_text(result, i));
    }
  }
  assert_int_equal(status, END);
  result_free(result);
  assert_string_equal(text.data == NULL ? "" : text.data, wanted);
  buffer_free(&text);
}

#define ROSA "given_names=ROSA|paternal_surname=QUISPE|maternal_surname=MAMANI"
#define JUAN "given_names=JUAN|paternal_surname=ROJAS|maternal_surname=SOTO"
#define PEDRO "given_names=PEDRO|paternal_surname=ROJAS|maternal_surname=SOTO"

/* ---- tests ---- */

static void new_rows_make_ids_and_join_present_ones(void **state) {
  struct stand *stand = *state;
  stage_one(stand, ALPHA, "a1", "victim", ROSA "|birth_date=2001-02-03|case.denuncia_number=D-1");
  stage_one(stand, ALPHA, "a2", "victim", JUAN "|birth_date=1980-05-06|case.denuncia_number=D-2");
  struct resolve_result result = run_link(stand);
  assert_members(stand, CLUSTER_PERSON, "1: a1; 2: a2");
  assert_members(stand, CLUSTER_CASE, "1: a1; 2: a2");
  assert_int_equal(result.persons.created, 2);
  stage_one(stand, BETA, "b1", "victim", JUAN "|birth_date=1980-05-06|case.denuncia_number=D-0002");
  result = run_link(stand);
  assert_members(stand, CLUSTER_PERSON, "1: a1; 2: a2 b1");
  assert_members(stand, CLUSTER_CASE, "1: a1; 2: a2 b1");
  assert_int_equal(result.persons.created, 0);
  assert_int_equal(result.persons.absorbed, 1);
  assert_int_equal(result.persons.clusters, 2);
  assert_int_equal(result.persons.rows, 3);
  assert_view(stand, "pairs", "rule outcome", NULL, NULL, "surnames + given.first|joined");
}

static void nothing_new_does_nothing(void **state) {
  struct stand *stand = *state;
  stage_one(stand, ALPHA, "a1", "victim", ROSA "|birth_date=2001-02-03");
  struct resolve_result first = run_link(stand);
  assert_false(first.nothing_new);
  assert_true(first.run > 0);
  struct resolve_result again = run_link(stand);
  assert_true(again.nothing_new);
  assert_int_equal(again.run, 0);
  assert_view(stand, "runs", "kind", "kind", "link", "link");
  /* Other rules are something new, though no row is. */
  sources[1].linked = false;
  assert_false(run_link(stand).nothing_new);
}

static void a_changed_record_keeps_its_person(void **state) {
  struct stand *stand = *state;
  stage_one(stand, ALPHA, "a1", "victim", ROSA "|birth_date=2001-02-03|sex=female");
  stage_one(stand, BETA, "b1", "victim", ROSA "|birth_date=2001-02-03");
  run_link(stand);
  assert_members(stand, CLUSTER_PERSON, "1: a1 b1");
  stage_one(stand, ALPHA, "a1", "victim", ROSA "|birth_date=2001-02-03|sex=female|education=primary");
  struct resolve_result result = run_link(stand);
  assert_members(stand, CLUSTER_PERSON, "1: a1 b1");
  assert_int_equal(result.persons.created + result.persons.absorbed + result.persons.split, 0);
}

static void a_merge_keeps_the_larger_and_redirects(void **state) {
  struct stand *stand = *state;
  stage_one(stand, ALPHA, "a1", "victim", JUAN "|birth_date=1980-05-06");
  stage_one(stand, ALPHA, "a2", "victim", "document_number=10117410|" JUAN);
  stage_one(stand, BETA, "b2", "victim", "document_number=10117410|" JUAN);
  run_link(stand);
  assert_members(stand, CLUSTER_PERSON, "1: a1; 2: a2 b2");
  stage_one(stand, BETA, "b3", "victim", "document_number=10117410|birth_date=1980-05-06|" JUAN);
  struct resolve_result result = run_link(stand);
  assert_members(stand, CLUSTER_PERSON, "2: a1 a2 b2 b3");
  assert_int_equal(result.persons.merged, 1);
  assert_int_equal(result.persons.absorbed, 1);
  assert_view(stand, "redirects", "id into_id", NULL, NULL, "1|2");
  assert_view(stand, "persons", "person_id records", NULL, NULL, "2|4");
}

static void a_split_keeps_the_id_with_its_largest_part(void **state) {
  struct stand *stand = *state;
  stage_one(stand, ALPHA, "a1", "victim", JUAN "|birth_date=1980-05-06");
  stage_one(stand, ALPHA, "a2", "victim", "document_number=10117410|" JUAN);
  stage_one(stand, BETA, "b2", "victim", "document_number=10117410|" JUAN);
  stage_one(stand, BETA, "b3", "victim", "document_number=10117410|birth_date=1980-05-06|" JUAN);
  run_link(stand);
  assert_members(stand, CLUSTER_PERSON, "1: a1 a2 b2 b3");
  delete_record(stand, BETA, "b3"); /* the bridge */
  struct resolve_result result = run_link(stand);
  assert_members(stand, CLUSTER_PERSON, "1: a2 b2; 2: a1");
  assert_int_equal(result.persons.split, 1);
  assert_int_equal(result.persons.created, 0);
  delete_record(stand, ALPHA, "a1");
  result = run_link(stand);
  assert_members(stand, CLUSTER_PERSON, "1: a2 b2");
  assert_int_equal(result.persons.dissolved, 1);
  assert_view(stand, "redirects", "id into_id", NULL, NULL, "2|0");
  stage_one(stand, ALPHA, "a9", "victim", ROSA "|birth_date=2001-02-03");
  run_link(stand);
  assert_members(stand, CLUSTER_PERSON, "1: a2 b2; 3: a9"); /* 2 is never used again */
}

static void values_survive_by_rule_with_their_origin(void **state) {
  struct stand *stand = *state;
  stage_one(stand, ALPHA, "a1", "victim",
            ROSA "|birth_date=2001-02-03|education=primary|occupation=OBRERA|residence=160101|address=JR LIMA 1");
  stage_one(stand, BETA, "b1", "victim", ROSA "|birth_date=2001-02-03|education=secondary|marital_status=single");
  stage_one(stand, BETA, "b2", "victim",
            "given_names=ROSA|paternal_surname=QUISPE|birth_date=2001-02-03|nationality=PE|sex=female");
  run_link(stand);
  assert_members(stand, CLUSTER_PERSON, "1: a1 b1 b2");
  assert_view(stand, "persons", "person_id records sources education sex nationality", NULL, NULL,
              "1|3|2|secondary|female|PE");
  assert_view(stand, "origins", "rule source", "field", "education", "recent|beta");
  assert_view(stand, "origins", "rule source", "field", "given_names", "frequent|alpha");
  assert_view(stand, "origins", "rule institution", "field", "nationality", "precedence|PE/PNP");
  /* An address is its own institution's affair. */
  assert_view(stand, "origins", "rule source", "field", "address", "");
}

static void roles_and_protected_persons_stay_apart(void **state) {
  struct stand *stand = *state;
  stage_one(stand, ALPHA, "a1", "victim", "document_number=10117410|" JUAN);
  stage_one(stand, BETA, "b1", "accused", "document_number=10117410|" JUAN);
  stage_one(stand, BETA, "b2", "complainant", "document_number=20456781|" ROSA);
  stage_one(stand, ALPHA, "a2", "victim", "document_number=20456781|" ROSA);
  stage_one(stand, ALPHA, "a3", "victim", "document_number=30456782|protected=given_names");
  stage_one(stand, BETA, "b3", "victim", "document_number=30456782|protected=given_names");
  struct resolve_result result = run_link(stand);
  assert_members(stand, CLUSTER_PERSON, "1: a1; 2: a2 b2; 3: a3; 4: b1; 5: b3");
  assert_int_equal(result.persons.unlinkable, 2);
}

static void a_source_kept_apart_makes_no_persons(void **state) {
  struct stand *stand = *state;
  stage_one(stand, ALPHA, "a1", "victim", "document_number=10117410|" JUAN);
  stage_one(stand, BETA, "b1", "victim", "document_number=10117410|" JUAN);
  sources[1].linked = false;
  run_link(stand);
  assert_members(stand, CLUSTER_PERSON, "1: a1");
}

static void the_log_has_one_entry_a_run(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct audit_check check;
  stage_one(stand, ALPHA, "a1", "victim", ROSA "|birth_date=2001-02-03");
  run_link(stand);
  run_link(stand);
  assert_view(stand, "audit", "event actor purpose run", "event", "link", "link|tester|test|2");
  MUST(audit_verify(stand->store, &check, &error));
  assert_int_equal(check.first_wrong, 0);
}

static void a_failed_run_is_on_record(void **state) {
  struct stand *stand = *state;
  struct error error;
  struct audit_check check;
  struct resolve_result result;
  struct resolve_options options = {.actor = "tester", .purpose = "test"};
  struct config broken = config;
  broken.link_file = "tests/nowhere.yaml";
  stage_one(stand, ALPHA, "a1", "victim", ROSA "|birth_date=2001-02-03");
  assert_int_not_equal(resolve_run(stand->store, &broken, stand->model, &options, &result, &error), OK);
  char expected[sizeof error];
  snprintf(expected, sizeof expected, "%s\n%s\n%s", error.message, error.place, error.hint);
  assert_view(stand, "runs", "message", "state", "failed", expected);
  assert_view(stand, "audit", "event actor purpose run", "event", "run", "run|tester|test|2");
  MUST(audit_verify(stand->store, &check, &error));
  assert_int_equal(check.first_wrong, 0);
  assert_members(stand, CLUSTER_PERSON, "");
  run_link(stand);
  assert_members(stand, CLUSTER_PERSON, "1: a1");
}

static void mistakes_of_a_policy_have_a_place(void **state) {
  struct stand *stand = *state;
  static const struct {
    const char *text, *message, *place, *hint;
  } cases[] = {
      {"person: x.yaml\n", "unknown key 'person'", "link.yaml:1:1", "did you mean 'persons'?"},
      {"cases: x.yaml\n", "'persons' is missing: a file of rules", "link.yaml:1:1", ""},
      {"apart: {entity: involvment, field: role}\n", "the model has no entity 'involvment'", "link.yaml:1:8", ""},
      {"apart: {entity: involvement, field: rol}\n", "involvement has no field 'rol'", "link.yaml:1:8",
       "did you mean 'role'?"},
      {"review: {approvals: 3}\n", "'approvals' has to be a whole number from 1 to 2", "link.yaml:1:21", ""},
      {"review: {approval: 2}\n", "unknown key 'approval'", "link.yaml:1:10", "did you mean 'approvals'?"},
  };
  char path[512];
  snprintf(path, sizeof path, "%s/link.yaml", stand->folder);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct policy *policy;
    struct error error;
    char text[2048];
    char here[512];
    assert_non_null(getcwd(here, sizeof here));
    bool whole = strncmp(cases[i].text, "apart", 5) == 0 || strncmp(cases[i].text, "review", 6) == 0;
    snprintf(text, sizeof text,
             whole ? "%spersons: %s/config/link/persons.yaml\ncases: %s/config/link/cases.yaml\n"
                     "survivorship: %s/config/link/survivorship.yaml\n"
                   : "%s",
             cases[i].text, here, here, here);
    assert_int_equal(file_write(path, slice_of(text), 0600, &error), OK);
    assert_int_equal(policy_load(path, NULL, stand->model, &policy, &error), ERR_CONFIG);
    assert_null(policy);
    assert_string_equal(error.message, cases[i].message);
    assert_string_equal(error.place + strlen(stand->folder) + 1, cases[i].place);
    assert_string_equal(error.hint, cases[i].hint);
  }
}

/* Row ids of persons by the key of their record. */
struct seeking {
  const char *key;
  int64_t row_id;
};

static enum status see_key(void *context, const struct row *row, struct error *error) {
  struct seeking *seeking = context;
  (void)error;
  seeking->row_id = slice_is(row->key, seeking->key) ? row->row_id : seeking->row_id;
  return OK;
}

static int64_t row_of(struct stand *stand, const char *key) {
  struct error error;
  struct seeking seeking = {.key = key};
  struct row_filter filter = {.identity = false};
  MUST(store_visit_rows(stand->store, model_entity(stand->model, "person"), &filter, see_key, &seeking, &error));
  assert_true(seeking.row_id != 0);
  return seeking.row_id;
}

static void decide(struct stand *stand, const char *a, const char *b, bool same) {
  struct error error;
  struct review_decision made;
  struct decide decide = {.same = same, .approvals = 1, .actor = "eva", .reason = "seen"};
  decide.row_a = row_of(stand, a);
  decide.row_b = row_of(stand, b);
  MUST(store_begin(stand->store, &error));
  MUST(store_run_begin(stand->store, "review", 0, "reviewer", "seen", &decide.run, &error));
  MUST(store_decide(stand->store, CLUSTER_PERSON, &decide, &made, &error));
  MUST(store_run_end(stand->store, decide.run, RUN_DONE, NULL, NULL, &error));
  MUST(store_commit(stand->store, &error));
}

/* A record without a document is like both: it makes none of the two the other. */
static void documents_in_conflict_stay_apart_through_others(void **state) {
  struct stand *stand = *state;
  stage_one(stand, ALPHA, "a1", "victim", "document_number=10117410|birth_date=1980-05-06|" JUAN);
  stage_one(stand, BETA, "b1", "victim", "document_number=40718265|birth_date=1980-05-06|" JUAN);
  stage_one(stand, BETA, "b2", "victim", "birth_date=1980-05-06|" JUAN);
  struct resolve_result result = run_link(stand);
  assert_members(stand, CLUSTER_PERSON, "1: a1 b2; 2: b1");
  assert_int_equal(result.persons.waiting, 2);
  /* Only a person says that they are one. */
  decide(stand, "a1", "b1", true);
  run_link(stand);
  assert_members(stand, CLUSTER_PERSON, "1: a1 b1 b2");
}

static void twins_with_one_document_stay_apart_through_others(void **state) {
  struct stand *stand = *state;
  stage_one(stand, ALPHA, "a1", "victim", "document_number=10117410|birth_date=1980-05-06|" JUAN);
  stage_one(stand, BETA, "b1", "victim", "document_number=10117410|birth_date=1980-05-06|" PEDRO);
  stage_one(stand, BETA, "b2", "victim", "document_number=10117410|birth_date=1980-05-06|paternal_surname=ROJAS");
  struct resolve_result result = run_link(stand);
  assert_int_equal(result.persons.clusters, 2);
  assert_int_equal(result.persons.waiting, 2);
}

static void victim_and_accused_stay_apart_through_others(void **state) {
  struct stand *stand = *state;
  stage_one(stand, ALPHA, "a1", "victim", "document_number=10117410|birth_date=1980-05-06|" JUAN);
  stage_one(stand, BETA, "b1", "accused", "document_number=10117410|birth_date=1980-05-06|" JUAN);
  stage_one(stand, BETA, "b2", "complainant", "document_number=10117410|birth_date=1980-05-06|" JUAN);
  struct resolve_result result = run_link(stand);
  assert_int_equal(result.persons.clusters, 2);
  assert_int_equal(result.persons.waiting, 2);
}

/* Who was accused is a victim, a person says: the other records of the victim stay where they were. */
static void an_accepted_pair_of_two_roles_tears_nothing(void **state) {
  struct stand *stand = *state;
  stage_one(stand, ALPHA, "a1", "victim", "document_number=10117410|birth_date=1980-05-06|" JUAN);
  stage_one(stand, BETA, "b2", "victim", "document_number=10117410|birth_date=1980-05-06|" JUAN);
  stage_one(stand, BETA, "b1", "accused", "document_number=10117410|birth_date=1980-05-06|" JUAN);
  run_link(stand);
  assert_members(stand, CLUSTER_PERSON, "1: a1 b2; 2: b1");
  decide(stand, "a1", "b1", true);
  struct resolve_result result = run_link(stand);
  assert_members(stand, CLUSTER_PERSON, "1: a1 b2 b1");
  assert_int_equal(result.persons.waiting, 0);
}

static void what_is_rejected_stays_apart(void **state) {
  struct stand *stand = *state;
  stage_one(stand, ALPHA, "a1", "victim", "document_number=10117410|birth_date=1980-05-06|" JUAN);
  stage_one(stand, BETA, "b1", "victim", "document_number=10117410|birth_date=1980-05-06|" JUAN);
  run_link(stand);
  assert_members(stand, CLUSTER_PERSON, "1: a1 b1");
  decide(stand, "a1", "b1", false);
  run_link(stand);
  assert_members(stand, CLUSTER_PERSON, "1: a1; 2: b1");
  delete_record(stand, BETA, "b1");
  run_link(stand);
  stage_one(stand, BETA, "b1", "victim", "document_number=10117410|birth_date=1980-05-06|" JUAN);
  stage_one(stand, BETA, "b2", "victim", "document_number=10117410|birth_date=1980-05-06|" JUAN);
  run_link(stand);
  assert_members(stand, CLUSTER_PERSON, "1: a1 b2; 3: b1");
}

/* A decision that a new mapping takes the rows from is told of: what it kept apart may be joined again. */
static void a_decision_that_lost_its_rows_is_told_of(void **state) {
  struct stand *stand = *state;
  static const char lost[] = "warning: 1 decisions speak of rows that their records no longer have, and cannot hold\n";
  char path[512];
  struct buffer text;
  struct error error;
  snprintf(path, sizeof path, "%s/said", stand->folder);
  stage_one(stand, ALPHA, "a1", "victim", "document_number=10117410|birth_date=1980-05-06|" JUAN);
  stage_one(stand, BETA, "b1", "victim", "document_number=10117410|birth_date=1980-05-06|" JUAN);
  decide(stand, "a1", "b1", false);
  stage_one(stand, BETA, "b1/b1-x", "victim", "document_number=10117410|birth_date=1980-05-06|" JUAN);
  int kept = dup(STDERR_FILENO);
  FILE *file = fopen(path, "w");
  assert_true(kept >= 0 && file != NULL && dup2(fileno(file), STDERR_FILENO) >= 0);
  run_link(stand);
  fclose(file);
  dup2(kept, STDERR_FILENO);
  close(kept);
  MUST(file_read(path, 1 << 16, &text, &error));
  assert_non_null(memmem(text.data, text.len, lost, sizeof lost - 1));
  buffer_free(&text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      EACH(new_rows_make_ids_and_join_present_ones),
      EACH(nothing_new_does_nothing),
      EACH(a_changed_record_keeps_its_person),
      EACH(a_merge_keeps_the_larger_and_redirects),
      EACH(a_split_keeps_the_id_with_its_largest_part),
      EACH(values_survive_by_rule_with_their_origin),
      EACH(roles_and_protected_persons_stay_apart),
      EACH(a_source_kept_apart_makes_no_persons),
      EACH(the_log_has_one_entry_a_run),
      EACH(a_failed_run_is_on_record),
      EACH(documents_in_conflict_stay_apart_through_others),
      EACH(twins_with_one_document_stay_apart_through_others),
      EACH(victim_and_accused_stay_apart_through_others),
      EACH(an_accepted_pair_of_two_roles_tears_nothing),
      EACH(what_is_rejected_stays_apart),
      EACH(a_decision_that_lost_its_rows_is_told_of),
      {"mistakes_of_a_policy_have_a_place", mistakes_of_a_policy_have_a_place, setup, teardown, &kinds[0]},
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

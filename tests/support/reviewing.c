#include "tests/support/reviewing.h"

#include "core/base/file.h"
#include "core/resolve/resolve.h"
#include "core/service/workspace.h"
#include "tests/support/contract.h"
#include "tests/support/temp.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char SOURCE[] = "source: demo\ntitle: Demo\ninstitution: PE/MP\ncontact: help desk 1234\nunit: denuncia\n"
                             "connector: file\noptions: {path: incoming, settle: 0s}\n";
static const char MAPPING[] = "source: demo\nformat: csv\ndelimiter: \";\"\n"
                              "case:\n  key: id\n  denuncia_number: id\n"
                              "person:\n  key: [id, victim]\n  role: victim\n"
                              "  paternal_surname: {from: surname, clean: name}\n"
                              "  given_names: {from: name, clean: name}\n  document_number: document\n";
static const char ROWS[] = "id;victim;surname;name;document\n"
                           "D-1;a;Quispe;Rosa;45678901\nD-2;a;Mamani;Luz;45678902\n"
                           "D-3;a;Huaman;Ana;\nD-4;a;Condori;Eva;45678904\n";

static void put(const struct reviewing *reviewing, const char *name, const char *text) {
  struct error error;
  char path[600];
  snprintf(path, sizeof path, "%s/%s", reviewing->folder, name);
  MUST(file_write(path, slice_of(text), 0600, &error));
}

static void put_files(const struct reviewing *reviewing, int approvals) {
  static const char *const folders[] = {"sources", "mappings", "incoming"};
  char here[512];
  char text[2600];
  struct error error;
  for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
    char path[600];
    snprintf(path, sizeof path, "%s/%s", reviewing->folder, folders[i]);
    assert_int_equal(mkdir(path, 0700), 0);
  }
  put(reviewing, "sources/demo.yaml", SOURCE);
  put(reviewing, "mappings/demo.yaml", MAPPING);
  put(reviewing, "incoming/one.csv", ROWS);
  put(reviewing, "puente.yaml", "name: test\nlink: link.yaml\n");
  assert_non_null(getcwd(here, sizeof here));
  int length = snprintf(text, sizeof text,
                        "persons: %s/config/link/persons.yaml\ncases: %s/config/link/cases.yaml\n"
                        "survivorship: %s/config/link/survivorship.yaml\n",
                        here, here, here);
  if (approvals > 0) {
    snprintf(text + length, sizeof text - (size_t)length, "review: {approvals: %d}\n", approvals);
  }
  put(reviewing, "link.yaml", text);
  snprintf(text, sizeof text, "%s/puente.key", reviewing->folder);
  MUST(key_create(text, &error));
}

static void read_rows(struct workspace *workspace, const char *kind, int64_t rows[REVIEWED]) {
  static const char *const columns[] = {"row_id"};
  struct filter filter = {.column = "kind", .text = kind};
  struct selection selection = {.view = "members",
                                .columns = columns,
                                .column_count = 1,
                                .filters = &filter,
                                .filter_count = 1,
                                .order = "row_id"};
  struct result *result = NULL;
  struct error error;
  size_t count = 0;
  MUST(store_select(workspace->store, &selection, &result, &error));
  while (result_next(result, &error) == OK && count < REVIEWED) {
    rows[count++] = result_integer(result, 0);
  }
  result_free(result);
  assert_int_equal(count, REVIEWED);
}

static void write_pairs(struct workspace *workspace, const struct reviewing *reviewing) {
  const int64_t *p = reviewing->persons;
  const struct link_pair_row persons[] = {{p[0], p[1], 6.5, "surname and birth", NULL, PAIR_WAITING, "weight", 0},
                                          {p[0], p[2], 2, "document", "documents conflict", PAIR_WAITING, "rule", 0},
                                          {p[1], p[3], 3, NULL, NULL, PAIR_APART, "group", 0}};
  const struct link_pair_row cases[] = {
      {reviewing->cases[0], reviewing->cases[1], 4, "denuncia", NULL, PAIR_WAITING, "weight", 0}};
  struct some_pairs of_persons = {persons, 3};
  struct some_pairs of_cases = {cases, 1};
  struct error error;
  struct store *store = workspace->store;
  MUST(store_begin(store, &error));
  MUST(store_replace_pairs(store, CLUSTER_PERSON, 2, NULL, 0, contract_pair, &of_persons, &error));
  MUST(store_replace_pairs(store, CLUSTER_CASE, 2, NULL, 0, contract_pair, &of_cases, &error));
  MUST(store_commit(store, &error));
}

void reviewing_open(struct reviewing *reviewing, int approvals) {
  struct workspace workspace;
  struct error error;
  struct sync_result synced;
  struct resolve_result linked;
  const struct sync_options sync = {.actor = "test"};
  const struct resolve_options link = {.actor = "test"};
  *reviewing = (struct reviewing){.folder = temp_make()};
  put_files(reviewing, approvals);
  snprintf(reviewing->config, sizeof reviewing->config, "%s/puente.yaml", reviewing->folder);
  MUST(workspace_open(reviewing->config, WORKSPACE_WRITE, &workspace, &error));
  const struct workbench bench = workspace_bench(&workspace);
  MUST(sync_source(&bench, &workspace.config->sources[0], workspace.source_ids[0], &sync, &synced, &error));
  MUST(resolve_run(workspace.store, workspace.config, workspace.model, &link, &linked, &error));
  read_rows(&workspace, "person", reviewing->persons);
  read_rows(&workspace, "case", reviewing->cases);
  write_pairs(&workspace, reviewing);
  workspace_close(&workspace);
}

void reviewing_close(struct reviewing *reviewing) {
  temp_remove(reviewing->folder);
}

/* A workspace is handed over by one document, a copy of its store, and its secrets: whoever goes on from them in an
 * empty folder pulls nothing anew and counts the same. */
#include "tests/support/peru.h"
#include "tests/support/postgres.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct peru peru;

static int start(void **state) {
  (void)state;
  peru_start(&peru, 60, 7, NULL);
  return 0;
}

static int stop(void **state) {
  (void)state;
  peru_stop(&peru);
  return 0;
}

static int init_from(const char *folder, const char *document, char **said) {
  int code = 0;
  *said = shell_output(&code, "LANGUAGE=en %s/puente init %s --from %s 2>&1", build_folder(), folder, document);
  return code;
}

/* Neither a secret, nor a number of a document of anybody, nor the key. */
static void document_is_clean(const char *document) {
  int code = 0;
  free(shell_output(&code, "grep -q -e key-of- -e 0123456789abcdefghij %s", document));
  assert_int_equal(code, 1);
  free(shell_output(&code, "grep -v -e sha256 -e SHA-256 %s | grep -ow '[0-9]\\{8\\}' | grep -q '^[4-7]'", document));
  assert_int_equal(code, 1);
}

/* Where none is looked for. */
static void hide_secrets(const char *from) {
  /* A secret that a source names freely, and the key named as if it were configuration. */
  shell("sed -i 's#^  password: .*#&\\n  secrets: {ruc: \"file:%s/secrets/reta\"}\\n  ca_file: puente.key#' "
        "%s/sources/reta.yaml",
        from, from);
  /* A private key that stands in a file of certificates, and a title that could end a cell of a table. */
  shell("printf -- '-----BEGIN PRIVATE KEY-----\\nMIIhidden\\n' >%s/bundle.pem && "
        "sed -i 's#^options:#&\\n  ca_file: bundle.pem#; s#^title:.*#title: \"a | b\"#' %s/sources/sistra.yaml",
        from, from);
  /* And a password in an address. */
  shell("echo '# https://ana:key-of-ana@host/' >%s/login.pem && "
        "sed -i 's#^options:#&\\n  ca_file: login.pem#' %s/sources/mimp.yaml",
        from, from);
  /* And one in a comment, beside others that only tell where one is and when it ends. */
  shell("echo '  # until May: \"Password\": key-of-eva' >>%s/mappings/mimp.yaml && "
        "echo '# password: env:EVA, token: \"file:eva\", expires: {secret: 2027-01-31}, clave:' "
        ">>%s/mappings/sistra.yaml",
        from, from);
}

/* Of what was hidden the place, and not the thing. */
static void secrets_are_told(const char *document) {
  int code = 0;
  free(shell_output(&code, "grep -q '^| reta: ruc |' %s", document));
  assert_int_equal(code, 0);
  free(shell_output(&code, "grep puente-file %s | grep -q 'puente.key'", document));
  assert_int_equal(code, 1);
  free(shell_output(&code, "grep -q -e MIIhidden -e '| a | b |' %s", document));
  assert_int_equal(code, 1);
  free(shell_output(&code, "grep -q '^- .*/login.pem' %s", document));
  assert_int_equal(code, 0);
  free(shell_output(&code, "grep -q '^- .*/mappings/mimp.yaml' %s", document));
  assert_int_equal(code, 0);
  free(shell_output(&code, "grep -q 'bundle.pem' %s && grep -qF 'a \\| b' %s", document, document));
  assert_int_equal(code, 0);
}

static void hand_over(const char *name, const char *store, const char *schema) {
  char *from = peru_workspace(&peru, name, store), *to = NULL, *document = NULL, *said = NULL;
  int code = 0;
  assert_true(asprintf(&to, "%s/%s-next", peru.folder, name) > 0);
  assert_true(asprintf(&document, "%s/%s.md", peru.folder, name) > 0);
  /* Content that could end a fence, and a file without a line end. */
  shell("printf '# ```\\n# ````yaml\\n# <!-- puente-file mode=0644 path=x -->' >>%s/mappings/reta.yaml", from);
  shell("printf '<!--\\n```\\n````\\n-->\\n' >>%s/templates/reta.xml", from);
  assert_int_equal(workspace_run(from, "--quiet run", NULL), 0);
  assert_int_equal(workspace_run(from, "--quiet store backup", NULL), 0);
  hide_secrets(from);
  char arguments[512];
  snprintf(arguments, sizeof arguments, "--quiet handover --out %s", document);
  assert_int_equal(workspace_run(from, arguments, NULL), 0);
  document_is_clean(document);
  free(shell_output(&code, "grep 'are not there' %s", document));
  assert_int_equal(code, 1);
  secrets_are_told(document);
  assert_int_equal(init_from(to, document, &said), 0);
  assert_non_null(strstr(said, "11 files, their digests are right"));
  assert_non_null(strstr(said, "puente.key"));
  assert_non_null(strstr(said, "sistra: "));
  free(said);
  shell("cp %s/mappings/mimp.yaml %s/mappings/", from, to); /* by hand, as it says */
  shell("for f in puente.yaml sources mappings templates; do diff -r %s/$f %s/$f || exit 1; done", from, to);
  /* What the successor is given by other ways. */
  shell("ln -s ../secrets ../datamart.db ../siscalp %s && cp -p %s/puente.key %s/bundle.pem %s/login.pem %s", to, from,
        from, from, to);
  if (schema != NULL) {
    /* The new place is another database. */
    postgres_run("CREATE DATABASE successor OWNER puente");
    shell("sed -i 's/dbname=puente/dbname=successor/' %s/puente.yaml", to);
  }
  char *copy = shell_output(&code, "ls %s/backups/* | grep -v sha256 | tail -1 | tr -d '\\n'", from);
  snprintf(arguments, sizeof arguments, "--quiet store restore %s", copy);
  assert_int_equal(workspace_run(to, arguments, NULL), 0);
  /* It knows the copy that it came from, though no copy holds the note that it was made. */
  free(shell_output(&code, "%s/puente --config %s/puente.yaml status --json | grep -q '\"backup\": \"20'",
                    build_folder(), to));
  assert_int_equal(code, 0);
  assert_int_equal(workspace_run(to, "--quiet check >/dev/null", NULL), 0);
  assert_int_equal(workspace_run(to, "--quiet sync", NULL), 0);
  assert_int_equal(workspace_number(to,
                                    "SELECT sum(fresh + changed + deleted) FROM runs WHERE kind = 'sync' AND run_id > "
                                    "(SELECT max(run_id) FROM runs WHERE kind = 'link')"),
                   0);
  assert_true(workspace_number(to, "SELECT count(*) FROM persons") > 20);
  assert_true(peru_same(from, to, false));
  assert_int_equal(workspace_run(to, "--quiet store verify --full >/dev/null", NULL), 0);
  free(copy);
  free(document);
  free(to);
  free(from);
}

static void test_sqlite(void **state) {
  (void)state;
  hand_over("ministry", "{sqlite: puente.db}", NULL);
}

static void test_postgres(void **state) {
  (void)state;
  char store[512];
  snprintf(store, sizeof store, "{postgres: \"%s\", schema: handed}", postgres_start());
  hand_over("observatory", store, "handed");
}

/* What a source needs and is not there is told, in the document and to whoever makes it. */
static void test_missing(void **state) {
  (void)state;
  int code = 0;
  char arguments[300], ministry[300], *said = NULL;
  snprintf(ministry, sizeof ministry, "%s/ministry", peru.folder);
  shell("cd %s/ministry && mv mappings/reta.yaml templates/reta.xml %s", peru.folder, peru.folder);
  snprintf(arguments, sizeof arguments, "--lang en handover --out %s/lacking.md 2>&1", peru.folder);
  assert_int_equal(workspace_run(ministry, arguments, &said), 0);
  assert_non_null(strstr(said, "warning: the configuration names a file that is not there: "));
  free(said);
  char *told = shell_output(&code, "grep -c '^- .*/ministry/.*reta\\.' %s/lacking.md", peru.folder);
  assert_string_equal(told, "2\n");
  free(told);
  shell("cd %s && mv reta.yaml ministry/mappings && mv reta.xml ministry/templates", peru.folder);
}

/* A document that was changed, or that would write elsewhere, makes nothing. */
static void refused(const char *change, const char *wanted) {
  char *said = NULL, *to = NULL, *changed = NULL;
  int code = 0;
  assert_true(asprintf(&to, "%s/refused", peru.folder) > 0);
  assert_true(asprintf(&changed, "%s/changed.md", peru.folder) > 0);
  shell("sed '%s' %s/ministry.md >%s", change, peru.folder, changed);
  assert_int_equal(init_from(to, changed, &said), 2);
  assert_non_null(strstr(said, wanted));
  assert_non_null(strstr(said, "nothing was written"));
  free(said);
  free(shell_output(&code, "test -e %s", to));
  assert_int_equal(code, 1);
  free(changed);
  free(to);
}

static void test_refusals(void **state) {
  (void)state;
  refused("s/^source: sistra/source: other/", "the content of a file is not what its digest says");
  refused("s#path=sources/reta.yaml#path=../reta.yaml#", "a path that leaves the workspace is refused");
  refused("s#path=sources/reta.yaml#path=/tmp/reta.yaml#", "a path that leaves the workspace is refused");
  refused("s#path=sources/reta.yaml#path=sources/./reta.yaml#", "a path that leaves the workspace is refused");
  refused("s#path=sources/reta.yaml#path=sources/mimp.yaml#", "a file stands twice in the document");
  refused("s#path=sources/reta.yaml#path=sources/../../reta.yaml#", "a path that leaves the workspace is refused");
  refused("s#path=sources/reta.yaml#path=sources//reta.yaml#", "a path that leaves the workspace is refused");
  refused("s#path=sources/reta.yaml#path=sources/#", "a path that leaves the workspace is refused");
  refused("s#path=sources/reta.yaml#path=sources\\\\reta.yaml#", "a path that leaves the workspace is refused");
  refused("s#path=sources/reta.yaml#path=sources/\\x1breta.yaml#", "a path that leaves the workspace is refused");
  refused("s#path=sources/reta.yaml#path=PUENTE.KEY#", "keys, secrets and stores do not come by a document");
  refused("s#path=sources/reta.yaml#path=PUENTE.key#", "keys, secrets and stores do not come by a document");
  refused("/puente-file.*puente.yaml/d", "the document holds no configuration");
  /* A link in the way is not followed. */
  char *said = NULL, *to = NULL;
  int code = 0;
  assert_true(asprintf(&to, "%s/linked", peru.folder) > 0);
  char document[300];
  snprintf(document, sizeof document, "%s/ministry.md", peru.folder);
  shell("mkdir %s %s/elsewhere && ln -s ../elsewhere %s/sources", to, peru.folder, to);
  assert_int_equal(init_from(to, document, &said), 1);
  assert_non_null(strstr(said, "cannot write the file: a link is in the way"));
  free(said);
  char *left = shell_output(&code, "ls %s/elsewhere", peru.folder);
  assert_string_equal(left, "");
  free(left);
  /* What makes a folder a workspace comes last. */
  free(shell_output(&code, "test -e %s/puente.yaml", to));
  assert_int_equal(code, 1);
  /* Nor is one that stands where a file goes. */
  shell("rm -r %s && mkdir -p %s/sources && ln -s ../../elsewhere/reta.yaml %s/sources/reta.yaml", to, to, to);
  assert_int_equal(init_from(to, document, &said), 1);
  assert_non_null(strstr(said, "cannot write the file: File exists"));
  free(said);
  left = shell_output(&code, "ls %s/elsewhere", peru.folder);
  assert_string_equal(left, "");
  free(left);
  /* Nothing that is there gives way. */
  shell("rm -r %s && mkdir %s && echo mine >%s/puente.yaml", to, to, to);
  assert_int_equal(init_from(to, document, &said), 2);
  assert_non_null(strstr(said, "there is a workspace already"));
  free(said);
  left = shell_output(&code, "ls %s && cat %s/puente.yaml", to, to);
  assert_string_equal(left, "puente.yaml\nmine\n");
  free(left);
  /* Whatever mode the document says, nobody but the owner writes, nothing runs. */
  shell("rm -r %s && sed 's/mode=0644 bytes/mode=6777 bytes/' %s >%s.odd", to, document, document);
  snprintf(document, sizeof document, "%s/ministry.md.odd", peru.folder);
  assert_int_equal(init_from(to, document, &said), 0);
  free(said);
  free(shell_output(&code, "find %s -type f -perm /7133 ! -name puente.key | grep -q .", to));
  assert_int_equal(code, 1);
  free(to);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_sqlite),
      cmocka_unit_test(test_missing),
      cmocka_unit_test(test_refusals),
      cmocka_unit_test(test_postgres),
  };
  return cmocka_run_group_tests(tests, start, stop);
}

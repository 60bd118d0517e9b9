/* What the log writes in each of its forms. The journal is one of the test's own, in a mount namespace where the kernel
 * allows it. */
#include "core/base/file.h"
#include "core/base/log.h"
#include "tests/support/temp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char *folder;
static char path[512];

static int make_folder(void **state) {
  (void)state;
  folder = temp_make();
  snprintf(path, sizeof path, "%s/log", folder);
  setenv("PUENTE_CLOCK", "2026-01-02T03:04:05Z", 1);
  return 0;
}

static int remove_folder(void **state) {
  (void)state;
  temp_remove(folder);
  return 0;
}

static void print_lines(void) {
  struct error error;
  error_set(&error, ERR_CONFIG, "unknown key 'x'");
  error_place(&error, "a.yaml:2:1");
  error_hint(&error, "did you mean 'y'?");
  log_message(LEVEL_DEBUG, "hidden");
  log_message(LEVEL_INFO, "pulled %d", 3);
  log_message(LEVEL_WARNING, "careful");
  log_error(LEVEL_ERROR, &error);
}

static void print_events(void) {
  const struct log_field fields[] = {LOG_WORD("source", "reta"), LOG_COUNT("pulled", 12), LOG_WORD("none", NULL)};
  struct error error;
  error_set(&error, ERR_NETWORK, "it does not answer\nat all");
  error_hint(&error, "call them");
  log_event(LEVEL_INFO, "sync_done", fields, 3, NULL, "reta: pulled 12");
  log_event(LEVEL_WARNING, "sync_failed", fields, 1, &error, "reta: the sync failed");
}

/* Runs `print` with standard error in a file. Its text is the caller's. */
static char *logged(enum log_level level, enum log_form form, void (*print)(void), bool systemd) {
  struct error error;
  struct buffer bytes;
  struct stat about;
  char stream[64];
  fflush(stderr);
  int kept = dup(STDERR_FILENO);
  assert_non_null(freopen(path, "w", stderr));
  assert_int_equal(fstat(STDERR_FILENO, &about), 0);
  snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)about.st_dev, (unsigned long long)about.st_ino);
  setenv("JOURNAL_STREAM", systemd ? stream : "1:1", 1);
  log_configure(level, form);
  print();
  fflush(stderr);
  dup2(kept, STDERR_FILENO);
  close(kept);
  unsetenv("JOURNAL_STREAM");
  log_configure(LEVEL_INFO, LOG_TEXT);
  assert_int_equal(file_read(path, 1 << 20, &bytes, &error), OK);
  return bytes.data;
}

static void assert_logged(enum log_level level, enum log_form form, void (*print)(void), bool systemd,
                          const char *wanted) {
  char *text = logged(level, form, print, systemd);
  assert_string_equal(text, wanted);
  free(text);
}

static void text_is_for_people(void **state) {
  (void)state;
  assert_logged(LEVEL_INFO, LOG_TEXT, print_lines, false,
                "pulled 3\nwarning: careful\nerror: unknown key 'x'\n  at: a.yaml:2:1\n  hint: did you mean 'y'?\n");
  assert_logged(LEVEL_INFO, LOG_TEXT, print_events, false,
                "reta: pulled 12\nwarning: reta: the sync failed: it does not answer\nat all\n  hint: call them\n");
}

static void systemd_gets_priorities(void **state) {
  (void)state;
  assert_logged(LEVEL_INFO, LOG_TEXT, print_lines, true,
                "<6>pulled 3\n<4>warning: careful\n<3>error: unknown key 'x'\n<3>  at: a.yaml:2:1\n"
                "<3>  hint: did you mean 'y'?\n");
}

static void json_has_a_field_for_each_thing(void **state) {
  (void)state;
  assert_logged(LEVEL_ERROR, LOG_JSON, print_lines, true,
                "{\"time\":\"2026-01-02T03:04:05.000000Z\",\"level\":\"error\",\"status\":\"config\","
                "\"message\":\"unknown key 'x'\",\"place\":\"a.yaml:2:1\",\"hint\":\"did you mean 'y'?\"}\n");
  assert_logged(LEVEL_INFO, LOG_JSON, print_events, false,
                "{\"time\":\"2026-01-02T03:04:05.000000Z\",\"level\":\"info\",\"event\":\"sync_done\","
                "\"source\":\"reta\",\"pulled\":12,\"message\":\"reta: pulled 12\"}\n"
                "{\"time\":\"2026-01-02T03:04:05.000000Z\",\"level\":\"warning\",\"event\":\"sync_failed\","
                "\"source\":\"reta\",\"status\":\"network\",\"message\":\"reta: the sync failed\","
                "\"error\":\"it does not answer\\nat all\",\"hint\":\"call them\"}\n");
}

/* ---- lines of threads ---- */

enum { THREADS = 6, LINES = 300 };

static void *print_many(void *context) {
  char long_text[400];
  memset(long_text, *(const char *)context, sizeof long_text - 1);
  long_text[sizeof long_text - 1] = '\0';
  for (int i = 0; i < LINES; i++) {
    log_message(LEVEL_INFO, "%s", long_text);
  }
  return NULL;
}

static void print_in_threads(void) {
  pthread_t threads[THREADS];
  static char letters[THREADS + 1] = "abcdef";
  for (int i = 0; i < THREADS; i++) {
    assert_int_equal(pthread_create(&threads[i], NULL, print_many, &letters[i]), 0);
  }
  for (int i = 0; i < THREADS; i++) {
    pthread_join(threads[i], NULL);
  }
}

static void lines_of_threads_stay_whole(void **state) {
  (void)state;
  char *text = logged(LEVEL_INFO, LOG_TEXT, print_in_threads, false);
  int lines = 0;
  for (char *at = text; *at != '\0'; at += 400, lines++) {
    char same[400];
    memset(same, at[0], 399);
    assert_memory_equal(at, same, 399);
    assert_int_equal(at[399], '\n');
  }
  assert_int_equal(lines, THREADS * LINES);
  free(text);
}

/* ---- the journal ---- */

/* In the child: a journal's socket of its own, and two entries. Exits with 77 where the kernel does not let it. */
static void talk_to_own_journal(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/run/systemd/journal/socket"};
  char datagram[4096];
  int receiver = socket(AF_UNIX, SOCK_DGRAM, 0);
  if (unshare(CLONE_NEWNS | (geteuid() == 0 ? 0 : CLONE_NEWUSER)) != 0
      || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 || mount("tmpfs", "/run", "tmpfs", 0, "mode=755") != 0
      || mkdir("/run/systemd", 0755) != 0) {
    _exit(77);
  }
  if (log_journal_there() || mkdir("/run/systemd/journal", 0755) != 0
      || bind(receiver, (struct sockaddr *)&address, sizeof address) != 0 || !log_journal_there()) {
    _exit(78);
  }
  log_configure(LEVEL_INFO, LOG_JOURNAL);
  print_events();
  FILE *file = fopen(path, "w");
  for (int i = 0; i < 2; i++) {
    ssize_t length = recv(receiver, datagram, sizeof datagram, MSG_DONTWAIT);
    if (file == NULL || length < 0) {
      _exit(79);
    }
    fwrite(datagram, 1, (size_t)length, file);
    fputs("--\n", file);
  }
  fclose(file);
  _exit(0);
}

static void the_journal_gets_fields(void **state) {
  (void)state;
  struct error error;
  struct buffer bytes;
  int code = 0;
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    talk_to_own_journal();
  }
  assert_int_equal(waitpid(child, &code, 0), child);
  if (WIFEXITED(code) && WEXITSTATUS(code) == 77) {
    print_message("note: no journal: mount namespaces are not allowed here\n");
    skip();
  }
  assert_int_equal(code, 0);
  assert_int_equal(file_read(path, 1 << 20, &bytes, &error), OK);
  /* a value with a line end goes as its length, eight bytes, and the bytes */
  static const char wanted[] = "MESSAGE=reta: pulled 12\nPRIORITY=6\nSYSLOG_IDENTIFIER=puente\n"
                               "PUENTE_EVENT=sync_done\nPUENTE_SOURCE=reta\nPUENTE_PULLED=12\n--\n"
                               "MESSAGE=reta: the sync failed\nPRIORITY=4\nSYSLOG_IDENTIFIER=puente\n"
                               "PUENTE_EVENT=sync_failed\nPUENTE_SOURCE=reta\nPUENTE_STATUS=network\n"
                               "PUENTE_ERROR\n\x19\0\0\0\0\0\0\0it does not answer\nat all\n"
                               "PUENTE_HINT=call them\n--\n";
  assert_int_equal(bytes.len, sizeof wanted - 1);
  assert_memory_equal(bytes.data, wanted, sizeof wanted - 1);
  buffer_free(&bytes);
}

static void forms_have_names(void **state) {
  (void)state;
  enum log_form form = LOG_TEXT;
  assert_true(log_form_parse("json", &form));
  assert_int_equal(form, LOG_JSON);
  assert_true(log_form_parse("journal", &form));
  assert_int_equal(form, LOG_JOURNAL);
  assert_false(log_form_parse("xml", &form));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(text_is_for_people),
      cmocka_unit_test(systemd_gets_priorities),
      cmocka_unit_test(json_has_a_field_for_each_thing),
      cmocka_unit_test(lines_of_threads_stay_whole),
      cmocka_unit_test(the_journal_gets_fields),
      cmocka_unit_test(forms_have_names),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

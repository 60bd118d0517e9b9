/* `puente key` as a user runs it: shares of the key, what they refuse, and what is put back from them; and that no
 * dump of the program's memory is made. */
#include "core/base/share.h"
#include "tests/support/program.h"
#include "tests/support/temp.h"
#include "tests/support/workspace.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static char *folder, ours[256], theirs[256];

static void runs(const char *where, const char *arguments) {
  struct said said = program_run(where, arguments);
  if (said.code != 0) {
    fail_msg("%s: %d: %s", arguments, said.code, said.err);
  }
}

static void refuses(const char *where, const char *arguments, int code, const char *wanted) {
  struct said said = program_run(where, arguments);
  assert_string_equal(said.err, wanted);
  assert_int_equal(said.code, code);
}

static int setup(void **state) {
  int code;
  (void)state;
  folder = temp_make();
  snprintf(ours, sizeof ours, "%s/ours", folder);
  snprintf(theirs, sizeof theirs, "%s/theirs", folder);
  for (int i = 0; i < 2; i++) {
    const char *one = i == 0 ? ours : theirs;
    free(shell_output(&code, "%s/puente --quiet init %s && mkdir %s/a %s/b", build_folder(), one, one, one));
    assert_int_equal(code, 0);
    runs(one, "store init");
    runs(one, "key split a");
  }
  return 0;
}

static int teardown(void **state) {
  (void)state;
  program_forget();
  temp_remove(folder);
  return 0;
}

static const char ONE[] = "a/share-1-of-3.txt", TWO[] = "a/share-2-of-3.txt";

/* Each two of three give the key back; the file is private, and new. */
static void test_there_and_back(void **state) {
  struct stat info;
  char path[400], arguments[200];
  int code;
  (void)state;
  for (int left = 1; left <= 3; left++) {
    snprintf(arguments, sizeof arguments, "key join a/share-%d-of-3.txt a/share-%d-of-3.txt back%d", left == 1 ? 2 : 1,
             left == 3 ? 2 : 3, left);
    runs(ours, arguments);
    free(shell_output(&code, "cmp %s/back%d %s/puente.key", ours, left, ours));
    assert_int_equal(code, 0);
  }
  snprintf(path, sizeof path, "%s/back1", ours);
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(info.st_mode & 07777, 0600);
  snprintf(path, sizeof path, "%s/%s", ours, ONE);
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(info.st_mode & 07777, 0600);
  refuses(ours, "key join a/share-1-of-3.txt a/share-2-of-3.txt back1", 1,
          "error: cannot make the key file: File exists\n  at: back1\n"
          "  hint: a key is never overwritten: without it the digests in the store match nothing\n");
  refuses(ours, "key split a", 1,
          "error: cannot write the share: File exists\n  at: a/share-1-of-3.txt\n"
          "  hint: a share is never overwritten; name another folder\n");
}

/* All lines of a share but its secret one; and where the key file is lost, a restore by two holders. */
static void test_drill(void **state) {
  (void)state;
  char *text = program_read(ours, ONE);
  assert_non_null(strstr(text, "puente key share 1\nworkspace: ours\ndate: 20"));
  assert_non_null(strstr(text, "\nshare: 1 of 3\nneeded: 2\nkey: "));
  free(text);
  struct said said = program_run(ours, "key check a/share-1-of-3.txt");
  assert_non_null(strstr(said.out, "1 given, 2 needed of 3\njoined in memory:    too few to try\n"
                                   "key file here:       fits\nstore:               not tried\n"));
  shell("mv %s/puente.key %s/lost.key", ours, ours);
  said = program_run(ours, "key check a/share-1-of-3.txt a/share-3-of-3.txt");
  assert_int_equal(said.code, 0);
  assert_non_null(strstr(said.out, "joined in memory:    they give the key\nkey file here:       not tried\n"
                                   "store:               fits\n"));
  assert_int_not_equal(program_run(ours, "key rotate").code, 0);
  said = program_run(ours, "key join a/share-3-of-3.txt a/share-1-of-3.txt puente.key");
  assert_int_equal(said.code, 0);
  assert_string_equal(said.out, "the key was written to puente.key; it opens the store\n");
  runs(ours, "key rotate");
}

static void test_copy_of_another_key(void **state) {
  char arguments[640];
  (void)state;
  runs(ours, "store backup copy.db");
  struct said said = program_run(ours, "store verify copy.db");
  assert_int_equal(said.code, 0);
  assert_non_null(strstr(said.out, "seals ok: the key opened 0 bodies of the copy\n"));
  snprintf(arguments, sizeof arguments, "store verify %s/copy.db", ours);
  said = program_run(theirs, arguments);
  assert_int_equal(said.code, 2);
  assert_non_null(strstr(said.err, "error: the key is not the one that this store was made with\n"));
}

static void test_too_few(void **state) {
  (void)state;
  refuses(ours, "key join a/share-1-of-3.txt out", 2,
          "error: 1 share is not enough: 2 are needed\n  hint: ask another holder for theirs\n");
  refuses(ours, "key join a/share-1-of-3.txt a/share-1-of-3.txt out", 2,
          "error: share 1 is given twice\n"
          "  hint: shares belong together that were made by one `puente key split`\n");
  refuses(ours, "key split --needed 1 b", 2, "error: --shares and --needed take a number from 2 to 20\n");
  refuses(ours, "key split --needed 3 --shares 2 b", 2,
          "error: at least 2 shares are needed of at most 20 that are made\n");
}

static void test_damaged(void **state) {
  char arguments[256];
  (void)state;
  /* Each hexadecimal sign of the secret, of the mark and of the checksum, and each other line, in turn. */
  for (int line = 2; line <= 9; line++) {
    shell("sed -E '%ds/([0-9a-z])$/\\1 x/;%ds/([1-8])( x)$/9/;%ds/(.) x$/0/' %s/%s >%s/bad", line, line, line, ours,
          ONE, ours);
    snprintf(arguments, sizeof arguments, "key join bad %s out", TWO);
    int code;
    free(shell_output(&code, "cmp -s %s/bad %s/%s", ours, ours, ONE));
    if (code == 0) {
      continue; /* the sign stood there */
    }
    refuses(ours, arguments, 1,
            "error: this share is damaged: its checksum is another\n  at: bad\n"
            "  hint: compare it with its holder's printed copy, or take another holder's share\n");
  }
  program_write(ours, "bad", "not a share\n");
  refuses(ours, "key check bad", 1,
          "error: this is not a share of a key\n  at: bad\n"
          "  hint: compare it with its holder's printed copy, or take another holder's share\n");
  /* Typed in on another system. */
  shell("sed 's/$/ \\r/' %s/%s >%s/typed", ours, ONE, ours);
  runs(ours, "key join typed a/share-2-of-3.txt out");
}

static void test_mixed(void **state) {
  char arguments[512], wanted[512];
  (void)state;
  snprintf(arguments, sizeof arguments, "key join %s %s/%s out", ONE, theirs, TWO);
  refuses(ours, arguments, 2,
          "error: these are shares of two workspaces, \"ours\" and \"theirs\"\n"
          "  hint: shares belong together that were made by one `puente key split`\n");
  runs(ours, "key split --shares 5 --needed 3 b");
  char *text = program_read(ours, ONE), *date = strstr(text, "date: ") + 6;
  snprintf(arguments, sizeof arguments, "key join %s b/share-2-of-5.txt out", ONE);
  snprintf(wanted, sizeof wanted,
           "error: these are shares of two splits, of %.10s and of %.10s\n"
           "  hint: shares belong together that were made by one `puente key split`\n",
           date, date);
  free(text);
  refuses(ours, arguments, 2, wanted);
  refuses(ours, "key join b/share-2-of-5.txt b/share-4-of-5.txt out", 2,
          "error: 2 shares are not enough: 3 are needed\n  hint: ask another holder for theirs\n");
  runs(ours, "key join b/share-2-of-5.txt b/share-4-of-5.txt b/share-5-of-5.txt out");
}

/* The shares are good, and of another store. */
static void test_wrong_store(void **state) {
  char arguments[640];
  struct stat info;
  (void)state;
  snprintf(arguments, sizeof arguments, "key join %s/%s %s/%s out", theirs, ONE, theirs, TWO);
  refuses(ours, arguments, 2,
          "error: the key of these shares is not the one of this workspace's store\n"
          "  hint: shares of before the key was replaced, or of another workspace, do not open it; nothing was "
          "written\n");
  snprintf(arguments, sizeof arguments, "%s/out", ours);
  assert_int_equal(stat(arguments, &info), -1);
  snprintf(arguments, sizeof arguments, "key check %s/%s", theirs, ONE);
  refuses(ours, arguments, 2,
          "error: these shares are of another key than this workspace's\n"
          "  hint: split the present key: `puente key split FOLDER`, and give the new shares out\n");
}

/* What cannot be read is no "not tried": holders would go home believing that the key fits. */
static void test_store_that_cannot_be_asked(void **state) {
  static const char JOIN[] = "key join a/share-1-of-3.txt a/share-2-of-3.txt out",
                    CHECK[] = "key check a/share-1-of-3.txt a/share-2-of-3.txt";
  struct stat info;
  char path[640], wanted[640];
  (void)state;
  snprintf(wanted, sizeof wanted,
           "error: the file is not a SQLite database\n  at: %s/puente.db\n"
           "  hint: check the store's path; this file was not made by puente\n",
           ours);
  shell("mv %s/puente.key %s/lost.key && cp %s/puente.db %s/kept.db && head -c 4096 /dev/zero >%s/puente.db", ours,
        ours, ours, ours, ours);
  struct said said = program_run(ours, CHECK);
  assert_int_equal(said.code, 1);
  assert_string_equal(said.err, wanted);
  assert_non_null(strstr(said.out, "they give the key\nkey file here:       not tried\n"
                                   "store:               not tried\n"));
  refuses(ours, JOIN, 1, wanted);
  snprintf(path, sizeof path, "%s/out", ours);
  assert_int_equal(stat(path, &info), -1);
  shell("rm %s/puente.db", ours);
  said = program_run(ours, JOIN);
  assert_int_equal(said.code, 0);
  assert_string_equal(said.out, "the key was written to out; no store was there to try it on\n");
}

/* One share that was made anew with a good checksum does not give another key. */
static void test_forged(void **state) {
  struct share shares[2];
  struct error error;
  struct key *key;
  char path[400];
  (void)state;
  for (int i = 0; i < 2; i++) {
    snprintf(path, sizeof path, "%s/%s", ours, i == 0 ? ONE : TWO);
    assert_int_equal(share_read(path, &shares[i], &error), OK);
  }
  shares[1].bytes[7] ^= 1;
  assert_int_equal(shares_join(shares, 2, &key, &error), ERR_INPUT);
  assert_string_equal(error.message, "what these shares give is not the key that they name: one was changed");
  assert_null(key);
}

static void test_logged(void **state) {
  (void)state;
  char *rows = workspace_rows(ours, "SELECT event, actor, body FROM audit WHERE event = 'key'");
  assert_memory_equal(rows, "key|tester|{\"needed\":2,\"shares\":3,\"split\":\"",
                      strlen("key|tester|{\"needed\":2,\"shares\":3,\"split\":\""));
  free(rows);
  struct said said = program_run_as(ours, "root", "key split b");
  assert_int_not_equal(said.code, 0);
  assert_non_null(strstr(said.err, "'root' is an account that several persons may use"));
}

/* ---- dumps of memory ---- */

static pid_t start_serving(void) {
  pid_t child = fork();
  if (child == 0) {
    struct rlimit most;
    char program[512];
    (void)getrlimit(RLIMIT_CORE, &most);
    most.rlim_cur = most.rlim_max;
    (void)setrlimit(RLIMIT_CORE, &most);
    setenv("ASAN_OPTIONS", "disable_coredump=0", 1);
    char *here = realpath(build_folder(), NULL);
    snprintf(program, sizeof program, "%s/puente", here == NULL ? "" : here);
    if (chdir(ours) == 0) {
      execl(program, program, "--quiet", "serve", (char *)NULL);
    }
    _exit(127);
  }
  return child;
}

static bool has_no_room(pid_t process) {
  int code;
  char *soft = shell_output(&code, "awk '/^Max core file size/ {print $5, $6}' /proc/%d/limits", (int)process);
  bool none = strcmp(soft, "0 0\n") == 0;
  free(soft);
  return none;
}

static void test_no_dump(void **state) {
  int ended = 0;
  bool none = false;
  (void)state;
  pid_t process = start_serving();
  for (int i = 0; i < 200 && !none; i++) {
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    none = has_no_room(process);
  }
  kill(process, SIGABRT);
  assert_int_equal(waitpid(process, &ended, 0), process);
  assert_true(none);
  assert_true(WIFSIGNALED(ended));
  assert_false(WCOREDUMP(ended));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
  const struct CMUnitTest tests[] = {
      CASE(test_there_and_back),
      CASE(test_drill),
      CASE(test_too_few),
      CASE(test_damaged),
      CASE(test_mixed),
      CASE(test_wrong_store),
      CASE(test_forged),
      CASE(test_logged),
      CASE(test_no_dump),
      CASE(test_copy_of_another_key),
      CASE(test_store_that_cannot_be_asked),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/torture/torture.h"

#include "core/base/date.h"
#include "core/base/file.h"
#include "tests/support/temp.h"
#include "tests/support/workspace.h"
#include "tests/torture/inject.h"
#include "tests/torture/program.h"
#include "tests/torture/workplace.h"

#include <dirent.h>
#include <fcntl.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* Calls that fail in one pass of the quick run. $TORTURE=paths: the first call of every path through the program that
 * no scenario before came by; $TORTURE=all: every call; $TORTURE=N: so many. */
enum { QUICK = 2, ARGUMENTS = 32, ANSWER_SECONDS = 60, WRONG_MOST = 30 };

/* What the child tells. */
struct told {
  struct inject_report report;
  bool done;
  int code;
  bool leaked;
  int descriptors; /* more than before */
};

struct turn {
  const char *name;
  enum inject_mode mode;
  unsigned classes;
  bool harmless; /* the result may not differ at all */
};

static const struct turn passes[] = {
    {"fails", INJECT_ONCE, INJECT_ALL & ~INJECT_SQLITE_MEMORY, false},
    {"memory ends", INJECT_FROM, INJECT_MEMORY, false},
    {"sqlite memory", INJECT_ONCE, INJECT_SQLITE_MEMORY, false},
    {"disk dies", INJECT_FROM, INJECT_TRANSFER | INJECT_SQLITE_FILE, false},
    {"short", INJECT_SHORT, INJECT_TRANSFER, true},
    {"refused", INJECT_EMPTY, INJECT_POSTGRES, false},
    {"answer lost", INJECT_LOST, INJECT_POSTGRES, false},
};

struct torture {
  const struct scenario *scenario;
  struct workplace place;
  char *calm_output, *calm_content;
  bool steady; /* the output is the same each time */
  const struct turn *pass;
  unsigned nth;
  unsigned long calls, paths, injected, refused, swallowed;
  unsigned wrong;
};

static struct told *told;
static uint64_t *noted; /* paths of a counting run */
static char *scratch;   /* holds out and err of the last run */

const char *__asan_default_options(void);
const char *__asan_default_options(void) {
  return "exitcode=86:allocator_may_return_null=1";
}

static void to_file(int descriptor, const char *name, int flags) {
  char path[512];
  snprintf(path, sizeof path, "%s/%s", scratch, name);
  int file = open(name[0] == '/' ? name : path, flags, 0600);
  if (file < 0 || dup2(file, descriptor) < 0) {
    _exit(126);
  }
  close(file);
}

static int open_descriptors(void) {
  int count = 0;
  DIR *folder = opendir("/proc/self/fd");
  while (folder != NULL && readdir(folder) != NULL) {
    count++;
  }
  closedir(folder);
  return count;
}

static int split(char *text, char *argv[ARGUMENTS]) {
  int count = 0;
  while (*text != '\0' && count < ARGUMENTS - 1) {
    char ends = *text == '\'' ? '\'' : ' ';
    text += ends == '\'';
    argv[count++] = text;
    text += strcspn(text, ends == '\'' ? "'" : " ");
    while (*text == ends || *text == ' ') {
      *text++ = '\0';
    }
  }
  argv[count] = NULL;
  return count;
}

/* In the child: the program itself. */
static void be_puente(const char *folder, const char *command, const struct turn *pass, unsigned nth) {
  char line[512], *argv[ARGUMENTS];
  snprintf(line, sizeof line, "puente --config puente.yaml %s", command);
  int argc = split(line, argv);
  to_file(STDIN_FILENO, "/dev/null", O_RDONLY);
  to_file(STDOUT_FILENO, "out", O_WRONLY | O_CREAT | O_TRUNC);
  to_file(STDERR_FILENO, "err", O_WRONLY | O_CREAT | O_TRUNC);
  if (chdir(folder) != 0) {
    _exit(126);
  }
  alarm(ANSWER_SECONDS);
  int before = open_descriptors();
  if (pass != NULL) {
    inject_begin(&told->report, pass->mode, pass->classes, nth);
  }
  told->code = puente_main(argc, argv);
  inject_end();
  fflush(NULL);
  told->descriptors = open_descriptors() - before;
  memset(argv, 0, sizeof argv);
  told->leaked = __lsan_do_recoverable_leak_check() != 0;
  told->done = true;
  _exit(0);
}

/* The wait status. */
static int run(const char *folder, const char *command, const struct turn *pass, unsigned nth) {
  int status = 0;
  fflush(NULL);
  *told = (struct told){.report = {.paths = noted}};
  pid_t child = fork();
  if (child == 0) {
    be_puente(folder, command, pass, nth);
  }
  if (child < 0 || waitpid(child, &status, 0) != child) {
    fprintf(stderr, "torture: no process\n");
    abort();
  }
  return status;
}

static char *scratch_text(const char *name) {
  char path[512];
  struct buffer text;
  struct error error;
  snprintf(path, sizeof path, "%s/%s", scratch, name);
  if (file_read(path, 64 << 20, &text, &error) != OK) {
    fprintf(stderr, "torture: %s: %s\n", path, error.message);
    abort();
  }
  return text.data;
}

/* ---- judging ---- */

static void wrong(struct torture *self, const char *what) {
  char line[512];
  printf("torture: %s: %s, %s %u (%s): %s\n", self->scenario->name, self->scenario->command, self->pass->name,
         self->nth, told->report.what == NULL ? "?" : told->report.what, what);
  for (int i = 1; i < told->report.depth; i++) {
    __sanitizer_symbolize_pc((char *)told->report.stack[i] - 1, "%f %S", line, sizeof line);
    if (strstr(line, "be_puente") != NULL) {
      break;
    }
    printf("    %s\n", line);
  }
  self->wrong++;
}

static void show(const char *name) {
  char *text = scratch_text(name);
  printf("  %s:\n%.6000s\n", name, text);
  free(text);
}

/* The child ended by itself, left nothing, and said why where it failed. */
static bool ended_well(struct torture *self, int status) {
  if (!told->done) {
    wrong(self, WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? "hangs" : "crashes");
    show("err");
    return false;
  }
  if (told->leaked) {
    wrong(self, "memory leaks");
    show("err");
  }
  if (told->descriptors > 0) {
    wrong(self, "a descriptor stays open");
  }
  if (told->code == 0) {
    return true;
  }
  char *said = scratch_text("err"), *printed = scratch_text("out");
  bool tells = strstr(said, "error: ") != NULL || strstr(printed, "WRONG") != NULL;
  free(said);
  free(printed);
  if (!tells) {
    wrong(self, "fails without a word");
    show("err");
    show("out");
  }
  return tells;
}

static void first_difference(const char *here, const char *calm) {
  size_t at = 0;
  while (here[at] != '\0' && here[at] == calm[at]) {
    at++;
  }
  while (at > 0 && here[at - 1] != '\n') {
    at--;
  }
  printf("  here: %.*s\n  calm: %.*s\n", (int)strcspn(here + at, "\n"), here + at, (int)strcspn(calm + at, "\n"),
         calm + at);
}

static void check_same(struct torture *self, const char *here, const char *calm, const char *what) {
  if (strcmp(here, calm) != 0) {
    wrong(self, what);
    first_difference(here, calm);
  }
}

static void check_content(struct torture *self, const char *what) {
  char *content = workplace_content(&self->place);
  check_same(self, content, self->calm_content, what);
  free(content);
}

/* Said to be done: then it must be, and be told as it is where nothing fails. */
static void check_done(struct torture *self) {
  self->swallowed++;
  if (self->steady) {
    char *output = scratch_text("out");
    check_same(self, output, self->calm_output, "says it is done, and says something else");
    free(output);
  }
  check_content(self, "says it is done, and the content is another");
}

static void check_again(struct torture *self) {
  struct told kept = *told;
  int status = run(self->place.work, self->scenario->command, NULL, 0);
  struct told again = *told;
  *told = kept;
  if (status != 0 || !again.done || (again.code != 0 && !self->scenario->once)) {
    wrong(self, "does not go through when it is run again");
    show("err");
  }
  check_content(self, "run again, the content is another");
}

static void one(struct torture *self) {
  workplace_renew(&self->place);
  int status = run(self->place.work, self->scenario->command, self->pass, self->nth);
  if (!told->report.failed) {
    return; /* threads: it came to fewer calls this time */
  }
  self->injected++;
  unsigned before = self->wrong;
  bool well = ended_well(self, status);
  const char *broken = workplace_broken(&self->place);
  if (broken[0] != '\0') {
    wrong(self, broken);
  }
  if (well && told->code == 0) {
    check_done(self);
  } else if (self->pass->harmless) {
    wrong(self, "fails though nothing was lost");
    show("err");
  } else {
    self->refused++;
    check_again(self);
  }
  if (self->wrong > before && getenv("TORTURE_SHOW") != NULL) {
    show("err");
  }
}

/* ---- choosing ---- */

struct call {
  uint64_t path;
  unsigned nth;
};

static int by_path(const void *a, const void *b) {
  const struct call *left = a, *right = b;
  return left->path != right->path ? (left->path < right->path ? -1 : 1) : left->nth < right->nth ? -1 : 1;
}

static int by_number(const void *a, const void *b) {
  unsigned left = ((const struct call *)a)->nth, right = ((const struct call *)b)->nth;
  return left < right ? -1 : left > right;
}

/* What failed already, here or in a scenario before: marks it, and says whether it is new. */
static bool is_new(uint64_t path, const struct turn *pass) {
  static uint64_t seen[1 << 18];
  uint64_t mark = (path ^ (uint64_t)(pass - passes + 1) * 0x9e3779b97f4a7c15U) | 1;
  size_t at = mark % (sizeof seen / sizeof *seen);
  while (seen[at] != 0 && seen[at] != mark) {
    at = (at + 1) % (sizeof seen / sizeof *seen);
  }
  bool fresh = seen[at] == 0;
  seen[at] = mark;
  return fresh;
}

/* Keeps the first call of each path, in the order of calls. */
static unsigned keep_paths(struct call *calls, unsigned count) {
  unsigned kept = 0;
  qsort(calls, count, sizeof *calls, by_path);
  for (unsigned i = 0; i < count; i++) {
    if (i == 0 || calls[i].path != calls[i - 1].path) {
      calls[kept++] = calls[i];
    }
  }
  qsort(calls, kept, sizeof *calls, by_number);
  return kept;
}

/* The calls that are to fail, for is_new to look at; allocated. */
static struct call *choose(unsigned count, unsigned *chosen, unsigned *paths) {
  const char *asked = getenv("TORTURE");
  struct call *calls = calloc(count + 1, sizeof *calls);
  if (calls == NULL) {
    abort();
  }
  for (unsigned i = 0; i < count; i++) {
    calls[i] = (struct call){.path = told->report.paths[i], .nth = i + 1};
  }
  bool all = asked != NULL && strcmp(asked, "all") == 0;
  *paths = *chosen = all ? count : keep_paths(calls, count);
  unsigned most = asked == NULL ? QUICK : (unsigned)strtoul(asked, NULL, 10);
  if (most > 0 && *chosen > most) {
    for (unsigned i = 0; i < most; i++) {
      calls[i] = calls[(2 * (size_t)i + 1) * *chosen / (2 * (size_t)most)];
    }
    *chosen = most;
  }
  for (unsigned i = 0; all && i < count; i++) {
    calls[i].path = i; /* each by itself */
  }
  return calls;
}

static void run_pass(struct torture *self, const struct turn *pass) {
  const char *at = getenv("TORTURE_AT");
  const struct turn counting = {"counted", INJECT_COUNT, pass->classes, true};
  unsigned chosen = 0, paths = 0;
  self->pass = pass;
  workplace_renew(&self->place);
  run(self->place.work, self->scenario->command, &counting, 0);
  unsigned count = told->report.calls < INJECT_CALLS_MOST ? told->report.calls : INJECT_CALLS_MOST;
  struct call *calls = choose(count, &chosen, &paths);
  self->calls += count;
  self->paths += paths;
  for (unsigned i = 0; i < chosen && self->wrong < WRONG_MOST && at == NULL; i++) {
    self->nth = calls[i].nth;
    if (calls[i].path == i || is_new(calls[i].path, pass)) {
      one(self);
    }
  }
  if (at != NULL) {
    self->nth = (unsigned)strtoul(at, NULL, 10);
    one(self);
  }
  free(calls);
}

static void must_run(const struct torture *self, const char *folder, const char *command) {
  int status = run(folder, command, NULL, 0);
  if (status != 0 || !told->done || (told->code != 0 && told->code != 3) || told->leaked || told->descriptors > 0) {
    printf("torture: %s: undisturbed, %s ends with %d, %d\n", self->scenario->name, command, status, told->code);
    show("err");
    show("out");
    fflush(stdout);
    abort();
  }
}

static void prepare(struct torture *self) {
  workplace_open(&self->place, self->scenario->postgres);
  for (size_t i = 0; i < sizeof self->scenario->prepare / sizeof *self->scenario->prepare; i++) {
    if (self->scenario->prepare[i] != NULL) {
      must_run(self, self->place.base, self->scenario->prepare[i]);
    }
  }
  workplace_keep(&self->place);
  workplace_renew(&self->place);
  must_run(self, self->place.work, self->scenario->command);
  self->calm_output = scratch_text("out");
  self->calm_content = workplace_content(&self->place);
  workplace_renew(&self->place);
  must_run(self, self->place.work, self->scenario->command);
  char *again = scratch_text("out");
  self->steady = strcmp(again, self->calm_output) == 0;
  free(again);
}

bool torture_run(const struct scenario *scenario) {
  struct torture self = {.scenario = scenario};
  const char *only = getenv("TORTURE_PASS");
  int64_t began = clock_monotonic();
  if (told == NULL) {
    told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    noted = mmap(NULL, sizeof *noted * INJECT_CALLS_MOST, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    scratch = temp_make();
    setenv("PUENTE_ACTOR", "tester", 1);
    setenv("PUENTE_CLOCK", "2024-06-01T12:00:00Z", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    setenv("LANGUAGE", "en", 1);
    inject_install();
  }
  prepare(&self);
  for (size_t i = 0; i < sizeof passes / sizeof *passes; i++) {
    if (only == NULL || strcmp(only, passes[i].name) == 0) {
      run_pass(&self, &passes[i]);
    }
  }
  printf("torture %s: %s calls=%lu paths=%lu injected=%lu refused=%lu done=%lu wrong=%u (%.1f s)\n",
         self.wrong == 0 ? "ok" : "FAILED", scenario->name, self.calls, self.paths, self.injected, self.refused,
         self.swallowed, self.wrong, (double)(clock_monotonic() - began) / 1e6);
  free(self.calm_output);
  free(self.calm_content);
  workplace_close(&self.place);
  return self.wrong == 0;
}

void torture_end(void) {
  temp_remove(scratch);
  scratch = NULL;
}

#include "tests/torture/torture.h"

#include "core/base/date.h"
#include "core/base/file.h"
#include "tests/support/temp.h"
#include "tests/support/workspace.h"
#include "tests/torture/choose.h"
#include "tests/torture/inject.h"
#include "tests/torture/program.h"
#include "tests/torture/remote.h"
#include "tests/torture/workplace.h"

#include <dirent.h>
#include <fcntl.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARGUMENTS = 32, ANSWER_SECONDS = 60, WRONG_MOST = 30, WORKERS_MOST = 64 };

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
  unsigned long calls, paths, injected, refused, untouched, swallowed;
  unsigned wrong;
};

static struct told *told;
static uint64_t *noted; /* paths of a counting run */
static char *scratch;   /* holds out and err of the last run */

const char *__asan_default_options(void);
const char *__asan_default_options(void) {
  /* A small quarantine: the search for leaks looks at every piece that is or was allocated, and is half of a run's
   * time otherwise. */
  return "exitcode=86:allocator_may_return_null=1:quarantine_size_mb=4:malloc_context_size=12";
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

static const char OTHER[] = "other: ";

/* In the child: the program itself. */
static void be_puente(const char *folder, const char *command, const struct turn *pass, unsigned nth) {
  char line[512], *argv[ARGUMENTS];
  bool other = strncmp(command, OTHER, sizeof OTHER - 1) == 0;
  command += other ? sizeof OTHER - 1 : 0;
  setenv("PUENTE_ACTOR", other ? "other" : "tester", 1);
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
  if (told->descriptors > self->scenario->stays) {
    wrong(self, "a descriptor stays open");
  }
  if (told->code == 0) {
    return true;
  }
  char *said = scratch_text("err"), *printed = scratch_text("out");
  bool tells =
      strstr(said, "error: ") != NULL || strstr(printed, "WRONG") != NULL || strstr(printed, "FAILED ") != NULL;
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
  char *content = workplace_content(&self->place, self->scenario->writes);
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
  const struct scenario *scenario = self->scenario;
  int status = run(self->place.work, scenario->again == NULL ? scenario->command : scenario->again, NULL, 0);
  struct told again = *told;
  *told = kept;
  if (status != 0 || !again.done || (again.code != 0 && !scenario->once)) {
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
  bool well = ended_well(self, status), untouched = workplace_untouched(&self->place);
  const char *broken = untouched ? "" : workplace_broken(&self->place);
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
    self->untouched += untouched;
    if (!untouched) { /* else it would be the undisturbed run */
      check_again(self);
    }
  }
  if (self->wrong > before && getenv("TORTURE_SHOW") != NULL) {
    show("err");
  }
}

/* ---- passes ---- */

static void run_pass(struct torture *self, const struct turn *pass) {
  const char *at = getenv("TORTURE_AT");
  const struct turn counting = {"counted", INJECT_COUNT, pass->classes, true};
  unsigned chosen = 0, paths = 0;
  uint64_t salt = (uint64_t)(pass - passes) + 1;
  self->pass = pass;
  workplace_renew(&self->place);
  run(self->place.work, self->scenario->command, &counting, 0);
  unsigned count = told->report.calls < INJECT_CALLS_MOST ? told->report.calls : INJECT_CALLS_MOST;
  struct call *calls = choose(told->report.paths, count, &chosen, &paths);
  self->calls += count;
  self->paths += paths;
  for (unsigned i = 0; i < chosen && self->wrong < WRONG_MOST && at == NULL; i++) {
    self->nth = calls[i].nth;
    if (choose_new(&calls[i], salt)) {
      one(self);
    }
  }
  if (at != NULL) {
    self->nth = (unsigned)strtoul(at, NULL, 10);
    one(self);
  }
  free(calls);
}

static bool runs_undisturbed(const struct torture *self, const char *folder, const char *command) {
  int status = run(folder, command, NULL, 0);
  if (status == 0 && told->done && (told->code == 0 || told->code == 3) && !told->leaked
      && told->descriptors <= self->scenario->stays) {
    return true;
  }
  printf("torture: %s: undisturbed, %s ends with %d, %d%s, %d descriptors stay\n", self->scenario->name, command,
         status, told->code, told->leaked ? ", leaks" : "", told->descriptors);
  show("err");
  show("out");
  return false;
}

static bool prepare_with(const struct torture *self, const char *command) {
  if (strncmp(command, "$ ", 2) == 0) {
    shell("cd %s && %s", self->place.base, command + 2);
    return true;
  }
  return runs_undisturbed(self, self->place.base, command);
}

/* The base, and what the command does where nothing fails. */
static bool prepare(struct torture *self) {
  bool well = true;
  workplace_open(&self->place, self->scenario->postgres);
  for (size_t i = 0; well && i < sizeof self->scenario->prepare / sizeof *self->scenario->prepare; i++) {
    well = self->scenario->prepare[i] == NULL || prepare_with(self, self->scenario->prepare[i]);
  }
  workplace_keep(&self->place);
  workplace_renew(&self->place);
  well = well && runs_undisturbed(self, self->place.work, self->scenario->command);
  self->calm_output = scratch_text("out");
  self->calm_content = workplace_content(&self->place, self->scenario->writes);
  workplace_renew(&self->place);
  well = well && runs_undisturbed(self, self->place.work, self->scenario->command);
  char *again = scratch_text("out");
  self->steady = strcmp(again, self->calm_output) == 0;
  free(again);
  return well;
}

static void make_shared(void) {
  int flags = MAP_SHARED | MAP_ANONYMOUS;
  told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, flags, -1, 0);
  noted = mmap(NULL, sizeof *noted * INJECT_CALLS_MOST, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (told == MAP_FAILED || noted == MAP_FAILED) {
    perror("torture: mmap");
    abort();
  }
  scratch = temp_make();
}

/* False where a promise did not hold. */
static bool run_scenario(const struct scenario *scenario) {
  struct torture self = {.scenario = scenario};
  const char *only = getenv("TORTURE_PASS");
  int64_t began = clock_monotonic();
  bool well = prepare(&self);
  self.wrong += !well;
  for (size_t i = 0; well && i < sizeof passes / sizeof *passes; i++) {
    if (only == NULL || strcmp(only, passes[i].name) == 0) {
      run_pass(&self, &passes[i]);
    }
  }
  printf("torture %s: %s calls=%lu paths=%lu injected=%lu refused=%lu untouched=%lu done=%lu wrong=%u (%.1f s)\n",
         self.wrong == 0 ? "ok" : "FAILED", scenario->name, self.calls, self.paths, self.injected, self.refused,
         self.untouched, self.swallowed, self.wrong, (double)(clock_monotonic() - began) / 1e6);
  fflush(stdout);
  free(self.calm_output);
  free(self.calm_content);
  workplace_close(&self.place);
  return self.wrong == 0;
}

/* ---- workers ---- */

struct shared {
  atomic_uint next, ended, wrong; /* scenarios begun, ended, and those that went wrong */
};

static void work(struct shared *shared, const struct scenario *const *scenarios, unsigned count) {
  make_shared();
  for (unsigned i; (i = atomic_fetch_add(&shared->next, 1)) < count;) {
    bool well = run_scenario(scenarios[i]);
    atomic_fetch_add(&shared->wrong, !well);
    atomic_fetch_add(&shared->ended, 1);
  }
  temp_remove(scratch);
}

/* As many as there are processors where the run is long: each takes the next scenario. */
static unsigned worker_count(void) {
  const char *asked = getenv("TORTURE_JOBS");
  long count = asked != NULL ? strtol(asked, NULL, 10) : getenv("TORTURE") == NULL ? 1 : sysconf(_SC_NPROCESSORS_ONLN);
  return count < 1 ? 1 : count > WORKERS_MOST ? WORKERS_MOST : (unsigned)count;
}

unsigned torture_run(const struct scenario *const *scenarios, unsigned count) {
  struct shared *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) {
    perror("torture: mmap");
    abort();
  }
  setenv("PUENTE_CLOCK", "2024-06-01T12:00:00Z", 1);
  setenv("LC_ALL", "C.UTF-8", 1);
  setenv("LANGUAGE", "en", 1);
  inject_install();
  choose_begin();
  remote_start();
  fflush(NULL);
  pid_t workers[WORKERS_MOST];
  unsigned working = worker_count();
  for (unsigned i = 0; i < working; i++) {
    workers[i] = fork();
    if (workers[i] == 0) {
      prctl(PR_SET_PDEATHSIG, SIGTERM);
      work(shared, scenarios, count);
      exit(0); /* the server of this worker ends with it */
    }
  }
  for (unsigned i = 0; i < working; i++) {
    waitpid(workers[i], NULL, 0);
  }
  remote_stop();
  return shared->wrong + (count - shared->ended);
}

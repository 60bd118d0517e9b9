#include "connectors/connector.h"
#include "core/base/log.h"
#include "core/base/yaml.h"
#include "core/command/answer.h"
#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/command/language.h"
#include "core/command/rights.h"
#include "core/command/stop.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

struct start {
  struct globals globals;
  const char *lang, *log;
  bool verbose;
};

/* Takes the global options out of argv, wherever they stand before a "--". */
static enum status read_globals(struct start *start, int *argc, char **argv, struct error *error) {
  const struct {
    const char *name;
    const char **text;
    bool *flag;
  } table[] = {{"--config", &start->globals.config, NULL},
               {"--json", NULL, &start->globals.json},
               {"--quiet", NULL, &start->globals.quiet},
               {"--lang", &start->lang, NULL},
               {"--log", &start->log, NULL},
               {"--verbose", NULL, &start->verbose}};
  int kept = 1;
  bool literal = false;
  for (int i = 1; i < *argc; i++) {
    size_t row = 0, rows = sizeof table / sizeof *table;
    literal = literal || strcmp(argv[i], "--") == 0;
    while (row < rows && strcmp(argv[i], table[row].name) != 0) {
      row++;
    }
    if (literal || row == rows) {
      argv[kept++] = argv[i];
    } else if (table[row].flag != NULL) {
      *table[row].flag = true;
    } else if (i + 1 < *argc) {
      *table[row].text = argv[++i];
    } else {
      return error_set(error, ERR_USAGE, _("%s needs a value"), argv[i]);
    }
  }
  argv[kept] = NULL;
  *argc = kept;
  return OK;
}

/* The language that the configuration names; a broken file is told of by the command that reads it. */
static void language_of_config(const char *path) {
  struct arena *arena = arena_new(8 << 20);
  struct yaml *root = NULL;
  struct error ignored;
  if (arena != NULL && yaml_load(path, arena, &root, &ignored) == OK && root->kind == YAML_MAP) {
    const char *lang = yaml_text(root, "lang", NULL);
    if (lang != NULL && (strcmp(lang, "es") == 0 || strcmp(lang, "en") == 0)) {
      language_set(lang);
    }
  }
  arena_free(arena);
}

static enum status apply_globals(struct start *start, struct error *error) {
  if (start->globals.config == NULL) {
    const char *named = getenv("PUENTE_CONFIG");
    start->globals.config = named != NULL && named[0] != '\0' ? named : "puente.yaml";
  }
  if (start->lang != NULL && strcmp(start->lang, "es") != 0 && strcmp(start->lang, "en") != 0) {
    error_set(error, ERR_USAGE, _("--lang: there is no language \"%s\""), start->lang);
    error_hint(error, _("es or en"));
    return ERR_USAGE;
  }
  enum log_form form = LOG_TEXT;
  if (start->log != NULL && !log_form_parse(start->log, &form)) {
    error_set(error, ERR_USAGE, _("--log: there is no form \"%s\""), start->log);
    error_hint(error, _("text, json or journal"));
    return ERR_USAGE;
  }
  if (form == LOG_JOURNAL && !log_journal_there()) {
    error_set(error, ERR_USAGE, _("--log journal: this machine has no systemd journal"));
    error_hint(error, _("text or json"));
    return ERR_USAGE;
  }
  if (start->lang != NULL) {
    language_set(start->lang);
  } else {
    language_of_config(start->globals.config);
  }
  enum log_level level = start->verbose ? LEVEL_DEBUG : start->globals.quiet ? LEVEL_WARNING : LEVEL_INFO;
  log_configure(level, form);
  return OK;
}

static int run_command(const struct start *start, int argc, char **argv) {
  struct error error;
  const struct command *command = NULL;
  const char *name = argc > 1 ? argv[1] : "help";
  if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
    name = "help";
  } else if (strcmp(name, "--version") == 0) {
    name = "version";
  }
  if (command_lookup(name, &command, &error) != OK) {
    return command_fail(&error);
  }
  access_expect(rights_of_command(command->name, argc > 2 ? argc - 2 : 0, argv + (argc > 2 ? 2 : 0)));
  return command->run(&start->globals, argc > 1 ? argc - 1 : 1, argc > 1 ? argv + 1 : argv);
}

/* `| head` has seen enough: the pipe has no reader any more. */
static bool reader_left(void) {
  struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
  return poll(&out, 1, 0) > 0 && (out.revents & POLLERR) != 0;
}

/* What lies in memory are keys and people: no dump of it is left behind, and no other process looks into it. */
static void forbid_dumps(void) {
  const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
  (void)setrlimit(RLIMIT_CORE, &none);
  (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int main(int argc, char **argv) {
  forbid_dumps();
  struct start start = {.log = NULL};
  struct error error;
  language_start();
  answer_watch();
  if (read_globals(&start, &argc, argv, &error) != OK || apply_globals(&start, &error) != OK
      || connector_check_table(&error) != OK) {
    return command_fail(&error);
  }
  stop_watch();
  int code = run_command(&start, argc, argv);
  if (code == 0 && !answer_whole()) {
    error_memory(&error);
    return command_fail(&error);
  }
  if ((fflush(stdout) != 0 || ferror(stdout) != 0) && !reader_left()) {
    error_set(&error, ERR_IO, _("the output could not be written"));
    return command_fail(&error);
  }
  return code;
}

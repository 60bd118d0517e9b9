#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/command/linking.h"
#include "core/command/linking_files.h"
#include "core/command/meter.h"
#include "core/command/stop.h"
#include "core/service/linking.h"

#include <jansson.h>
#include <stdio.h>

static json_t *counts_object(const struct resolve_counts *counts) {
  return json_pack("{sI sI sI sI sI sI sI sI sI sI sI}", "rows", (json_int_t)counts->rows, "clusters",
                   (json_int_t)counts->clusters, "accepted", (json_int_t)counts->accepted, "waiting",
                   (json_int_t)counts->waiting, "created", (json_int_t)counts->created, "absorbed",
                   (json_int_t)counts->absorbed, "merged", (json_int_t)counts->merged, "split",
                   (json_int_t)counts->split, "dissolved", (json_int_t)counts->dissolved, "pairs",
                   (json_int_t)counts->pairs, "unlinkable", (json_int_t)counts->unlinkable);
}

static void print_json(const struct resolve_result *result) {
  json_t *root = json_pack(
      "{sI sb sb so sb sb sI so so}", "run", (json_int_t)result->run, "nothing_new", (int)result->nothing_new,
      "trained", (int)result->trained, "proposal", result->proposal == 0 ? json_null() : json_integer(result->proposal),
      "unlinked", (int)result->unlinked, "incremental", (int)result->incremental, "touched",
      (json_int_t)result->touched, "persons", counts_object(&result->persons), "cases", counts_object(&result->cases));
  json_dumpf(root, stdout, JSON_INDENT(2));
  puts("");
  json_decref(root);
}

static void print_line(const char *what, const struct resolve_counts *counts) {
  printf("%-10s %10lld %10lld %10lld %10lld %10lld %10lld %10lld %10lld\n", what, (long long)counts->rows,
         (long long)counts->clusters, (long long)counts->created, (long long)counts->merged, (long long)counts->split,
         (long long)counts->waiting, (long long)counts->accepted, (long long)counts->unlinkable);
}

static void print_waiting(const struct resolve_result *result) {
  long long waiting = (long long)(result->persons.waiting + result->cases.waiting);
  if (waiting > 0) {
    printf(_("pairs that wait for a person: %lld (`puente review list`)\n"), waiting);
  }
}

/* Weights under approval. */
static void print_proposal(const struct resolve_result *result) {
  if (result->proposal != 0) {
    printf(_("learned weights wait for approval and do not act yet: proposal %lld\n"), (long long)result->proposal);
    printf(_("    a second person: `puente approve show %lld`, `puente approve accept %lld --reason TEXT --document "
             "NUMBER`\n"),
           (long long)result->proposal, (long long)result->proposal);
  } else if (result->trained && result->governed) {
    puts(_("they are the approved ones: nothing waits"));
  }
}

static void print_text(const struct resolve_result *result) {
  if (result->trained) {
    printf(_("weights were learned from the records%s%s\n"), result->why_trained == NULL ? "" : ": ",
           result->why_trained == NULL ? "" : result->why_trained);
  }
  print_proposal(result);
  if (result->nothing_new || result->unlinked) {
    puts(result->unlinked ? _("nothing was linked: there were no weights that may act")
                          : _("nothing new to link: persons and cases are as they were"));
    return;
  }
  if (result->incremental) {
    printf(_("linked again: %lld rows that changes touch\n"), (long long)result->touched);
  } else if (result->why_full != NULL) {
    printf(_("all rows were linked: %s\n"), result->why_full);
  }
  printf("%-10s %10s %10s %10s %10s %10s %10s %10s %10s\n", "", _("records"), _("joined to"), _("new"), _("merged"),
         _("split"), _("waiting"), _("if joined"), _("unlinkable"));
  print_line(_("persons"), &result->persons);
  print_line(_("cases"), &result->cases);
  print_waiting(result);
  puts(_("next: `puente status`, `puente report crosstab`, `puente explain person ID`"));
}

int command_linking(const struct globals *globals, struct workspace *workspace, const struct linking *linking) {
  struct meter meter;
  struct resolve_result result = {.run = 0};
  struct error error;
  meter_init(&meter, globals);
  enum status status = service_link(workspace, linking, &meter.progress, &result, &error);
  meter_clear(&meter);
  if (status != OK) {
    return command_fail(&error);
  }
  if (globals->json) {
    print_json(&result);
  } else if (!globals->quiet) {
    print_text(&result);
  }
  return 0;
}

static int run(const struct globals *globals, int argc, char **argv) {
  struct linking linking = {.purpose = NULL};
  struct linking_files files;
  linking_files_init(&files);
  const struct argument table[] = {{.name = "purpose", .text = &linking.purpose},
                                   {.name = "train", .flag = &linking.train},
                                   {.name = "full", .flag = &linking.full},
                                   LINKING_FILES_ARGUMENTS(files),
                                   {.name = NULL}};
  int exit_code = 0;
  if (arguments_done(&command_link, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  if (argc > 1) {
    return command_misused(&command_link, _("\"%s\" was not expected"), argv[1]);
  }
  if (linking_files_wanted(&files)) {
    return command_linking_files(globals, &files);
  }
  struct workspace workspace;
  struct error error;
  const struct workspace_opening opening = {
      .path = globals->config, .mode = WORKSPACE_WRITE, .bare = true, .stop = stop_flag()};
  if (workspace_open_as(&opening, &workspace, &error) != OK) {
    return command_fail(&error);
  }
  exit_code = command_linking(globals, &workspace, &linking);
  workspace_close(&workspace);
  return exit_code;
}

const struct command command_link = {
    .name = "link",
    .synopsis =
        "[--full] [--train] [--purpose TEXT] | --csv FILE [--csv FILE...] --link CONFIG.yaml --out CLUSTERS.csv | "
        "--suggest FILE",
    .summary = N_("find which records are the same person and the same case, and consolidate them"),
    .help = N_("  --full          link all rows, also where few have changed; the result is the same\n"
               "  --train         learn weights anew from all records; else those learned before are used as they are\n"
               "  --purpose TEXT  noted with the run\n\n"
               "Ids of persons and cases stay the same from run to run; what was merged or split keeps its history.\n\n"
               "Alone, without a workspace: which lines of any CSV are one.\n"
               "  --csv FILE         what to link; several files are several sources\n"
               "  --link FILE        comparisons, blocking rules and the rest, in the language of config/link\n"
               "  --out FILE         written: source,record,cluster_id; the source is the file's name\n"
               "  --pairs-out FILE   written: the pairs kept, with weights and what became of them\n"
               "  --train-out FILE   written: the model that was learned\n"
               "  --model FILE       a model to use as it is, instead of learning one\n"
               "  --among COLUMN     measure against the truth also among records with a value there\n"
               "  --encoding NAME    of the files: utf-8 (default), windows-1252, latin-1\n"
               "  --threads N        default: as many as there are processors; the result is the same\n"
               "  --suggest FILE     print a commented configuration to begin with, from the file's columns\n\n"
               "Example:\n"
               "  puente link --suggest people.csv > people.yaml\n"
               "  puente link --csv people.csv --link people.yaml --out clusters.csv"),
    .run = run,
};

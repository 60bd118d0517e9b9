#include "core/base/text.h"
#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/command/figure.h"
#include "core/command/label.h"
#include "core/command/waterfall.h"
#include "core/service/figure.h"

#include <stdio.h>

static const char *text_of(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text == NULL ? "" : text;
}

static long long number_of(const json_t *object, const char *key) {
  return (long long)json_integer_value(json_object_get(object, key));
}

/* A value, or what stands for a missing one. */
static const char *value_of(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text == NULL ? "-" : text;
}

/* ---- a person or a case ---- */

static void print_members(const json_t *answer) {
  size_t i;
  json_t *member;
  const json_t *members = json_object_get(answer, "members");
  printf(_("%zu records are joined in it:\n"), json_array_size(members));
  json_array_foreach(members, i, member) {
    printf(_("  %-10s %-8s record %lld  key %s  row %lld  mapped by plan %s\n"), text_of(member, "source"),
           text_of(member, "institution"), number_of(member, "record_id"), text_of(member, "key"),
           number_of(member, "row_id"), text_of(member, "plan"));
  }
}

static void print_values(const json_t *answer) {
  size_t i;
  size_t j;
  json_t *value;
  json_t *other;
  printf("%s\n", _("its values, each with where it comes from and why it survived:"));
  json_array_foreach(json_object_get(answer, "values"), i, value) {
    const char *label = label_of(text_of(value, "label_en"), text_of(value, "label_es"));
    printf(_("  %s: %s   (%s, record %lld, by %s)\n"), label, value_of(value, "value"), text_of(value, "source"),
           number_of(value, "record_id"), text_of(value, "rule"));
    json_array_foreach(json_object_get(value, "others"), j, other) {
      printf(_("      but %s says %s (record %lld)\n"), text_of(other, "source"), value_of(other, "value"),
             number_of(other, "record_id"));
    }
  }
}

/* What became of a pair, with the reason where its weight alone did not decide. */
static void print_outcome(const json_t *pair) {
  static const char *const outcomes[] = {"joined", N_("joined"), "waiting", N_("waiting"), "apart", N_("kept apart")};
  const char *outcome = text_of(pair, "outcome");
  for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i += 2) {
    if (strcmp(outcome, outcomes[i]) == 0) {
      fputs(gettext(outcomes[i + 1]), stdout);
    }
  }
  printf(" (%s", text_of(pair, "reason"));
  if (text_of(pair, "verdict")[0] != '\0') {
    printf(": %s", text_of(pair, "verdict"));
  }
  fputs(")", stdout);
}

static void print_pairs(const json_t *answer) {
  size_t i;
  json_t *pair;
  const json_t *pairs = json_object_get(answer, "pairs");
  if (json_array_size(pairs) > 0) {
    printf("%s\n", _("its pairs, with one another and with others (`puente explain pair ROW ROW` shows what was"
                     " compared):"));
  }
  json_array_foreach(pairs, i, pair) {
    printf(_("  %lld %lld  weight %.2f  "), number_of(pair, "row_a"), number_of(pair, "row_b"),
           json_number_value(json_object_get(pair, "weight")));
    print_outcome(pair);
    if (text_of(pair, "rule")[0] != '\0') {
      printf(_(", proposed by %s"), text_of(pair, "rule"));
    }
    puts("");
  }
}

static void print_history(const json_t *answer) {
  size_t i;
  json_t *step;
  printf("%s\n", _("its history:"));
  json_array_foreach(json_object_get(answer, "history"), i, step) {
    const char *event = text_of(step, "event");
    long long run = number_of(step, "run");
    if (strcmp(event, "joined") == 0) {
      printf(_("  run %lld: row %lld joined\n"), run, number_of(step, "row_id"));
    } else if (strcmp(event, "left") == 0) {
      printf(_("  run %lld: row %lld left\n"), run, number_of(step, "row_id"));
    } else if (strcmp(event, "merged_from") == 0) {
      printf(_("  run %lld: %lld was merged into it\n"), run, number_of(step, "id"));
    } else if (strcmp(event, "merged_into") == 0) {
      printf(_("  run %lld: it was merged into %lld\n"), run, number_of(step, "id"));
    } else {
      printf(_("  run %lld: it lost its last record\n"), run);
    }
  }
}

/* What was taken out is told first: the rest of the answer lacks it. */
static void print_erased(const json_t *answer) {
  size_t i;
  json_t *one;
  json_array_foreach(json_object_get(answer, "erased"), i, one) {
    bool person = strcmp(text_of(one, "what"), "person") == 0;
    printf(person ? _("a person was erased from record %lld on %.10s, by %s: %s")
                  : _("record %lld was erased on %.10s, by %s: %s"),
           number_of(one, "record_id"), text_of(one, "at"), value_of(one, "by"), value_of(one, "reason"));
    if (json_is_string(json_object_get(one, "document"))) {
      printf(_(" (document %s)"), text_of(one, "document"));
    }
    printf(_(" [%s, run %lld]\n"), text_of(one, "cause"), number_of(one, "run"));
  }
}

static void print_cluster(const json_t *answer) {
  bool person = strcmp(text_of(answer, "kind"), "person") == 0;
  printf(person ? _("person %lld\n") : _("case %lld\n"), number_of(answer, "id"));
  print_erased(answer);
  if (json_is_true(json_object_get(answer, "dissolved"))) {
    puts(_("none of its records is there any more"));
    print_history(answer);
    return;
  }
  if (json_is_integer(json_object_get(answer, "merged_into"))) {
    printf(_("it was merged into %lld\n"), number_of(answer, "merged_into"));
    print_history(answer);
    return;
  }
  print_members(answer);
  print_values(answer);
  print_pairs(answer);
  print_history(answer);
}

/* ---- a record ---- */

static void print_versions(const json_t *answer) {
  size_t i;
  json_t *one;
  json_array_foreach(json_object_get(answer, "versions"), i, one) {
    printf(_("  version %lld: %s, landed by run %lld, %lld bytes, plan %s"), number_of(one, "raw_id"),
           text_of(one, "state"), number_of(one, "from_run"), number_of(one, "bytes"), text_of(one, "plan"));
    if (json_is_integer(json_object_get(one, "to_run"))) {
      printf(_(", until run %lld"), number_of(one, "to_run"));
    }
    printf(_("\n    from %s, in chunk %lld at byte %lld\n"), text_of(one, "page"), number_of(one, "chunk"),
           number_of(one, "offset"));
  }
  json_array_foreach(json_object_get(answer, "issues"), i, one) {
    printf(_("  %s at %s: %s, looks like %s, mapping line %lld\n"), text_of(one, "level"), text_of(one, "field"),
           text_of(one, "reason"), text_of(one, "shape"), number_of(one, "line"));
  }
  json_array_foreach(json_object_get(answer, "rows"), i, one) {
    printf(_("  made the %s %s (row %lld)\n"), text_of(one, "entity"), text_of(one, "key"), number_of(one, "row_id"));
  }
}

static void print_recomputed(const json_t *answer) {
  const char *recomputed = text_of(answer, "recomputed");
  if (strcmp(recomputed, "same") == 0) {
    printf(_("recomputed from the landed bytes with plan %s: the same rows\n"), text_of(answer, "plan"));
  } else if (strcmp(recomputed, "different") == 0) {
    printf(_("recomputed from the landed bytes with plan %s: OTHER rows than are staged\n"), text_of(answer, "plan"));
  } else {
    printf(_("not recomputed: %s\n"), recomputed);
  }
  const json_t *wrong = json_object_get(answer, "wrong");
  if (json_is_object(wrong)) {
    printf(_("NOT what the log says: %s (%s)\n"), text_of(wrong, "what"), text_of(wrong, "at"));
  } else if (json_is_integer(json_object_get(answer, "log_entry"))) {
    printf(_("bytes, outcome and rows are those that entry %lld of the log covers\n"), number_of(answer, "log_entry"));
  }
  if (json_is_false(json_object_get(answer, "plan_is_current"))) {
    printf("%s\n", _("the mapping has changed since; `puente remap` would apply it to this record"));
  }
}

static void print_record(const json_t *answer) {
  size_t i;
  json_t *step;
  printf(_("record %lld of %s (%s)\n"), number_of(answer, "record_id"), text_of(answer, "source"),
         text_of(answer, "institution"));
  print_erased(answer);
  print_versions(answer);
  print_recomputed(answer);
  const char *entity = "";
  const char *key = "";
  json_array_foreach(json_object_get(answer, "trace"), i, step) {
    if (strcmp(entity, text_of(step, "entity")) != 0 || strcmp(key, text_of(step, "key")) != 0) {
      entity = text_of(step, "entity");
      key = text_of(step, "key");
      printf("  %s %s\n", entity, key);
    }
    printf("    %s: %s  <-  ", text_of(step, "field"), value_of(step, "output"));
    if (text_of(step, "path")[0] != '\0') {
      printf(_("%s from %s"), value_of(step, "input"), text_of(step, "path"));
    } else {
      fputs(_("the mapping itself"), stdout);
    }
    if (text_of(step, "transforms")[0] != '\0') {
      printf(_(", by %s"), text_of(step, "transforms"));
    }
    printf(_(", mapping line %lld\n"), number_of(step, "line"));
  }
}

/* ---- a pair ---- */

/* What proposed the two, and what stands above their weight. */
static void print_reasons(const json_t *answer) {
  const char *rule = json_string_value(json_object_get(answer, "rule"));
  const char *verdict = json_string_value(json_object_get(answer, "verdict"));
  const char *reason = text_of(answer, "reason");
  if (rule != NULL) {
    printf(_("blocking rule that proposes them: %s\n"), rule);
  } else {
    puts(_("no blocking rule proposes them"));
  }
  if (verdict != NULL) {
    printf(_("rule above weights that decides: %s\n"), verdict);
  }
  if (strcmp(reason, "weight") != 0 && strcmp(reason, "rule") != 0) {
    printf(_("what stands above both: %s\n"), reason);
  }
}

/* What codes of names say: how alike they are, and no name. */
static void print_encoding(const json_t *answer) {
  const json_t *encoding = json_object_get(answer, "encoding");
  if (encoding != NULL) {
    printf(_("codes of their names (%s): Dice %.3f; from %.2f on a person looks at them\n"),
           text_of(encoding, "version"), json_number_value(json_object_get(encoding, "dice")),
           json_number_value(json_object_get(encoding, "least")));
  }
}

static void print_pair(const json_t *answer) {
  size_t i;
  size_t j;
  json_t *comparison;
  json_t *value;
  const json_t *rows = json_object_get(answer, "rows");
  bool same = json_is_true(json_object_get(answer, "same"));
  printf(same ? _("rows %lld and %lld are one %s\n") : _("rows %lld and %lld are two: %s\n"),
         (long long)json_integer_value(json_array_get(rows, 0)), (long long)json_integer_value(json_array_get(rows, 1)),
         text_of(answer, "of"));
  print_reasons(answer);
  print_encoding(answer);
  json_array_foreach(json_object_get(answer, "comparisons"), i, comparison) {
    printf("    %s: %s", text_of(comparison, "comparison"), text_of(comparison, "level"));
    json_array_foreach(json_object_get(comparison, "values"), j, value) {
      printf("%s%s | %s", j == 0 ? "   " : ", ", value_of(value, "a"), value_of(value, "b"));
    }
    printf("\n");
  }
  waterfall_print(json_object_get(answer, "weights"), stdout);
}

/* ---- a figure ---- */

/* What was typed of one. */
struct typed_figure {
  const char *by, *where, *release;
  bool exact;
};

static enum status explain_typed(struct workspace *workspace, char **words, int count, const struct typed_figure *typed,
                                 const struct explain_request *sight, json_t **answer, struct error *error) {
  struct figure_request request = {.exact = typed->exact, .sight = *sight};
  struct arena *arena = arena_new(0);
  enum status status = arena == NULL ? error_memory(error) : OK;
  if (count < 2 || count > 3) {
    status = error_set(error, ERR_USAGE, "%s", _("figure: an indicator is expected, and at most a row of its report"));
  }
  const char *const texts[] = {count == 3 ? words[2] : NULL, typed->by, typed->where};
  for (size_t i = 0; i < sizeof texts / sizeof *texts && status == OK; i++) {
    status = texts[i] == NULL ? OK : figure_conditions(&request, texts[i], arena, error);
  }
  if (status == OK) {
    request.indicator = words[1];
    status = typed->release == NULL ? explain_figure(workspace, &request, answer, error)
                                    : explain_released(workspace, typed->release, &request, answer, error);
  }
  arena_free(arena);
  return status;
}

/* ---- all ---- */

static enum status explain(struct workspace *workspace, char **words, int count, const struct explain_request *request,
                           json_t **answer, struct error *error) {
  int64_t numbers[2] = {0, 0};
  bool pair = strcmp(words[0], "pair") == 0;
  if (strcmp(words[0], "record") == 0 && count == 2) {
    return explain_record(workspace, words[1], request, answer, error);
  }
  for (int i = 1; i < count && i < 3; i++) {
    if (!text_to_int64(slice_of(words[i]), &numbers[i - 1]) || numbers[i - 1] <= 0) {
      return error_set(error, ERR_USAGE, _("\"%s\" is no number"), words[i]);
    }
  }
  if (pair && count == 3) {
    return explain_pair(workspace, numbers[0], numbers[1], request, answer, error);
  }
  bool person = strcmp(words[0], "person") == 0;
  if ((person || strcmp(words[0], "case") == 0) && count == 2) {
    return explain_cluster(workspace, person ? CLUSTER_PERSON : CLUSTER_CASE, numbers[0], request, answer, error);
  }
  error_set(error, ERR_USAGE, "%s", _("what is to be explained?"));
  error_hint(error, "%s", _("person ID, case ID, record SOURCE:KEY, pair ROW ROW, or figure INDICATOR"));
  return ERR_USAGE;
}

static void print(const struct globals *globals, const json_t *answer) {
  const char *kind = text_of(answer, "kind");
  if (globals->json) {
    json_dumpf(answer, stdout, JSON_INDENT(2));
    puts("");
  } else if (strcmp(kind, "record") == 0) {
    print_record(answer);
  } else if (strcmp(kind, "pair") == 0) {
    print_pair(answer);
  } else if (strcmp(kind, "figure") == 0) {
    figure_print(answer);
  } else {
    print_cluster(answer);
  }
}

static int run(const struct globals *globals, int argc, char **argv) {
  struct explain_request request = {.reveal = false};
  struct typed_figure figure = {.by = NULL};
  const struct argument table[] = {{.name = "reveal", .flag = &request.reveal},
                                   {.name = "purpose", .text = &request.purpose},
                                   {.name = "by", .text = &figure.by},
                                   {.name = "where", .text = &figure.where},
                                   {.name = "exact", .flag = &figure.exact},
                                   {.name = "release", .text = &figure.release},
                                   {.name = NULL}};
  int exit_code = 0;
  if (arguments_done(&command_explain, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  bool misplaced = figure.release != NULL && argc > 1 && strcmp(argv[1], "figure") != 0;
  if (argc < 3 || misplaced) {
    return command_misused(&command_explain,
                           _("person ID, case ID, record SOURCE:KEY, pair ROW ROW, or figure INDICATOR is expected"));
  }
  struct workspace workspace;
  struct error error;
  json_t *answer = NULL;
  enum workspace_mode mode = request.reveal || figure.exact ? WORKSPACE_WRITE : WORKSPACE_READ;
  if (workspace_open(globals->config, mode, &workspace, &error) != OK) {
    return command_fail(&error);
  }
  enum status status = strcmp(argv[1], "figure") == 0
                           ? explain_typed(&workspace, argv + 1, argc - 1, &figure, &request, &answer, &error)
                           : explain(&workspace, argv + 1, argc - 1, &request, &answer, &error);
  if (status == OK) {
    print(globals, answer);
    json_decref(answer);
  }
  workspace_close(&workspace);
  return status == OK ? 0 : command_fail(&error);
}

const struct command command_explain = {
    .name = "explain",
    .synopsis = "person|case|record|pair|figure ID [--reveal --purpose TEXT]",
    .summary = N_("where a value comes from, and why records were joined"),
    .help = N_(
        "  person ID, case ID      the records joined in it, each value with its record, rule and institution,\n"
        "                          and what other records say\n"
        "  record SOURCE:KEY       its versions and issues, and what the mapping made of each value, recomputed\n"
        "                          from the landed bytes (a record's number does too)\n"
        "  pair ROW ROW            what was compared in two records, and the rule that joins them\n"
        "  figure INDICATOR [ROW] [--by year=2022,department=15] [--where FIELD=VALUE]\n"
        "                          whom one figure of a report counts, with the rows, rules and plans that its\n"
        "                          values came by; ROW: a row as `puente report crosstab … --json` prints it, in\n"
        "                          quotes. What a report hides needs --exact --purpose TEXT, and the log records it\n"
        "  figure --release NAME TABLE [ROW] [--by year=2022,department=15]\n"
        "                          whom a published figure counted, as the store stood then, and whether it is "
        "counted\n"
        "                          so again; NAME: or the number of a release; a field left out is the total\n"
        "  --reveal --purpose TEXT values instead of their shapes; the log records who, what and why"),
    .run = run,
};

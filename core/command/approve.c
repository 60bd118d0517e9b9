#include "core/base/date.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/command/label.h"
#include "core/command/moment.h"
#include "core/command/remapped.h"
#include "core/command/stop.h"
#include "core/command/table.h"
#include "core/service/approved.h"
#include "core/service/remapped.h"
#include "core/service/textdiff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEX_SIZE = 2 * SHA256_SIZE + 1, HEX_SHOWN = 12, DOCUMENT_MOST = 200, NUMBER_SIZE = 24 };

static const char *hex_of(const struct sha256 *digest, char hex[HEX_SIZE]) {
  hex_format(digest->bytes, SHA256_SIZE, hex);
  return hex;
}

/* Enough to tell two versions apart. */
static const char *short_hex(const struct sha256 *digest, char hex[HEX_SIZE]) {
  hex_format(digest->bytes, SHA256_SIZE, hex);
  hex[HEX_SHOWN] = '\0';
  return hex;
}

/* ---- list ---- */

static const char *state_text(const struct waiting_text *item) {
  if (item->missing) {
    return _("the file is missing");
  }
  if (item->proposal == 0) {
    return _("to be proposed");
  }
  if (item->kind == TEXT_WEIGHTS && item->stale) {
    return _("ATTENTION: changed in the store");
  }
  return item->stale ? _("changed since it was proposed") : _("waits for a second person");
}

static void add_item(struct table *table, const struct waiting_text *item) {
  char hex[HEX_SIZE], moment[MOMENT_SIZE], id[NUMBER_SIZE];
  snprintf(id, sizeof id, "%lld", (long long)item->proposal);
  table_text(table, item->proposal == 0 ? "-" : id);
  table_text(table, text_kind_names[item->kind]);
  table_text(table, item->name);
  table_text(table, item->first ? _("never approved") : short_hex(&item->former, hex));
  table_text(table, item->missing ? "-" : short_hex(&item->digest, hex));
  table_text(table, item->proposed_by == NULL ? "-" : item->proposed_by);
  table_text(table, item->since == 0 ? "-" : moment_text(item->since, moment));
  table_text(table, state_text(item));
}

static enum status print_table(const struct waiting_text *items, size_t count, struct error *error) {
  const struct table_column columns[] = {{.name = "id", .title = _("id"), .align = ALIGN_RIGHT},
                                         {.name = "kind", .title = _("kind")},
                                         {.name = "name", .title = _("name"), .most = 40},
                                         {.name = "former", .title = _("in use")},
                                         {.name = "digest", .title = _("file")},
                                         {.name = "proposed_by", .title = _("proposed by"), .most = 30},
                                         {.name = "since", .title = _("changed")},
                                         {.name = "state", .title = _("state")}};
  struct table *table = table_new(columns, sizeof columns / sizeof *columns);
  if (table == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < count; i++) {
    add_item(table, &items[i]);
  }
  enum status status = table_print(table, stdout, TABLE_TEXT, error);
  table_free(table);
  return status;
}

static void print_json(const struct waiting_text *items, size_t count) {
  json_t *list = json_array();
  for (size_t i = 0; i < count; i++) {
    const struct waiting_text *item = &items[i];
    char hex[HEX_SIZE], former[HEX_SIZE], since[TIMESTAMP_TEXT_SIZE];
    clock_format(item->since, since);
    json_array_append_new(list, json_pack("{so ss ss ss? ss? sb ss? ss? ss? ss?}", "id",
                                          item->proposal == 0 ? json_null() : json_integer(item->proposal), "kind",
                                          text_kind_names[item->kind], "name", item->name, "in_use",
                                          item->first ? NULL : hex_of(&item->former, former), "file",
                                          item->missing ? NULL : hex_of(&item->digest, hex), "stale", (int)item->stale,
                                          "proposed_by", item->proposed_by, "reason", item->reason, "document",
                                          item->document, "since", item->since == 0 ? NULL : since));
  }
  json_t *root = json_pack("{so}", "waiting", list);
  json_dumpf(root, stdout, JSON_INDENT(2));
  puts("");
  json_decref(root);
}

static enum status list(const struct globals *globals, struct workspace *workspace, struct arena *arena,
                        struct error *error) {
  struct waiting_text *items = NULL;
  size_t count = 0;
  enum status status = approved_waiting(workspace, arena, &items, &count, error);
  if (status != OK) {
    return status;
  }
  if (globals->json) {
    print_json(items, count);
    return OK;
  }
  if (count == 0) {
    puts(workspace->texts == NULL
             ? _("nothing needs approval here: `approval: {required: …}` in puente.yaml asks for it")
             : _("every file is the one that was approved"));
    return OK;
  }
  status = print_table(items, count, error);
  if (status == OK && !globals->quiet) {
    puts(_("until it is approved the version in use stays; next: `puente approve propose KIND NAME`, then a second "
           "person: `puente approve show ID` and `puente approve accept ID`"));
  }
  return status;
}

/* ---- show ---- */

struct showing {
  const struct globals *globals;
  json_t *reports, *weights;
  json_t *effect; /* of weights that wait; NULL: none were tried */
  bool told, failed;
};

static void show_report(void *context, const struct pull_outcome *outcome) {
  struct showing *showing = context;
  struct error error;
  bool shown = false;
  if (outcome->status != OK) {
    log_error(LEVEL_ERROR, &outcome->error);
    showing->failed = true;
  } else if (outcome->remapped != NULL && showing->globals->json) {
    json_array_append_new(showing->reports, remapped_json(outcome->remapped));
  } else if (outcome->remapped != NULL) {
    showing->failed = remapped_print(outcome->remapped, &shown, &error) != OK || showing->failed;
    showing->told = showing->told || shown;
  }
}

static void print_lines(const json_t *lines) {
  size_t i;
  json_t *line;
  json_array_foreach(lines, i, line) {
    printf("%s %5lld  %s\n", json_string_value(json_object_get(line, "sign")),
           (long long)json_integer_value(json_object_get(line, "line")),
           json_string_value(json_object_get(line, "text")));
  }
}

/* ---- weights ---- */

static enum status take_level(void *context, const struct weights_level *level, struct error *error) {
  json_t *list = context;
  json_t *one = json_pack("{ss ss? ss? so sf}", "of", level->kind == CLUSTER_PERSON ? "persons" : "cases", "comparison",
                          level->comparison, "level", level->level, "now",
                          level->acts ? json_real(level->now) : json_null(), "then", level->then);
  return json_array_append_new(list, one) == 0 ? OK : error_memory(error);
}

static void put_weight(struct table *table, const json_t *weight) {
  char text[NUMBER_SIZE] = "-";
  if (json_is_real(weight)) {
    snprintf(text, sizeof text, "%+.2f", json_real_value(weight));
  }
  table_text(table, text);
}

/* Of levels by their names in the configuration; never of values. */
static enum status print_levels(const json_t *levels, struct error *error) {
  const struct table_column columns[] = {{.name = "of", .title = _("of")},
                                         {.name = "comparison", .title = _("comparison"), .most = 40},
                                         {.name = "level", .title = _("level"), .most = 40},
                                         {.name = "now", .title = _("weight now"), .align = ALIGN_RIGHT},
                                         {.name = "then", .title = _("as proposed"), .align = ALIGN_RIGHT}};
  struct table *table = table_new(columns, sizeof columns / sizeof *columns);
  size_t i;
  json_t *level;
  if (table == NULL) {
    return error_memory(error);
  }
  json_array_foreach(levels, i, level) {
    const char *comparison = json_string_value(json_object_get(level, "comparison"));
    const char *name = json_string_value(json_object_get(level, "level"));
    bool persons = strcmp(json_string_value(json_object_get(level, "of")), "persons") == 0;
    table_text(table, persons ? _("persons") : _("cases"));
    table_text(table, comparison == NULL ? _("(prior)") : comparison);
    table_text(table, name == NULL ? "" : name);
    put_weight(table, json_object_get(level, "now"));
    put_weight(table, json_object_get(level, "then"));
  }
  enum status status = table_print(table, stdout, TABLE_TEXT, error);
  table_free(table);
  return status;
}

static enum status print_weights(const struct showing *showing, struct error *error) {
  if (json_array_size(showing->weights) == 0) {
    return OK;
  }
  puts(_("\nweights in bits, log2(m/u), of those that act now and of those proposed:"));
  return print_levels(showing->weights, error);
}

/* ---- what weights would change ---- */

static const char *const OUTCOMES[] = {
    [PAIR_JOINED] = N_("joined"), [PAIR_WAITING] = N_("waits for a person"), [PAIR_APART] = N_("kept apart")};
static const char *const OUTCOME_CODES[] = {
    [PAIR_JOINED] = "joined", [PAIR_WAITING] = "waiting", [PAIR_APART] = "apart"};

typedef void moved_pairs(void *context, bool persons, int from, int to, int64_t pairs);
static void each_move(const struct weights_effect effects[2], moved_pairs *tell, void *context) {
  for (int kind = 0; kind < 2; kind++) {
    for (int from = 0; from <= PAIR_APART; from++) {
      for (int to = 0; to <= PAIR_APART; to++) {
        if (from != to && effects[kind].pairs[from][to] > 0) {
          tell(context, kind == CLUSTER_PERSON, from, to, effects[kind].pairs[from][to]);
        }
      }
    }
  }
}

static void move_json(void *context, bool persons, int from, int to, int64_t pairs) {
  json_array_append_new(context, json_pack("{ss ss ss sI}", "of", persons ? "persons" : "cases", "now",
                                           OUTCOME_CODES[from], "then", OUTCOME_CODES[to], "pairs", (json_int_t)pairs));
}

static void move_row(void *context, bool persons, int from, int to, int64_t pairs) {
  struct table *table = context;
  table_text(table, persons ? _("persons") : _("cases"));
  table_text(table, gettext(OUTCOMES[from]));
  table_text(table, gettext(OUTCOMES[to]));
  table_number(table, pairs);
}

static json_t *count_json(const struct weights_effect *effect) {
  return json_pack("{so sI}", "now", effect->acts ? json_integer(effect->now) : json_null(), "then",
                   (json_int_t)effect->then);
}

static enum status print_effect(const struct weights_effect effects[2], struct error *error) {
  const struct table_column columns[] = {{.name = "of", .title = _("of")},
                                         {.name = "now", .title = _("pair now")},
                                         {.name = "then", .title = _("as proposed")},
                                         {.name = "pairs", .title = _("pairs"), .align = ALIGN_RIGHT}};
  struct table *table = table_new(columns, sizeof columns / sizeof *columns);
  if (table == NULL) {
    return error_memory(error);
  }
  const struct weights_effect *persons = &effects[CLUSTER_PERSON], *cases = &effects[CLUSTER_CASE];
  if (persons->acts) {
    printf(_("\npersons: %lld now, %lld as proposed; cases: %lld now, %lld as proposed\n"), (long long)persons->now,
           (long long)persons->then, (long long)cases->now, (long long)cases->then);
  } else {
    printf(_("\nnothing is linked yet; as proposed: %lld persons, %lld cases\n"), (long long)persons->then,
           (long long)cases->then);
  }
  each_move(effects, move_row, table);
  enum status status = OK;
  if (table_rows(table) == 0) {
    puts(_("no pair would change"));
  } else {
    puts(_("pairs that would change:"));
    status = table_print(table, stdout, TABLE_TEXT, error);
  }
  table_free(table);
  return status;
}

/* The rows as they are now, linked by what acts and by what is proposed. */
static enum status tell_effect(struct workspace *workspace, const struct approval_shown *shown, struct showing *showing,
                               struct error *error) {
  struct weights_effect effects[2];
  bool tried = false;
  fflush(stdout);
  enum status status = approval_effect(workspace, shown, &tried, effects, error);
  if (status != OK || !tried) {
    return status;
  }
  if (!showing->globals->json) {
    return print_effect(effects, error);
  }
  json_t *moves = json_array();
  each_move(effects, move_json, moves);
  showing->effect = json_pack("{so so so}", "persons", count_json(&effects[CLUSTER_PERSON]), "cases",
                              count_json(&effects[CLUSTER_CASE]), "pairs", moves);
  return showing->effect == NULL ? error_memory(error) : OK;
}

static void print_head(const struct approval *one) {
  char moment[MOMENT_SIZE];
  printf(_("proposal %lld: %s %s, by %s at %s\n"), (long long)one->id, one->kind, one->name, one->proposed_by,
         moment_text(one->proposed_at, moment));
  printf(_("reason: %s\ndocument: %s\n"), one->reason, one->document[0] == '\0' ? "-" : one->document);
  if (one->state == APPROVAL_APPROVED || one->state == APPROVAL_FORMER) {
    printf(_("approved by %s at %s: %s\n"), one->approved_by, moment_text(one->approved_at, moment), one->remark);
  } else if (one->state == APPROVAL_REJECTED) {
    printf(_("rejected by %s: %s\n"), one->approved_by, one->remark);
  }
  if (one->changed) {
    printf(_("ATTENTION: %s\n"), one->fault);
  }
}

/* Of weights, the text is digests. */
static void print_change(const struct approval_shown *shown, const json_t *lines) {
  if (shown->kind != TEXT_WEIGHTS) {
    puts(shown->former.len == 0 ? _("\nnew text:") : _("\nwhat changes in the text:"));
    print_lines(lines);
    puts("");
  }
  fflush(stdout);
}

static enum status print_shown(const struct approval_shown *shown, const json_t *lines, struct showing *showing,
                               struct workspace *workspace, struct error *error) {
  struct pull_request request = {.report = show_report, .context = showing, .options = {.stop = stop_flag()}};
  struct pull_summary summary;
  bool waits = shown->approval.state == APPROVAL_WAITING;
  if (!showing->globals->json) {
    print_head(&shown->approval);
    print_change(shown, lines);
  }
  enum status status = approval_weights(workspace, shown, take_level, showing->weights, error);
  status = status == OK && !showing->globals->json ? print_weights(showing, error) : status;
  status = status == OK ? tell_effect(workspace, shown, showing, error) : status;
  if (status != OK) {
    return status;
  }
  status = approval_try(workspace, shown, &request, &summary, error);
  if (status != OK || showing->globals->json) {
    return status;
  }
  if (shown->linked >= 0) {
    printf(_("once it is approved, `puente link` has to be run: records that it places anew: %lld\n"),
           (long long)shown->linked);
  } else if (waits && !showing->told && !showing->failed) {
    puts(_("no record that has landed would change"));
  }
  return OK;
}

static enum status show(const struct globals *globals, struct workspace *workspace, int64_t id, struct arena *arena,
                        struct error *error) {
  struct approval_shown shown;
  struct showing showing = {.globals = globals, .reports = json_array(), .weights = json_array()};
  json_t *lines = json_array();
  enum status status = approval_show(workspace, id, arena, &shown, error);
  status = status == OK ? textdiff(shown.former, shown.approval.body, lines, error) : status;
  status = status == OK ? print_shown(&shown, lines, &showing, workspace, error) : status;
  if (status == OK && globals->json) {
    const struct approval *one = &shown.approval;
    char hex[HEX_SIZE];
    json_t *root = json_pack("{sI ss ss ss ss ss ss? ss? ss? sb sO sO sO sO? so}", "id", (json_int_t)one->id, "kind",
                             one->kind, "name", one->name, "digest", hex_of(&one->digest, hex), "state",
                             approval_state_names[one->state], "proposed_by", one->proposed_by, "reason", one->reason,
                             "document", one->document, "decided_by", one->approved_by, "changed", (int)one->changed,
                             "lines", lines, "values", showing.reports, "weights", showing.weights, "effect",
                             showing.effect, "linked", shown.linked < 0 ? json_null() : json_integer(shown.linked));
    json_dumpf(root, stdout, JSON_INDENT(2));
    puts("");
    json_decref(root);
  }
  json_decref(lines);
  json_decref(showing.reports);
  json_decref(showing.weights);
  json_decref(showing.effect);
  return status == OK && showing.failed
             ? error_set(error, ERR_CONFIG, "%s", _("what it would change could not be tried"))
             : status;
}

/* ---- propose, accept, reject ---- */

static enum status propose(const struct globals *globals, struct workspace *workspace,
                           const struct approval_request *request, struct error *error) {
  int64_t *ids = calloc(APPROVED_WAITING_MOST, sizeof *ids);
  size_t count = 0;
  enum status status = ids == NULL ? error_memory(error) : approval_propose(workspace, request, ids, &count, error);
  json_t *made = json_array();
  for (size_t i = 0; status == OK && i < count; i++) {
    json_array_append_new(made, json_integer(ids[i]));
    if (!globals->json && !globals->quiet) {
      printf(_("proposal %lld: a second person looks at it by `puente approve show %lld`\n"), (long long)ids[i],
             (long long)ids[i]);
    }
  }
  if (status == OK && globals->json) {
    json_t *root = json_pack("{sO}", "proposals", made);
    json_dumpf(root, stdout, JSON_COMPACT);
    puts("");
    json_decref(root);
  }
  json_decref(made);
  free(ids);
  return status;
}

static enum status decide(const struct globals *globals, struct workspace *workspace,
                          const struct approval_request *request, bool accept, struct arena *arena,
                          struct error *error) {
  struct approval made;
  enum status status = approval_decide(workspace, request, accept, arena, &made, error);
  if (status != OK) {
    return status;
  }
  if (globals->json) {
    json_t *root = json_pack("{sI ss ss ss}", "id", (json_int_t)made.id, "kind", made.kind, "name", made.name, "state",
                             accept ? "approved" : "rejected");
    json_dumpf(root, stdout, JSON_COMPACT);
    puts("");
    json_decref(root);
  } else if (!globals->quiet && !accept) {
    printf(_("%s %s: rejected; the version in use stays\n"), made.kind, made.name);
  } else if (!globals->quiet) {
    printf(strcmp(made.kind, "link") == 0 || strcmp(made.kind, "weights") == 0
               ? _("%s %s: approved; the next `puente link` uses it\n")
               : _("%s %s: approved; `puente remap` applies it to what has landed\n"),
           made.kind, made.name);
  }
  return OK;
}

/* ---- all ---- */

static enum status act(const struct globals *globals, const char *what, const struct approval_request *request,
                       struct error *error) {
  struct workspace workspace;
  struct arena *arena = arena_new(0);
  bool lists = strcmp(what, "list") == 0;
  const struct workspace_opening opening = {
      .path = globals->config, .mode = lists ? WORKSPACE_READ : WORKSPACE_WRITE, .stop = stop_flag()};
  enum status status = arena == NULL ? error_memory(error) : workspace_open_as(&opening, &workspace, error);
  if (status != OK) {
    arena_free(arena);
    return status;
  }
  moment_use_zone(workspace.config->serve.zone);
  if (lists) {
    status = list(globals, &workspace, arena, error);
  } else if (strcmp(what, "show") == 0) {
    status = show(globals, &workspace, request->id, arena, error);
  } else if (strcmp(what, "propose") == 0) {
    status = propose(globals, &workspace, request, error);
  } else {
    status = decide(globals, &workspace, request, strcmp(what, "accept") == 0, arena, error);
  }
  workspace_close(&workspace);
  arena_free(arena);
  return status;
}

static bool given(const char *text) {
  return text != NULL && text[0] != '\0';
}

/* NULL where the words are in order; else what is missing. */
static const char *misuse_propose(int argc, char **argv, struct approval_request *request) {
  if (argc < 3 || argc > 4) {
    return _("what is proposed is expected: mapping SOURCE, codelist LIST, or link [FILE]");
  }
  request->kind = argv[2];
  request->name = argc == 4 ? argv[3] : NULL;
  if (!given(request->reason)) {
    return _("a reason is needed: --reason TEXT");
  }
  return given(request->document) && strlen(request->document) <= DOCUMENT_MOST
             ? NULL
             : _("the number of the document that asks for it is needed: --document NUMBER");
}

static const char *misuse_one(int argc, char **argv, bool decides, struct approval_request *request) {
  if (argc != 3 || !text_to_int64(slice_of(argv[2]), &request->id) || request->id <= 0) {
    return _("the number of a proposal is expected, as `puente approve list` shows it");
  }
  return decides && !given(request->reason) ? _("a reason is needed: --reason TEXT") : NULL;
}

static const char *misuse(const char *what, int argc, char **argv, struct approval_request *request) {
  bool decides = strcmp(what, "accept") == 0 || strcmp(what, "reject") == 0;
  if (strcmp(what, "list") == 0) {
    return argc <= 2 ? NULL : _("list takes no further words");
  }
  if (strcmp(what, "propose") == 0) {
    return misuse_propose(argc, argv, request);
  }
  return decides || strcmp(what, "show") == 0
             ? misuse_one(argc, argv, decides, request)
             : _("list, propose KIND [NAME], show ID, accept ID or reject ID is expected");
}

static int run(const struct globals *globals, int argc, char **argv) {
  struct approval_request request = {.id = 0};
  struct error error;
  const struct argument table[] = {
      {.name = "reason", .text = &request.reason}, {.name = "document", .text = &request.document}, {.name = NULL}};
  int exit_code = 0;
  if (arguments_done(&command_approve, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  const char *what = argc > 1 ? argv[1] : "list";
  const char *wrong = misuse(what, argc, argv, &request);
  if (wrong != NULL) {
    return command_misused(&command_approve, "%s", wrong);
  }
  return act(globals, what, &request, &error) == OK ? 0 : command_fail(&error);
}

const struct command command_approve = {
    .name = "approve",
    .synopsis = "list|propose|show|accept|reject [ID] [OPTIONS]",
    .summary = N_("let a second person agree before a mapping, a code list or a linkage rule acts"),
    .help = N_(
        "  list                     files that are not the approved ones: who proposed them, and since when they "
        "differ\n"
        "  propose KIND [NAME] --reason TEXT --document NUMBER\n"
        "                           mapping SOURCE, codelist LIST or link [FILE]: the file as it is now; without\n"
        "                           NAME all of the kind that wait\n"
        "  show ID                  what changes in the text, and the values that it would change, as by\n"
        "                           `puente remap --dry-run`\n"
        "  accept ID --reason TEXT  by another person than the one who proposed it: from now on it acts\n"
        "                           (weights: with --document NUMBER, too)\n"
        "  reject ID --reason TEXT  the version in use stays\n"
        "\n"
        "`approval: {required: [mapping, codelist, link]}` in puente.yaml asks for it. While a changed file waits,\n"
        "sync, remap, link and serve go on with the version that was approved last; a file that was never approved is\n"
        "not used. Code lists are those of the workspace; the program's come with its version.\n"
        "Where linkage rules need approval, weights that `puente link` learns do, too: it proposes them by itself.\n"
        "An approval is of the text byte for byte. Each step is in the log."),
    .run = run,
};

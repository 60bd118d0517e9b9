#include "core/service/review.h"
#include "core/base/date.h"
#include "core/base/text.h"
#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/command/label.h"
#include "core/command/moment.h"
#include "core/command/table.h"
#include "core/command/waterfall.h"

#include <stdio.h>

enum { LIST_USUAL = 20, LIST_MOST = 100000, ID_SIZE = 48, VALUE_MOST = 40 };

static const char *kind_name(enum cluster_kind kind) {
  return kind == CLUSTER_PERSON ? "person" : "case";
}

static const char *text_of(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text == NULL ? "" : text;
}

/* ---- list ---- */

static const char *id_text(const struct review_item *item, char id[ID_SIZE]) {
  snprintf(id, ID_SIZE, "%lld-%lld", (long long)item->a.row_id, (long long)item->b.row_id);
  return id;
}

static void add_side(struct table *table, const struct review_side *side) {
  struct buffer text;
  buffer_init(&text, 1 << 12);
  buffer_printf(&text, "%s %s", side->source, side->key);
  table_buffer(table, &text);
  buffer_free(&text);
}

static void add_item(struct table *table, const struct review_item *item) {
  char id[ID_SIZE];
  char number[ID_SIZE];
  char moment[MOMENT_SIZE];
  char why[160];
  snprintf(number, sizeof number, "%.2f", item->weight);
  snprintf(why, sizeof why, "%s%s%s%s", item->reason, item->verdict[0] == '\0' ? "" : ": ", item->verdict,
           item->proposed ? _(" (accepted by one of two)") : "");
  table_text(table, id_text(item, id));
  table_text(table, item->kind == CLUSTER_PERSON ? _("person") : _("case"));
  add_side(table, &item->a);
  add_side(table, &item->b);
  table_text(table, number);
  table_share(table, item->probability);
  table_text(table, why);
  table_text(table, moment_text(item->since, moment));
}

static enum status print_text(const struct review_list *list, struct error *error) {
  const struct table_column columns[] = {{.name = "id", .title = _("id")},
                                         {.name = "kind", .title = _("kind")},
                                         {.name = "a", .title = _("one record"), .most = 30},
                                         {.name = "b", .title = _("other record"), .most = 30},
                                         {.name = "weight", .title = _("weight"), .align = ALIGN_RIGHT},
                                         {.name = "probability", .title = _("probability"), .align = ALIGN_RIGHT},
                                         {.name = "reason", .title = _("reason"), .most = 50},
                                         {.name = "since", .title = _("waits since")}};
  struct table *table = table_new(columns, sizeof columns / sizeof *columns);
  if (table == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < list->count; i++) {
    add_item(table, &list->items[i]);
  }
  enum status status = table_print(table, stdout, TABLE_TEXT, error);
  table_free(table);
  return status;
}

static json_t *side_json(const struct review_side *side) {
  struct arena *arena = arena_new(0);
  json_t *made = arena == NULL ? NULL
                               : json_pack("{sI ss so}", "row_id", (json_int_t)side->row_id, "source", side->source,
                                           "key", explain_slice(arena, true, slice_of(side->key)));
  arena_free(arena);
  return made;
}

static void print_json(const struct review_list *list) {
  json_t *pairs = json_array();
  for (size_t i = 0; i < list->count; i++) {
    const struct review_item *item = &list->items[i];
    char id[ID_SIZE];
    char since[TIMESTAMP_TEXT_SIZE];
    clock_format(item->since, since);
    json_array_append_new(pairs, json_pack("{ss ss so so sf sf ss ss ss ss? sb}", "id", id_text(item, id), "kind",
                                           kind_name(item->kind), "a", side_json(&item->a), "b", side_json(&item->b),
                                           "weight", item->weight, "probability", item->probability, "rule", item->rule,
                                           "verdict", item->verdict, "reason", item->reason, "since",
                                           item->since == 0 ? NULL : since, "proposed", (int)item->proposed));
  }
  json_t *root = json_pack("{so sI sI}", "pairs", pairs, "waiting", (json_int_t)list->waiting, "decided",
                           (json_int_t)list->decided);
  json_dumpf(root, stdout, JSON_INDENT(2));
  puts("");
  json_decref(root);
}

static enum status print_list(const struct globals *globals, const struct review_list *list, struct error *error) {
  if (globals->json) {
    print_json(list);
    return OK;
  }
  if (list->count == 0) {
    puts(_("no pair waits for a person"));
  }
  enum status status = list->count == 0 ? OK : print_text(list, error);
  if (status == OK && list->count > 0 && !globals->quiet) {
    printf(_("in all: %lld; `puente review show ID` shows one, masked\n"), (long long)list->waiting);
  }
  if (status == OK && list->decided > 0 && !globals->quiet) {
    printf(_("decided, for the next `puente link` to apply: %lld\n"), (long long)list->decided);
  }
  return status;
}

static int run_list(const struct globals *globals, const char *kind, const char *number) {
  struct workspace workspace;
  struct review_list list;
  struct error error;
  int64_t most = LIST_USUAL;
  int wanted = -1;
  if (number != NULL && (!text_to_int64(slice_of(number), &most) || most < 1 || most > LIST_MOST)) {
    return command_misused(&command_review, _("--n has to be a number from 1 to %d"), LIST_MOST);
  }
  for (int i = CLUSTER_PERSON; kind != NULL && i <= CLUSTER_CASE; i++) {
    wanted = strcmp(kind, kind_name((enum cluster_kind)i)) == 0 ? i : wanted;
  }
  if (kind != NULL && wanted < 0) {
    return command_misused(&command_review, "%s", _("--kind is person or case"));
  }
  enum status status = workspace_open(globals->config, WORKSPACE_READ, &workspace, &error);
  if (status != OK) {
    return command_fail(&error);
  }
  status = review_read(&workspace, wanted, (size_t)most, &list, &error);
  if (status == OK) {
    status = print_list(globals, &list, &error);
    review_free(&list);
  }
  workspace_close(&workspace);
  return status == OK ? 0 : command_fail(&error);
}

/* ---- show ---- */

/* What stands above the weight, in words; NULL: the weight alone, or a rule that is named. */
static const char *reason_told(const char *reason) {
  static const struct {
    const char *reason, *told;
  } reasons[] = {
      {"roles", N_("one of the two is a victim and the other is accused: only a person says that they are one")},
      {"group", N_("the two are in one case of one source: two people, unless their documents agree")},
      {"unique", N_("both are of a source that is certified to hold each person once")},
      {"sealed", N_("one of the two is protected or gave no consent: no program joins it")},
      {"cluster", N_("other records of the two speak against it, or fit better")},
      {"encoding", N_("codes of their names are alike, which only a person can judge: ask the institution")},
  };
  for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
    if (strcmp(reason, reasons[i].reason) == 0) {
      return _(reasons[i].told);
    }
  }
  return NULL;
}

static void print_head(const json_t *answer) {
  const json_t *pair = json_object_get(answer, "pair");
  bool person = strcmp(text_of(answer, "of"), "person") == 0;
  printf(person ? _("pair %s of persons\n") : _("pair %s of cases\n"), text_of(answer, "id"));
  if (json_is_object(pair)) {
    printf(_("last linking: %s (%s)"), text_of(pair, "outcome"), text_of(pair, "reason"));
    if (text_of(pair, "verdict")[0] != '\0') {
      printf(", %s", text_of(pair, "verdict"));
    }
    printf(_(", weight %.2f, probability %.4f"), json_number_value(json_object_get(pair, "weight")),
           json_number_value(json_object_get(pair, "probability")));
    if (text_of(pair, "rule")[0] != '\0') {
      printf(_(", proposed by %s"), text_of(pair, "rule"));
    }
    printf("\n");
    const char *told = reason_told(text_of(pair, "reason"));
    if (told != NULL) {
      printf("  %s\n", told);
    }
  } else {
    puts(_("the last linking did not propose this pair"));
  }
}

static const char *title_of(const json_t *answer, size_t side, struct buffer *title) {
  const json_t *record = json_array_get(json_object_get(answer, "records"), side);
  buffer_init(title, 1 << 12);
  buffer_printf(title, "%s %s", text_of(record, "source"), text_of(record, "key"));
  return title->data;
}

static enum status print_fields(const json_t *answer, struct error *error) {
  struct buffer titles[2];
  const struct table_column columns[] = {{.name = "field", .title = ""},
                                         {.name = "a", .title = title_of(answer, 0, &titles[0]), .most = VALUE_MOST},
                                         {.name = "b", .title = title_of(answer, 1, &titles[1]), .most = VALUE_MOST}};
  struct table *table = table_new(columns, sizeof columns / sizeof *columns);
  size_t i;
  json_t *field;
  json_array_foreach(json_object_get(answer, "fields"), i, field) {
    if (table != NULL) {
      table_text(table, label_of(text_of(field, "label_en"), text_of(field, "label_es")));
      table_text(table, json_string_value(json_object_get(field, "a")));
      table_text(table, json_string_value(json_object_get(field, "b")));
    }
  }
  bool whole = table != NULL && titles[0].failed == OK && titles[1].failed == OK;
  enum status status = whole ? table_print(table, stdout, TABLE_TEXT, error) : error_memory(error);
  table_free(table);
  buffer_free(&titles[0]);
  buffer_free(&titles[1]);
  return status;
}

/* Levels alone, where the rules have no weights. */
static void print_levels(const json_t *answer) {
  size_t i;
  json_t *comparison;
  json_array_foreach(json_object_get(answer, "comparisons"), i, comparison) {
    printf("  %s: %s\n", text_of(comparison, "comparison"), text_of(comparison, "level"));
  }
}

static const char *time_of(const json_t *object, const char *key, char text[MOMENT_SIZE]) {
  int64_t micros = 0;
  return clock_parse(slice_of(text_of(object, key)), &micros) ? moment_text(micros, text) : "-";
}

static void print_decisions(const json_t *answer) {
  size_t i;
  json_t *one;
  char moment[MOMENT_SIZE];
  const json_t *decisions = json_object_get(answer, "decisions");
  puts(json_array_size(decisions) == 0 ? _("nobody has decided about it yet") : _("decisions:"));
  json_array_foreach(decisions, i, one) {
    bool same = strcmp(text_of(one, "decision"), "same") == 0;
    printf(_("  %lld: %s, by %s at %s: %s\n"), (long long)json_integer_value(json_object_get(one, "id")),
           same ? _("one") : _("different"), text_of(one, "actor"), time_of(one, "at", moment), text_of(one, "reason"));
    if (text_of(one, "approved_by")[0] != '\0') {
      printf(_("     approved by %s at %s\n"), text_of(one, "approved_by"), time_of(one, "approved_at", moment));
    }
    if (strcmp(text_of(one, "state"), "proposed") == 0) {
      printf("     %s\n", _("waits for the approval of a second person"));
    } else if (strcmp(text_of(one, "state"), "revoked") == 0) {
      printf(_("     replaced at %s\n"), time_of(one, "revoked_at", moment));
    }
  }
}

static enum status print_pair(const json_t *answer, struct error *error) {
  const json_t *weights = json_object_get(answer, "weights");
  print_head(answer);
  enum status status = print_fields(answer, error);
  if (status != OK) {
    return status;
  }
  if (json_is_object(weights)) {
    waterfall_print(weights, stdout);
  } else {
    print_levels(answer);
  }
  print_decisions(answer);
  return OK;
}

static int run_show(const struct globals *globals, const int64_t rows[2], const struct explain_request *request) {
  struct workspace workspace;
  struct error error;
  json_t *answer = NULL;
  enum workspace_mode mode = request->reveal ? WORKSPACE_WRITE : WORKSPACE_READ;
  if (workspace_open(globals->config, mode, &workspace, &error) != OK) {
    return command_fail(&error);
  }
  enum status status = review_show(&workspace, rows[0], rows[1], request, &answer, &error);
  if (status == OK && globals->json) {
    json_dumpf(answer, stdout, JSON_INDENT(2));
    puts("");
  } else if (status == OK) {
    status = print_pair(answer, &error);
  }
  json_decref(answer);
  workspace_close(&workspace);
  return status == OK ? 0 : command_fail(&error);
}

/* ---- accept and reject ---- */

static void print_decided(const struct globals *globals, const struct review_decided *decided, bool same) {
  bool proposed = decided->state == DECISION_PROPOSED;
  if (globals->json) {
    printf("{\"decision\": %lld, \"kind\": \"%s\", \"same\": %s, \"state\": \"%s\"}\n", (long long)decided->id,
           kind_name(decided->kind), same ? "true" : "false", proposed ? "proposed" : "standing");
  } else if (!globals->quiet && proposed) {
    printf(_("decision %lld: the two are one; a second person has to accept it before `puente link` applies it\n"),
           (long long)decided->id);
  } else if (!globals->quiet) {
    printf(same ? _("decision %lld: the two are one; the next `puente link` applies it\n")
                : _("decision %lld: the two are different; the next `puente link` applies it\n"),
           (long long)decided->id);
  }
}

static int run_decide(const struct globals *globals, const int64_t rows[2], bool same, const char *reason) {
  struct workspace workspace;
  struct review_decided decided;
  struct error error;
  if (reason == NULL || reason[0] == '\0') {
    return command_misused(&command_review, "%s", _("a reason is needed: --reason TEXT"));
  }
  if (workspace_open_bare(globals->config, WORKSPACE_WRITE, &workspace, &error) != OK) {
    return command_fail(&error);
  }
  enum status status = review_decide(&workspace, rows[0], rows[1], same, reason, &decided, &error);
  if (status == OK) {
    print_decided(globals, &decided, same);
  }
  workspace_close(&workspace);
  return status == OK ? 0 : command_fail(&error);
}

/* ---- all ---- */

/* "ROW-ROW", or two words. */
static bool read_rows(int argc, char **argv, int64_t rows[2]) {
  const char *dash = argc == 3 ? strchr(argv[2], '-') : NULL;
  if (argc != 4 && dash == NULL) {
    return false;
  }
  struct slice a = argc == 4 ? slice_of(argv[2]) : slice_make(argv[2], (size_t)(dash - argv[2]));
  struct slice b = slice_of(argc == 4 ? argv[3] : dash + 1);
  return text_to_int64(a, &rows[0]) && text_to_int64(b, &rows[1]) && rows[0] > 0 && rows[1] > 0 && rows[0] != rows[1];
}

static int run(const struct globals *globals, int argc, char **argv) {
  struct explain_request request = {.reveal = false};
  const char *kind = NULL;
  const char *number = NULL;
  const char *reason = NULL;
  const struct argument table[] = {{.name = "kind", .text = &kind},
                                   {.name = "n", .text = &number},
                                   {.name = "reveal", .flag = &request.reveal},
                                   {.name = "purpose", .text = &request.purpose},
                                   {.name = "reason", .text = &reason},
                                   {.name = NULL}};
  int exit_code = 0;
  int64_t rows[2];
  if (arguments_done(&command_review, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  const char *what = argc > 1 ? argv[1] : "list";
  bool accepts = strcmp(what, "accept") == 0;
  if (strcmp(what, "list") == 0 && argc <= 2) {
    return run_list(globals, kind, number);
  }
  if (!accepts && strcmp(what, "reject") != 0 && strcmp(what, "show") != 0) {
    return command_misused(&command_review, "%s", _("list, show ID, accept ID or reject ID is expected"));
  }
  if (!read_rows(argc, argv, rows)) {
    return command_misused(&command_review, "%s", _("a pair's ID is expected, as `puente review list` shows it"));
  }
  return strcmp(what, "show") == 0 ? run_show(globals, rows, &request) : run_decide(globals, rows, accepts, reason);
}

const struct command command_review = {
    .name = "review",
    .synopsis = "list|show|accept|reject [ID] [OPTIONS]",
    .summary = N_("decide about pairs of records that linking leaves for a person"),
    .help =
        N_("  list [--kind person|case] [--n N]\n"
           "                           pairs that wait, those of the highest weight first (20, or N of them)\n"
           "  show ID [--reveal --purpose TEXT]\n"
           "                           both records side by side, what was compared and with what weight, and former\n"
           "                           decisions; values are shapes unless revealed, which the log records\n"
           "  accept ID --reason TEXT  the two are one; where the link configuration asks for two persons\n"
           "                           (review: {approvals: 2}), the second one's accept approves the first one's\n"
           "  reject ID --reason TEXT  the two are different, directly and through others\n"
           "\n"
           "A decision holds for every later linking, for new versions of the records too, until a newer one about\n"
           "the two. ID is ROW-ROW, as list shows it; any two rows of `puente explain person` can be given."),
    .run = run,
};

/* The levels of a comparison: those of its kind, or what `levels` chooses of them. */
#include "core/link/plan_read.h"

#include "core/base/text.h"

const char *const plan_level_keys[] = {"at", "as", "m", "u", NULL};

enum { EDITS_MOST = 8 };
static const double fuzzy_usual = 0.88; /* Jaro-Winkler */
static const double jaro_winkler_usual = 0.92;
static const double damerau_levenshtein_usual = 2;
static const double jaccard_usual = 0.5;

/* What a tell counts as where the file leaves it out: the next lesser agreement that it includes or outdoes. */
static const uint8_t implied[COMPARISON_KINDS][LINK_LEVELS_MOST] = {
    [COMPARE_GIVEN] = {[GIVEN_SAME_SET] = GIVEN_SUBSET, [GIVEN_SUBSET] = GIVEN_FUZZY},
    [COMPARE_SURNAMES] = {[SURNAMES_BOTH_EXACT] = SURNAMES_BOTH_FUZZY, [SURNAMES_PATERNAL_EXACT] = SURNAMES_BOTH_FUZZY},
    [COMPARE_NAME] = {[NAME_SAME_SET] = NAME_SUBSET, [NAME_SUBSET] = NAME_FUZZY},
    [COMPARE_DATE] =
        {[DATE_FULL] = DATE_MONTH_AND_YEAR, [DATE_MONTH_AND_YEAR] = DATE_YEAR_ONLY, [DATE_YEAR_ONLY] = DATE_NEAR},
    [COMPARE_AGE] = {[AGE_SAME] = AGE_NEAR, [AGE_NEAR] = AGE_NEAR2},
    [COMPARE_DOCUMENT] = {[DOCUMENT_SAME] = DOCUMENT_SLIP},
    [COMPARE_NUMBER] = {[NUMBER_SAME] = NUMBER_SLIP},
    [COMPARE_DAYS] = {[DAYS_SAME] = DAYS_WEEK, [DAYS_WEEK] = DAYS_MONTH, [DAYS_MONTH] = DAYS_QUARTER},
    [COMPARE_PLACE] = {[PLACE_SAME] = PLACE_WITHIN, [PLACE_WITHIN] = PLACE_NEAR},
};

/* What a kind tells where the file does not say: all of it, but for these. */
static const char *const text_usual[] = {"exact", "jaro_winkler", "damerau_levenshtein", NULL};
static const char *const number_usual[] = {"same", NULL};

static bool is_fuzzy(enum comparison_kind kind, int tell) {
  return (kind == COMPARE_GIVEN && tell == GIVEN_FUZZY) || (kind == COMPARE_SURNAMES && tell == SURNAMES_BOTH_FUZZY)
         || (kind == COMPARE_NAME && tell == NAME_FUZZY);
}

/* A level of the file while it is read. */
struct choice {
  const struct yaml *at;
  const char *name;            /* the kind's */
  const struct yaml *settings; /* NULL: none; a threshold alone, or a map */
  int tell;
};

/* "subset", {jaro_winkler: 0.92}, or {jaro_winkler: {at: 0.92, as: close, m: 0.1}}. */
static enum status read_choice(const struct yaml *item, struct choice *choice, struct error *error) {
  bool word = item->kind == YAML_SCALAR && item->text[0] != '\0';
  if (!word && (item->kind != YAML_MAP || item->count != 1)) {
    enum status status = yaml_error(item, error, "%s", _("a level was expected"));
    error_hint(error, "%s", _("a word, or {jaro_winkler: 0.92}, or {same: {m: 0.9, u: 0.01}}"));
    return status;
  }
  choice->at = item;
  choice->name = word ? item->text : item->children[0].key;
  choice->settings = word ? NULL : &item->children[0];
  return OK;
}

static enum status find_tell(const struct comparison *comparison, struct choice *choice, struct error *error) {
  const struct comparison_type *type = &comparison_types[comparison->kind];
  size_t count = plan_list_length(type->levels);
  choice->tell = plan_list_find(type->levels, count, slice_of(choice->name));
  if (choice->tell < 0) {
    return plan_unknown(choice->at, _("level"), slice_of(choice->name), type->levels + 1, count - 1, error);
  }
  if (choice->tell == TELL_MISSING) {
    return yaml_error(choice->at, error, "%s", _("'missing' is no level to choose: a missing value says nothing"));
  }
  return OK;
}

static enum status bad_threshold_owner(const struct yaml *at, const char *level, struct error *error) {
  enum status status = yaml_error(at, error, _("the level %s takes no threshold"), level);
  error_hint(error, "%s", _("m and u are set by {LEVEL: {m: 0.9, u: 0.01}}"));
  return status;
}

/* Of COMPARE_TEXT by level, of a fuzzy level for the whole comparison. */
static enum status read_threshold(const struct yaml *at, const struct choice *choice, struct comparison *comparison,
                                  unsigned level, struct error *error) {
  double value = 0;
  enum status status;
  if (is_fuzzy(comparison->kind, choice->tell)) {
    return plan_number(at, 0.5, 1, &comparison->fuzzy, error);
  }
  if (comparison->kind != COMPARE_TEXT || choice->tell == TEXT_EXACT || choice->tell == TEXT_ELSE) {
    return bad_threshold_owner(at, choice->name, error);
  }
  if (choice->tell == TEXT_DAMERAU_LEVENSHTEIN) {
    status = plan_number(at, 1, EDITS_MOST, &value, error);
    if (status == OK && value != (double)(int)value) {
      status = yaml_error(at, error, "%s", _("edits are counted in whole numbers"));
    }
  } else {
    status = plan_number(at, 0.1, 1, &value, error);
  }
  comparison->thresholds[level] = value;
  return status;
}

/* Of a text "jaro_winkler 0.92", so that one measure may have several levels. */
static enum status set_threshold(struct link_plan *plan, const struct yaml *at, const struct choice *choice,
                                 struct comparison *comparison, unsigned level, struct error *error) {
  enum status status = read_threshold(at, choice, comparison, level, error);
  if (status == OK && comparison->kind == COMPARE_TEXT) {
    comparison->levels[level] = arena_printf(plan->arena, "%s %s", choice->name, at->text);
    status = comparison->levels[level] == NULL ? error_memory(error) : OK;
  }
  return status;
}

static enum status read_settings(struct link_plan *plan, const struct choice *choice, struct comparison *comparison,
                                 unsigned level, struct error *error) {
  const struct yaml *settings = choice->settings;
  if (settings->kind != YAML_MAP) {
    return set_threshold(plan, settings, choice, comparison, level, error);
  }
  const struct yaml *at = yaml_get(settings, "at");
  const struct yaml *as = yaml_get(settings, "as");
  enum status status = yaml_check_keys(settings, plan_level_keys, error);
  status = status == OK && at != NULL ? set_threshold(plan, at, choice, comparison, level, error) : status;
  status = status == OK ? plan_number_of(settings, "m", 1e-9, 1 - 1e-9, &comparison->m[level], error) : status;
  status = status == OK ? plan_number_of(settings, "u", 1e-9, 1 - 1e-9, &comparison->u[level], error) : status;
  if (status == OK && as != NULL) {
    if (as->kind != YAML_SCALAR || as->text[0] == '\0') {
      return yaml_error(as, error, "%s", _("'as' has to be a word: what rules and explanations call the level"));
    }
    comparison->levels[level] = as->text;
  }
  return status;
}

/* A level that can never hold, since one above it holds wherever it does. */
static bool is_hidden(const struct comparison *comparison, unsigned level) {
  if (comparison->measures[level] == TEXT_EXACT && level > 1) {
    return true;
  }
  for (unsigned above = 1; above < level; above++) {
    if (comparison->kind != COMPARE_TEXT || comparison->measures[above] != comparison->measures[level]) {
      continue;
    }
    double difference = comparison->thresholds[level] - comparison->thresholds[above];
    if (comparison->measures[level] == TEXT_DAMERAU_LEVENSHTEIN ? difference <= 0 : difference >= 0) {
      return true;
    }
  }
  return false;
}

static enum status check_level(const struct choice *choice, const struct comparison *comparison, unsigned level,
                               struct error *error) {
  if (comparison->kind == COMPARE_TEXT && is_hidden(comparison, level)) {
    return yaml_error(choice->at, error, _("the level %s is never reached: one above it holds wherever it does"),
                      comparison->levels[level]);
  }
  for (unsigned i = 0; i < level; i++) {
    if (strcmp(comparison->levels[i], comparison->levels[level]) == 0) {
      return yaml_error(choice->at, error, _("two levels are called '%s'"), comparison->levels[level]);
    }
  }
  return OK;
}

static double usual_threshold(int tell) {
  switch (tell) {
  case TEXT_JARO_WINKLER:
    return jaro_winkler_usual;
  case TEXT_DAMERAU_LEVENSHTEIN:
    return damerau_levenshtein_usual;
  case TEXT_JACCARD:
    return jaccard_usual;
  default:
    return 0;
  }
}

static enum status add_level(struct link_plan *plan, const struct choice *choice, struct comparison *comparison,
                             struct error *error) {
  unsigned level = comparison->level_count;
  if (level == LINK_LEVELS_MOST - 1) {
    return yaml_error(choice->at, error, _("more than %d levels"), LINK_LEVELS_MOST - 2);
  }
  comparison->levels[level] = choice->name;
  comparison->measures[level] = comparison->kind == COMPARE_TEXT ? (uint8_t)choice->tell : 0;
  comparison->thresholds[level] = comparison->kind == COMPARE_TEXT ? usual_threshold(choice->tell) : 0;
  enum status status = choice->settings == NULL ? OK : read_settings(plan, choice, comparison, level, error);
  status = status == OK ? check_level(choice, comparison, level, error) : status;
  if (status == OK && comparison->kind != COMPARE_TEXT && comparison->to_level[choice->tell] != 0) {
    status = yaml_error(choice->at, error, _("the level %s stands twice"), choice->name);
  }
  comparison->to_level[choice->tell] = (uint8_t)level;
  comparison->level_count++;
  return status;
}

/* The kind's last level, which may be named at the end of a list in order to fix its m and u; else it is added. */
static enum status add_last(struct link_plan *plan, const struct choice *written, struct comparison *comparison,
                            struct error *error) {
  const char *const *levels = comparison_types[comparison->kind].levels;
  size_t last = plan_list_length(levels) - 1;
  struct choice choice = {.name = levels[last], .tell = (int)last};
  if (comparison->to_level[last] != 0) {
    return OK;
  }
  choice.at = written->at;
  return add_level(plan, &choice, comparison, error);
}

/* Tells that the file left out go to what they imply. */
static void close_levels(struct comparison *comparison) {
  size_t last = plan_list_length(comparison_types[comparison->kind].levels) - 1;
  for (size_t tell = 1; tell < last; tell++) {
    size_t at = tell;
    while (at != 0 && comparison->to_level[at] == 0) {
      at = implied[comparison->kind][at];
    }
    comparison->to_level[tell] = comparison->to_level[at == 0 ? last : at];
  }
}

static enum status read_list(struct link_plan *plan, const struct yaml *list, struct comparison *comparison,
                             struct choice *choice, struct error *error) {
  const size_t last = plan_list_length(comparison_types[comparison->kind].levels) - 1;
  if (list->kind != YAML_LIST || list->count == 0) {
    return yaml_error(list, error, _("'%s' has to be a list with at least one entry"), "levels");
  }
  enum status status = OK;
  for (size_t i = 0; status == OK && i < list->count; i++) {
    status = read_choice(&list->children[i], choice, error);
    status = status == OK ? find_tell(comparison, choice, error) : status;
    if (status == OK && choice->tell == (int)last && (i == 0 || i + 1 < list->count)) {
      status = yaml_error(choice->at, error, _("'%s' is what is left: it stands last, after at least one level"),
                          choice->name);
    }
    status = status == OK ? add_level(plan, choice, comparison, error) : status;
  }
  return status;
}

static enum status add_usual(struct link_plan *plan, struct comparison *comparison, struct choice *choice,
                             struct error *error) {
  const char *const *all = comparison_types[comparison->kind].levels;
  const char *const *usual = all + 1;
  usual = comparison->kind == COMPARE_TEXT ? text_usual : usual;
  usual = comparison->kind == COMPARE_NUMBER ? number_usual : usual;
  enum status status = OK;
  for (size_t i = 0; status == OK && usual[i] != NULL; i++) {
    choice->name = usual[i];
    choice->tell = plan_list_find(all, plan_list_length(all), slice_of(usual[i]));
    status = add_level(plan, choice, comparison, error);
  }
  return status;
}

enum status plan_read_levels(struct link_plan *plan, const struct yaml *levels, struct comparison *comparison,
                             struct error *error) {
  struct choice choice = {.at = levels};
  comparison->levels[0] = comparison_types[comparison->kind].levels[0];
  comparison->level_count = 1;
  comparison->fuzzy = fuzzy_usual;
  enum status status = levels == NULL ? add_usual(plan, comparison, &choice, error)
                                      : read_list(plan, levels, comparison, &choice, error);
  status = status == OK ? add_last(plan, &choice, comparison, error) : status;
  if (status == OK) {
    close_levels(comparison);
  }
  return status;
}

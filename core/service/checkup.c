#include "core/service/checkup.h"

#include "core/store/access.h"

#include "core/base/date.h"
#include "core/base/file.h"
#include "core/base/text.h"
#include "core/resolve/policy.h"
#include "core/schedule/zone.h"
#include "core/service/backup.h"
#include "core/service/holders.h"
#include "core/sync/fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MISTAKES_LIMIT = 1 << 20, SUBJECT_SIZE = 96, WORDS_SIZE = 400, LISTED_MOST = 256 };

struct checkup {
  check_report *report;
  void *context;
  enum status worst;
  struct workspace workspace;
};

static void tell(struct checkup *checkup, const char *subject, const char *words) {
  const struct check_step step = {
      .subject = subject, .step = "", .status = OK, .words = words, .place = "", .hint = ""};
  checkup->report(checkup->context, &step);
}

static void tell_error(struct checkup *checkup, const char *subject, const struct error *error) {
  const struct check_step step = {.subject = subject,
                                  .step = "",
                                  .status = error->code,
                                  .words = error->message,
                                  .place = error->place,
                                  .hint = error->hint};
  checkup->report(checkup->context, &step);
  if (checkup->worst == OK) {
    checkup->worst = error->code;
  }
}

static bool passed(struct checkup *checkup, const char *subject, enum status status, const struct error *error,
                   const char *words) {
  if (status == OK) {
    tell(checkup, subject, words);
  } else {
    tell_error(checkup, subject, error);
  }
  return status == OK;
}

static void check_key(struct checkup *checkup) {
  struct workspace *workspace = &checkup->workspace;
  struct error error;
  enum status status = key_load(workspace->config->key_file, &workspace->key, &error);
  if (status == ERR_NOT_FOUND) {
    error_hint(&error, _("restore it from its copy; for a new workspace, `puente init` makes one"));
  }
  passed(checkup, _("key"), status, &error, workspace->config->key_file);
}

/* Ends the line at its line break, and gives the next one. */
static char *end_line(char *line) {
  char *end = strchr(line, '\n');
  if (end == NULL) {
    return line + strlen(line);
  }
  *end = '\0';
  return end + 1;
}

/* Each mistake of a mapping is a line "file:line:col: message", and may have a second one, "  hint: …". */
static void tell_mistakes(struct checkup *checkup, const char *subject, char *text) {
  static const char mark[] = "  hint: ";
  while (*text != '\0') {
    char *next = end_line(text);
    const char *hint = "";
    if (strncmp(next, mark, sizeof mark - 1) == 0) {
      char *line = next;
      next = end_line(line);
      hint = line + sizeof mark - 1;
    }
    const struct check_step step = {
        .subject = subject, .step = "", .status = ERR_CONFIG, .words = text, .place = "", .hint = hint};
    checkup->report(checkup->context, &step);
    text = next;
  }
}

static enum status check_plan(const struct source_config *source, const struct plan *plan, struct error *error) {
  if (strcmp(plan_source(plan), source->code) != 0) {
    error_set(error, ERR_CONFIG, _("the mapping is written for source \"%s\""), plan_source(plan));
    error_place(error, "%s", source->mapping);
    error_hint(error, _("write source: %s, or name another mapping in %s"), source->code, source->file);
    return ERR_CONFIG;
  }
  const char *format = source->connector->format;
  if (format != NULL && strcmp(format, plan_format(plan)->name) != 0) {
    error_set(error, ERR_CONFIG, _("connector %s gives records of format %s, the mapping says %s"),
              source->connector->name, format, plan_format(plan)->name);
    error_place(error, "%s", source->mapping);
    error_hint(error, _("write format: %s"), format);
    return ERR_CONFIG;
  }
  return OK;
}

struct kept_name {
  const struct terms_config *terms;
  const char *path, *field;
  int line;
};

static bool see_kept(void *context, const char *path, const char *field, int line) {
  struct kept_name *kept = context;
  if (fields_allow(kept->terms, path)) {
    kept->path = path;
    kept->field = field;
    kept->line = line;
  }
  return kept->path != NULL;
}

/* Codes instead of names, and the names beside them: each record with one would be left out. */
static enum status check_encoded(const struct source_config *source, const struct plan *plan, struct error *error) {
  struct kept_name kept = {.terms = &source->terms};
  if (!source->terms.encoded || !plan_visit_identifiers(plan, see_kept, &kept)) {
    return OK;
  }
  error_set(error, ERR_CONFIG, _("linked_by_name: encoded keeps no identifier, and fields keeps '%s', which is %s"),
            kept.path, kept.field);
  error_place(error, "%s:%d", source->mapping, kept.line);
  error_hint(error, _("take '%s', or what it lies in, out of fields in %s"), kept.path, source->file);
  return ERR_CONFIG;
}

/* Said, and no mistake: records that landed keep their keys. */
static void tell_telling_key(struct checkup *checkup, const char *subject, const struct source_config *source,
                             const struct plan *plan) {
  const char *field = NULL;
  int line = 0;
  const char *path = plan_telling_key(plan, &field, &line);
  if (path != NULL) {
    char words[WORDS_SIZE];
    snprintf(words, sizeof words,
             _("%s:%d: a key is read from '%s', as %s is: keys are not sealed, use one that tells nobody"),
             source->mapping, line, path, field);
    tell(checkup, subject, words);
  }
}

static void check_mapping(struct checkup *checkup, const struct source_config *source, const char *subject) {
  struct workspace *workspace = &checkup->workspace;
  struct buffer mistakes;
  struct plan *plan = NULL;
  struct error error;
  buffer_init(&mistakes, MISTAKES_LIMIT);
  enum status status = plan_load(source->mapping, workspace->model, workspace->lists, &plan, &mistakes, &error);
  if (status != OK && mistakes.len > 0) {
    tell_mistakes(checkup, subject, mistakes.data);
    checkup->worst = checkup->worst == OK ? status : checkup->worst;
  } else {
    status = status == OK ? check_plan(source, plan, &error) : status;
    status = status == OK ? check_encoded(source, plan, &error) : status;
    if (passed(checkup, subject, status, &error, source->mapping)) {
      tell_telling_key(checkup, subject, source, plan);
    }
  }
  if (plan != NULL) {
    plan_free(plan);
  }
  buffer_free(&mistakes);
}

static enum status check_connector(const struct source_config *source, const void *options, struct error *error) {
  if (source->connector->check == NULL) {
    return OK;
  }
  enum status status = source->connector->check(options, error);
  if (status != OK && error->place[0] == '\0') {
    error_place(error, "%s", source->file);
  }
  return status;
}

/* A code that no list has would name a unit, or an institution, of its own in every report. */
static enum status check_code(const struct checkup *checkup, const struct source_config *source, const char *name,
                              const char *code, struct error *error) {
  const struct codelist *list = codelists_find(checkup->workspace.lists, name);
  if (list == NULL || codelist_code(list, slice_of(code)) != NULL) {
    return OK;
  }
  const char *codes[LISTED_MOST];
  size_t count = codelist_size(list) < LISTED_MOST ? codelist_size(list) : LISTED_MOST;
  for (size_t i = 0; i < count; i++) {
    codes[i] = codelist_at(list, i)->code;
  }
  const char *nearest = text_nearest(slice_of(code), codes, count);
  error_set(error, ERR_CONFIG, _("code list '%s' has no code '%s'"), name, code);
  error_place(error, "%s", source->file);
  if (nearest != NULL) {
    error_hint(error, _("did you mean '%s'?"), nearest);
  } else {
    error_hint(error, _("`puente codelist list %s` shows them; a list of the workspace may add one"), name);
  }
  return ERR_CONFIG;
}

/* What its terms name is in the lists, and an agreement that has ended is told. */
static void check_terms(struct checkup *checkup, const struct source_config *source, const char *subject) {
  const struct terms_config *terms = &source->terms;
  struct error error;
  char words[WORDS_SIZE], day[DATE_TEXT_SIZE];
  for (size_t i = 0; i < terms->purpose_count; i++) {
    if (check_code(checkup, source, "purpose_of_use", terms->purposes[i], &error) != OK) {
      tell_error(checkup, subject, &error);
    }
  }
  for (size_t i = 0; i < terms->shown_count; i++) {
    if (check_code(checkup, source, "institution", terms->shown_to[i], &error) != OK) {
      tell_error(checkup, subject, &error);
    }
  }
  int64_t end = terms->until + INT64_C(86400) * 1000000;
  if (terms->until != 0 && end <= clock_now()) {
    date_format(date_from_days(terms->until / (INT64_C(86400) * 1000000)), day);
    snprintf(words, sizeof words, _("its sharing agreement ended on %s: renew it, or set state: paused"), day);
    tell(checkup, subject, words);
  }
}

static void check_codes(struct checkup *checkup, const struct source_config *source, const char *subject) {
  struct error error;
  if (check_code(checkup, source, "unit", source->unit, &error) != OK) {
    tell_error(checkup, subject, &error);
  }
  if (check_code(checkup, source, "institution", source->institution, &error) != OK) {
    tell_error(checkup, subject, &error);
  }
}

static void check_source(struct checkup *checkup, const struct source_config *source) {
  char subject[SUBJECT_SIZE];
  void *options = NULL;
  struct error error;
  snprintf(subject, sizeof subject, _("source %s"), source->code);
  enum status status = config_options(checkup->workspace.config, source, &options, &error);
  if (status == OK) {
    status = check_connector(source, options, &error);
    config_options_free(source, options);
  }
  if (status != OK) {
    tell_error(checkup, subject, &error);
  }
  if (checkup->workspace.lists != NULL) {
    check_codes(checkup, source, subject);
    check_terms(checkup, source, subject);
  }
  if (checkup->workspace.model != NULL && checkup->workspace.lists != NULL) {
    check_mapping(checkup, source, subject);
  }
}

/* When it is pulled next, by the clock where it is scheduled; nothing to tell where no source has a schedule. */
static void tell_due(struct checkup *checkup, size_t position) {
  const struct config *config = checkup->workspace.config;
  const struct source_config *source = &config->sources[position];
  const struct timetable *table = &config->serve.sources[position].timetable;
  char subject[SUBJECT_SIZE], name[SUBJECT_SIZE], words[WORDS_SIZE], at[ZONE_WORDS_SIZE], from[ZONE_WORDS_SIZE];
  bool scheduled = false;
  for (size_t i = 0; i < config->source_count; i++) {
    scheduled = scheduled || !config->serve.sources[i].timetable.manual;
  }
  if (!scheduled || source->state != SOURCE_ACTIVE) {
    return;
  }
  snprintf(subject, sizeof subject, _("source %s"), source->code);
  snprintf(name, sizeof name, "sync:%s", source->code);
  struct due due = timetable_next(table, name, clock_now());
  if (due.from == INT64_MAX) {
    tell(checkup, subject, _("it has no schedule: it is pulled by hand alone"));
    return;
  }
  /* translators: the locale in which days and times are written, as es-PE */
  zone_words(table->zone, due.at, _("en-GB"), at);
  zone_words(table->zone, due.from, _("en-GB"), from);
  if (due.from - due.at > table->jitter) {
    snprintf(words, sizeof words, _("due %s; its blackout holds it back until %s (%s)"), at, from, table->zone);
  } else {
    snprintf(words, sizeof words, _("`puente serve` pulls it next: %s (%s)"), at, table->zone);
  }
  tell(checkup, subject, words);
}

static void check_link(struct checkup *checkup) {
  struct policy *policy = NULL;
  struct error error;
  const char *path = checkup->workspace.config->link_file;
  if (checkup->workspace.model == NULL) {
    return;
  }
  enum status status = policy_load(path, NULL, checkup->workspace.model, &policy, &error);
  if (passed(checkup, _("linkage rules"), status, &error, path)) {
    policy_free(policy);
  }
}

/* Roles that are older than the store leave what came since to the service alone. */
static void check_roles(struct checkup *checkup, struct workspace *probe) {
  enum roles_state state = ROLES_NONE;
  struct error error;
  if (store_roles_state(probe->store, &state, &error) != OK) {
    tell_error(checkup, _("roles"), &error);
  } else if (state == ROLES_OLD) {
    error_set(&error, ERR_CONFIG, "%s", _("the roles are older than the store"));
    error_hint(&error, "%s", _("run `puente access setup`"));
    tell_error(checkup, _("roles"), &error);
  } else if (state == ROLES_STAND) {
    tell(checkup, _("roles"), _("as the model says"));
  }
}

static void check_holders(struct checkup *checkup) {
  const struct config *config = checkup->workspace.config;
  for (size_t i = 0; i < config->checkpoints.holder_count; i++) {
    const struct holder_config *holder = &config->checkpoints.holders[i];
    char subject[SUBJECT_SIZE];
    struct error error;
    snprintf(subject, sizeof subject, _("holder %s"), holder->name);
    enum status status = holders_check(config, holder, &error);
    passed(checkup, subject, status, &error,
           holder->folder != NULL ? holder->folder
           : holder->mail != NULL ? _("mail")
                                  : _("a webhook"));
  }
}

static void check_backups(struct checkup *checkup) {
  const struct config *config = checkup->workspace.config;
  struct error error;
  if (!config->serve.backup.manual) {
    enum status status = service_backup_place(config, &error);
    passed(checkup, _("backups"), status, &error,
           config->serve.backup_folder == NULL ? "backups" : config->serve.backup_folder);
  }
}

static void check_store(struct checkup *checkup, const char *config_path) {
  struct workspace probe;
  struct error error;
  enum status status = workspace_open(config_path, WORKSPACE_READ, &probe, &error);
  if (status == OK) {
    char words[WORDS_SIZE];
    snprintf(words, sizeof words, _("version %d"), store_version(probe.store));
    tell(checkup, _("store"), words);
    check_roles(checkup, &probe);
    workspace_close(&probe);
  } else if (status == ERR_NOT_FOUND) {
    tell(checkup, _("store"), _("none yet: the first sync makes it"));
  } else {
    tell_error(checkup, _("store"), &error);
  }
}

static enum status check_lists(struct workspace *workspace, struct error *error) {
  const char *folders[2];
  size_t count = 0;
  for (size_t i = 0; i < 2; i++) {
    if (workspace->config->codelist_folders[i] != NULL) {
      folders[count++] = workspace->config->codelist_folders[i];
    }
  }
  return codelists_load(folders, count, &workspace->lists, error);
}

static enum status check_all(const char *config_path, bool store, check_report *report, void *context) {
  struct checkup checkup = {.report = report, .context = context};
  struct workspace *workspace = &checkup.workspace;
  struct error error;
  enum status status = config_load(config_path, &workspace->config, &error);
  if (!passed(&checkup, _("configuration"), status, &error, config_path)) {
    return checkup.worst;
  }
  status = model_load(workspace->config->model_folder, &workspace->model, &error);
  passed(&checkup, _("model"), status, &error, workspace->config->model_folder);
  char words[WORDS_SIZE] = "";
  status = check_lists(workspace, &error);
  if (status == OK) {
    snprintf(words, sizeof words, _("%zu lists"), codelists_count(workspace->lists));
  }
  passed(&checkup, _("code lists"), status, &error, words);
  check_key(&checkup);
  for (size_t i = 0; i < workspace->config->source_count; i++) {
    check_source(&checkup, &workspace->config->sources[i]);
    tell_due(&checkup, i);
  }
  check_link(&checkup);
  if (store) { /* a medium that is not in must not hold up a reload */
    check_holders(&checkup);
    check_backups(&checkup);
  }
  if (store && checkup.worst == OK) {
    check_store(&checkup, config_path);
  }
  workspace_close(workspace);
  return checkup.worst;
}

enum status service_check(const char *config_path, check_report *report, void *context) {
  return check_all(config_path, true, report, context);
}

enum status service_check_offline(const char *config_path, check_report *report, void *context) {
  return check_all(config_path, false, report, context);
}

/* ---- live ---- */

struct live {
  struct checkup checkup;
  const struct source_config *source;
  char subject[SUBJECT_SIZE];
};

static void on_probe(void *context, const char *step, enum status result, const char *message) {
  struct live *live = context;
  const struct check_step told = {
      .subject = live->subject, .step = step, .status = result, .words = message, .place = "", .hint = ""};
  live->checkup.report(live->checkup.context, &told);
  if (result != OK && live->checkup.worst == OK) {
    live->checkup.worst = result;
  }
}

static enum status remembers_nothing(void *core, const char *memory, bool *known, struct error *error) {
  (void)core;
  (void)memory;
  (void)error;
  *known = false;
  return OK;
}

static void describe_first(const struct batch *batch, enum outcome outcome, char words[WORDS_SIZE]) {
  size_t rows = 0;
  for (size_t e = 0; e < MODEL_ENTITIES_MOST; e++) {
    rows += batch->rows[e].count;
  }
  switch (outcome) {
  case OUTCOME_MAPPED:
    snprintf(words, WORDS_SIZE, _("read and mapped, not landed: %zu rows, %zu remarks"), rows, batch->issue_count);
    break;
  case OUTCOME_QUARANTINED:
    snprintf(words, WORDS_SIZE, _("read, not landed: it would go to quarantine with %zu remarks"), batch->issue_count);
    break;
  case OUTCOME_WITHHELD:
    snprintf(words, WORDS_SIZE, "%s", _("read, not landed: the mapping withholds it"));
    break;
  case OUTCOME_REFUSED:
    snprintf(words, WORDS_SIZE, "%s", _("read, not landed: the mapping refuses it"));
    break;
  }
}

static enum status map_first(const struct plan *plan, const struct format *format, struct splitter *splitter,
                             struct batch *batch, char words[WORDS_SIZE], struct error *error) {
  struct raw raw = {0};
  struct decoder *decoder = NULL;
  struct node *root = NULL;
  enum outcome outcome = OUTCOME_MAPPED;
  enum status status = format->next(splitter, &raw, error);
  if (status == END) {
    snprintf(words, WORDS_SIZE, "%s", _("the source has no record at present"));
    return OK;
  }
  if (status == OK && raw.fault != RECORD_FINE) {
    return error_set(error, ERR_INPUT, "%s", raw.reason);
  }
  status = status == OK ? format->decoder_new(format->context(splitter), &decoder, error) : status;
  status = status == OK ? format->parse(decoder, raw.bytes, batch->arena, &root, error) : status;
  if (status == OK && plan_refuses(plan, batch, root)) {
    outcome = OUTCOME_REFUSED;
  } else if (status == OK) {
    status = plan_apply(plan, batch, root, 0, &outcome, error);
  }
  if (status == OK) {
    describe_first(batch, outcome, words);
  }
  if (decoder != NULL) {
    format->decoder_free(decoder);
  }
  return status;
}

static enum status check_first(struct live *live, const struct plan *plan, const struct page *page,
                               char words[WORDS_SIZE], struct error *error) {
  const struct format *format = plan_format(plan);
  struct splitter *splitter = NULL;
  struct batch batch = {.arena = NULL};
  enum status status = format->splitter_new(plan_format_options(plan), &splitter, error);
  if (status == OK) {
    status = batch_init(&batch, live->checkup.workspace.model, error);
  }
  if (status == OK) {
    format->begin(splitter);
    status = format->feed(splitter, buffer_view(&page->bytes), page->ends, error);
  }
  if (status == OK) {
    status = map_first(plan, format, splitter, &batch, words, error);
  }
  if (batch.arena != NULL) {
    batch_free(&batch);
  }
  if (splitter != NULL) {
    format->splitter_free(splitter);
  }
  return status;
}

static void probe(struct live *live, const struct plan *plan, const void *options) {
  static const atomic_bool never = false;
  struct page page;
  struct error error;
  char words[WORDS_SIZE] = "";
  const struct pull pull = {.source = live->source->code,
                            .options = options,
                            .columns = plan_paths(plan),
                            .stop = &never,
                            .remembers = remembers_nothing};
  page_init(&page, (size_t)live->checkup.workspace.config->page_limit);
  enum status status = live->source->connector->probe(&pull, on_probe, live, &page, &error);
  if (status != OK && live->checkup.worst == OK) {
    tell_error(&live->checkup, live->subject, &error);
  } else if (status == OK) {
    status = check_first(live, plan, &page, words, &error);
    on_probe(live, "mapping", status, status == OK ? words : error.message);
  }
  page_free(&page);
}

enum status service_check_live(const char *config_path, const char *code, check_report *report, void *context) {
  struct live live = {.checkup = {.report = report, .context = context}};
  struct workspace *workspace = &live.checkup.workspace;
  struct plan *plan = NULL;
  void *options = NULL;
  struct error error;
  snprintf(live.subject, sizeof live.subject, _("source %s"), code);
  enum status status = workspace_open(config_path, WORKSPACE_CONFIG, workspace, &error);
  if (status == OK && (live.source = config_source(workspace->config, code)) == NULL) {
    status = error_set(&error, ERR_USAGE, _("there is no source \"%s\""), code);
  }
  if (status == OK) {
    status = plan_load(live.source->mapping, workspace->model, workspace->lists, &plan, NULL, &error);
  }
  if (status == OK) {
    status = config_options(workspace->config, live.source, &options, &error);
  }
  if (status == OK) {
    probe(&live, plan, options);
    config_options_free(live.source, options);
  } else {
    tell_error(&live.checkup, live.subject, &error);
  }
  if (live.checkup.worst != OK && live.source != NULL && live.source->contact[0] != '\0') {
    const struct check_step step = {.subject = live.subject,
                                    .step = "contact",
                                    .status = OK,
                                    .words = live.source->contact,
                                    .place = "",
                                    .hint = ""};
    report(context, &step);
  }
  if (plan != NULL) {
    plan_free(plan);
  }
  workspace_close(workspace);
  return live.checkup.worst;
}

/* The digest of the day: how each source stands, what the last day brought, and what needs a person. */
#include "core/base/date.h"
#include "core/service/notice_text.h"
#include "core/service/notices.h"

#include <stdlib.h>

#define A_DAY INT64_C(86400000000)

/* What a source brought since a moment. */
struct brought {
  int64_t runs, failed, fresh, changed, quarantined, deleted;
};

static int64_t number_at(const struct result *result, size_t column) {
  return result_null(result, column) ? 0 : result_integer(result, column);
}

static enum status read_day(const struct workspace *workspace, int64_t since, struct brought *brought,
                            struct error *error) {
  static const char *const columns[] = {"run_id", "source",  "started",     "state",
                                        "fresh",  "changed", "quarantined", "deleted"};
  static const struct filter syncs = {.column = "kind", .text = "sync"};
  const struct selection selection = {.view = "runs",
                                      .columns = columns,
                                      .column_count = sizeof columns / sizeof *columns,
                                      .filters = &syncs,
                                      .filter_count = 1,
                                      .order = "-run_id"};
  struct result *result = NULL;
  int64_t started = INT64_MAX;
  enum status status = store_select(workspace->store, &selection, &result, error);
  if (status != OK) {
    return status;
  }
  while ((status = result_next(result, error)) == OK
         && (!clock_parse(result_text(result, 2), &started) || started >= since)) {
    for (size_t i = 0; i < workspace->config->source_count; i++) {
      if (slice_is(result_text(result, 1), workspace->config->sources[i].code)) {
        brought[i].runs++;
        brought[i].failed += slice_is(result_text(result, 3), "failed");
        brought[i].fresh += number_at(result, 4);
        brought[i].changed += number_at(result, 5);
        brought[i].quarantined += number_at(result, 6);
        brought[i].deleted += number_at(result, 7);
      }
    }
  }
  result_free(result);
  return status == END ? OK : status;
}

static void put_sources(struct notice_text *made, const struct brought *brought) {
  const struct tongue *tongue = made->tongue;
  const struct overview *overview = made->overview;
  char moment[NOTICE_MOMENT_SIZE];
  buffer_printf(&made->text, "%s\n", words(tongue, N_("Sources, and what the last 24 hours brought")));
  for (size_t i = 0; i < overview->source_count; i++) {
    const struct source_overview *source = &overview->sources[i];
    int64_t succeeded = source->health.succeeded > 0 ? source->health.succeeded : source->complete;
    buffer_printf(&made->text,
                  words(tongue, N_("- %s: %s; last success %s; syncs %lld (failed %lld); new %lld, changed "
                                   "%lld, gone %lld; in quarantine %lld of %lld (%+lld)\n")),
                  source->source->code, notice_state(tongue, source->standing.standing),
                  notice_moment(made, succeeded, moment), (long long)brought[i].runs, (long long)brought[i].failed,
                  (long long)brought[i].fresh, (long long)brought[i].changed, (long long)brought[i].deleted,
                  (long long)source->quarantined, (long long)source->total, (long long)brought[i].quarantined);
  }
  if (overview->source_count == 0) {
    buffer_printf(&made->text, "%s\n", words(tongue, N_("- none is declared yet")));
  }
}

/* What stands; gives how many. */
static int put_problems(struct notice_text *made, const struct matter *matters, size_t count, bool refused) {
  const struct tongue *tongue = made->tongue;
  const struct overview *overview = made->overview;
  int problems = 0;
  buffer_printf(&made->text, "\n%s\n", words(tongue, N_("What needs a person")));
  for (size_t i = 0; i < count; i++) {
    buffer_text(&made->text, "- ");
    notice_line(made, &matters[i], &made->text);
    const struct source_overview *source = matters[i].source;
    if (matters[i].kind == MATTER_FAILURE && source->source->contact != NULL && source->source->contact[0] != '\0') {
      buffer_printf(&made->text, words(tongue, N_(" (contact: %s)")), source->source->contact);
    }
    buffer_char(&made->text, '\n');
    problems++;
  }
  if (refused) {
    buffer_printf(&made->text, "- %s\n", words(tongue, N_("a change of the configuration was refused")));
    problems++;
  }
  if (overview->review > 0) {
    buffer_printf(&made->text, words(tongue, N_("- pairs that wait for a decision: %lld (`puente review list`)\n")),
                  (long long)overview->review);
    problems++;
  }
  if (problems == 0) {
    buffer_printf(&made->text, "- %s\n", words(tongue, N_("nothing to do")));
  }
  return problems;
}

static void put_store(struct notice_text *made) {
  const struct tongue *tongue = made->tongue;
  const struct overview *overview = made->overview;
  char moment[NOTICE_MOMENT_SIZE];
  buffer_printf(&made->text, "\n%s\n", words(tongue, N_("Store")));
  buffer_printf(&made->text, words(tongue, N_("- persons %lld, cases %lld; last linking %s\n")),
                (long long)overview->persons, (long long)overview->cases,
                notice_moment(made, overview->linked, moment));
  buffer_printf(&made->text, words(tongue, N_("- last backup that was read back: %s\n")),
                notice_moment(made, overview->backup, moment));
}

static void put_subject(struct notice_text *made, int problems) {
  const struct tongue *tongue = made->tongue;
  char moment[NOTICE_MOMENT_SIZE];
  const char *day = notice_moment(made, made->now, moment);
  buffer_printf(&made->subject, "[Puente %s] ", made->workspace->config->name);
  buffer_printf(&made->subject, words(tongue, N_("digest of %.10s: ")), day);
  if (problems == 0) {
    buffer_text(&made->subject, words(tongue, N_("nothing to do")));
  } else {
    buffer_printf(&made->subject, words(tongue, N_("%d things to look at")), problems);
  }
}

static enum status find_reload(void *context, const struct notice *notice, struct error *error) {
  bool *refused = context;
  (void)error;
  *refused = *refused || strcmp(notice->name, matter_names[MATTER_RELOAD]) == 0;
  return OK;
}

static enum status write_digest(struct notice_text *made, struct arena *arena, struct error *error) {
  const struct workspace *workspace = made->workspace;
  struct brought *brought = arena_array(arena, workspace->config->source_count + 1, sizeof *brought);
  struct matter *matters = NULL;
  size_t count = 0;
  bool refused = false;
  if (brought == NULL) {
    return error_memory(error);
  }
  enum status status = matters_read(workspace, made->overview, arena, made->now, &matters, &count, error);
  status = status == OK ? read_day(workspace, made->now - A_DAY, brought, error) : status;
  status = status == OK ? store_visit_notices(workspace->store, find_reload, &refused, error) : status;
  if (status != OK) {
    return status;
  }
  put_sources(made, brought);
  int problems = put_problems(made, matters, count, refused);
  put_store(made);
  put_subject(made, problems);
  status = buffer_check(&made->subject, "subject", error);
  return status == OK ? buffer_check(&made->text, "text", error) : status;
}

enum status notices_digest(struct workspace *workspace, const struct overview *overview, const atomic_bool *stop,
                           struct error *error) {
  struct tongue tongue = {.own = false};
  struct notice_text made = {.tongue = &tongue, .workspace = workspace, .overview = overview, .now = clock_now()};
  struct arena *arena = arena_new(64 << 20);
  size_t told = 0;
  notice_text_init(&made);
  enum status status = arena == NULL ? error_memory(error) : tongue_open(workspace->config, &tongue, error);
  status = status == OK ? write_digest(&made, arena, error) : status;
  if (status == OK) {
    const struct notify_message message = {
        .kind = NOTIFY_DIGEST, .subject = made.subject.data, .text = made.text.data, .at = made.now};
    status = notify_send(workspace->config, &message, stop, &told, error);
  }
  notice_text_free(&made);
  tongue_close(&tongue);
  arena_free(arena);
  return status;
}

#include "core/service/notice_text.h"

#include "core/schedule/zone.h"

#include <stdio.h>
#include <time.h>

enum { SUBJECT_LIMIT = 2048, TEXT_LIMIT = 1 << 20, FINDINGS_SHOWN = 20 };

void notice_text_init(struct notice_text *made) {
  buffer_init(&made->subject, SUBJECT_LIMIT);
  buffer_init(&made->text, TEXT_LIMIT);
}

void notice_text_free(struct notice_text *made) {
  buffer_free(&made->subject);
  buffer_free(&made->text);
}

void notice_text_reset(struct notice_text *made) {
  buffer_reset(&made->subject);
  buffer_reset(&made->text);
}

const char *notice_moment(const struct notice_text *made, int64_t micros, char text[NOTICE_MOMENT_SIZE]) {
  const char *zone = made->workspace->config->notify.digest.zone;
  struct civil civil;
  time_t seconds = (time_t)(micros / 1000000);
  struct tm parts;
  if (micros <= 0) {
    return "-";
  }
  if (zone != NULL && zone_civil(zone, micros, &civil)) {
    snprintf(text, NOTICE_MOMENT_SIZE, "%04d-%02d-%02d %02d:%02d", civil.year, civil.month, civil.day, civil.hour,
             civil.minute);
  } else if (localtime_r(&seconds, &parts) == NULL
             || strftime(text, NOTICE_MOMENT_SIZE, "%Y-%m-%d %H:%M", &parts) == 0) {
    return "-";
  }
  return text;
}

enum notify_kind notice_kind(enum matter_kind kind) {
  switch (kind) {
  case MATTER_DRIFT:
    return NOTIFY_DRIFT;
  case MATTER_QUARANTINE:
    return NOTIFY_QUARANTINE;
  case MATTER_EXPIRY:
    return NOTIFY_EXPIRY;
  default:
    return NOTIFY_FAILURE;
  }
}

/* ---- words ---- */

const char *notice_state(const struct tongue *tongue, enum standing standing) {
  static const char *const states[] = {[STANDING_FAILED] = N_("fails on our own side"),
                                       [STANDING_REFUSED] = N_("refuses us"),
                                       [STANDING_CHANGED] = N_("has changed: its data no longer fit the mapping"),
                                       [STANDING_UNREACHABLE] = N_("cannot be reached"),
                                       [STANDING_LATE] = N_("is late"),
                                       [STANDING_EMPTY] = N_("has nothing to report"),
                                       [STANDING_NEVER] = N_("not pulled yet"),
                                       [STANDING_OK] = N_("ok"),
                                       [STANDING_PAUSED] = N_("paused"),
                                       [STANDING_RETIRED] = N_("retired")};
  return words(tongue, states[standing]);
}

static const char *state_advice(const struct tongue *tongue, enum standing standing) {
  switch (standing) {
  case STANDING_FAILED:
    return words(tongue, N_("see that disk, store and configuration are in order: `puente status`, `puente check`"));
  case STANDING_REFUSED:
    return words(tongue, N_("check user, password, key or certificate, and whether they have expired"));
  case STANDING_CHANGED:
    return words(tongue, N_("compare the fields with the mapping, adapt it, then `puente remap`"));
  case STANDING_LATE:
    return words(tongue, N_("see that `puente serve` runs, and what holds it up: `puente status`"));
  default:
    return words(tongue, N_("nothing for now: it is asked again by itself; if it lasts, call the contact"));
  }
}

static const char *what_words(const struct tongue *tongue, const char *what) {
  static const struct {
    const char *what, *words;
  } known[] = {{"client_certificate", N_("own certificate")},
               {"server_certificate", N_("certificate of the server")},
               {"token_server_certificate", N_("certificate of the token server")},
               {"password", N_("password")},
               {"api_key", N_("API key")},
               {"token", N_("token")}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (strcmp(known[i].what, what) == 0) {
      return words(tongue, known[i].words);
    }
  }
  return what;
}

/* "Label: value", where there is a value. */
static void put(struct notice_text *made, const char *label, const char *value) {
  if (value != NULL && value[0] != '\0') {
    buffer_printf(&made->text, "%s: %s\n", label, value);
  }
}

static void put_moment(struct notice_text *made, const char *label, int64_t micros) {
  char text[NOTICE_MOMENT_SIZE];
  if (micros > 0 && micros != INT64_MAX) {
    put(made, label, notice_moment(made, micros, text));
  }
}

static void put_source(struct notice_text *made, const struct source_overview *source) {
  const struct source_config *config = source->source;
  const struct tongue *tongue = made->tongue;
  buffer_printf(&made->text, "%s: %s%s%s", words(tongue, N_("Source")), config->code,
                config->title != NULL && config->title[0] != '\0' ? ", " : "",
                config->title != NULL ? config->title : "");
  if (config->institution != NULL && config->institution[0] != '\0') {
    buffer_printf(&made->text, " (%s)", config->institution);
  }
  buffer_char(&made->text, '\n');
}

/* ---- lines ---- */

static void line_of_expiry(const struct notice_text *made, const struct expiry *expiry, struct buffer *out) {
  const char *what = what_words(made->tongue, expiry->what);
  buffer_printf(out, "%s%s", expiry->source != NULL ? expiry->source : "", expiry->source != NULL ? ": " : "");
  if (expiry->level == 0) {
    buffer_printf(out, words(made->tongue, N_("%s has expired")), what);
  } else if (expiry->days == 0) {
    buffer_printf(out, words(made->tongue, N_("%s expires within a day")), what);
  } else if (expiry->days == 1) {
    buffer_printf(out, words(made->tongue, N_("%s expires in 1 day")), what);
  } else {
    buffer_printf(out, words(made->tongue, N_("%s expires in %d days")), what, expiry->days);
  }
}

void notice_line(const struct notice_text *made, const struct matter *matter, struct buffer *out) {
  const struct tongue *tongue = made->tongue;
  const struct source_overview *source = matter->source;
  char text[NOTICE_MOMENT_SIZE];
  if (matter->kind == MATTER_EXPIRY) {
    line_of_expiry(made, matter->expiry, out);
    return;
  }
  if (matter->kind == MATTER_LINKING) {
    buffer_text(out, words(tongue, N_("linking fails")));
  } else if (matter->kind == MATTER_RELOAD) {
    buffer_text(out, words(tongue, N_("a change of the configuration was refused")));
  } else if (matter->kind == MATTER_BACKUP && matter->level != 0) {
    buffer_text(out, words(tongue, N_("the last backup failed")));
  } else if (matter->kind == MATTER_BACKUP) {
    buffer_printf(out, words(tongue, N_("the last backup is of %s")), notice_moment(made, matter->since, text));
  } else if (matter->kind == MATTER_HOLDERS) {
    buffer_text(out, words(tongue, N_("no holder has a checkpoint of the audit log younger than 7 days")));
  } else if (source == NULL) {
    buffer_text(out, matter->name);
  } else if (matter->kind == MATTER_DRIFT) {
    buffer_printf(out, words(tongue, N_("%s: fields that are new, missing or of another type: %lld")),
                  source->source->code, (long long)matter->level);
  } else if (matter->kind == MATTER_QUARANTINE) {
    buffer_printf(out, words(tongue, N_("%s: records in quarantine: %lld of %lld")), source->source->code,
                  (long long)matter->level, (long long)source->total);
  } else {
    buffer_printf(out, "%s: %s", source->source->code, notice_state(tongue, source->standing.standing));
  }
}

static void put_subject(struct notice_text *made, const struct matter *matter) {
  buffer_printf(&made->subject, "[Puente %s] ", made->workspace->config->name);
  notice_line(made, matter, &made->subject);
}

/* ---- texts ---- */

static enum status put_finding(void *context, const struct drift *drift, struct error *error) {
  static const char *const kinds[] = {N_("new"), N_("missing"), N_("of another type")};
  struct {
    struct notice_text *made;
    int shown;
  } *list = context;
  (void)error;
  const struct tongue *tongue = list->made->tongue;
  if (list->shown++ < FINDINGS_SHOWN) {
    buffer_printf(&list->made->text, "  - %.*s: %s%s%s\n", SLICE_ARG(drift->path), words(tongue, kinds[drift->kind]),
                  drift->mapped ? ", " : "", drift->mapped ? words(tongue, N_("the mapping reads it")) : "");
  }
  return OK;
}

/* The findings by name. */
static enum status put_findings(struct notice_text *made, const struct source_overview *source, struct error *error) {
  const struct workspace *workspace = made->workspace;
  struct {
    struct notice_text *made;
    int shown;
  } list = {.made = made};
  size_t position = (size_t)(source->source - workspace->config->sources);
  if (source->drift == 0 || workspace->store == NULL || workspace->source_ids == NULL
      || workspace->source_ids[position] == 0) {
    return OK;
  }
  buffer_printf(&made->text, "%s:\n", words(made->tongue, N_("Fields")));
  enum status status = store_visit_drift(workspace->store, workspace->source_ids[position], put_finding, &list, error);
  if (list.shown > FINDINGS_SHOWN) {
    buffer_printf(&made->text, words(made->tongue, N_("  - and %d more\n")), list.shown - FINDINGS_SHOWN);
  }
  buffer_printf(&made->text, words(made->tongue, N_("Where it may stay so: puente drift accept %s --reason TEXT\n")),
                source->source->code);
  return status;
}

static enum status write_failure(struct notice_text *made, const struct source_overview *source, struct error *error) {
  const struct tongue *tongue = made->tongue;
  const struct source_standing *standing = &source->standing;
  const char *hint = source->health.hint;
  bool told = standing->standing != STANDING_LATE && hint != NULL && hint[0] != '\0';
  put_source(made, source);
  put(made, words(tongue, N_("State")), notice_state(tongue, standing->standing));
  put_moment(made, words(tongue, N_("Since")), standing->since);
  put_moment(made, words(tongue, N_("Was due")), standing->overdue);
  put_moment(made, words(tongue, N_("Last success")), source->health.succeeded);
  if (source->health.failures > 0) {
    buffer_printf(&made->text, "%s: %d\n", words(tongue, N_("Failed tries in a row")), source->health.failures);
    put(made, words(tongue, N_("Reason")), source->health.message);
  }
  put_moment(made, words(tongue, N_("Next try")), standing->retry == INT64_MAX ? standing->due : standing->retry);
  enum status status = standing->standing == STANDING_CHANGED ? put_findings(made, source, error) : OK;
  put(made, words(tongue, N_("What to do")), told ? hint : state_advice(tongue, standing->standing));
  put(made, words(tongue, N_("Contact")), source->source->contact);
  buffer_printf(
      &made->text,
      words(tongue, N_("\nWhat came before is safe in the store, and the other sources go on. Test step by step: "
                       "puente check --live %s\n")),
      source->source->code);
  return status;
}

static enum status write_drift(struct notice_text *made, const struct source_overview *source, struct error *error) {
  const struct tongue *tongue = made->tongue;
  put_source(made, source);
  enum status status = put_findings(made, source, error);
  put(made, words(tongue, N_("What to do")),
      words(tongue, N_("ask the source whether the change is meant; adapt the mapping, then `puente remap`")));
  put(made, words(tongue, N_("Contact")), source->source->contact);
  return status;
}

static void write_quarantine(struct notice_text *made, const struct source_overview *source) {
  const struct tongue *tongue = made->tongue;
  put_source(made, source);
  buffer_printf(&made->text, words(tongue, N_("Records in quarantine: %lld of %lld\n")), (long long)source->quarantined,
                (long long)source->total);
  buffer_printf(
      &made->text,
      words(tongue, N_("What to do: see why by `puente quarantine list --source %s`; after a correction of the "
                       "mapping `puente quarantine retry`\n")),
      source->source->code);
  put(made, words(tongue, N_("Contact")), source->source->contact);
}

static void write_expiry(struct notice_text *made, const struct expiry *expiry) {
  const struct tongue *tongue = made->tongue;
  const struct overview *overview = made->overview;
  for (size_t i = 0; expiry->source != NULL && i < overview->source_count; i++) {
    if (strcmp(overview->sources[i].source->code, expiry->source) == 0) {
      put_source(made, &overview->sources[i]);
    }
  }
  put(made, words(tongue, N_("What expires")), what_words(tongue, expiry->what));
  put_moment(made, words(tongue, N_("When")), expiry->at);
  bool theirs = strstr(expiry->what, "server_certificate") != NULL;
  put(made, words(tongue, N_("What to do")),
      theirs
          ? words(tongue, N_("remind the contact: who runs the server must renew it"))
          : words(tongue, N_("ask for a new one in time, and put it where the old one is: nothing needs a restart")));
  for (size_t i = 0; expiry->source != NULL && i < overview->source_count; i++) {
    if (strcmp(overview->sources[i].source->code, expiry->source) == 0) {
      put(made, words(tongue, N_("Contact")), overview->sources[i].source->contact);
    }
  }
}

static void write_whole(struct notice_text *made, const struct matter *matter) {
  const struct tongue *tongue = made->tongue;
  notice_line(made, matter, &made->text);
  buffer_char(&made->text, '\n');
  if (matter->kind == MATTER_LINKING) {
    put(made, words(tongue, N_("Reason")), made->overview->link_message);
    const char *hint = made->overview->link_hint;
    put(made, words(tongue, N_("What to do")),
        hint != NULL && hint[0] != '\0' ? hint : words(tongue, N_("`puente link` tells more")));
  } else if (matter->kind == MATTER_BACKUP) {
    put_moment(made, words(tongue, N_("Last good one")), made->overview->backup);
    put(made, words(tongue, N_("What to do")),
        words(tongue, N_("see that the folder of the backups has room, and try `puente store backup` by hand")));
  } else if (matter->kind == MATTER_HOLDERS) {
    put_moment(made, words(tongue, N_("Last good one")), matter->since);
    put(made, words(tongue, N_("What to do")),
        words(tongue,
              N_("see why by `puente audit receipts`, mend it, and send one by `puente audit checkpoint --send`")));
  }
}

static enum status check(const struct notice_text *made, struct error *error) {
  enum status status = buffer_check(&made->subject, "subject", error);
  return status == OK ? buffer_check(&made->text, "text", error) : status;
}

enum status notice_write(struct notice_text *made, const struct matter *matter, struct error *error) {
  enum status status = OK;
  notice_text_reset(made);
  put_subject(made, matter);
  if (matter->kind == MATTER_FAILURE) {
    status = write_failure(made, matter->source, error);
  } else if (matter->kind == MATTER_DRIFT) {
    status = write_drift(made, matter->source, error);
  } else if (matter->kind == MATTER_QUARANTINE) {
    write_quarantine(made, matter->source);
  } else if (matter->kind == MATTER_EXPIRY) {
    write_expiry(made, matter->expiry);
  } else {
    write_whole(made, matter);
  }
  return status == OK ? check(made, error) : status;
}

/* ---- what is over ---- */

static const char *over_words(const struct tongue *tongue, enum matter_kind kind) {
  switch (kind) {
  case MATTER_FAILURE:
    return words(tongue, N_("works again"));
  case MATTER_DRIFT:
    return words(tongue, N_("its fields are as expected again"));
  case MATTER_QUARANTINE:
    return words(tongue, N_("nothing is in quarantine any more"));
  case MATTER_EXPIRY:
    return words(tongue, N_("what was about to expire was renewed"));
  case MATTER_LINKING:
    return words(tongue, N_("linking works again"));
  case MATTER_BACKUP:
    return words(tongue, N_("there is a new backup"));
  case MATTER_HOLDERS:
    return words(tongue, N_("a holder has a new checkpoint"));
  default:
    return words(tongue, N_("the configuration was taken"));
  }
}

enum status notice_write_over(struct notice_text *made, enum matter_kind kind, const struct source_overview *source,
                              const char *name, int64_t since, struct error *error) {
  const struct tongue *tongue = made->tongue;
  const char *code = source != NULL ? source->source->code : "";
  notice_text_reset(made);
  buffer_printf(&made->subject, "[Puente %s] %s%s%s", made->workspace->config->name, code, code[0] != '\0' ? ": " : "",
                over_words(tongue, kind));
  if (source != NULL) {
    put_source(made, source);
  }
  put(made, words(tongue, N_("State")), over_words(tongue, kind));
  if (kind == MATTER_EXPIRY) {
    const char *what = strrchr(name, ':');
    put(made, words(tongue, N_("What was renewed")), what_words(tongue, what != NULL ? what + 1 : name));
  } else {
    put_moment(made, words(tongue, N_("It had failed since")), kind == MATTER_QUARANTINE ? 0 : since);
  }
  if (source != NULL && kind == MATTER_FAILURE) {
    put_moment(made, words(tongue, N_("Last success")), source->health.succeeded);
    buffer_printf(&made->text, words(tongue, N_("Of the last sync: pulled %lld, new %lld, changed %lld\n")),
                  (long long)source->counts.pulled, (long long)source->counts.fresh, (long long)source->counts.changed);
  }
  buffer_text(&made->text, words(tongue, N_("There is nothing to do.\n")));
  return check(made, error);
}

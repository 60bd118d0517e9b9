#include "core/service/notices.h"

#include "core/base/date.h"
#include "core/base/log.h"
#include "core/service/notice_text.h"

#include <stdlib.h>

enum { NOTICES_MOST = 20000, AT_ONCE_MOST = 5, GATHERED_LIMIT = 1 << 20 };
#define MAKE_UP (INT64_C(10) * 60 * 1000000)

/* One comparison of how things stand with what was told. */
struct telling {
  struct workspace *workspace;
  const struct overview *overview;
  const atomic_bool *stop;
  struct arena *arena;
  struct tongue tongue;
  struct notice_text made;
  struct notice *notices; /* those that stand, by name */
  size_t count, room;
  struct notices_summary *summary;
  int64_t now;
  /* Where many things begin or end together (a network that is gone), one message tells of all of them. */
  bool gathers; /* what would be sent is put into `gathered` */
  size_t gathered_count;
  struct buffer gathered; /* their subjects */
  bool bundled, bundle_told;
};

/* ---- what was told ---- */

static enum status keep_notice(void *context, const struct notice *notice, struct error *error) {
  struct telling *telling = context;
  if (telling->count == telling->room) {
    size_t room = telling->room == 0 ? 64 : telling->room * 2;
    struct notice *notices = room > NOTICES_MOST ? NULL : realloc(telling->notices, room * sizeof *notices);
    if (notices == NULL) {
      return error_memory(error);
    }
    telling->notices = notices;
    telling->room = room;
  }
  struct notice *kept = &telling->notices[telling->count];
  *kept = *notice;
  kept->name = arena_text(telling->arena, slice_of(notice->name));
  telling->count += kept->name != NULL;
  return kept->name != NULL ? OK : error_memory(error);
}

static struct notice *find_notice(const struct telling *telling, const char *name) {
  for (size_t i = 0; i < telling->count; i++) {
    if (strcmp(telling->notices[i].name, name) == 0) {
      return &telling->notices[i];
    }
  }
  return NULL;
}

static enum status open_telling(struct telling *telling, struct error *error) {
  telling->arena = arena_new(64 << 20);
  telling->now = clock_now();
  notice_text_init(&telling->made);
  if (telling->arena == NULL) {
    return error_memory(error);
  }
  enum status status = tongue_open(telling->workspace->config, &telling->tongue, error);
  telling->made.tongue = &telling->tongue;
  telling->made.workspace = telling->workspace;
  telling->made.overview = telling->overview;
  telling->made.now = telling->now;
  return status == OK ? store_visit_notices(telling->workspace->store, keep_notice, telling, error) : status;
}

static void close_telling(struct telling *telling) {
  notice_text_free(&telling->made);
  tongue_close(&telling->tongue);
  free(telling->notices);
  arena_free(telling->arena);
}

/* ---- telling ---- */

/* What was written into `made`; `*told`: somebody was. A way that fails is logged: the next time tries again. */
static void send_made(struct telling *telling, enum notify_kind kind, const char *source, bool *told) {
  if (telling->gathers) {
    telling->gathered_count++;
    buffer_printf(&telling->gathered, "- %s\n", telling->made.subject.data);
    *told = false;
    return;
  }
  if (telling->bundled) {
    *told = telling->bundle_told;
    return;
  }
  const struct notify_message message = {.kind = kind,
                                         .source = source,
                                         .subject = telling->made.subject.data,
                                         .text = telling->made.text.data,
                                         .at = telling->now};
  struct error error = {.code = OK};
  size_t ways = 0;
  enum status status = notify_send(telling->workspace->config, &message, telling->stop, &ways, &error);
  *told = ways > 0;
  telling->summary->told += *told;
  telling->summary->failed += !*told && status != OK;
  if (status != OK) {
    log_error(LEVEL_WARNING, &error);
  }
}

static void log_matter(const struct telling *telling, const char *event, enum notify_kind kind, const char *source,
                       enum log_level level) {
  const struct log_field fields[] = {LOG_WORD("kind", notify_names[kind]), LOG_WORD("source", source)};
  log_event(level, event, fields, 2, NULL, telling->made.subject.data);
}

static const char *code_of(const struct matter *matter) {
  if (matter->source != NULL) {
    return matter->source->source->code;
  }
  return matter->expiry != NULL ? matter->expiry->source : NULL;
}

/* It stands as it was told of, or is less: then what comes is measured from here. */
static enum status keep_level(struct telling *telling, const struct matter *matter, const struct notice *known,
                              struct error *error) {
  struct notice notice = *known;
  bool less = matter->kind == MATTER_EXPIRY ? matter->level > notice.level : matter->level < notice.level;
  if (!less || matter->kind == MATTER_FAILURE) {
    return OK;
  }
  notice.level = matter->level;
  return store_notice_save(telling->workspace->store, &notice, error);
}

/* What is late because the daemon or its machine was off is being made up now. */
static bool has_lasted(const struct matter *matter, const struct notice *known, int64_t now) {
  bool late = matter->kind == MATTER_FAILURE && matter->level == STANDING_LATE;
  return !late || (known != NULL && now - known->since >= MAKE_UP);
}

static bool to_be_told(const struct telling *telling, const struct matter *matter, const struct notice *known) {
  if (known == NULL || known->sent == 0) {
    return matter->ripe && has_lasted(matter, known, telling->now);
  }
  return matter_worse(telling->workspace->config, matter, known->level);
}

/* A matter that is new, or to be told of: logged, told, and kept with what was told. */
static enum status begin_matter(struct telling *telling, const struct matter *matter, const struct notice *known,
                                bool tells, struct error *error) {
  struct notice notice = {
      .name = matter->name, .since = matter->since > 0 ? matter->since : telling->now, .level = matter->level};
  bool told = false;
  notice = known != NULL ? *known : notice;
  enum notify_kind kind = notice_kind(matter->kind);
  if (!telling->gathers && (known == NULL || notice.sent != 0)) {
    log_matter(telling, "matter_begins", kind, code_of(matter), LEVEL_WARNING);
  }
  if (tells) {
    send_made(telling, kind, code_of(matter), &told);
  }
  if (told) {
    notice.sent = telling->now;
    notice.level = matter->level;
  }
  bool keeps = !telling->gathers && (known == NULL || told);
  return keeps ? store_notice_save(telling->workspace->store, &notice, error) : OK;
}

/* Tells of a matter that stands, if it is new or worse, and keeps what was told. */
static enum status tell_matter(struct telling *telling, const struct matter *matter, struct error *error) {
  const struct notice *known = find_notice(telling, matter->name);
  bool tells = to_be_told(telling, matter, known);
  if (known != NULL && !tells) {
    return telling->gathers ? OK : keep_level(telling, matter, known, error);
  }
  enum status status = notice_write(&telling->made, matter, error);
  return status == OK ? begin_matter(telling, matter, known, tells, error) : status;
}

/* ---- what is over ---- */

/* "failure:reta": its kind, and its source where it is still one that is pulled. */
static bool read_name(const struct telling *telling, const char *name, enum matter_kind *kind,
                      const struct source_overview **source, bool *gone) {
  const char *colon = strchr(name, ':');
  size_t length = colon != NULL ? (size_t)(colon - name) : strlen(name);
  int found = 0;
  while (found < MATTER_KINDS
         && (strlen(matter_names[found]) != length || memcmp(matter_names[found], name, length) != 0)) {
    found++;
  }
  *kind = (enum matter_kind)found;
  *source = NULL;
  struct slice code = colon == NULL ? slice_none() : slice_make(colon + 1, strcspn(colon + 1, ":"));
  for (size_t i = 0; i < telling->overview->source_count && code.len > 0; i++) {
    if (slice_is(code, telling->overview->sources[i].source->code)) {
      *source = &telling->overview->sources[i];
    }
  }
  *gone = code.len > 0 && (*source == NULL || (*source)->source->state != SOURCE_ACTIVE);
  return found < MATTER_KINDS;
}

/* Told as over only where it was told of, and where it is not just that the source is pulled no more. */
static enum status tell_over(struct telling *telling, const struct notice *standing, struct error *error) {
  struct notice notice = *standing;
  enum matter_kind kind = MATTER_KINDS;
  const struct source_overview *source = NULL;
  bool gone = false;
  bool known = read_name(telling, notice.name, &kind, &source, &gone);
  if (known && kind == MATTER_RELOAD) {
    return OK;
  }
  if (known && !gone) {
    enum status status = notice_write_over(&telling->made, kind, source, notice.name, notice.since, error);
    if (status != OK) {
      return status;
    }
    const char *code = source != NULL ? source->source->code : NULL;
    bool told = notice.sent == 0;
    if (!telling->gathers) {
      log_matter(telling, "matter_ends", NOTIFY_RECOVERY, code, LEVEL_INFO);
    }
    if (!told) {
      send_made(telling, NOTIFY_RECOVERY, code, &told);
    }
    if (!told) {
      return OK; /* told the next time */
    }
  }
  notice.closed = telling->now;
  return telling->gathers ? OK : store_notice_save(telling->workspace->store, &notice, error);
}

static bool stands(const struct matter *matters, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++) {
    if (strcmp(matters[i].name, name) == 0) {
      return true;
    }
  }
  return false;
}

static enum status tell_all(struct telling *telling, const struct matter *matters, size_t count, struct error *error) {
  enum status status = OK;
  for (size_t i = 0; i < count && status == OK; i++) {
    status = tell_matter(telling, &matters[i], error);
  }
  for (size_t i = 0; i < telling->count && status == OK; i++) {
    if (!stands(matters, count, telling->notices[i].name)) {
      status = tell_over(telling, &telling->notices[i], error);
    }
  }
  return status;
}

/* Looks first what would be told; more than a few are told in one message, and noted as told with it. */
static enum status bundle(struct telling *telling, const struct matter *matters, size_t count, struct error *error) {
  struct notice_text *made = &telling->made;
  telling->gathers = true;
  enum status status = tell_all(telling, matters, count, error);
  telling->gathers = false;
  if (status != OK || telling->gathered_count <= AT_ONCE_MOST) {
    return status;
  }
  notice_text_reset(made);
  buffer_printf(&made->subject, "[Puente %s] %s: %zu", telling->workspace->config->name,
                words(&telling->tongue, N_("changes at once")), telling->gathered_count);
  buffer_slice(&made->text, buffer_view(&telling->gathered));
  buffer_printf(&made->text, "\n%s\n", words(&telling->tongue, N_("`puente status` tells of each what to do.")));
  status = buffer_check(&made->text, _("a notice"), error);
  if (status == OK) {
    send_made(telling, NOTIFY_FAILURE, NULL, &telling->bundle_told);
    telling->bundled = true;
  }
  return status;
}

enum status notices_tell(struct workspace *workspace, const struct overview *overview, const atomic_bool *stop,
                         struct notices_summary *summary, struct error *error) {
  struct telling telling = {.workspace = workspace, .overview = overview, .stop = stop, .summary = summary};
  struct matter *matters = NULL;
  size_t count = 0;
  *summary = (struct notices_summary){.told = 0};
  buffer_init(&telling.gathered, GATHERED_LIMIT);
  enum status status = open_telling(&telling, error);
  if (status == OK) {
    status = matters_read(workspace, overview, telling.arena, telling.now, &matters, &count, error);
  }
  status = status == OK ? bundle(&telling, matters, count, error) : status;
  status = status == OK ? tell_all(&telling, matters, count, error) : status;
  summary->standing = (int64_t)count;
  buffer_free(&telling.gathered);
  close_telling(&telling);
  return status;
}

/* ---- the configuration ---- */

static void write_refused(struct telling *telling, const struct error *refused) {
  const struct tongue *tongue = &telling->tongue;
  struct notice_text *made = &telling->made;
  notice_text_reset(made);
  buffer_printf(&made->subject, "[Puente %s] ", telling->workspace->config->name);
  buffer_text(&made->subject, words(tongue, N_("a change of the configuration was refused")));
  buffer_printf(&made->text, "%s: %s\n", words(tongue, N_("Reason")), refused->message);
  if (refused->place[0] != '\0') { /* file:line:column */
    buffer_printf(&made->text, "%s: %s\n", words(tongue, N_("Where")), refused->place);
  }
  buffer_printf(&made->text, "%s: %s\n", words(tongue, N_("What to do")),
                refused->hint[0] != '\0' ? refused->hint
                                         : words(tongue, N_("correct it, see `puente check`, and reload")));
  buffer_text(&made->text, words(tongue, N_("\nThe configuration of before goes on until then.\n")));
}

static enum status settle_reload(struct telling *telling, const struct error *refused, struct error *error) {
  const struct notice *known = find_notice(telling, matter_names[MATTER_RELOAD]);
  struct notice notice = {.name = matter_names[MATTER_RELOAD], .since = telling->now};
  enum status status = OK;
  bool told = false;
  if (refused == NULL && known == NULL) {
    return OK;
  }
  notice = known != NULL ? *known : notice;
  if (refused != NULL) {
    write_refused(telling, refused);
  } else {
    status = notice_write_over(&telling->made, MATTER_RELOAD, NULL, notice.name, notice.since, error);
    notice.closed = telling->now;
  }
  if (status == OK && (refused == NULL ? notice.sent != 0 : notice.sent == 0)) {
    send_made(telling, refused != NULL ? NOTIFY_FAILURE : NOTIFY_RECOVERY, NULL, &told);
    notice.sent = refused != NULL && told ? telling->now : notice.sent;
  }
  return status == OK ? store_notice_save(telling->workspace->store, &notice, error) : status;
}

enum status notices_reload(struct workspace *workspace, const struct error *refused, const atomic_bool *stop,
                           struct error *error) {
  const struct overview none = {.made = false};
  struct notices_summary summary = {.told = 0};
  struct telling telling = {.workspace = workspace, .overview = &none, .stop = stop, .summary = &summary};
  enum status status = open_telling(&telling, error);
  status = status == OK ? settle_reload(&telling, refused, error) : status;
  close_telling(&telling);
  return status;
}

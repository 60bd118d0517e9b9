#include "core/config_serve.h"

#include "connectors/http/url.h"
#include "core/base/file.h"
#include "core/base/text.h"
#include "core/config_parts.h"
#include "core/schedule/zone.h"

#include <stdlib.h>

#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
enum { PARALLEL_MOST = 64, BLACKOUTS_MOST = 64, BACKUPS_KEPT = 7, BACKUPS_MOST = 1000, STATUS_PORT = 9464 };

const char *const config_serve_keys[] = {"timezone", "schedule", "jitter",  "blackout", "late_after", "parallel",
                                         "retry",    "link",     "sources", "status",   "backup",     NULL};
const char *const config_serve_source_keys[] = {"schedule", "timezone", "jitter", "blackout", "late_after", NULL};
const char *const config_backup_keys[] = {"schedule", "folder", "keep", NULL};
const struct option config_retry_options[] = {
    {.name = "first",
     .type = OPTION_DURATION,
     .otherwise = "1m",
     .least = 1000,
     .most = DAY,
     .description = N_("pause after the first failure; it doubles each time"),
     .offset = offsetof(struct retry_policy, first)},
    {.name = "most",
     .type = OPTION_DURATION,
     .otherwise = "1h",
     .least = 1000,
     .most = 7 * DAY,
     .description = N_("longest pause before a further try"),
     .offset = offsetof(struct retry_policy, most)},
    {.name = "breaks",
     .type = OPTION_INTEGER,
     .otherwise = "5",
     .least = 0,
     .most = 1000,
     .description = N_("failures in a row after which a source is only tried at long intervals; 0: never"),
     .offset = offsetof(struct retry_policy, breaks)},
    {.name = "open",
     .type = OPTION_DURATION,
     .otherwise = "6h",
     .least = 1000,
     .most = 30 * DAY,
     .description = N_("that interval"),
     .offset = offsetof(struct retry_policy, open)},
    {.name = NULL}};

enum status config_text(const struct yaml *map, const char *key, const char **text, struct error *error) {
  const struct yaml *node = yaml_get(map, key);
  if (node == NULL) {
    return OK;
  }
  if (node->kind != YAML_SCALAR || node->text[0] == '\0') {
    return yaml_error(node, error, _("%s: one text is expected here"), key);
  }
  *text = node->text;
  return OK;
}

enum status config_reference(const struct yaml *map, const char *key, const char **reference, struct error *error) {
  enum status status = config_text(map, key, reference, error);
  if (status == OK && *reference != NULL && strncmp(*reference, "env:", 4) != 0
      && strncmp(*reference, "file:", 5) != 0) {
    yaml_error(yaml_get(map, key), error, _("%s: a secret does not stand in a configuration file"), key);
    error_hint(error, "%s", _("write env:NAME, or file:PATH with a file of mode 0600"));
    status = ERR_CONFIG;
  }
  return status;
}

static void place(const struct yaml *node, struct error *error) {
  error_place(error, "%s:%d:%d", node->file, node->line, node->column);
}

enum status config_timetable(const struct yaml *node, struct timetable *table, struct error *error) {
  if (node == NULL) {
    return OK;
  }
  if (node->kind != YAML_SCALAR) {
    yaml_error(node, error, "%s", _("schedule: one text is expected here"));
    error_hint(error, "%s", _("for example \"30 2 * * *\" (every day at 2:30), @hourly, or manual"));
    return ERR_CONFIG;
  }
  table->manual = strcmp(node->text, "manual") == 0;
  table->text = table->manual ? NULL : node->text;
  enum status status = table->manual ? OK : cron_parse(slice_of(node->text), &table->cron, error);
  if (status != OK) {
    place(node, error);
  }
  return status;
}

static enum status read_zone(const struct yaml *map, const char **zone, struct error *error) {
  enum status status = config_text(map, "timezone", zone, error);
  if (status == OK && yaml_get(map, "timezone") != NULL && !zone_known(*zone)) {
    yaml_error(yaml_get(map, "timezone"), error, _("there is no time zone '%s'"), *zone);
    char nearest[ZONE_NAME_SIZE];
    if (zone_nearest(*zone, nearest)) {
      error_hint(error, _("did you mean '%s'?"), nearest);
    } else {
      error_hint(error, "%s", _("continent and city, for example America/Lima"));
    }
    status = ERR_CONFIG;
  }
  return status;
}

static enum status read_window(const struct yaml *node, struct window *window, struct error *error) {
  if (node->kind != YAML_SCALAR) {
    return yaml_error(node, error, "%s", _("blackout: one time window is expected here"));
  }
  enum status status = window_parse(slice_of(node->text), window, error);
  if (status != OK) {
    place(node, error);
  }
  return status;
}

static enum status read_blackout(const struct yaml *map, struct arena *arena, struct timetable *table,
                                 struct error *error) {
  const struct yaml *node = yaml_get(map, "blackout");
  if (node == NULL) {
    return OK;
  }
  const struct yaml *items = node->kind == YAML_LIST ? node->children : node;
  size_t count = node->kind == YAML_LIST ? node->count : 1;
  struct window *windows = arena_array(arena, count + 1, sizeof *windows);
  if (windows == NULL) {
    return error_memory(error);
  }
  if (count > BLACKOUTS_MOST) {
    return yaml_error(node, error, _("blackout: more than %d time windows"), BLACKOUTS_MOST);
  }
  for (size_t i = 0; i < count; i++) {
    enum status status = read_window(&items[i], &windows[i], error);
    if (status != OK) {
      return status;
    }
  }
  if (windows_cover_week(windows, count)) {
    yaml_error(node, error, "%s", _("blackout: the windows leave no time of the week"));
    error_hint(error, "%s", _("to pull nothing by the clock, write schedule: manual"));
    return ERR_CONFIG;
  }
  table->blackout = windows;
  table->blackout_count = count;
  return OK;
}

/* schedule, timezone, jitter, blackout, late_after of one map, over what `schedule` holds already. */
static enum status read_schedule(const struct yaml *map, struct arena *arena, struct source_schedule *schedule,
                                 struct error *error) {
  struct timetable *table = &schedule->timetable;
  enum status status = read_zone(map, &table->zone, error);
  status = status == OK ? config_timetable(yaml_get(map, "schedule"), table, error) : status;
  status = status == OK ? yaml_duration(map, "jitter", 0, DAY, &table->jitter, error) : status;
  status = status == OK ? read_blackout(map, arena, table, error) : status;
  return status == OK ? yaml_duration(map, "late_after", 60 * SECOND, 366 * DAY, &schedule->late_after, error) : status;
}

/* "CODE: CRON", or "CODE: {schedule: CRON, …}". */
static enum status read_source(const struct yaml *node, struct config *config, struct arena *arena,
                               struct error *error) {
  const struct source_config *source = config_source(config, node->key);
  if (source == NULL) {
    config_unknown_source(config, node->key, error);
    error_place(error, "%s:%d:%d", node->file, node->key_line, node->key_column);
    return ERR_CONFIG;
  }
  struct source_schedule *schedule = &config->serve.sources[source - config->sources];
  if (node->kind == YAML_SCALAR) {
    return config_timetable(node, &schedule->timetable, error);
  }
  enum status status = yaml_check_keys(node, config_serve_source_keys, error);
  return status == OK ? read_schedule(node, arena, schedule, error) : status;
}

static enum status read_sources(const struct yaml *block, struct config *config, struct arena *arena,
                                struct error *error) {
  const struct yaml *sources = yaml_get(block, "sources");
  struct source_schedule common = {.timetable = {.manual = true, .zone = config->serve.zone},
                                   .late_after = LATE_AFTER_DEFAULT_HOURS * HOUR};
  enum status status = read_schedule(block, arena, &common, error);
  if (status != OK) {
    return status;
  }
  config->serve.zone = common.timetable.zone;
  config->serve.sources = arena_array(arena, config->source_count + 1, sizeof *config->serve.sources);
  if (config->serve.sources == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < config->source_count; i++) {
    config->serve.sources[i] = common;
  }
  if (sources != NULL && sources->kind != YAML_MAP) {
    yaml_error(sources, error, "%s", _("sources: a map (key: value) was expected"));
    error_hint(error, "%s", _("for example {reta: \"30 2 * * *\"}"));
    return ERR_CONFIG;
  }
  for (size_t i = 0; sources != NULL && i < sources->count && status == OK; i++) {
    status = read_source(&sources->children[i], config, arena, error);
  }
  return status;
}

static enum status read_retry(const struct yaml *block, struct arena *arena, struct retry_policy *retry,
                              struct error *error) {
  const struct yaml *node = yaml_get(block, "retry");
  if (node != NULL && node->kind != YAML_MAP) {
    yaml_error(node, error, "%s", _("retry: a map (key: value) was expected"));
    error_hint(error, "%s", _("for example {first: 1m, most: 1h, breaks: 5, open: 6h}"));
    return ERR_CONFIG;
  }
  enum status status = options_check(config_retry_options, node, "", arena, retry, error);
  if (status == OK && retry->first > retry->most) {
    yaml_error(node, error, "%s", _("retry: the first pause is longer than the longest"));
    error_hint(error, "%s", _("make `most` at least as long as `first`"));
    status = ERR_CONFIG;
  }
  return status;
}

/* "after" (the default), "manual", or a cron expression. */
static enum status read_link(const struct yaml *block, struct serve_config *serve, struct error *error) {
  const struct yaml *node = yaml_get(block, "link");
  serve->linking = (struct timetable){.manual = true, .zone = serve->zone};
  serve->links = node == NULL || (node->kind == YAML_SCALAR && strcmp(node->text, "after") == 0);
  return serve->links ? OK : config_timetable(node, &serve->linking, error);
}

static bool split_address(struct arena *arena, const char *text, const char **host, int64_t *port) {
  const char *colon = strrchr(text, ':');
  if (colon == NULL || !text_to_int64(slice_of(colon + 1), port) || *port < 0 || *port > 65535) {
    return false;
  }
  struct slice name = slice_make(text, (size_t)(colon - text));
  if (name.len > 2 && name.data[0] == '[' && name.data[name.len - 1] == ']') {
    name = slice_make(name.data + 1, name.len - 2);
  }
  *host = arena_text(arena, name);
  return *host != NULL && name.len > 0;
}

static enum status read_status(const struct yaml *block, struct arena *arena, struct serve_config *serve,
                               struct error *error) {
  const struct yaml *node = yaml_get(block, "status");
  int64_t port = STATUS_PORT;
  serve->address = "127.0.0.1";
  serve->port = STATUS_PORT;
  if (node == NULL) {
    return OK;
  }
  if (node->kind == YAML_SCALAR && strcmp(node->text, "off") == 0) {
    serve->address = NULL;
    return OK;
  }
  if (node->kind != YAML_SCALAR || !split_address(arena, node->text, &serve->address, &port)) {
    yaml_error(node, error, "%s", _("status: an address and a port are expected here"));
    error_hint(error, "%s", _("127.0.0.1:9464, [::1]:9464, or off"));
    return ERR_CONFIG;
  }
  if (!url_host_is_local(serve->address)) {
    yaml_error(node, error, "%s", _("status: this address would answer other machines"));
    error_hint(error, "%s",
               _("write 127.0.0.1:PORT; to read it from elsewhere, put a server with TLS and login before it"));
    return ERR_CONFIG;
  }
  serve->address = strcmp(serve->address, "localhost") == 0 ? "127.0.0.1" : serve->address;
  serve->port = (int)port;
  return OK;
}

static enum status read_backup(const struct yaml *block, struct config *config, struct arena *arena,
                               struct error *error) {
  const struct yaml *node = yaml_get(block, "backup");
  struct serve_config *serve = &config->serve;
  const char *folder = "backups";
  int64_t keep = BACKUPS_KEPT;
  serve->backup = (struct timetable){.manual = true, .zone = serve->zone};
  enum status status = node == NULL ? OK : yaml_check_keys(node, config_backup_keys, error);
  status = status == OK ? config_timetable(yaml_get(node, "schedule"), &serve->backup, error) : status;
  status = status == OK ? config_text(node, "folder", &folder, error) : status;
  status = status == OK ? yaml_int(node, "keep", 1, BACKUPS_MOST, &keep, error) : status;
  if (status != OK) {
    return status;
  }
  serve->backup_keep = (int)keep;
  serve->backup_folder = path_join(arena, config->folder, folder);
  return serve->backup_folder == NULL ? error_memory(error) : OK;
}

enum status config_serve_read(const struct yaml *root, struct config *config, struct arena *arena,
                              struct error *error) {
  const struct yaml *block = yaml_get(root, "serve");
  struct serve_config *serve = &config->serve;
  int64_t parallel = 0;
  serve->zone = zone_local(arena);
  if (serve->zone == NULL) {
    return error_memory(error);
  }
  enum status status = block == NULL ? OK : yaml_check_keys(block, config_serve_keys, error);
  status = status == OK ? read_sources(block, config, arena, error) : status;
  status = status == OK ? yaml_int(block, "parallel", 0, PARALLEL_MOST, &parallel, error) : status;
  serve->parallel = (int)parallel;
  status = status == OK ? read_retry(block, arena, &serve->retry, error) : status;
  status = status == OK ? read_link(block, serve, error) : status;
  status = status == OK ? read_status(block, arena, serve, error) : status;
  status = status == OK ? read_backup(block, config, arena, error) : status;
  return status == OK ? config_notify_read(yaml_get(root, "notify"), config, arena, error) : status;
}

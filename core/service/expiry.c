/* What expires, and how soon. */
#include "core/base/date.h"
#include "core/base/log.h"
#include "core/service/standing.h"

#include <libpq-fe.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { EXPIRIES_MOST = 4096 };
#define DAY_MICROSECONDS (INT64_C(24) * 3600 * 1000000)

/* When the first certificate of a PEM file ends; 0: it cannot be read as one, which the next pull tells. */
int64_t certificate_ends(const char *path) {
  FILE *file = fopen(path, "re");
  X509 *certificate = file == NULL ? NULL : PEM_read_X509(file, NULL, NULL, NULL);
  struct tm moment;
  int64_t ends = 0;
  if (certificate != NULL && ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &moment) == 1) {
    ends = (int64_t)timegm(&moment) * 1000000;
  }
  X509_free(certificate);
  if (file != NULL) {
    fclose(file);
  }
  return ends;
}

int expiry_level(int64_t at, int64_t now) {
  static const int levels[] = {3, 14, 30};
  if (at <= now) {
    return 0;
  }
  for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
    if (at - now <= levels[i] * DAY_MICROSECONDS) {
      return levels[i];
    }
  }
  return -1;
}

const char *expiry_label(const char *what) {
  static const char *const names[][2] = {{"client_certificate", N_("client certificate")},
                                         {"server_certificate", N_("server certificate")},
                                         {"token_server_certificate", N_("certificate of the token server")},
                                         {"password", N_("password")},
                                         {"agreement", N_("sharing agreement")}};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (strcmp(names[i][0], what) == 0) {
      return _(names[i][1]);
    }
  }
  return what;
}

struct list {
  const struct workspace *workspace;
  struct arena *arena;
  int64_t now;
  struct expiry *items;
  size_t count;
};

static void add(struct list *list, const char *source, const char *what, int64_t at) {
  if (at == 0 || list->count == EXPIRIES_MOST) {
    return;
  }
  int64_t left = at - list->now;
  int64_t days = left >= 0 ? left / DAY_MICROSECONDS : -((-left + DAY_MICROSECONDS - 1) / DAY_MICROSECONDS);
  list->items[list->count++] = (struct expiry){
      .source = source, .what = what, .at = at, .days = (int)days, .level = expiry_level(at, list->now)};
}

/* Options of a connector that name a certificate of our own. */
static void add_certificates(struct list *list, const struct source_config *source) {
  static const char *const names[] = {"client_certificate", "sslcert"};
  if (source->connector == NULL || source->options == NULL) {
    return;
  }
  for (const struct option *option = source->connector->options; option->name != NULL; option++) {
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
      if (option->type != OPTION_PATH || strcmp(option->name, names[i]) != 0) {
        continue;
      }
      const char *path;
      memcpy(&path, (const char *)source->options + option->offset, sizeof path);
      if (path != NULL) {
        add(list, source->code, "client_certificate", certificate_ends(path));
      }
    }
  }
}

static void add_store(struct list *list) {
  const struct config *config = list->workspace->config;
  if (config->store != STORE_POSTGRES || config->store_dsn == NULL) {
    return;
  }
  PQconninfoOption *options = PQconninfoParse(config->store_dsn, NULL);
  for (const PQconninfoOption *option = options; option != NULL && option->keyword != NULL; option++) {
    if (strcmp(option->keyword, "sslcert") == 0 && option->val != NULL) {
      add(list, NULL, "client_certificate", certificate_ends(option->val));
    }
  }
  PQconninfoFree(options);
}

static enum status take_seen(void *context, const struct expiry_seen *seen, struct error *error) {
  struct list *list = context;
  const struct config *config = list->workspace->config;
  for (size_t i = 0; i < config->source_count; i++) {
    if (list->workspace->source_ids[i] != seen->source_id || config->sources[i].state == SOURCE_RETIRED) {
      continue;
    }
    const char *what = arena_text(list->arena, slice_of(seen->what));
    if (what == NULL) {
      return error_memory(error);
    }
    add(list, config->sources[i].code, what, seen->at);
  }
  return OK;
}

static int by_time(const void *a, const void *b) {
  const struct expiry *left = a, *right = b;
  return (left->at > right->at) - (left->at < right->at);
}

enum status expiries_read(const struct workspace *workspace, struct arena *arena, int64_t now, struct expiry **expiries,
                          size_t *count, struct error *error) {
  struct list list = {.workspace = workspace, .arena = arena, .now = now};
  const struct config *config = workspace->config;
  *expiries = list.items = arena_array(arena, EXPIRIES_MOST, sizeof *list.items);
  *count = 0;
  if (list.items == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < config->source_count; i++) {
    const struct source_config *source = &config->sources[i];
    for (size_t k = 0; k < source->expiry_count && source->state != SOURCE_RETIRED; k++) {
      add(&list, source->code, source->expiries[k].what, source->expiries[k].at);
    }
    if (source->state != SOURCE_RETIRED) {
      add(&list, source->code, "agreement", source->terms.until);
      add_certificates(&list, source);
    }
  }
  add_store(&list);
  enum status status = workspace->store == NULL ? OK : store_visit_expiries(workspace->store, take_seen, &list, error);
  *count = list.count;
  if (list.count > 1) {
    qsort(list.items, list.count, sizeof *list.items, by_time);
  }
  return status;
}

/* ---- certificates that servers show ---- */

static enum status remembers_nothing(void *core, const char *memory, bool *known, struct error *error) {
  (void)core;
  (void)memory;
  (void)error;
  *known = false;
  return OK;
}

static enum status ask_servers(const struct config *config, const struct source_config *source, const atomic_bool *stop,
                               struct certificates *ends, struct error *error) {
  void *options = NULL;
  *ends = (struct certificates){.server = 0};
  enum status status = config_options(config, source, &options, error);
  if (status == OK) {
    const struct pull pull = {.source = source->code, .options = options, .stop = stop, .remembers = remembers_nothing};
    status = source->connector->certificate(&pull, ends, error);
  }
  config_options_free(source, options);
  return status;
}

/* A second server that a source never showed a certificate of is no row. */
static enum status save(struct workspace *workspace, int source_id, const struct certificates *ends,
                        struct error *error) {
  struct expiry_seen seen = {
      .source_id = source_id, .what = "server_certificate", .at = ends->server, .seen = clock_now()};
  enum status status = store_expiry_save(workspace->store, &seen, error);
  if (status == OK && ends->token_server != 0) {
    seen.what = "token_server_certificate";
    seen.at = ends->token_server;
    status = store_expiry_save(workspace->store, &seen, error);
  }
  return status;
}

enum status expiries_watch(struct workspace *workspace, const atomic_bool *stop, struct error *error) {
  const struct config *config = workspace->config;
  enum status status = OK;
  for (size_t i = 0; i < config->source_count && status == OK; i++) {
    const struct source_config *source = &config->sources[i];
    struct certificates ends;
    struct error why;
    if (source->state != SOURCE_ACTIVE || source->connector->certificate == NULL) {
      continue;
    }
    enum status asked = ask_servers(config, source, stop, &ends, &why);
    if (asked == ERR_INTERRUPTED) {
      *error = why;
      return asked;
    }
    if (asked == OK) {
      status = save(workspace, workspace->source_ids[i], &ends, error);
    } else {
      error_place(&why, _("source %s"), source->code);
      log_error(LEVEL_DEBUG, &why);
    }
  }
  return status;
}

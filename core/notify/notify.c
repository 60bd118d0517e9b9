#include "core/notify/notify.h"

#include "connectors/http/url.h"
#include "core/base/digest.h"
#include "core/base/log.h"
#include "core/notify/transfer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { WAY_SIZE = 320, ANSWER_LIMIT = 1 << 20 };

const char *const notify_names[] = {"failure", "recovery",   "drift", "quarantine", "expiry",
                                    "digest",  "checkpoint", "test",  NULL};
const struct notify_limits notify_limits = {.connect = 10000000, .whole = 30000000, .pause = 2000000, .tries = 3};

/* One way of telling, in a thread of its own. */
struct way {
  const struct config *config;
  const struct webhook_config *webhook; /* NULL: mail */
  const struct notify_message *message;
  const struct notify_limits *limits;
  const atomic_bool *stop;
  enum status status;
  struct error error;
  pthread_t thread;
  bool threaded;
};

static void *run_way(void *context) {
  struct way *way = context;
  const struct mail_route route = {.to = way->config->notify.to, .to_count = way->config->notify.to_count};
  way->status = way->webhook == NULL
                    ? mail_send(way->config, &route, way->message, way->limits, way->stop, &way->error)
                    : webhook_send(way->config, way->webhook, NULL, way->message, way->limits, way->stop, &way->error);
  return NULL;
}

/* Host and port alone: the path of a webhook may be all that it takes to write there. */
static void name_way(const struct way *way, char name[WAY_SIZE]) {
  const char *url = way->webhook != NULL ? way->webhook->url : way->config->notify.server;
  char host[256] = "?";
  char port[8] = "";
  bool known = url_host(url, host, port);
  if (way->webhook == NULL) {
    snprintf(name, WAY_SIZE, known ? _("mail by %s:%s") : _("mail"), host, port);
  } else {
    snprintf(name, WAY_SIZE, _("webhook %s:%s"), host, port);
  }
}

static size_t list_ways(const struct config *config, struct way *ways) {
  size_t count = 0;
  if (config->notify.server != NULL) {
    ways[count++] = (struct way){.config = config};
  }
  for (size_t i = 0; i < config->notify.webhook_count; i++) {
    ways[count++] = (struct way){.config = config, .webhook = &config->notify.webhooks[i]};
  }
  return count;
}

static void run_all(struct way *ways, size_t count) {
  for (size_t i = 0; i < count; i++) {
    ways[i].threaded = i + 1 < count && pthread_create(&ways[i].thread, NULL, run_way, &ways[i]) == 0;
    if (!ways[i].threaded) {
      run_way(&ways[i]);
    }
  }
  for (size_t i = 0; i < count; i++) {
    if (ways[i].threaded) {
      pthread_join(ways[i].thread, NULL);
    }
  }
}

enum status notify_send_each(const struct config *config, const struct notify_message *message,
                             const struct notify_limits *limits, const atomic_bool *stop, notify_report *report,
                             void *context, struct error *error) {
  struct way *ways = calloc(config->notify.webhook_count + 1, sizeof *ways);
  if (ways == NULL) {
    return error_memory(error);
  }
  enum status status = OK;
  size_t count = list_ways(config, ways);
  for (size_t i = 0; i < count; i++) {
    ways[i].message = message;
    ways[i].limits = limits != NULL ? limits : &notify_limits;
    ways[i].stop = stop;
  }
  run_all(ways, count);
  for (size_t i = 0; i < count; i++) {
    char name[WAY_SIZE];
    name_way(&ways[i], name);
    if (ways[i].error.code != OK) {
      error_place(&ways[i].error, "%s", name);
    }
    report(context, name, ways[i].status, &ways[i].error);
    if (ways[i].status != OK && status == OK) {
      status = ways[i].status;
      *error = ways[i].error;
    }
  }
  free(ways);
  return status;
}

struct telling {
  size_t told;
  bool failed; /* the first failure is the caller's error, not the log's */
};

static void count_way(void *context, const char *way, enum status status, const struct error *error) {
  struct telling *telling = context;
  (void)way;
  telling->told += status == OK;
  if (error->code != OK && (status == OK || telling->failed)) {
    log_error(LEVEL_WARNING, error);
  }
  telling->failed = telling->failed || status != OK;
}

enum status notify_send(const struct config *config, const struct notify_message *message, const atomic_bool *stop,
                        size_t *told, struct error *error) {
  struct telling telling = {.told = 0};
  enum status status = notify_send_each(config, message, NULL, stop, count_way, &telling, error);
  *told = telling.told;
  return status;
}

/* ---- to one alone ---- */

static void describe(const struct transfer_answer *said, bool mail, char answer[NOTIFY_ANSWER_SIZE]) {
  char hex[2 * SHA256_SIZE + 1];
  if (mail) {
    snprintf(answer, NOTIFY_ANSWER_SIZE, "%s", said->line);
    return;
  }
  struct sha256 digest = sha256_of(buffer_view(&said->body));
  hex_format(digest.bytes, SHA256_SIZE, hex);
  snprintf(answer, NOTIFY_ANSWER_SIZE, "HTTP %ld%s%s%s%s", said->status, said->etag[0] != '\0' ? ", ETag " : "",
           said->etag, said->body.failed == OK ? ", SHA-256 of the answer " : "", said->body.failed == OK ? hex : "");
}

enum status notify_deliver(const struct config *config, const struct notify_target *target,
                           const struct notify_message *message, const struct notify_limits *limits,
                           const atomic_bool *stop, char answer[NOTIFY_ANSWER_SIZE], struct error *error) {
  struct transfer_answer said = {.status = 0};
  const struct mail_route route = {.to = &target->mail, .to_count = 1, .answer = &said};
  const struct notify_limits *used = limits != NULL ? limits : &notify_limits;
  buffer_init(&said.body, ANSWER_LIMIT);
  enum status status = target->webhook != NULL
                           ? webhook_send(config, target->webhook, &said, message, used, stop, error)
                           : mail_send(config, &route, message, used, stop, error);
  answer[0] = '\0';
  if (status == OK) {
    describe(&said, target->webhook == NULL, answer);
  }
  buffer_free(&said.body);
  return status;
}

#include "core/serve/duty.h"

#include "core/base/log.h"
#include "core/service/backup.h"
#include "core/service/erase.h"
#include "core/service/holders.h"
#include "core/service/linking.h"
#include "core/service/notices.h"
#include "core/store/watch.h"

#include <pthread.h>

/* ---- link ---- */

static const struct timetable *link_timetable(const struct config *config) {
  return &config->serve.linking;
}

static enum duty_after link_after(const struct config *config) {
  return config->serve.links ? AFTER_NEWS : AFTER_NOTHING;
}

static enum status link_duty(const struct duty_work *work, struct error *error) {
  const struct linking linking = {.purpose = NULL};
  struct resolve_result result = {.run = 0};
  enum status status = service_link(work->workspace, &linking, NULL, &result, error);
  if (status == OK && !result.nothing_new) {
    log_message(LEVEL_INFO, _("linked: %lld persons, %lld cases; %lld pairs wait for a person"),
                (long long)result.persons.clusters, (long long)result.cases.clusters,
                (long long)(result.persons.waiting + result.cases.waiting));
  }
  return status;
}

/* ---- backup ---- */

static const struct timetable *backup_timetable(const struct config *config) {
  return &config->serve.backup;
}

static enum status backup_duty(const struct duty_work *work, struct error *error) {
  const struct serve_config *serve = &work->workspace->config->serve;
  const struct backup_job job = {.keep = serve->backup_keep, .stop = work->stop};
  struct backup_done done;
  enum status status = service_backup(work->workspace, &job, &done, error);
  if (status == OK) {
    log_message(LEVEL_INFO, _("the store was copied and read back: %s, %lld rows"), done.file.data,
                (long long)done.rows);
    backup_done_free(&done);
  }
  return status;
}

/* ---- digest ---- */

static const struct timetable *digest_timetable(const struct config *config) {
  return &config->notify.digest;
}

static enum status digest_duty(const struct duty_work *work, struct error *error) {
  struct overview overview;
  enum status status = overview_read(work->workspace, &overview, error);
  if (status == OK) {
    status = notices_digest(work->workspace, &overview, work->stop, error);
    overview_free(&overview);
  }
  return status;
}

/* ---- checkpoint: the log's signed head, to holders outside ---- */

static const struct timetable *checkpoint_timetable(const struct config *config) {
  return &config->checkpoints.timetable;
}

static enum status checkpoint_duty(const struct duty_work *work, struct error *error) {
  const struct holders_job job = {.due = true, .stop = work->stop};
  struct holders_done done;
  enum status status = holders_send(work->workspace, &job, &done, error);
  if (done.reached > 0) {
    log_message(LEVEL_INFO, _("a checkpoint of entry %lld was sent: holders reached %zu, failed %zu"),
                (long long)done.sequence, done.reached, done.failed);
  }
  return status;
}

/* ---- expiries: certificates of servers, once a day ---- */

static struct timetable daily = {.text = "0 5 * * *", .zone = "UTC", .jitter = INT64_C(4) * 3600 * 1000000};
static pthread_once_t daily_once = PTHREAD_ONCE_INIT;

static void make_daily(void) {
  struct error error;
  daily.manual = cron_parse(slice_of(daily.text), &daily.cron, &error) != OK;
}

static const struct timetable *expiries_timetable(const struct config *config) {
  (void)config;
  pthread_once(&daily_once, make_daily);
  return &daily;
}

static enum status expiries_duty(const struct duty_work *work, struct error *error) {
  return expiries_watch(work->workspace, work->stop, error);
}

/* ---- retention: what is over the time that its terms allow, once a day ---- */

static void tell_expired(void *context, const struct source_config *source, int64_t records) {
  (void)context;
  log_message(LEVEL_INFO, _("%s: %lld records are over the time that its terms allow"), source->code,
              (long long)records);
}

static enum status retention_duty(const struct duty_work *work, struct error *error) {
  const struct erase_expired job = {.stop = work->stop, .tell = tell_expired};
  struct erase_done done;
  enum status status = service_erase_expired(work->workspace, &job, &done, error);
  if (status == OK && done.lingers) {
    log_error(LEVEL_WARNING, &done.why);
  }
  return status;
}

/* ---- watch: what machines and people are to know ---- */

static enum duty_after watch_after(const struct config *config) {
  (void)config;
  return AFTER_RUNS;
}

/* One host of a store tells people; each shows machines how it stands. */
static enum status tell(const struct duty_work *work, const struct overview *overview, struct error *error) {
  static const char hold[] = "tell";
  struct notices_summary summary;
  struct store *store = work->workspace->store;
  enum status status = store_hold(store, hold, error);
  if (status != OK) {
    return status == ERR_BUSY ? OK : status;
  }
  status = notices_tell(work->workspace, overview, work->stop, &summary, error);
  store_unhold(store, hold);
  return status;
}

static enum status watch_duty(const struct duty_work *work, struct error *error) {
  struct overview overview;
  enum status status = overview_read(work->workspace, &overview, error);
  if (status != OK) {
    return status;
  }
  if (work->console != NULL) {
    bool ready = work->refused[0] == '\0';
    status = console_show(work->console, work->workspace, &overview, ready, ready ? NULL : work->refused, error);
  }
  if (status == OK) {
    status = tell(work, &overview, error);
  }
  overview_free(&overview);
  return status;
}

const struct duty_row duty_table[] = {
    {.name = "link", .timetable = link_timetable, .after = link_after, .run = link_duty},
    {.name = "backup", .timetable = backup_timetable, .run = backup_duty},
    {.name = "digest", .timetable = digest_timetable, .run = digest_duty},
    {.name = "checkpoint", .timetable = checkpoint_timetable, .run = checkpoint_duty},
    {.name = "expiries", .timetable = expiries_timetable, .run = expiries_duty},
    {.name = "retention", .timetable = expiries_timetable, .run = retention_duty},
    {.name = "watch", .after = watch_after, .every = INT64_C(60) * 1000000, .run = watch_duty},
    {.name = NULL},
};

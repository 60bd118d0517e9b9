#include "core/serve/duty.h"

#include "core/base/log.h"
#include "core/service/linking.h"

/* ---- link ---- */

static const struct timetable *link_timetable(const struct config *config) {
  return &config->serve.linking;
}

static enum duty_after link_after(const struct config *config) {
  return config->serve.links ? AFTER_NEWS : AFTER_NOTHING;
}

static enum status link_duty(struct workspace *workspace, const atomic_bool *stop, struct error *error) {
  const struct linking linking = {.purpose = NULL};
  struct resolve_result result = {.run = 0};
  (void)stop;
  enum status status = service_link(workspace, &linking, NULL, &result, error);
  if (status == OK && !result.nothing_new) {
    log_message(LEVEL_INFO, _("linked: %lld persons, %lld cases; %lld pairs wait for a person"),
                (long long)result.persons.clusters, (long long)result.cases.clusters,
                (long long)(result.persons.waiting + result.cases.waiting));
  }
  return status;
}

const struct duty_row duty_table[] = {
    {.name = "link", .timetable = link_timetable, .after = link_after, .run = link_duty},
    {.name = NULL},
};

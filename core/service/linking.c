#include "core/service/linking.h"

enum status service_link(struct workspace *workspace, const struct progress *progress, const char *purpose,
                         struct resolve_result *result, struct error *error) {
  const struct resolve_options options = {.actor = workspace->actor, .purpose = purpose, .progress = progress};
  return resolve_run(workspace->store, workspace->config, workspace->model, &options, result, error);
}

#include "core/service/linking.h"

enum status service_link(struct workspace *workspace, const struct linking *linking, const struct progress *progress,
                         struct resolve_result *result, struct error *error) {
  const struct resolve_options options = {.actor = workspace->actor,
                                          .purpose = linking->purpose,
                                          .texts = workspace->texts,
                                          .train = linking->train,
                                          .full = linking->full,
                                          .progress = progress};
  return resolve_run(workspace->store, workspace->config, workspace->model, &options, result, error);
}

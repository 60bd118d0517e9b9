#include "core/sync/sharing.h"

#include "core/store/access.h"

#include <stdlib.h>

enum status sharing_write(struct store *store, const struct source_config *source, int source_id, struct error *error) {
  const struct terms_config *terms = &source->terms;
  size_t count = terms->shown_to_all ? 1 : terms->shown_count;
  struct share *shares = calloc(count + 1, sizeof *shares);
  if (shares == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < count; i++) {
    shares[i] = (struct share){.recipient = terms->shown_to_all ? "*" : terms->shown_to[i], .field = "*"};
  }
  enum status status = store_write_shares(store, source_id, shares, count, error);
  free(shares);
  return status;
}

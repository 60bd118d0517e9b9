#include "core/service/purpose.h"

#include <stdio.h>

enum { NUMBER_SIZE = 24, WORDS_SIZE = 256 };

static enum status refuse(const struct source_config *source, struct error *error) {
  const struct terms_config *terms = &source->terms;
  char words[WORDS_SIZE] = "";
  size_t used = 0;
  for (size_t i = 0; i < terms->purpose_count && used < sizeof words; i++) {
    int len = snprintf(words + used, sizeof words - used, "%s%s", i == 0 ? "" : ", ", terms->purposes[i]);
    used += len > 0 ? (size_t)len : 0;
  }
  error_set(error, ERR_AUTH, _("the terms of source '%s' do not allow its data to be seen for this purpose"),
            source->code);
  if (terms->purpose_count == 0) {
    error_hint(error, "%s", _("they allow none"));
  } else {
    error_hint(error, _("they allow: %s; --purpose '%s: case 12'"), words, terms->purposes[0]);
  }
  return ERR_AUTH;
}

enum status purpose_require(const struct workspace *workspace, int source_id, const char *purpose,
                            struct error *error) {
  const struct config *config = workspace->config;
  if (purpose == NULL || purpose[0] == '\0') {
    return OK;
  }
  for (size_t i = 0; i < config->source_count; i++) {
    const struct source_config *source = &config->sources[i];
    bool concerned = source_id == 0 || workspace->source_ids[i] == source_id;
    if (concerned && !terms_allow_purpose(&source->terms, purpose)) {
      return refuse(source, error);
    }
  }
  return OK;
}

enum status purpose_require_cluster(const struct workspace *workspace, const char *kind, int64_t id,
                                    const char *purpose, struct error *error) {
  static const char *const columns[] = {"row_id"};
  char number[NUMBER_SIZE];
  snprintf(number, sizeof number, "%lld", (long long)id);
  const struct filter filters[] = {{.column = "id", .text = number}, {.column = "kind", .text = kind}};
  const struct selection selection = {
      .view = "members", .columns = columns, .column_count = 1, .filters = filters, .filter_count = 2};
  struct result *result = NULL;
  enum status status = store_select(workspace->store, &selection, &result, error);
  while (status == OK && (status = result_next(result, error)) == OK) {
    int source_id = source_of_record(record_of(result_integer(result, 0)));
    status = purpose_require(workspace, source_id, purpose, error);
  }
  result_free(result);
  return status == END ? OK : status;
}

#include "mapping/format/csv.h"

static enum status row_splitter_new(const struct format_options *options, struct splitter **splitter,
                                    struct error *error) {
  return csv_splitter_new(&format_row, true, options, splitter, error);
}

const struct format format_row = {
    .name = "row",
    .splitter_new = row_splitter_new,
    .begin = csv_begin,
    .feed = csv_feed,
    .next = csv_next,
    .context = csv_context,
    .splitter_free = csv_splitter_free,
    .decoder_new = csv_decoder_new,
    .parse = csv_parse,
    .decoder_free = csv_decoder_free,
    .cut = csv_cut,
};

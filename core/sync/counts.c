#include "core/sync/counts.h"

#include "core/sync/sync.h"

#include <stdio.h>

void counts_add(struct counts *counts, const struct counts *more) {
  counts->pulled += more->pulled;
  counts->fresh += more->fresh;
  counts->changed += more->changed;
  counts->unchanged += more->unchanged;
  counts->repeated += more->repeated;
  counts->rejected += more->rejected;
  counts->mapped += more->mapped;
  counts->quarantined += more->quarantined;
  counts->withheld += more->withheld;
  counts->deleted += more->deleted;
  counts->cut += more->cut;
  counts->warnings += more->warnings;
  counts->pages += more->pages;
  counts->bytes += more->bytes;
  if (more->source_count >= 0) {
    counts->source_count = more->source_count;
  }
}

void counts_state(struct counts *counts, enum record_state state) {
  switch (state) {
  case RECORD_MAPPED:
    counts->mapped++;
    break;
  case RECORD_WITHHELD:
    counts->withheld++;
    break;
  case RECORD_QUARANTINED:
  case RECORD_DISMISSED:
    counts->quarantined++;
    break;
  }
}

enum status counts_json(const struct counts *counts, const struct sha256 *plan, const char *state,
                        const struct covered *covered, struct buffer *out) {
  bool covers = covered != NULL && covered->records > 0;
  buffer_printf(out, "{\"changed\":%lld", (long long)counts->changed);
  if (covers && covered->chunk_first != 0) {
    buffer_printf(out, ",\"chunk_first\":%lld,\"chunk_last\":%lld", (long long)covered->chunk_first,
                  (long long)covered->chunk_last);
  }
  buffer_printf(out, ",\"cut\":%lld,\"deleted\":%lld,\"mapped\":%lld,\"new\":%lld", (long long)counts->cut,
                (long long)counts->deleted, (long long)counts->mapped, (long long)counts->fresh);
  if (covers) {
    buffer_printf(out, ",\"outcomes\":%lld", (long long)covered->records);
  }
  if (plan != NULL) {
    char hex[2 * SHA256_SIZE + 1];
    hex_format(plan->bytes, SHA256_SIZE, hex);
    buffer_printf(out, ",\"plan\":\"%s\"", hex);
  }
  buffer_printf(out, ",\"pulled\":%lld,\"quarantined\":%lld", (long long)counts->pulled,
                (long long)counts->quarantined);
  if (covers) {
    buffer_printf(out, ",\"raw_first\":%lld,\"raw_last\":%lld", (long long)covered->raw_first,
                  (long long)covered->raw_last);
  }
  buffer_printf(out, ",\"rejected\":%lld,\"repeated\":%lld", (long long)counts->rejected, (long long)counts->repeated);
  if (state != NULL) {
    buffer_printf(out, ",\"state\":\"%s\"", state);
  }
  return buffer_printf(out, ",\"unchanged\":%lld,\"warnings\":%lld,\"withheld\":%lld}", (long long)counts->unchanged,
                       (long long)counts->warnings, (long long)counts->withheld);
}

bool counts_balance(const struct counts *counts, bool complete, char words[160]) {
  words[0] = '\0';
  int64_t kinds = counts->fresh + counts->changed + counts->unchanged + counts->repeated + counts->rejected;
  int64_t states = counts->mapped + counts->quarantined + counts->withheld;
  if (counts->pulled != kinds) {
    snprintf(words, 160, _("%lld records were pulled, %lld accounted for"), (long long)counts->pulled,
             (long long)kinds);
  } else if (counts->fresh + counts->changed != states) {
    snprintf(words, 160, _("%lld records are new or changed, %lld mapped, quarantined or withheld"),
             (long long)counts->fresh + (long long)counts->changed, (long long)states);
  } else if (complete && counts->source_count >= 0 && counts->pulled != counts->source_count) {
    snprintf(words, 160, _("the source says it has %lld records, %lld were pulled"), (long long)counts->source_count,
             (long long)counts->pulled);
  }
  return words[0] == '\0';
}

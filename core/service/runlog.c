#include "core/service/runlog.h"

#include "core/base/log.h"

#include <stdio.h>

void runlog_begin(const struct source_config *source) {
  char sentence[256];
  const struct log_field fields[] = {LOG_WORD("source", source->code)};
  snprintf(sentence, sizeof sentence, _("source %s: the sync begins"), source->code);
  log_event(LEVEL_INFO, "sync_begin", fields, sizeof fields / sizeof *fields, NULL, sentence);
}

static void end_sentence(const struct pull_outcome *outcome, char *sentence, size_t size) {
  const struct counts *counts = &outcome->result.counts;
  const char *code = outcome->source->code;
  if (outcome->status == OK) {
    snprintf(sentence, size, _("source %s: %lld pulled, %lld new, %lld changed, %lld deleted (%.1f s)"), code,
             (long long)counts->pulled, (long long)counts->fresh, (long long)counts->changed,
             (long long)counts->deleted, (double)outcome->microseconds / 1e6);
  } else if (outcome->status == ERR_INTERRUPTED) {
    snprintf(sentence, size, _("source %s: the sync was interrupted"), code);
  } else {
    snprintf(sentence, size, _("source %s: the sync failed"), code);
  }
}

void runlog_end(const struct pull_outcome *outcome) {
  const struct counts *counts = &outcome->result.counts;
  const struct log_field fields[] = {
      LOG_WORD("source", outcome->source->code), LOG_COUNT("run", outcome->result.run),
      LOG_COUNT("pulled", counts->pulled),       LOG_COUNT("new", counts->fresh),
      LOG_COUNT("changed", counts->changed),     LOG_COUNT("unchanged", counts->unchanged),
      LOG_COUNT("repeated", counts->repeated),   LOG_COUNT("rejected", counts->rejected),
      LOG_COUNT("mapped", counts->mapped),       LOG_COUNT("quarantined", counts->quarantined),
      LOG_COUNT("withheld", counts->withheld),   LOG_COUNT("deleted", counts->deleted),
      LOG_COUNT("warnings", counts->warnings),   LOG_COUNT("pages", counts->pages),
      LOG_COUNT("bytes", counts->bytes),         LOG_COUNT("milliseconds", outcome->microseconds / 1000)};
  char sentence[512];
  end_sentence(outcome, sentence, sizeof sentence);
  if (outcome->status == OK) {
    log_event(LEVEL_INFO, "sync_done", fields, sizeof fields / sizeof *fields, NULL, sentence);
  } else {
    bool stopped = outcome->status == ERR_INTERRUPTED;
    log_event(stopped ? LEVEL_WARNING : LEVEL_ERROR, stopped ? "sync_interrupted" : "sync_failed", fields,
              sizeof fields / sizeof *fields, &outcome->error, sentence);
  }
  if (outcome->result.warning[0] != '\0') {
    snprintf(sentence, sizeof sentence, _("source %s: %s"), outcome->source->code, outcome->result.warning);
    log_event(LEVEL_WARNING, "sync_warning", fields, 2, NULL, sentence);
  }
}

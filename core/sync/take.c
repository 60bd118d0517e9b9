#include "core/sync/take.h"

#include "core/sync/fields.h"

#include <stdio.h>

enum { SCRATCH_LIMIT = 64 << 20 };

enum status taker_init(struct taker *taker, const struct source_config *source, const struct plan *plan,
                       const struct model *model, const struct key *key, struct error *error) {
  *taker = (struct taker){.source = source, .plan = plan, .format = plan_format(plan)};
  buffer_init(&taker->scratch, SCRATCH_LIMIT);
  buffer_init(&taker->limited, SCRATCH_LIMIT);
  if (key == NULL) {
    error_set(error, ERR_CONFIG, _("the workspace has no key"));
    error_hint(error, _("`puente init` makes one; restore it from the backup if it is lost"));
    return ERR_CONFIG;
  }
  if (source->terms.fields_limited && (taker->spare = arena_new(0)) == NULL) {
    return error_memory(error);
  }
  taker->record_key = key_subkey(key, "record");
  taker->key_key = key_subkey(key, "key");
  if (source->terms.encoded && encoder_new(plan, model, key, &taker->encoder, error) != OK) {
    return error->code;
  }
  return consent_init(&taker->consent, &source->terms, model, key, error);
}

void taker_free(struct taker *taker) {
  taker_begin(taker, NULL);
  buffer_free(&taker->scratch);
  buffer_free(&taker->limited);
  arena_free(taker->spare);
  consent_free(&taker->consent);
  encoder_free(taker->encoder);
}

void taker_begin(struct taker *taker, const struct format *format) {
  if (taker->decoder != NULL) {
    taker->format->decoder_free(taker->decoder);
    taker->decoder = NULL;
  }
  if (format != NULL) {
    taker->format = format;
  }
}

/* What is known of one record on its way. */
struct step {
  struct taker *taker;
  struct parcel *parcel;
  const struct raw *raw;
  struct raw plain; /* the same without codes */
  bool landed;
  struct slice bytes; /* as kept in the parcel */
  struct node *root;  /* NULL: broken */
  struct item item;
  const char *fault; /* why it goes to quarantine before any mapping; NULL: it does not */
  char words[512];   /* of the fault */
};

static void step_fault(struct step *step, const char *fault, const char *words) {
  step->fault = fault;
  snprintf(step->words, sizeof step->words, "%s", words);
}

/* Paths that the terms do not name. */
static enum status step_forbidden(struct step *step, struct slice bytes, const char ***paths, size_t *count,
                                  bool *whole, struct error *error) {
  struct taker *taker = step->taker;
  struct node *root = NULL;
  arena_reset(taker->spare);
  enum status status = taker->format->parse(taker->decoder, bytes, taker->spare, &root, error);
  status =
      status == OK ? fields_forbidden(&taker->source->terms, root, taker->spare, paths, count, whole, error) : status;
  return status;
}

/* `terms: fields:`: what is not named goes. A name that no path can reach would stay: such a record is left out. */
static enum status step_limit(struct step *step, struct slice *bytes, bool *rejected, struct error *error) {
  struct taker *taker = step->taker;
  const char **paths = NULL;
  size_t count = 0, cut = 0;
  bool whole = true;
  buffer_reset(&taker->limited);
  enum status status = step_forbidden(step, *bytes, &paths, &count, &whole, error);
  if (status == OK && whole && count > 0) {
    status = taker->format->cut(taker->decoder, *bytes, paths, count, taker->spare, &taker->limited, &cut, error);
    *bytes = buffer_view(&taker->limited);
    status = status == OK ? step_forbidden(step, *bytes, &paths, &count, &whole, error) : status;
    whole = whole && count == 0;
  }
  if (status == ERR_INPUT || (status == OK && !whole)) {
    *rejected = true;
    return OK;
  }
  step->parcel->counts.cut += (int64_t)cut;
  return status;
}

/* The bytes without what the sharing terms forbid. A broken record cannot be cut: it is left out rather than landed
 * with fields in it that may not be kept. */
static enum status step_cut(struct step *step, struct slice *bytes, bool *rejected, struct error *error) {
  struct taker *taker = step->taker;
  *bytes = step->raw->bytes;
  bool limited = taker->source->terms.fields_limited;
  if (step->landed || (taker->source->cut_count == 0 && !limited)) {
    return OK;
  }
  if (step->raw->fault != RECORD_FINE) {
    *rejected = true;
    return OK;
  }
  if (taker->source->cut_count == 0) {
    return step_limit(step, bytes, rejected, error);
  }
  size_t cut = 0;
  buffer_reset(&taker->scratch);
  enum status status =
      taker->format->cut(taker->decoder, step->raw->bytes, taker->source->cut, taker->source->cut_count,
                         step->parcel->mapped.arena, &taker->scratch, &cut, error);
  if (status == ERR_INPUT) {
    *rejected = true;
    return OK;
  }
  if (status != OK) {
    return status;
  }
  step->parcel->counts.cut += (int64_t)cut;
  *bytes = buffer_view(&taker->scratch);
  return limited ? step_limit(step, bytes, rejected, error) : OK;
}

/* The bytes to be kept: cut, and with the codes of what was cut. Only what has landed has codes when it comes. */
static enum status step_protect(struct step *step, struct slice *bytes, bool *rejected, struct error *error) {
  struct taker *taker = step->taker;
  struct slice came = step->raw->bytes, codes = encoded_codes(came);
  bool stood = step->landed || taker->again;
  if (!stood && codes.len > 0) {
    *rejected = true;
    return OK;
  }
  if (step->landed) {
    return step_cut(step, bytes, rejected, error);
  }
  step->plain = *step->raw;
  step->plain.bytes = encoded_record(came);
  step->raw = &step->plain;
  enum status status = OK;
  if (!stood && taker->encoder != NULL && step->raw->fault == RECORD_FINE) {
    status = encoder_read(taker->encoder, taker->format, taker->decoder, came, &taker->key_key, &codes, error);
  }
  status = status == OK ? step_cut(step, bytes, rejected, error) : status;
  if (status == OK && !*rejected && taker->encoder != NULL && step->raw->fault == RECORD_FINE) {
    status = encoder_close(taker->encoder, taker->format, taker->decoder, codes, bytes, rejected, error);
  }
  return status;
}

static enum status step_parse(struct step *step, struct error *error) {
  if (step->raw->fault != RECORD_FINE) {
    step_fault(step, "record_broken", step->raw->reason);
    return OK;
  }
  struct taker *taker = step->taker;
  enum status status =
      taker->format->parse(taker->decoder, encoded_record(step->bytes), step->parcel->mapped.arena, &step->root, error);
  if (status == ERR_INPUT) {
    step->root = NULL;
    step_fault(step, "record_broken", error->message);
    return OK;
  }
  if (status == OK && taker->watch != NULL) {
    drift_look(taker->watch, step->root);
  }
  return status;
}

/* A record without a readable key still needs a stable one of its own: the digest of its bytes. */
static enum status step_key(struct step *step, struct error *error) {
  struct batch *batch = &step->parcel->mapped;
  if (step->root != NULL) {
    enum status status = plan_key(step->taker->plan, batch, step->root, &step->item.key, error);
    if (status != ERR_INPUT) {
      return status;
    }
    step_fault(step, "key_missing", error->message);
  }
  char hex[2 * KEYED_SIZE + 1];
  hex_format(step->item.digest.bytes, KEYED_SIZE, hex);
  const char *text = arena_printf(batch->arena, "~%s/%s", step->root == NULL ? "broken" : "nokey", hex);
  if (text == NULL) {
    return error_memory(error);
  }
  step->item.key = slice_of(text);
  return OK;
}

/* What was written behind the bytes, and of what the source sends only what is a code. */
static enum status step_codes(struct step *step, uint32_t position, struct error *error) {
  struct batch *batch = &step->parcel->mapped;
  encoded_fill(batch, position, &step->taker->key_key, encoded_codes(step->bytes));
  if (encoded_drop(batch, position) == 0) {
    return OK;
  }
  enum status status =
      parcel_issue(step->parcel, position, "encoding_unreadable", _(plan_hint("encoding_unreadable")), error);
  if (status == OK) {
    batch->issues[batch->issue_count - 1].level = ISSUE_WARNING;
  }
  return status;
}

static enum status step_map(struct step *step, struct error *error) {
  struct parcel *parcel = step->parcel;
  uint32_t position = (uint32_t)parcel->count;
  struct consent *consent = &step->taker->consent;
  step->item.state = RECORD_QUARANTINED;
  if (step->fault != NULL) {
    consent_unread(consent, &step->item);
    return parcel_issue(parcel, position, step->fault, step->words, error);
  }
  if (plan_deletes(step->taker->plan, &parcel->mapped, step->root)) {
    consent_unread(consent, &step->item);
    step->item.tombstone = true;
    step->item.state = RECORD_MAPPED;
    return OK;
  }
  enum outcome outcome = OUTCOME_MAPPED;
  consent_listen(consent, parcel);
  enum status status = plan_apply(step->taker->plan, &parcel->mapped, step->root, position, &outcome, error);
  step->item.refused = outcome == OUTCOME_REFUSED;
  status = status == OK ? step_codes(step, position, error) : status;
  if (outcome == OUTCOME_MAPPED) {
    step->item.state = RECORD_MAPPED;
  } else if (outcome == OUTCOME_WITHHELD) {
    step->item.state = RECORD_WITHHELD;
  }
  return status == OK && outcome != OUTCOME_REFUSED
             ? consent_settle(consent, parcel, position, &step->item, outcome, error)
             : status;
}

/* Compares with what the parcel holds already. */
static enum status step_place(struct step *step, enum taken *taken, struct error *error) {
  struct parcel *parcel = step->parcel;
  struct slice key = slice_make((const char *)step->item.key_digest.bytes, KEYED_SIZE);
  uint32_t position = map_get(parcel->positions, key);
  if (position == MAP_NONE) {
    return map_put(parcel->positions, key, (uint32_t)parcel->count) == OK ? OK : error_memory(error);
  }
  bool same = memcmp(parcel->items[position].digest.bytes, step->item.digest.bytes, KEYED_SIZE) == 0;
  *taken = same ? TAKEN_REPEATED : TAKE_LATER;
  return OK;
}

static enum status step_read(struct step *step, struct slice context, enum taken *taken, struct error *error) {
  struct taker *taker = step->taker;
  if (taker->decoder == NULL && step->raw->fault == RECORD_FINE) {
    enum status status = taker->format->decoder_new(context, &taker->decoder, error);
    if (status != OK) {
      return status;
    }
  }
  bool rejected = step->raw->fault == RECORD_TOO_LARGE;
  struct slice bytes = {0};
  enum status status = rejected ? OK : step_protect(step, &bytes, &rejected, error);
  if (status != OK || rejected) {
    *taken = TAKEN_REJECTED;
    return status;
  }
  step->item.offset = (uint32_t)step->parcel->body.len;
  step->item.len = (uint32_t)bytes.len;
  if ((status = parcel_append(step->parcel, bytes, &step->bytes, error)) != OK) {
    return status;
  }
  if ((status = step_parse(step, error)) != OK) {
    return status;
  }
  if (step->root != NULL && !step->landed && plan_refuses(taker->plan, &step->parcel->mapped, step->root)) {
    *taken = TAKEN_REJECTED;
    return OK;
  }
  step->item.digest = subkey_digest(&taker->record_key, step->bytes);
  if ((status = step_key(step, error)) != OK) {
    return status;
  }
  step->item.key_digest = subkey_digest(&taker->key_key, step->item.key);
  return step->landed ? OK : step_place(step, taken, error);
}

/* What the parcel counts of a record that did not become an item. */
static void parcel_turn_away(struct parcel *parcel, size_t body, int64_t cut, enum taken taken) {
  parcel->body.len = body;
  if (taken == TAKE_LATER) {
    parcel->counts.cut = cut;
    parcel->conflicts++;
    return;
  }
  parcel->taken++;
  parcel->counts.pulled++;
  if (taken == TAKEN_REPEATED) {
    parcel->counts.repeated++;
  } else {
    parcel->counts.rejected++;
  }
}

enum status taker_take(struct taker *taker, struct parcel *parcel, const struct raw *raw, struct slice context,
                       bool landed, enum taken *taken, struct error *error) {
  struct step step = {.taker = taker, .parcel = parcel, .raw = raw, .landed = landed};
  size_t body = parcel->body.len;
  int64_t cut = parcel->counts.cut;
  *taken = TAKEN;
  enum status status = step_read(&step, context, taken, error);
  if (status != OK) {
    return status;
  }
  if (*taken != TAKEN) {
    parcel_turn_away(parcel, body, cut, *taken);
    return OK;
  }
  if ((status = step_map(&step, error)) != OK) {
    return status;
  }
  parcel->unkeyed += step.fault != NULL;
  parcel->items[parcel->count++] = step.item;
  parcel->taken++;
  parcel->counts.pulled++;
  return OK;
}

#include "core/audit/state.h"

#include <sodium.h>

enum { FORM_MOST = 64 << 20 };
static const char TITLE[] = "puente/state/1\n";

enum status state_init(struct state *state, const struct key *key, struct error *error) {
  *state = (struct state){.key = {{0}}};
  buffer_init(&state->form, FORM_MOST);
  if (key == NULL) {
    error_set(error, ERR_CONFIG, "%s", _("the workspace has no key"));
    error_hint(error, "%s", _("`puente init` makes one; restore it from the backup if it is lost"));
    return ERR_CONFIG;
  }
  state->key = key_subkey(key, "audit/state");
  return OK;
}

void state_free(struct state *state) {
  sodium_memzero(&state->key, sizeof state->key);
  buffer_free(&state->form);
}

enum status state_digest(struct state *state, char text[STATE_TEXT + 1], struct error *error) {
  if (state->form.len == 0) {
    buffer_append(&state->form, TITLE, sizeof TITLE - 1);
  }
  enum status status = buffer_check(&state->form, _("an audit entry"), error);
  if (status == OK) {
    struct keyed_digest digest = subkey_digest(&state->key, buffer_view(&state->form));
    hex_format(digest.bytes, KEYED_SIZE, text);
  }
  buffer_reset(&state->form);
  return status;
}

/* ---- rows ---- */

static void put_number(struct state *state, int64_t number) {
  uint8_t bytes[8];
  for (int i = 0; i < 8; i++) {
    bytes[i] = (uint8_t)((uint64_t)number >> (8 * (7 - i)));
  }
  if (state->form.len == 0) {
    buffer_append(&state->form, TITLE, sizeof TITLE - 1);
  }
  buffer_append(&state->form, bytes, sizeof bytes);
}

static void put_text(struct state *state, const char *text) {
  uint32_t len = text == NULL ? UINT32_MAX : (uint32_t)strlen(text);
  const uint8_t bytes[] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8), (uint8_t)len};
  buffer_append(&state->form, bytes, sizeof bytes);
  buffer_append(&state->form, text, text == NULL ? 0 : len);
}

/* Without the keys of the records, whose texts an erasure takes away. */
void state_decision(struct state *state, enum cluster_kind kind, const struct review_decision *decision) {
  const int64_t numbers[] = {
      decision->id,    kind,         decision->record_a, decision->record_b,    decision->same,
      decision->state, decision->at, decision->run,      decision->approved_at, decision->revoked_at};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    put_number(state, numbers[i]);
  }
  put_text(state, decision->actor);
  put_text(state, decision->reason);
  put_text(state, decision->approved_by);
}

void state_version(struct state *state, const struct version_state *version) {
  const int64_t numbers[] = {version->raw_id, version->length, version->state, version->plan_id};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    put_number(state, numbers[i]);
  }
  buffer_append(&state->form, version->key.bytes, KEYED_SIZE);
  buffer_append(&state->form, version->digest.bytes, KEYED_SIZE);
}

static enum status take(void *context, const struct version_state *version, struct error *error) {
  (void)error;
  state_version(context, version);
  return OK;
}

enum status state_of_versions(struct state *state, struct store *store, const int64_t *raw_ids, size_t count,
                              char text[STATE_TEXT + 1], struct error *error) {
  enum status status = store_visit_version_states(store, raw_ids, count, take, state, error);
  return status == OK ? state_digest(state, text, error) : status;
}

enum status state_of_records(struct state *state, struct store *store, const int64_t *records, size_t count,
                             char text[STATE_TEXT + 1], struct error *error) {
  enum status status = store_visit_record_states(store, records, count, take, state, error);
  return status == OK ? state_digest(state, text, error) : status;
}

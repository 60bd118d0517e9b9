#include "core/service/crosswalk.h"

#include "core/base/file.h"
#include "core/service/outbound_cell.h"
#include "core/service/outbound_sight.h"
#include "core/service/pseudonym.h"
#include "core/store/crosswalk.h"

#include <stdio.h>

enum { PART_LIMIT = 1 << 24 };
static const size_t FILE_LIMIT = (size_t)2 << 30;

struct walk {
  struct workspace *workspace;
  const struct export_request *request;
  const struct field *numbers[CROSSWALK_NUMBERS_MOST];
  size_t number_count;
  struct subkey pseudonyms;
  int64_t case_id, row_id;       /* of the own number at hand; row_id 0: none */
  int64_t partners, held;        /* of it */
  struct buffer own, rest, file; /* its first columns, and what follows of others */
  struct crosswalk_made *made;
};

/* ---- terms ---- */

/* What the store says of `shown_to` was written by the last sync: a file that has become stricter counts at once. */
static bool terms_allow(const struct walk *walk, int source_id) {
  const struct config *config = walk->workspace->config;
  for (size_t i = 0; i < config->source_count; i++) {
    const struct terms_config *terms = &config->sources[i].terms;
    if (walk->workspace->source_ids[i] != source_id) {
      continue;
    }
    bool shown = terms->shown_to_all;
    for (size_t j = 0; j < terms->shown_count; j++) {
      shown = shown || strcmp(terms->shown_to[j], walk->request->recipient) == 0;
    }
    return shown && terms_allow_purpose(terms, walk->request->purpose);
  }
  return false; /* of no source that is configured any more */
}

/* ---- CSV ---- */

static void csv_head(struct walk *walk) {
  buffer_text(&walk->file, "case,source,key");
  for (size_t i = 0; i < walk->number_count; i++) {
    buffer_printf(&walk->file, ",%s", walk->numbers[i]->name);
  }
  buffer_text(&walk->file, ",partners,partner_institution,partner_source,partner_key");
  for (size_t i = 0; i < walk->number_count; i++) {
    buffer_printf(&walk->file, ",partner_%s", walk->numbers[i]->name);
  }
  buffer_text(&walk->file, ",evidence,weight,not_shared\r\n");
}

static void csv_side(const struct walk *walk, const struct crosswalk_side *side, struct buffer *out) {
  csv_cell(out, side->source);
  buffer_char(out, ',');
  csv_cell(out, side->key);
  for (size_t i = 0; i < walk->number_count; i++) {
    buffer_char(out, ',');
    csv_cell(out, side->numbers[i]);
  }
}

static void csv_partner(struct walk *walk, const struct crosswalk_row *row) {
  struct buffer *out = &walk->rest;
  buffer_slice(out, buffer_view(&walk->own));
  buffer_text(out, ",shared,");
  csv_cell(out, row->other.institution);
  buffer_char(out, ',');
  csv_side(walk, &row->other, out);
  buffer_char(out, ',');
  csv_cell(out, row->evidence);
  buffer_char(out, ',');
  csv_cell(out, row->weight);
  buffer_text(out, ",\r\n");
}

/* A row that names no other: nobody else has the case, or who has it does not allow it. */
static void csv_rest(struct walk *walk) {
  struct buffer *out = &walk->rest;
  if (walk->held == 0 && walk->partners > 0) {
    return;
  }
  buffer_slice(out, buffer_view(&walk->own));
  buffer_text(out, walk->held > 0 ? ",not_shared,,," : ",none,,,");
  for (size_t i = 0; i < walk->number_count; i++) {
    buffer_char(out, ',');
  }
  buffer_text(out, ",,,");
  if (walk->held > 0) {
    buffer_printf(out, "%lld", (long long)walk->held);
  }
  buffer_text(out, "\r\n");
}

/* ---- JSON ---- */

static void json_text(struct buffer *out, const char *name, struct slice text) {
  buffer_printf(out, "\"%s\":", name);
  if (text.len == 0) {
    buffer_text(out, "null");
  } else {
    buffer_json(out, text);
  }
}

static void json_side(const struct walk *walk, const struct crosswalk_side *side, struct buffer *out) {
  json_text(out, "source", side->source);
  buffer_char(out, ',');
  json_text(out, "key", side->key);
  for (size_t i = 0; i < walk->number_count; i++) {
    buffer_char(out, ',');
    json_text(out, walk->numbers[i]->name, side->numbers[i]);
  }
}

static void json_partner(struct walk *walk, const struct crosswalk_row *row) {
  struct buffer *out = &walk->rest;
  buffer_text(out, walk->partners > 1 ? ",{" : "{");
  json_text(out, "institution", row->other.institution);
  buffer_char(out, ',');
  json_side(walk, &row->other, out);
  buffer_char(out, ',');
  json_text(out, "evidence", row->evidence);
  buffer_text(out, ",\"weight\":");
  if (row->weight.len == 0) {
    buffer_text(out, "null}");
  } else {
    buffer_slice(out, row->weight);
    buffer_char(out, '}');
  }
}

/* ---- rows ---- */

static enum status finish_number(struct walk *walk, struct error *error) {
  struct buffer *out = &walk->file;
  if (walk->row_id == 0) {
    return OK;
  }
  if (walk->request->json) {
    buffer_slice(out, buffer_view(&walk->own));
    buffer_text(out, ",\"partners\":[");
    buffer_slice(out, buffer_view(&walk->rest));
    buffer_printf(out, "],\"not_shared\":%lld}\n", (long long)walk->held);
  } else {
    csv_rest(walk);
    buffer_slice(out, buffer_view(&walk->rest));
  }
  walk->made->shared += walk->partners;
  walk->made->held += walk->held;
  enum status status = buffer_check(&walk->own, _("a value"), error);
  status = status == OK ? buffer_check(&walk->rest, _("a row"), error) : status;
  return status == OK ? buffer_check(out, _("the crosswalk"), error) : status;
}

static void begin_number(struct walk *walk, const struct crosswalk_row *row) {
  char pseudonym[PSEUDONYM_SIZE];
  walk->made->cases += row->case_id != walk->case_id;
  walk->made->numbers++;
  walk->case_id = row->case_id;
  walk->row_id = row->row_id;
  walk->partners = walk->held = 0;
  buffer_reset(&walk->own);
  buffer_reset(&walk->rest);
  pseudonym_write(&walk->pseudonyms, "case", row->case_id, pseudonym);
  if (walk->request->json) {
    buffer_printf(&walk->own, "{\"case\":\"%s\",", pseudonym);
    json_side(walk, &row->own, &walk->own);
  } else {
    buffer_printf(&walk->own, "%s,", pseudonym);
    csv_side(walk, &row->own, &walk->own);
  }
}

static enum status take_row(void *context, const struct crosswalk_row *row, struct error *error) {
  struct walk *walk = context;
  if (row->row_id != walk->row_id) {
    enum status status = finish_number(walk, error);
    if (status != OK) {
      return status;
    }
    begin_number(walk, row);
  }
  if (row->partner == PARTNER_NONE) {
    return OK;
  }
  if (row->partner == PARTNER_HELD || !terms_allow(walk, row->other.source_id)) {
    walk->held++;
    return OK;
  }
  walk->partners++;
  if (walk->request->json) {
    json_partner(walk, row);
  } else {
    csv_partner(walk, row);
  }
  return OK;
}

static enum status write_walk(struct walk *walk, const struct outbound_sight *sight, struct error *error) {
  if (!walk->request->json) {
    csv_head(walk);
  }
  enum status status = store_visit_crosswalk(walk->workspace->store, walk->request->recipient, take_row, walk, error);
  status = status == OK ? finish_number(walk, error) : status;
  status = status == OK ? buffer_check(&walk->file, _("the crosswalk"), error) : status;
  if (status != OK) {
    return status;
  }
  struct sha256 digest = sha256_of(buffer_view(&walk->file));
  status = outbound_sight_taken(walk->workspace, sight, walk->made->numbers, &digest, error);
  return status == OK ? file_write(walk->made->path, buffer_view(&walk->file), 0600, error) : status;
}

enum status service_crosswalk(struct workspace *workspace, const struct export_request *request,
                              struct crosswalk_made *made, struct error *error) {
  struct outbound_sight sight = {.form = "crosswalk", .institution = request->recipient, .purpose = request->purpose};
  *made = (struct crosswalk_made){.cases = 0};
  int length =
      snprintf(made->path, sizeof made->path, "%s/crosswalk.%s", request->folder, request->json ? "jsonl" : "csv");
  if (length < 0 || (size_t)length >= sizeof made->path) {
    return error_set(error, ERR_LIMIT, _("the folder's name is too long"));
  }
  enum status status = outbound_sight_begin(workspace, &sight, error);
  status = status == OK ? outbound_folder(request->folder, error) : status;
  if (status != OK) {
    return status;
  }
  struct walk walk = {.workspace = workspace,
                      .request = request,
                      .pseudonyms = pseudonym_key(workspace->key, request->recipient, PSEUDONYM_NAMED),
                      .made = made};
  walk.number_count = crosswalk_numbers(workspace->model, walk.numbers);
  buffer_init(&walk.own, PART_LIMIT);
  buffer_init(&walk.rest, PART_LIMIT);
  buffer_init(&walk.file, FILE_LIMIT);
  status = write_walk(&walk, &sight, error);
  buffer_free(&walk.own);
  buffer_free(&walk.rest);
  buffer_free(&walk.file);
  return status;
}

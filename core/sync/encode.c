#include "core/sync/encode.h"

#include "core/link/clk.h"

#include <sodium.h>
#include <stdlib.h>

enum { DIGITS = 2 * KEYED_SIZE, LINE = DIGITS + 1 + CLK_TEXT_SIZE + 1, CODES_LIMIT = 4 << 20, BYTES_LIMIT = 80 << 20 };

static const char MARK[] = "\x1e"
                           "clk\n";

struct encoder {
  const struct plan *plan;
  const struct model *model;
  struct clk_maker *maker;
  struct batch batch; /* of one record */
  struct buffer codes, bytes;
  bool named; /* while a record is looked through: it holds an identifier */
};

/* ---- landed bytes ---- */

/* Where the codes begin; the length where there are none. The mark counts only with whole lines up to the end. */
static size_t find_codes(struct slice landed) {
  size_t mark = sizeof MARK - 1;
  const char *at = landed.len == 0 ? NULL : memrchr(landed.data, MARK[0], landed.len);
  size_t from = at == NULL ? landed.len : (size_t)(at - landed.data);
  bool whole = landed.len - from > mark && memcmp(at, MARK, mark) == 0 && (landed.len - from - mark) % LINE == 0;
  return whole ? from : landed.len;
}

struct slice encoded_record(struct slice landed) {
  return slice_make(landed.data, find_codes(landed));
}

struct slice encoded_codes(struct slice landed) {
  size_t from = find_codes(landed);
  return slice_make(landed.data + from, landed.len - from);
}

/* The line of a key, or NULL. A record's only code is that of its only person, whatever the key was when it was made.
 */
static const char *find_line(struct slice codes, size_t persons, const struct subkey *keys, struct slice key) {
  char wanted[DIGITS + 1];
  struct keyed_digest digest = subkey_digest(keys, key);
  const char *lines = codes.data + sizeof MARK - 1;
  size_t count = (codes.len - (sizeof MARK - 1)) / LINE;
  hex_format(digest.bytes, KEYED_SIZE, wanted);
  for (size_t i = 0; i < count; i++) {
    if (memcmp(lines + i * LINE, wanted, DIGITS) == 0) {
      return lines + i * LINE;
    }
  }
  return count == 1 && persons == 1 ? lines : NULL;
}

static size_t first_row(const struct rows *rows, uint32_t record) {
  size_t first = rows->count;
  while (first > 0 && rows->heads[first - 1].record == record) {
    first--;
  }
  return first;
}

size_t encoded_drop(struct batch *batch, uint32_t record) {
  size_t dropped = 0;
  for (size_t e = 0; e < MODEL_ENTITIES_MOST; e++) {
    const struct rows *rows = &batch->rows[e];
    const struct field *field = rows->entity == NULL ? NULL : rows->entity->encoding;
    for (size_t i = first_row(rows, record); field != NULL && i < rows->count; i++) {
      struct cell *cell = &rows_cells(rows, i)[field->column];
      struct clk code;
      if (cell->kind != CELL_NULL
          && (cell->kind != CELL_TEXT || !clk_parse(slice_make(cell->text, cell->len), &code))) {
        *cell = (struct cell){.kind = CELL_NULL, .missing = MISSING_INVALID};
        dropped++;
      }
    }
  }
  return dropped;
}

void encoded_fill(struct batch *batch, uint32_t record, const struct subkey *keys, struct slice codes) {
  for (size_t e = 0; e < MODEL_ENTITIES_MOST && codes.len > 0; e++) {
    const struct rows *rows = &batch->rows[e];
    size_t first = first_row(rows, record);
    const struct field *field = rows->entity == NULL ? NULL : rows->entity->encoding;
    for (size_t i = first; i < rows->count && field != NULL; i++) {
      const char *line = find_line(codes, rows->count - first, keys, rows->heads[i].key);
      if (line != NULL) {
        rows_cells(rows, i)[field->column] =
            (struct cell){.kind = CELL_TEXT, .len = CLK_TEXT_SIZE, .text = line + DIGITS + 1};
      }
    }
  }
}

/* ---- making them ---- */

enum status encoder_new(const struct plan *plan, const struct model *model, const struct key *key,
                        struct encoder **made, struct error *error) {
  uint8_t secret[KEY_SIZE];
  bool any = false;
  *made = NULL;
  for (size_t e = 0; e < model->entity_count; e++) {
    any = any || model->entities[e].encoding != NULL;
  }
  if (!any) {
    error_set(error, ERR_CONFIG, "%s", _("linked_by_name: encoded needs a field of type encoding in the model"));
    error_hint(error, "%s", _("config/model/person.yaml of the program has one: name_encoding"));
    return ERR_CONFIG;
  }
  struct encoder *encoder = calloc(1, sizeof *encoder);
  if (encoder == NULL) {
    return error_memory(error);
  }
  encoder->plan = plan;
  encoder->model = model;
  buffer_init(&encoder->codes, CODES_LIMIT);
  buffer_init(&encoder->bytes, BYTES_LIMIT);
  encoding_key(key, secret);
  enum status status = clk_maker_new(secret, &encoder->maker, error);
  sodium_memzero(secret, sizeof secret);
  status = status == OK ? batch_init(&encoder->batch, model, error) : status;
  if (status != OK) {
    encoder_free(encoder);
    return status;
  }
  *made = encoder;
  return OK;
}

void encoder_free(struct encoder *encoder) {
  if (encoder != NULL) {
    clk_maker_free(encoder->maker);
    batch_free(&encoder->batch);
    buffer_free(&encoder->codes);
    buffer_free(&encoder->bytes);
    free(encoder);
  }
}

static enum status encode_row(struct encoder *encoder, const struct rows *rows, size_t row, const struct subkey *keys,
                              struct error *error) {
  const struct field *field = rows->entity->encoding;
  struct clk_person person = {.name_count = 0};
  struct clk code;
  bool made = false;
  for (size_t i = 0; i < field->of_count; i++) {
    const struct field *of = entity_field(rows->entity, slice_of(field->of[i]));
    const struct cell *cell = &rows_cells(rows, row)[of->column];
    struct slice text = cell->kind == CELL_TEXT ? slice_make(cell->text, cell->len) : slice_make(NULL, 0);
    if (of->type == FIELD_DATE) {
      person.birth_date = text;
    } else if (person.name_count < CLK_NAMES_MOST) {
      person.names[person.name_count++] = text;
    }
  }
  enum status status = clk_make(encoder->maker, &person, &code, &made, error);
  if (status != OK || !made) {
    return status;
  }
  char digits[DIGITS + 1], text[CLK_TEXT_SIZE + 1];
  struct keyed_digest digest = subkey_digest(keys, rows->heads[row].key);
  hex_format(digest.bytes, KEYED_SIZE, digits);
  clk_write(&code, text);
  if (encoder->codes.len == 0) {
    buffer_text(&encoder->codes, MARK);
  }
  buffer_printf(&encoder->codes, "%s=%s\n", digits, text);
  return buffer_check(&encoder->codes, _("the codes of a record"), error);
}

/* A record that cannot be read is no error here: landing finds it out again. */
static enum status parse(struct encoder *encoder, const struct format *format, const struct decoder *decoder,
                         struct slice bytes, struct node **root, struct error *error) {
  struct error broken;
  *root = NULL;
  batch_reset(&encoder->batch);
  enum status status = format->parse(decoder, bytes, encoder->batch.arena, root, &broken);
  if (status != OK) {
    *root = NULL;
  }
  return status == ERR_MEMORY ? error_memory(error) : OK;
}

enum status encoder_read(struct encoder *encoder, const struct format *format, const struct decoder *decoder,
                         struct slice bytes, const struct subkey *keys, struct slice *codes, struct error *error) {
  struct node *root;
  enum outcome outcome = OUTCOME_MAPPED;
  *codes = slice_make(NULL, 0);
  buffer_reset(&encoder->codes);
  enum status status = parse(encoder, format, decoder, bytes, &root, error);
  if (status != OK || root == NULL) {
    return status;
  }
  status = plan_apply(encoder->plan, &encoder->batch, root, 0, &outcome, error);
  for (size_t e = 0; e < encoder->model->entity_count && status == OK; e++) {
    const struct rows *rows = &encoder->batch.rows[e];
    for (size_t i = 0; i < rows->count && rows->entity->encoding != NULL && status == OK; i++) {
      status = encode_row(encoder, rows, i, keys, error);
    }
  }
  *codes = buffer_view(&encoder->codes);
  return status;
}

static enum status look(void *context, const struct trace_step *step) {
  struct encoder *encoder = context;
  const struct entity *entity = step->entity == NULL ? NULL : model_entity(encoder->model, step->entity);
  const struct field *field =
      entity == NULL || step->field == NULL ? NULL : entity_field(entity, slice_of(step->field));
  bool identifier = field != NULL && field->sensitivity == SENSITIVITY_IDENTIFIER && field->type != FIELD_ENCODING;
  encoder->named = encoder->named || (identifier && step->input.len > 0);
  return OK;
}

enum status encoder_close(struct encoder *encoder, const struct format *format, const struct decoder *decoder,
                          struct slice codes, struct slice *bytes, bool *rejected, struct error *error) {
  struct node *root;
  encoder->named = false;
  enum status status = parse(encoder, format, decoder, *bytes, &root, error);
  if (status == OK && root != NULL) {
    status = plan_trace(encoder->plan, &encoder->batch, root, look, encoder, error);
  }
  *rejected = status == OK && encoder->named;
  if (status != OK || *rejected || codes.len == 0) {
    return status;
  }
  buffer_reset(&encoder->bytes);
  buffer_slice(&encoder->bytes, *bytes);
  buffer_slice(&encoder->bytes, codes);
  *bytes = buffer_view(&encoder->bytes);
  return buffer_check(&encoder->bytes, _("a record"), error);
}

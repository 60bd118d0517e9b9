#include "core/audit/lines.h"

#include "core/base/node.h"

#include <errno.h>
#include <stdlib.h>

static void put_text(struct buffer *out, const char *name, const char *text) {
  buffer_printf(out, ",\"%s\":", name);
  if (text == NULL) {
    buffer_text(out, "null");
  } else {
    buffer_json(out, slice_of(text));
  }
}

static void put_hash(struct buffer *out, const char *name, const struct sha256 *hash) {
  char text[2 * SHA256_SIZE + 1];
  hex_format(hash->bytes, SHA256_SIZE, text);
  buffer_printf(out, ",\"%s\":\"%s\"", name, text);
}

void audit_line_write(const struct audit_row *row, struct buffer *out) {
  buffer_printf(out, "{\"sequence\":%lld,\"at\":%lld,\"run\":%lld", (long long)row->sequence, (long long)row->at,
                (long long)row->run);
  put_text(out, "event", row->event);
  put_text(out, "source", row->source);
  put_text(out, "actor", row->actor);
  put_text(out, "purpose", row->purpose);
  put_text(out, "body", row->body);
  put_hash(out, "outcomes", &row->outcomes);
  put_hash(out, "previous", &row->previous);
  put_hash(out, "hash", &row->hash);
  buffer_text(out, "}\n");
}

/* ---- reading ---- */

struct line {
  const struct node *root;
  struct arena *arena;
  const char *wrong; /* the first member that is missing or of another kind; NULL: none */
};

static const struct node *member(struct line *line, const char *name) {
  uint32_t hint = 0;
  const struct node *found = node_child(line->root, slice_of(name), &hint);
  if (found == NULL && line->wrong == NULL) {
    line->wrong = name;
  }
  return found;
}

static int64_t take_integer(struct line *line, const char *name) {
  const struct node *node = member(line, name);
  const char *text = node != NULL && node->kind == NODE_NUMBER ? arena_text(line->arena, node->text) : NULL;
  char *end = NULL;
  errno = 0;
  int64_t number = text == NULL ? 0 : strtoll(text, &end, 10);
  if ((text == NULL || errno != 0 || *end != '\0') && line->wrong == NULL) {
    line->wrong = name;
  }
  return number;
}

static const char *take_text(struct line *line, const char *name, bool required) {
  const struct node *node = member(line, name);
  if (node != NULL && node->kind == NODE_NULL && !required) {
    return NULL;
  }
  const char *text = node != NULL && node->kind == NODE_TEXT ? arena_text(line->arena, node->text) : NULL;
  if (text == NULL && line->wrong == NULL) {
    line->wrong = name;
  }
  return text;
}

static void take_hash(struct line *line, const char *name, struct sha256 *hash) {
  const struct node *node = member(line, name);
  if ((node == NULL || node->kind != NODE_TEXT || !hex_parse(node->text, hash->bytes, SHA256_SIZE))
      && line->wrong == NULL) {
    line->wrong = name;
  }
}

/* One entry has one line: members in another order, twice, or written in another way hide something. */
static enum status check_canonical(const struct audit_row *row, struct slice text, struct error *error) {
  struct buffer line;
  buffer_init(&line, AUDIT_LINE_LIMIT);
  audit_line_write(row, &line);
  enum status status = buffer_check(&line, _("an entry"), error);
  if (status == OK && !slice_equal(slice_make(line.data, line.len - 1), text)) {
    status = error_set(error, ERR_INPUT, "%s", _("the line is no entry of an audit log: it is not written as one"));
  }
  buffer_free(&line);
  return status;
}

enum status audit_line_read(struct slice text, struct arena *arena, struct audit_row *row, struct error *error) {
  struct node *root = NULL;
  struct error ignored;
  *row = (struct audit_row){.sequence = 0};
  if (json_read(text, arena, &root, &ignored) != OK || root->kind != NODE_OBJECT) {
    return error_set(error, ERR_INPUT, "%s", _("the line is no entry of an audit log: it is no JSON object"));
  }
  struct line line = {.root = root, .arena = arena};
  row->sequence = take_integer(&line, "sequence");
  row->at = take_integer(&line, "at");
  row->run = take_integer(&line, "run");
  row->event = take_text(&line, "event", true);
  row->source = take_text(&line, "source", false);
  row->actor = take_text(&line, "actor", false);
  row->purpose = take_text(&line, "purpose", false);
  row->body = take_text(&line, "body", true);
  take_hash(&line, "outcomes", &row->outcomes);
  take_hash(&line, "previous", &row->previous);
  take_hash(&line, "hash", &row->hash);
  if (line.wrong != NULL) {
    return error_set(error, ERR_INPUT, _("the line is no entry of an audit log: \"%s\" is missing or wrong"),
                     line.wrong);
  }
  return check_canonical(row, text, error);
}

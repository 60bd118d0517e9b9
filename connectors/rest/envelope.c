/* What an answer says about itself: result code, records, total, marks of change, and where the next page is. */
#include "connectors/http/mark.h"
#include "connectors/rest/rest.h"
#include "core/base/date.h"
#include "core/base/text.h"

#include <inttypes.h>

bool envelope_is_read(const struct rest_options *options) {
  return options->paging == PAGING_CURSOR || options->paging == PAGING_NEXT_LINK || options->paging == PAGING_PAGE
         || options->paging == PAGING_OFFSET || options->watermark_field != NULL || options->watermark_path != NULL
         || options->total_path != NULL || options->more_path != NULL || options->page_count_path != NULL
         || options->result.path != NULL;
}

static enum status absent(const char *option, const char *path, struct error *error) {
  error_set(error, ERR_INPUT, _("the answer has no '%s'"), path);
  error_hint(error, _("its shape may have changed: check `%s`"), option);
  return ERR_INPUT;
}

static bool is_nothing(const struct node *node) {
  return node == NULL || node->kind == NODE_NULL || (node->kind == NODE_TEXT && node->text.len == 0);
}

static enum status check_result(const struct rest_options *options, const struct node *root, bool *empty,
                                struct error *error) {
  if (options->result.path == NULL) {
    return OK;
  }
  const struct node *code = node_at(root, options->result.path);
  if (code == NULL || (code->kind != NODE_TEXT && code->kind != NODE_NUMBER)) {
    return absent("result_path", options->result.path, error);
  }
  return result_check(&options->result, code->text, empty, error);
}

/* The list of records; a single object counts as one, as some gateways unwrap a list of one. */
static enum status find_records(const struct rest_options *options, const struct node *root,
                                const struct node **records, struct error *error) {
  bool whole = options->records == NULL || options->records[0] == '\0';
  const struct node *found = whole ? root : node_at(root, options->records);
  *records = NULL;
  if (found != NULL && found->kind == NODE_NULL) {
    return OK;
  }
  if (found == NULL || (found->kind != NODE_LIST && found->kind != NODE_OBJECT)) {
    return absent("records", whole ? "[]" : options->records, error);
  }
  *records = found;
  return OK;
}

static int64_t count_records(const struct node *records) {
  return records == NULL ? 0 : records->kind == NODE_LIST ? (int64_t)records->count : 1;
}

static enum status raise_from(const struct rest_options *options, const struct node *record, struct position *position,
                              struct error *error) {
  const struct node *value = node_at(record, options->watermark_field);
  if (is_nothing(value) || (value->kind != NODE_TEXT && value->kind != NODE_NUMBER)) {
    return OK; /* one record without a date is the mapping's matter */
  }
  enum status status = mark_raise(&position->mark, value->text, options->watermark_format, error);
  return status == ERR_INPUT ? OK : status;
}

static enum status raise_mark(const struct rest_options *options, const struct node *root, const struct node *records,
                              struct position *position, struct error *error) {
  if (options->watermark_path != NULL && position->page == 1) {
    const struct node *value = node_at(root, options->watermark_path);
    if (is_nothing(value)) {
      return absent("watermark_path", options->watermark_path, error);
    }
    return mark_raise(&position->mark, value->text, options->watermark_format, error);
  }
  if (options->watermark_field == NULL || records == NULL) {
    return OK;
  }
  if (records->kind == NODE_OBJECT) {
    return raise_from(options, records, position, error);
  }
  for (uint32_t i = 0; i < records->count; i++) {
    enum status status = raise_from(options, &records->children[i], position, error);
    if (status != OK) {
      return status;
    }
  }
  return OK;
}

static enum status read_count(const struct node *root, const char *option, const char *path, int64_t *value,
                              struct error *error) {
  const struct node *node = path != NULL ? node_at(root, path) : NULL;
  if (path == NULL) {
    return OK;
  }
  if (node == NULL || !text_to_int64(node->text, value) || *value < 0) {
    return absent(option, path, error);
  }
  return OK;
}

/* 1: more; 0: no more; -1: the answer is not asked about that. */
static enum status read_more(const struct rest_options *options, const struct node *root, int *more,
                             struct error *error) {
  *more = -1;
  if (options->more_path == NULL) {
    return OK;
  }
  const struct node *node = node_at(root, options->more_path);
  if (node == NULL || (node->kind != NODE_TRUE && node->kind != NODE_FALSE)) {
    return absent("more_path", options->more_path, error);
  }
  *more = node->kind == NODE_TRUE;
  return OK;
}

static enum status same_again(struct error *error) {
  error_set(error, ERR_INPUT, "%s",
            _("the source gives the same place to go on from again: the pages would never end"));
  error_hint(error, "%s", _("tell the source's contact; nothing is lost, a later run goes on from here"));
  return ERR_INPUT;
}

static enum status follow_cursor(const struct rest_options *options, const struct node *root, int more,
                                 struct position *position, struct error *error) {
  const struct node *next = node_at(root, options->cursor_path);
  if (is_nothing(next) || more == 0) {
    position->done = true;
    return more == 1 ? absent("cursor_path", options->cursor_path, error) : OK;
  }
  if (next->kind != NODE_TEXT && next->kind != NODE_NUMBER) {
    return absent("cursor_path", options->cursor_path, error);
  }
  if (slice_equal(next->text, buffer_view(&position->at))) {
    return same_again(error);
  }
  buffer_reset(&position->at);
  buffer_slice(&position->at, next->text);
  return buffer_check(&position->at, "cursor", error);
}

/* Keeps path and query of the link, without a key in them: it is put back when the page is asked for. */
static enum status follow_link(const struct rest_options *options, struct slice link, struct position *position,
                               struct error *error) {
  struct buffer reference, whole;
  buffer_init(&reference, 16384);
  buffer_init(&whole, 16384);
  buffer_slice(&reference, link);
  enum status status = buffer_check(&reference, "link", error);
  status = status == OK ? url_resolve(options->url, reference.data, &whole, error) : status;
  if (status == OK && !url_same_origin(options->url, whole.data)) {
    error_set(error, ERR_REMOTE, "%s", _("the link to the next page leads to another host"));
    error_hint(error, "%s", _("no credentials are sent there; tell the source's contact"));
    status = ERR_REMOTE;
  }
  if (status == OK && options->auth == AUTH_API_KEY && options->api_key_in == KEY_IN_QUERY) {
    status = url_set_parameter(&whole, options->api_key_name, NULL, error);
  }
  status = status == OK ? url_path_query(whole.data, &reference, error) : status;
  if (status == OK && slice_equal(buffer_view(&reference), buffer_view(&position->at))) {
    status = same_again(error);
  }
  if (status == OK) {
    buffer_reset(&position->at);
    buffer_slice(&position->at, buffer_view(&reference));
    status = buffer_check(&position->at, "link", error);
  }
  buffer_free(&reference);
  buffer_free(&whole);
  return status;
}

static enum status follow_next(const struct rest_options *options, struct slice link, int more,
                               struct position *position, struct error *error) {
  if (link.len == 0 || more == 0) {
    position->done = true;
    return more == 1 ? absent("next_path", options->next_path, error) : OK;
  }
  return follow_link(options, link, position, error);
}

/* Numbered pages end where the source says so, or at an empty page; a short page alone is no end, as a source may give
 * fewer than it was asked for. */
static bool numbered_done(const struct position *position, int64_t pages, int more, int64_t records) {
  if (more >= 0) {
    return more == 0;
  }
  if (pages >= 0) {
    return position->page >= pages;
  }
  if (position->total >= 0) {
    return position->offset >= position->total || records == 0;
  }
  return records == 0;
}

static enum status move_on(const struct rest_options *options, const struct http_response *response,
                           const struct node *root, int64_t records, struct position *position, struct error *error) {
  int more = -1;
  int64_t pages = -1;
  const struct node *next = NULL;
  enum status status = root != NULL ? read_more(options, root, &more, error) : OK;
  status = status == OK && root != NULL ? read_count(root, "page_count_path", options->page_count_path, &pages, error)
                                        : status;
  if (status != OK) {
    return status;
  }
  switch (options->paging) {
  case PAGING_CURSOR:
    status = follow_cursor(options, root, more, position, error);
    break;
  case PAGING_NEXT_LINK:
    next = node_at(root, options->next_path);
    status = follow_next(options, is_nothing(next) ? slice_none() : next->text, more, position, error);
    break;
  case PAGING_LINK_HEADER:
    status = follow_next(options, link_next(buffer_view(&response->link)), more, position, error);
    break;
  case PAGING_NONE:
    position->done = true;
    break;
  default:
    position->done = numbered_done(position, pages, more, records);
  }
  position->page++;
  return status;
}

/* An error page of a gateway, a login form, or nothing where JSON was asked for. */
static enum status check_kind(const struct rest_options *options, const struct http_response *response,
                              struct error *error) {
  struct slice body = slice_trim(buffer_view(&response->body));
  if (http_is_html(response) && options->answer != ANSWER_ANY) {
    error_set(error, ERR_INPUT, "%s", _("the source answered with a web page (HTML) instead of data"));
    error_hint(error, "%s", _("check the path in `url`; a gateway or a login page may stand before the service"));
    return ERR_INPUT;
  }
  if (options->answer == ANSWER_JSON && body.len > 0 && body.data[0] == '<') {
    error_set(error, ERR_INPUT, "%s", _("the source answered with XML instead of JSON"));
    error_hint(error, "%s", _("ask for JSON by a parameter or header, or set `answer: xml`"));
    return ERR_INPUT;
  }
  if (envelope_is_read(options) && body.len == 0) {
    error_set(error, ERR_INPUT, "%s", _("the source answered with nothing instead of JSON"));
    error_hint(error, "%s", _("an empty answer is not taken for the end; tell the source's contact"));
    return ERR_INPUT;
  }
  return OK;
}

static enum status read_json(const struct http_response *response, struct arena *arena, struct node **root,
                             struct error *error) {
  enum status status = json_read(buffer_view(&response->body), arena, root, error);
  if (status == ERR_INPUT) {
    char place[sizeof error->place];
    memcpy(place, error->place, sizeof place);
    error_set(error, ERR_INPUT, "%s", _("the answer is not valid JSON"));
    error_hint(error, "%s", _("it may have been cut off on its way; nothing of it was taken"));
    error_place(error, "%s", place);
  }
  return status;
}

/* Everything that stands in the answer itself. */
static enum status read_parts(const struct rest_options *options, const struct http_response *response,
                              const struct node *root, struct position *position, struct envelope *envelope,
                              struct error *error) {
  const struct node *records = NULL;
  enum status status = check_result(options, root, &envelope->empty, error);
  if (status != OK || envelope->empty) {
    position->done = position->done || envelope->empty;
    return status;
  }
  status = find_records(options, root, &records, error);
  status = status == OK ? read_count(root, "total_path", options->total_path, &position->total, error) : status;
  status = status == OK ? raise_mark(options, root, records, position, error) : status;
  if (status != OK) {
    return status;
  }
  envelope->records = count_records(records);
  position->offset += envelope->records;
  return move_on(options, response, root, envelope->records, position, error);
}

enum status envelope_read(const struct rest_options *options, const struct http_response *response,
                          struct position *position, struct arena *arena, struct envelope *envelope,
                          struct error *error) {
  struct node *root = NULL;
  *envelope = (struct envelope){.records = -1};
  if (response->status == 204) { /* "no content" is said, not inferred from an empty body */
    envelope->empty = true;
    position->done = true;
    return OK;
  }
  enum status status = check_kind(options, response, error);
  if (status == OK && options->watermark_date && position->page == 1 && response->date >= 0) {
    char text[TIMESTAMP_TEXT_SIZE];
    clock_format(response->date, text);
    status = mark_raise(&position->mark, slice_of(text), NULL, error);
  }
  if (status == OK && !envelope_is_read(options)) {
    return move_on(options, response, NULL, -1, position, error);
  }
  status = status == OK ? read_json(response, arena, &root, error) : status;
  return status == OK ? read_parts(options, response, root, position, envelope, error) : status;
}

#include "core/audit/shown.h"

#include <string.h>

static const size_t TEXT_LIMIT = (size_t)1 << 30;

void shown_init(struct shown *shown) {
  *shown = (struct shown){.persons = 0};
  buffer_init(&shown->ids, TEXT_LIMIT);
  buffer_text(&shown->ids, "");
}

void shown_free(struct shown *shown) {
  buffer_free(&shown->ids);
}

static void end_run(struct shown *shown) {
  if (shown->more > 0) {
    buffer_printf(&shown->ids, "+%lld", (long long)shown->more);
    shown->more = 0;
  }
}

enum status shown_add(struct shown *shown, int64_t id, struct error *error) {
  if (id <= shown->last) {
    return error_set(error, ERR_INTERNAL, "%s", _("numbers of persons are not in order"));
  }
  if (shown->persons > 0 && id == shown->last + 1) {
    shown->more++;
  } else {
    end_run(shown);
    buffer_printf(&shown->ids, shown->persons == 0 ? "%lld" : " %lld", (long long)(id - shown->last));
  }
  shown->last = id;
  shown->persons++;
  return OK;
}

enum status shown_finish(struct shown *shown, struct error *error) {
  end_run(shown);
  enum status status = buffer_check(&shown->ids, _("a list of persons"), error);
  if (status == OK) {
    shown->digest = sha256_of(buffer_view(&shown->ids));
    hex_format(shown->digest.bytes, SHA256_SIZE, shown->hex);
  }
  return status;
}

/* Moves behind the digits; 0 where there are none. */
static int64_t take_number(struct slice *text) {
  int64_t number = 0;
  while (text->len > 0 && text->data[0] >= '0' && text->data[0] <= '9' && number < INT64_MAX / 16) {
    number = 10 * number + (text->data[0] - '0');
    text->data++;
    text->len--;
  }
  return number;
}

static bool within(const int64_t *numbers, size_t count, int64_t first, int64_t last) {
  for (size_t i = 0; i < count; i++) {
    if (numbers[i] >= first && numbers[i] <= last) {
      return true;
    }
  }
  return false;
}

bool shown_has(struct slice ids, const int64_t *numbers, size_t count) {
  int64_t last = 0;
  while (ids.len > 0) {
    int64_t first = last + take_number(&ids);
    last = first;
    if (ids.len > 0 && ids.data[0] == '+') {
      ids = slice_make(ids.data + 1, ids.len - 1);
      last += take_number(&ids);
    }
    if (within(numbers, count, first, last)) {
      return true;
    }
    if (ids.len > 0) {
      ids = slice_make(ids.data + 1, ids.len - 1); /* the space */
    }
  }
  return false;
}

/* Quotes within a string of JSON have a backslash before them: only a member's name looks like this. */
bool shown_named(const char *body, struct sha256 *digest) {
  static const char *const MEMBERS[] = {",\"shown\":\"", "{\"shown\":\""};
  for (size_t i = 0; i < sizeof MEMBERS / sizeof *MEMBERS; i++) {
    const char *at = strstr(body, MEMBERS[i]);
    if (at != NULL) {
      at += strlen(MEMBERS[i]);
      struct slice hex = slice_make(at, strcspn(at, "\""));
      if (hex.len != 2 * SHA256_SIZE || !hex_parse(hex, digest->bytes, SHA256_SIZE)) {
        *digest = (struct sha256){{0}}; /* of no list */
      }
      return true;
    }
  }
  return false;
}

#include "core/service/textdiff.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LINES_MOST = 4000 };

struct lines {
  struct slice *items;
  size_t count;
};

static enum status split(struct slice text, struct lines *lines, struct error *error) {
  size_t count = 1;
  for (size_t i = 0; i < text.len; i++) {
    count += text.data[i] == '\n';
  }
  lines->items = malloc(count * sizeof *lines->items);
  if (lines->items == NULL) {
    return error_memory(error);
  }
  for (size_t at = 0; at < text.len;) {
    const char *end = memchr(text.data + at, '\n', text.len - at);
    size_t len = end == NULL ? text.len - at : (size_t)(end - text.data) - at;
    lines->items[lines->count++] = slice_make(text.data + at, len);
    at += len + 1;
  }
  return OK;
}

static enum status add_line(json_t *list, const char *sign, size_t number, struct slice text, struct error *error) {
  json_t *one = json_pack("{ss sI ss%}", "sign", sign, "line", (json_int_t)number, "text",
                          text.len == 0 ? "" : text.data, text.len);
  return json_array_append_new(list, one) == 0 ? OK : error_memory(error);
}

/* By position in the two middles: how many lines are common to what follows. */
static uint16_t *count_common(const struct lines *was, const struct lines *is, size_t front, size_t left,
                              size_t right) {
  size_t width = right + 1;
  uint16_t *common = calloc((left + 1) * width, sizeof *common);
  for (size_t i = left; common != NULL && i-- > 0;) {
    for (size_t j = right; j-- > 0;) {
      uint16_t down = common[(i + 1) * width + j], across = common[i * width + j + 1];
      bool same = slice_equal(was->items[front + i], is->items[front + j]);
      common[i * width + j] = same ? (uint16_t)(common[(i + 1) * width + j + 1] + 1) : down >= across ? down : across;
    }
  }
  return common;
}

/* Longest common subsequence of what is left when equal lines at both ends are taken off: least lines are told. */
static enum status compare_middle(const struct lines *was, const struct lines *is, size_t front, size_t left,
                                  size_t right, json_t *list, struct error *error) {
  if (left > LINES_MOST || right > LINES_MOST) {
    return error_set(error, ERR_LIMIT, _("texts of more than %d changed lines are not compared"), LINES_MOST);
  }
  size_t width = right + 1;
  uint16_t *common = count_common(was, is, front, left, right);
  enum status status = common == NULL ? error_memory(error) : OK;
  for (size_t i = 0, j = 0; status == OK && (i < left || j < right);) {
    if (i < left && j < right && slice_equal(was->items[front + i], is->items[front + j])) {
      i++;
      j++;
    } else if (i < left && (j == right || common[(i + 1) * width + j] >= common[i * width + j + 1])) {
      status = add_line(list, "-", front + i + 1, was->items[front + i], error);
      i++;
    } else {
      status = add_line(list, "+", front + j + 1, is->items[front + j], error);
      j++;
    }
  }
  free(common);
  return status;
}

enum status textdiff(struct slice before, struct slice after, json_t *list, struct error *error) {
  struct lines was = {0}, is = {0};
  enum status status = split(before, &was, error);
  status = status == OK ? split(after, &is, error) : status;
  if (status == OK) {
    size_t front = 0, left = was.count, right = is.count;
    while (front < left && front < right && slice_equal(was.items[front], is.items[front])) {
      front++;
    }
    while (left > front && right > front && slice_equal(was.items[left - 1], is.items[right - 1])) {
      left--;
      right--;
    }
    status = compare_middle(&was, &is, front, left - front, right - front, list, error);
  }
  free(was.items);
  free(is.items);
  return status;
}

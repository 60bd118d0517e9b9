#include "core/base/node.h"

#include <stdlib.h>
#include <unicode/utf8.h>

#define DEPTH_MOST 128
#define FIRST_STACK 128

/* The children of containers that are still open stand one after the other on `stack`; a closing container copies its
 * own to the arena, so that they stand side by side there. */
struct reader {
  const char *text;
  const char *at;
  const char *end;
  struct arena *arena;
  struct error *error;
  struct node *stack;
  size_t used, capacity;
  int depth;
  struct node first[FIRST_STACK];
};

enum char_class { PLAIN, QUOTE, BACKSLASH, CONTROL, WIDE };

#define CONTROLS_8 CONTROL, CONTROL, CONTROL, CONTROL, CONTROL, CONTROL, CONTROL, CONTROL
#define WIDE_16 WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE, WIDE
static const unsigned char classes[256] = {
    CONTROLS_8,      CONTROLS_8, CONTROLS_8, CONTROLS_8, ['"'] = QUOTE, ['\\'] = BACKSLASH,
    [128] = WIDE_16, WIDE_16,    WIDE_16,    WIDE_16,    WIDE_16,       WIDE_16,
    WIDE_16,         WIDE_16,
};

static enum status fail(struct reader *r, const char *at, const char *message) {
  error_set(r->error, ERR_INPUT, "%s", message);
  error_place(r->error, _("byte %zu"), (size_t)(at - r->text));
  return ERR_INPUT;
}

static void skip_space(struct reader *r) {
  while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t')) {
    r->at++;
  }
}

static bool push(struct reader *r, const struct node *node) {
  if (r->used == r->capacity) {
    size_t capacity = r->capacity * 2;
    struct node *stack = realloc(r->stack == r->first ? NULL : r->stack, capacity * sizeof *stack);
    if (stack == NULL) {
      return false;
    }
    if (r->stack == r->first) {
      memcpy(stack, r->first, sizeof r->first);
    }
    r->stack = stack;
    r->capacity = capacity;
  }
  r->stack[r->used++] = *node;
  return true;
}

/* Moves the children from `base` on to the arena and tells their children where they stand now. */
static enum status close_container(struct reader *r, size_t base, struct node *node) {
  size_t count = r->used - base;
  node->end = (uint32_t)(r->at - r->text);
  if (count == 0) {
    return OK;
  }
  node->children = arena_array(r->arena, count, sizeof *node->children);
  if (node->children == NULL) {
    return error_memory(r->error);
  }
  memcpy(node->children, r->stack + base, count * sizeof *node->children);
  node->count = (uint32_t)count;
  r->used = base;
  for (size_t i = 0; i < count; i++) {
    struct node *child = &node->children[i];
    for (uint32_t j = 0; j < child->count; j++) {
      child->children[j].parent = child;
    }
  }
  return OK;
}

static int hex_value(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  c = (char)(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four hexadecimal digits at `at`, or -1. */
static int32_t hex4(const char *at, const char *end) {
  int32_t value = 0;
  if (end - at < 4) {
    return -1;
  }
  for (int i = 0; i < 4; i++) {
    int digit = hex_value(at[i]);
    if (digit < 0) {
      return -1;
    }
    value = value * 16 + digit;
  }
  return value;
}

/* The character of \uXXXX (a pair of them for surrogates) whose digits start at *at; -1 where it is none. */
static int32_t unicode_escape(const char **at, const char *end) {
  int32_t c = hex4(*at, end);
  if (c <= 0) {
    return -1;
  }
  *at += 4;
  if (!U_IS_SURROGATE(c)) {
    return c;
  }
  if (!U_IS_SURROGATE_LEAD(c) || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u') {
    return -1;
  }
  int32_t trail = hex4(*at + 2, end);
  if (trail < 0xDC00 || trail > 0xDFFF) {
    return -1;
  }
  *at += 6;
  return 0x10000 + ((c - 0xD800) << 10) + (trail - 0xDC00);
}

static char simple_escape(char c) {
  switch (c) {
  case '"':
  case '\\':
  case '/':
    return c;
  case 'b':
    return '\b';
  case 'f':
    return '\f';
  case 'n':
    return '\n';
  case 'r':
    return '\r';
  case 't':
    return '\t';
  default:
    return '\0';
  }
}

/* Decodes the escapes of a string that is known to close; the result is never longer than what was written. */
static enum status decode(struct reader *r, const char *from, const char *to, struct slice *text) {
  char *copy = arena_bytes(r->arena, (size_t)(to - from));
  size_t length = 0;
  if (copy == NULL) {
    return error_memory(r->error);
  }
  while (from < to) {
    const char *escape = memchr(from, '\\', (size_t)(to - from));
    size_t plain = (size_t)((escape == NULL ? to : escape) - from);
    memcpy(copy + length, from, plain);
    length += plain;
    from += plain;
    if (escape == NULL) {
      break;
    }
    char c = simple_escape(from[1]);
    if (c != '\0') {
      copy[length++] = c;
      from += 2;
      continue;
    }
    from += 2;
    int32_t wide = escape[1] == 'u' ? unicode_escape(&from, to) : -1;
    if (wide < 0) {
      return fail(r, escape, _("not JSON: an escape that is none, a zero character, or half of a surrogate pair"));
    }
    U8_APPEND_UNSAFE(copy, length, wide);
  }
  *text = slice_make(copy, length);
  return OK;
}

/* Passes over one character above ASCII; false where it is not valid UTF-8. */
static bool pass_wide(struct reader *r) {
  size_t i = 0;
  size_t left = (size_t)(r->end - r->at);
  UChar32 c;
  U8_NEXT(r->at, i, left, c);
  r->at += i;
  return c >= 0;
}

/* At the opening quote; leaves `at` behind the closing one. */
static enum status read_string(struct reader *r, struct slice *text) {
  const char *from = ++r->at;
  bool escaped = false;
  for (;;) {
    while (r->at < r->end && classes[(unsigned char)*r->at] == PLAIN) {
      r->at++;
    }
    if (r->at == r->end) {
      return fail(r, r->at, _("not JSON: the text ends inside a string"));
    }
    switch (classes[(unsigned char)*r->at]) {
    case QUOTE:
      r->at++;
      if (escaped) {
        return decode(r, from, r->at - 1, text);
      }
      *text = slice_make(from, (size_t)(r->at - 1 - from));
      return OK;
    case BACKSLASH:
      escaped = true;
      if (r->end - r->at < 2) {
        return fail(r, r->end, _("not JSON: the text ends inside a string"));
      }
      r->at += (unsigned char)r->at[1] < 0x80 ? 2 : 1;
      break;
    case WIDE:
      if (!pass_wide(r)) {
        return fail(r, r->at, _("not JSON: a string that is not UTF-8"));
      }
      break;
    default:
      return fail(r, r->at, _("not JSON: a control character inside a string"));
    }
  }
}

static bool pass_digits(struct reader *r) {
  const char *from = r->at;
  while (r->at < r->end && *r->at >= '0' && *r->at <= '9') {
    r->at++;
  }
  return r->at > from;
}

/* -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)? */
static enum status read_number(struct reader *r, struct node *node) {
  const char *from = r->at;
  r->at += *r->at == '-';
  if (r->at < r->end && *r->at == '0') {
    r->at++;
  } else if (!pass_digits(r)) {
    return fail(r, from, _("not JSON: a value was expected"));
  }
  if (r->at < r->end && *r->at == '.') {
    r->at++;
    if (!pass_digits(r)) {
      return fail(r, r->at, _("not JSON: a digit was expected"));
    }
  }
  if (r->at < r->end && (*r->at == 'e' || *r->at == 'E')) {
    r->at++;
    r->at += r->at < r->end && (*r->at == '+' || *r->at == '-');
    if (!pass_digits(r)) {
      return fail(r, r->at, _("not JSON: a digit was expected"));
    }
  }
  node->kind = NODE_NUMBER;
  node->text = slice_make(from, (size_t)(r->at - from));
  return OK;
}

static enum status read_word(struct reader *r, struct node *node) {
  static const struct {
    char word[8];
    size_t length;
    enum node_kind kind;
  } words[] = {{"null", 4, NODE_NULL}, {"true", 4, NODE_TRUE}, {"false", 5, NODE_FALSE}};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
    size_t length = words[i].length;
    if ((size_t)(r->end - r->at) >= length && memcmp(r->at, words[i].word, length) == 0) {
      node->kind = (uint8_t)words[i].kind;
      node->text = words[i].kind == NODE_NULL ? slice_none() : slice_make(r->at, length);
      r->at += length;
      return OK;
    }
  }
  return fail(r, r->at, _("not JSON: a value was expected"));
}

static enum status read_value(struct reader *r, struct node *node);

/* The name and the colon of a member. */
static enum status read_name(struct reader *r, struct slice *name) {
  skip_space(r);
  if (r->at == r->end || *r->at != '"') {
    return fail(r, r->at, _("not JSON: a member name was expected"));
  }
  enum status status = read_string(r, name);
  if (status != OK) {
    return status;
  }
  skip_space(r);
  if (r->at == r->end || *r->at != ':') {
    return fail(r, r->at, _("not JSON: a colon was expected"));
  }
  r->at++;
  return OK;
}

/* The items of an object or a list, at its opening bracket. */
static enum status read_items(struct reader *r, struct node *node, char close) {
  size_t base = r->used;
  r->at++;
  skip_space(r);
  if (r->at < r->end && *r->at == close) {
    r->at++;
    return close_container(r, base, node);
  }
  for (;;) {
    struct node child = {0};
    enum status status = close == '}' ? read_name(r, &child.name) : OK;
    status = status != OK ? status : read_value(r, &child);
    if (status != OK) {
      return status;
    }
    if (!push(r, &child)) {
      return error_memory(r->error);
    }
    skip_space(r);
    char c = '\0';
    if (r->at < r->end) {
      c = *r->at;
    }
    if (c != ',' && c != close) {
      return fail(r, r->at, _("not JSON: a comma or a closing bracket was expected"));
    }
    r->at++;
    if (c == close) {
      return close_container(r, base, node);
    }
  }
}

static enum status read_container(struct reader *r, struct node *node) {
  bool object = *r->at == '{';
  if (r->depth == DEPTH_MOST) {
    error_set(r->error, ERR_LIMIT, _("JSON is nested deeper than %d levels"), DEPTH_MOST);
    error_place(r->error, _("byte %zu"), (size_t)(r->at - r->text));
    return ERR_LIMIT;
  }
  r->depth++;
  node->kind = object ? NODE_OBJECT : NODE_LIST;
  enum status status = read_items(r, node, object ? '}' : ']');
  r->depth--;
  return status;
}

static enum status read_value(struct reader *r, struct node *node) {
  enum status status;
  skip_space(r);
  if (r->at == r->end) {
    return fail(r, r->at, _("not JSON: the text ends where a value was expected"));
  }
  node->begin = (uint32_t)(r->at - r->text);
  switch (*r->at) {
  case '{':
  case '[':
    return read_container(r, node);
  case '"':
    node->kind = NODE_TEXT;
    status = read_string(r, &node->text);
    break;
  case 'n':
  case 't':
  case 'f':
    status = read_word(r, node);
    break;
  default:
    status = read_number(r, node);
  }
  node->end = (uint32_t)(r->at - r->text);
  return status;
}

static enum status read_document(struct reader *r, struct node *root) {
  if (r->end - r->at >= 3 && memcmp(r->at, "\xEF\xBB\xBF", 3) == 0) {
    r->at += 3;
  }
  enum status status = read_value(r, root);
  if (status != OK) {
    return status;
  }
  skip_space(r);
  if (r->at != r->end) {
    return fail(r, r->at, _("not JSON: more text after the value"));
  }
  for (uint32_t i = 0; i < root->count; i++) {
    root->children[i].parent = root;
  }
  return OK;
}

enum status json_read(struct slice bytes, struct arena *arena, struct node **root, struct error *error) {
  struct reader r;
  *root = NULL;
  if (bytes.len >= UINT32_MAX) {
    return error_set(error, ERR_LIMIT, "%s", _("JSON text of 4 GiB or more"));
  }
  r.text = r.at = bytes.len == 0 ? "" : bytes.data;
  r.end = r.text + bytes.len;
  r.arena = arena;
  r.error = error;
  r.stack = r.first;
  r.used = 0;
  r.capacity = FIRST_STACK;
  r.depth = 0;
  struct node *made = arena_alloc(arena, sizeof *made);
  enum status status = made == NULL ? error_memory(error) : read_document(&r, made);
  if (r.stack != r.first) {
    free(r.stack);
  }
  if (status == OK) {
    *root = made;
  }
  return status;
}

#include "core/base/share.h"

#include "core/base/date.h"
#include "core/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgfshare.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILE_MOST = 4096, SUM = 8, LINE_MOST = 160 };
static const char TITLE[] = "puente key share 1";

struct keyed_digest share_mark(const struct key *key) {
  struct subkey wrapping = key_wrapping(key);
  struct keyed_digest mark = subkey_digest(&wrapping, slice_of("share"));
  sodium_memzero(&wrapping, sizeof wrapping);
  return mark;
}

void shares_wipe(struct share *shares, size_t count) {
  sodium_memzero(shares, count * sizeof *shares);
}

/* ---- splitting ---- */

static void fill_random(unsigned char *bytes, unsigned int len) {
  randombytes_buf(bytes, len);
}

static void copy_name(char to[SHARE_NAME], const char *name) {
  size_t len = strnlen(name, SHARE_NAME - 1);
  memcpy(to, name, len);
  to[len] = '\0';
  for (char *sign = to; *sign != '\0'; sign++) {
    *sign = (unsigned char)*sign < ' ' ? '_' : *sign;
  }
}

enum status shares_make(const struct key *key, const char *workspace, int shares, int needed, struct share *out,
                        struct error *error) {
  unsigned char numbers[SHARES_MOST];
  uint8_t secret[KEY_SIZE], split[SHARE_SPLIT];
  char now[TIMESTAMP_TEXT_SIZE];
  if (needed < 2 || shares < needed || shares > SHARES_MOST) {
    return error_set(error, ERR_USAGE, _("at least 2 shares are needed of at most %d that are made"), SHARES_MOST);
  }
  for (int i = 0; i < shares; i++) {
    numbers[i] = (unsigned char)(i + 1);
  }
  gfshare_fill_rand = fill_random;
  gfshare_ctx *context = gfshare_ctx_init_enc(numbers, (unsigned)shares, (unsigned char)needed, KEY_SIZE);
  if (context == NULL) {
    return error_memory(error);
  }
  memcpy(secret, key_bytes(key), KEY_SIZE);
  gfshare_ctx_enc_setsecret(context, secret);
  sodium_memzero(secret, sizeof secret);
  randombytes_buf(split, sizeof split);
  clock_format(clock_now(), now);
  for (int i = 0; i < shares; i++) {
    out[i] = (struct share){.number = i + 1, .shares = shares, .needed = needed, .mark = share_mark(key)};
    copy_name(out[i].workspace, workspace);
    snprintf(out[i].date, sizeof out[i].date, "%.10s", now);
    memcpy(out[i].split, split, sizeof split);
    gfshare_ctx_enc_getshare(context, (unsigned char)i, out[i].bytes);
  }
  gfshare_ctx_free(context); /* wipes its coefficients */
  return OK;
}

/* ---- the file ---- */

static void sum_of(struct slice text, char sum[2 * SUM + 1]) {
  struct sha256 digest = sha256_of(text);
  hex_format(digest.bytes, SUM, sum);
}

static enum status write_all(int file, struct slice text) {
  for (size_t had = 0; had < text.len;) {
    ssize_t put = write(file, text.data + had, text.len - had);
    if (put <= 0 && errno != EINTR) {
      return ERR_IO;
    }
    had += put > 0 ? (size_t)put : 0;
  }
  return fsync(file) == 0 ? OK : ERR_IO;
}

static enum status put_file(const char *path, struct slice text, struct error *error) {
  int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  enum status status = file < 0 ? ERR_IO : write_all(file, text);
  int cause = errno;
  if (file >= 0 && (close(file) != 0 || status != OK)) {
    unlink(path);
    status = ERR_IO;
  }
  if (status == OK) {
    file_sync_folder(path);
    return OK;
  }
  error_set(error, cause == ENOSPC ? ERR_FULL : ERR_IO, _("cannot write the share: %s"), strerror(cause));
  error_place(error, "%s", path);
  if (cause == EEXIST) {
    error_hint(error, "%s", _("a share is never overwritten; name another folder"));
  }
  return error->code;
}

enum status share_write(const struct share *share, const char *path, struct error *error) {
  char text[1024], mark[2 * KEYED_SIZE + 1], split[2 * SHARE_SPLIT + 1], data[2 * KEY_SIZE + 1], sum[2 * SUM + 1];
  hex_format(share->mark.bytes, KEYED_SIZE, mark);
  hex_format(share->split, SHARE_SPLIT, split);
  hex_format(share->bytes, KEY_SIZE, data);
  int len = snprintf(text, sizeof text,
                     "%s\nworkspace: %s\ndate: %s\nshare: %d of %d\nneeded: %d\nkey: %s\nsplit: %s\ndata: %s\n", TITLE,
                     share->workspace, share->date, share->number, share->shares, share->needed, mark, split, data);
  sum_of(slice_make(text, (size_t)len), sum);
  len += snprintf(text + len, sizeof text - (size_t)len, "checksum: %s\n", sum);
  enum status status = put_file(path, slice_make(text, (size_t)len), error);
  sodium_memzero(text, sizeof text);
  sodium_memzero(data, sizeof data);
  return status;
}

/* Lines of a share in their order. */
enum line { LINE_WORKSPACE, LINE_DATE, LINE_SHARE, LINE_NEEDED, LINE_KEY, LINE_SPLIT, LINE_DATA, LINE_SUM, LINE_COUNT };
static const char *const LINES[LINE_COUNT] = {
    "workspace: ", "date: ", "share: ", "needed: ", "key: ", "split: ", "data: ", "checksum: "};

/* The next line without its end, and without space after it. */
static struct slice next_line(struct slice *rest) {
  const char *end = rest->len == 0 ? NULL : memchr(rest->data, '\n', rest->len);
  struct slice line = slice_make(rest->data, end == NULL ? rest->len : (size_t)(end - rest->data));
  size_t taken = line.len + (end == NULL ? 0 : 1);
  *rest = slice_make(rest->data + taken, rest->len - taken);
  while (line.len > 0 && (line.data[line.len - 1] == '\r' || line.data[line.len - 1] == ' ')) {
    line.len--;
  }
  return line;
}

/* `plain`: the lines above the checksum as they were written, whatever ends them now. */
static bool split_lines(struct slice text, char values[LINE_COUNT][LINE_MOST], struct buffer *plain) {
  if (!slice_is(next_line(&text), TITLE)) {
    return false;
  }
  buffer_printf(plain, "%s\n", TITLE);
  for (int i = 0; i < LINE_COUNT; i++) {
    struct slice line = next_line(&text);
    size_t name = strlen(LINES[i]);
    if (line.len < name || line.len - name >= LINE_MOST || memcmp(line.data, LINES[i], name) != 0) {
      return false;
    }
    memcpy(values[i], line.data + name, line.len - name);
    values[i][line.len - name] = '\0';
    if (i != LINE_SUM) {
      buffer_printf(plain, "%.*s\n", SLICE_ARG(line));
    }
  }
  return plain->failed == OK;
}

static bool take_values(char values[LINE_COUNT][LINE_MOST], struct share *share) {
  char rest[2];
  copy_name(share->workspace, values[LINE_WORKSPACE]);
  snprintf(share->date, sizeof share->date, "%.10s", values[LINE_DATE]);
  return sscanf(values[LINE_SHARE], "%3d of %3d%1s", &share->number, &share->shares, rest) == 2
         && sscanf(values[LINE_NEEDED], "%3d%1s", &share->needed, rest) == 1 && share->needed >= 2
         && share->shares >= share->needed && share->shares <= SHARES_MOST && share->number >= 1
         && share->number <= share->shares && hex_parse(slice_of(values[LINE_KEY]), share->mark.bytes, KEYED_SIZE)
         && hex_parse(slice_of(values[LINE_SPLIT]), share->split, SHARE_SPLIT)
         && hex_parse(slice_of(values[LINE_DATA]), share->bytes, KEY_SIZE);
}

static enum status parse(struct slice text, const char *path, struct share *share, struct error *error) {
  char values[LINE_COUNT][LINE_MOST], sum[2 * SUM + 1];
  struct buffer plain;
  buffer_init(&plain, FILE_MOST);
  bool whole = split_lines(text, values, &plain);
  enum status status = OK;
  if (!whole) {
    status = error_set(error, ERR_INPUT, "%s", _("this is not a share of a key"));
  } else {
    sum_of(buffer_view(&plain), sum);
    bool same = strcmp(sum, values[LINE_SUM]) == 0;
    if (!same || !take_values(values, share)) {
      status = error_set(error, ERR_INPUT, "%s", _("this share is damaged: its checksum is another"));
    }
  }
  if (status != OK) {
    error_place(error, "%s", path);
    error_hint(error, "%s", _("compare it with its holder's printed copy, or take another holder's share"));
  }
  if (plain.data != NULL) {
    sodium_memzero(plain.data, plain.capacity);
  }
  sodium_memzero(values, sizeof values);
  buffer_free(&plain);
  return status;
}

enum status share_read(const char *path, struct share *share, struct error *error) {
  struct buffer text;
  *share = (struct share){.number = 0};
  buffer_init(&text, FILE_MOST);
  enum status status = file_read(path, FILE_MOST, &text, error);
  status = status == OK ? parse(buffer_view(&text), path, share, error) : status;
  if (text.data != NULL) {
    sodium_memzero(text.data, text.capacity);
  }
  buffer_free(&text);
  return status;
}

/* ---- joining ---- */

static enum status agree(const struct share *first, const struct share *other, struct error *error) {
  if (strcmp(first->workspace, other->workspace) != 0) {
    error_set(error, ERR_USAGE, _("these are shares of two workspaces, \"%s\" and \"%s\""), first->workspace,
              other->workspace);
  } else if (memcmp(first->split, other->split, SHARE_SPLIT) != 0) {
    error_set(error, ERR_USAGE, _("these are shares of two splits, of %s and of %s"), first->date, other->date);
  } else if (first->number == other->number) {
    error_set(error, ERR_USAGE, _("share %d is given twice"), first->number);
  } else {
    return OK;
  }
  error_hint(error, "%s", _("shares belong together that were made by one `puente key split`"));
  return ERR_USAGE;
}

enum status shares_agree(const struct share *shares, size_t count, struct error *error) {
  enum status status = OK;
  for (size_t i = 0; i < count && status == OK; i++) {
    for (size_t j = i + 1; j < count && status == OK; j++) {
      status = agree(&shares[i], &shares[j], error);
    }
  }
  return status;
}

static enum status combine(const struct share *shares, size_t count, uint8_t secret[KEY_SIZE], struct error *error) {
  unsigned char numbers[SHARES_MOST];
  uint8_t bytes[KEY_SIZE];
  for (size_t i = 0; i < count; i++) {
    numbers[i] = (unsigned char)shares[i].number;
  }
  gfshare_fill_rand = fill_random;
  gfshare_ctx *context = gfshare_ctx_init_dec(numbers, (unsigned)count, KEY_SIZE);
  if (context == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < count; i++) {
    memcpy(bytes, shares[i].bytes, KEY_SIZE);
    gfshare_ctx_dec_giveshare(context, (unsigned char)i, bytes);
  }
  gfshare_ctx_dec_extract(context, secret);
  gfshare_ctx_free(context);
  sodium_memzero(bytes, sizeof bytes);
  return OK;
}

enum status shares_join(const struct share *shares, size_t count, struct key **key, struct error *error) {
  uint8_t secret[KEY_SIZE];
  *key = NULL;
  enum status status = shares_agree(shares, count, error);
  if (status != OK) {
    return status;
  }
  if (count == 0 || count < (size_t)shares[0].needed || count > SHARES_MOST) {
    error_set(error, ERR_USAGE,
              ngettext("%zu share is not enough: %d are needed", "%zu shares are not enough: %d are needed", count),
              count, count == 0 ? 2 : shares[0].needed);
    error_hint(error, "%s", _("ask another holder for theirs"));
    return ERR_USAGE;
  }
  status = combine(shares, count, secret, error);
  status = status == OK ? key_make(secret, key, error) : status;
  sodium_memzero(secret, sizeof secret);
  if (status != OK) {
    return status;
  }
  struct keyed_digest mark = share_mark(*key);
  if (memcmp(&mark, &shares[0].mark, sizeof mark) != 0) {
    key_free(*key);
    *key = NULL;
    error_set(error, ERR_INPUT, "%s", _("what these shares give is not the key that they name: one was changed"));
    error_hint(error, "%s", _("take the share of another holder in turn for each of them"));
    return ERR_INPUT;
  }
  return OK;
}

#include "core/base/share.h"

#include "core/base/date.h"
#include "core/base/paper.h"

#include <errno.h>
#include <libgfshare.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

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

/* Lines of a share in their order. */
enum line { LINE_WORKSPACE, LINE_DATE, LINE_SHARE, LINE_NEEDED, LINE_KEY, LINE_SPLIT, LINE_DATA, LINE_COUNT };
static const struct paper PAPER = {.title = "puente key share 1",
                                   .names = {"workspace", "date", "share", "needed", "key", "split", "data", NULL}};

enum status share_write(const struct share *share, const char *path, struct error *error) {
  struct paper_values values;
  int cause = 0;
  snprintf(values.of[LINE_WORKSPACE], PAPER_VALUE, "%s", share->workspace);
  snprintf(values.of[LINE_DATE], PAPER_VALUE, "%s", share->date);
  snprintf(values.of[LINE_SHARE], PAPER_VALUE, "%d of %d", share->number, share->shares);
  snprintf(values.of[LINE_NEEDED], PAPER_VALUE, "%d", share->needed);
  hex_format(share->mark.bytes, KEYED_SIZE, values.of[LINE_KEY]);
  hex_format(share->split, SHARE_SPLIT, values.of[LINE_SPLIT]);
  hex_format(share->bytes, KEY_SIZE, values.of[LINE_DATA]);
  enum status status = paper_write(&PAPER, &values, path, &cause);
  sodium_memzero(&values, sizeof values);
  if (status == OK) {
    return OK;
  }
  error_set(error, cause == ENOSPC ? ERR_FULL : ERR_IO, _("cannot write the share: %s"), strerror(cause));
  error_place(error, "%s", path);
  if (cause == EEXIST) {
    error_hint(error, "%s", _("a share is never overwritten; name another folder"));
  }
  return error->code;
}

static bool take_values(const struct paper_values *values, struct share *share) {
  char rest[2];
  copy_name(share->workspace, values->of[LINE_WORKSPACE]);
  snprintf(share->date, sizeof share->date, "%.10s", values->of[LINE_DATE]);
  return sscanf(values->of[LINE_SHARE], "%3d of %3d%1s", &share->number, &share->shares, rest) == 2
         && sscanf(values->of[LINE_NEEDED], "%3d%1s", &share->needed, rest) == 1 && share->needed >= 2
         && share->shares >= share->needed && share->shares <= SHARES_MOST && share->number >= 1
         && share->number <= share->shares && hex_parse(slice_of(values->of[LINE_KEY]), share->mark.bytes, KEYED_SIZE)
         && hex_parse(slice_of(values->of[LINE_SPLIT]), share->split, SHARE_SPLIT)
         && hex_parse(slice_of(values->of[LINE_DATA]), share->bytes, KEY_SIZE);
}

enum status share_read(const char *path, struct share *share, struct error *error) {
  struct paper_values values;
  enum paper_state state;
  *share = (struct share){.number = 0};
  enum status status = paper_read(&PAPER, path, &values, &state, error);
  if (status != OK) {
    return status;
  }
  if (state == PAPER_OTHER) {
    status = error_set(error, ERR_INPUT, "%s", _("this is not a share of a key"));
  } else if (state == PAPER_DAMAGED || !take_values(&values, share)) {
    status = error_set(error, ERR_INPUT, "%s", _("this share is damaged: its checksum is another"));
  }
  if (status != OK) {
    error_place(error, "%s", path);
    error_hint(error, "%s", _("compare it with its holder's printed copy, or take another holder's share"));
  }
  sodium_memzero(&values, sizeof values);
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

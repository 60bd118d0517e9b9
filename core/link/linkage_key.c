#include "core/link/linkage_key.h"

#include "core/base/date.h"
#include "core/base/paper.h"
#include "core/link/clk.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

_Static_assert((int)CLK_KEY_SIZE == (int)KEY_SIZE, "the key of codes is a key");

enum line { LINE_WORKSPACE, LINE_DATE, LINE_CODE, LINE_MARK, LINE_DATA };
static const struct paper PAPER = {.title = "puente linkage key 1",
                                   .names = {"workspace", "date", "code", "key", "data", NULL}};

static void set_mark(struct linkage_key *key) {
  struct subkey subkey;
  memcpy(subkey.bytes, key->bytes, KEY_SIZE);
  struct keyed_digest mark = subkey_digest(&subkey, slice_of("puente/linkage"));
  hex_format(mark.bytes, KEYED_SIZE, key->mark);
  sodium_memzero(&subkey, sizeof subkey);
}

void linkage_key_make(const struct key *key, const char *workspace, struct linkage_key *made) {
  snprintf(made->workspace, sizeof made->workspace, "%s", workspace);
  for (char *sign = made->workspace; *sign != '\0'; sign++) {
    *sign = (unsigned char)*sign < ' ' ? '_' : *sign;
  }
  encoding_key(key, made->bytes);
  set_mark(made);
}

enum status linkage_key_write(const struct linkage_key *key, const char *path, struct error *error) {
  struct paper_values values;
  char now[TIMESTAMP_TEXT_SIZE];
  int cause = 0;
  clock_format(clock_now(), now);
  snprintf(values.of[LINE_WORKSPACE], PAPER_VALUE, "%s", key->workspace);
  snprintf(values.of[LINE_DATE], PAPER_VALUE, "%.10s", now);
  snprintf(values.of[LINE_CODE], PAPER_VALUE, "%s", CLK_VERSION);
  snprintf(values.of[LINE_MARK], PAPER_VALUE, "%s", key->mark);
  hex_format(key->bytes, KEY_SIZE, values.of[LINE_DATA]);
  enum status status = paper_write(&PAPER, &values, path, &cause);
  sodium_memzero(&values, sizeof values);
  if (status == OK) {
    return OK;
  }
  error_set(error, cause == ENOSPC ? ERR_FULL : ERR_IO, _("cannot write the linkage key: %s"), strerror(cause));
  error_place(error, "%s", path);
  if (cause == EEXIST) {
    error_hint(error, "%s", _("no file is overwritten; give another name"));
  }
  return error->code;
}

static enum status check_mode(const char *path, struct error *error) {
  struct stat info;
  if (stat(path, &info) != 0 || (info.st_mode & 077) == 0) {
    return OK; /* reading tells what else is wrong */
  }
  error_set(error, ERR_CONFIG, _("the key file can be read by others (mode %04o)"), (unsigned)info.st_mode & 07777);
  error_hint(error, "%s", _("chmod 600 the file"));
  return ERR_CONFIG;
}

static enum status take_values(const struct paper_values *values, struct linkage_key *key, struct error *error) {
  if (strcmp(values->of[LINE_CODE], CLK_VERSION) != 0) {
    error_set(error, ERR_CONFIG, _("this linkage key is for codes of version %.16s, and this program makes %s"),
              values->of[LINE_CODE], CLK_VERSION);
    error_hint(error, "%s", _("ask for the version of puente that the centre has; codes of two are never compared"));
    return ERR_CONFIG;
  }
  snprintf(key->workspace, sizeof key->workspace, "%.*s", LINKAGE_NAME - 1, values->of[LINE_WORKSPACE]);
  if (hex_parse(slice_of(values->of[LINE_DATA]), key->bytes, KEY_SIZE)) {
    set_mark(key);
    if (strcmp(key->mark, values->of[LINE_MARK]) == 0) {
      return OK;
    }
  }
  return error_set(error, ERR_INPUT, "%s", _("this linkage key is damaged"));
}

enum status linkage_key_read(const char *path, struct linkage_key *key, struct error *error) {
  struct paper_values values;
  enum paper_state state = PAPER_OTHER;
  enum status status = check_mode(path, error);
  *key = (struct linkage_key){.workspace = ""};
  if (status == OK && (status = paper_read(&PAPER, path, &values, &state, error)) != OK) {
    return status;
  }
  if (status == OK && state == PAPER_WHOLE) {
    status = take_values(&values, key, error);
  } else if (status == OK) {
    status = error_set(error, ERR_INPUT, "%s",
                       state == PAPER_OTHER ? _("this is not a linkage key") : _("this linkage key is damaged"));
    error_hint(error, "%s", _("ask the centre for the file that its `puente key linkage FILE` writes"));
  }
  sodium_memzero(&values, sizeof values);
  if (status != OK) {
    sodium_memzero(key->bytes, sizeof key->bytes);
    error_place(error, "%s", path);
  }
  return status;
}

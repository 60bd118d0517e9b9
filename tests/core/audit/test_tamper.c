/* A log as an auditor takes it away, changed at random in every way that matters: both verifiers, which share no code,
 * find each change and name the same first entry. */
#include "core/audit/lines.h"
#include "core/audit/verify.h"

#include "tests/support/contract.h"
#include "tests/support/temp.h"
#include "tests/support/workspace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ENTRIES = 60, TAMPERED = 1000, LINES = ENTRIES + 2 };

struct log {
  char *folder, file[256], checkpoint[256];
  struct checkpoint signed_head;
  char *lines[LINES];
  size_t count;
  uint64_t random;
};

static uint64_t draw(struct log *log, uint64_t below) {
  log->random = log->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (log->random >> 33) % below;
}

static void digest_row(struct audit_row *row, const struct sha256 *previous) {
  struct buffer form;
  struct error error;
  buffer_init(&form, 1 << 20);
  row->previous = *previous;
  MUST(audit_hash(row, &form, &row->hash, &error));
  buffer_free(&form);
}

static char *line_of(const struct audit_row *row) {
  struct buffer line;
  buffer_init(&line, 1 << 20);
  audit_line_write(row, &line);
  assert_int_equal(line.failed, OK);
  return line.data;
}

/* `actor` of each entry: a chain that is written anew has another one. */
static void write_chain(struct log *log, const char *actor, struct sha256 *head) {
  *head = (struct sha256){{0}};
  for (size_t i = 0; i < ENTRIES; i++) {
    char body[64];
    snprintf(body, sizeof body, "{\"reason\":\"ñ \\\"%zu\\\"\\n\"}", i);
    struct audit_row row = {.sequence = (int64_t)i + 1,
                            .at = INT64_C(1577836800000000) + (int64_t)i,
                            .run = (int64_t)i / 3,
                            .event = i % 5 == 0 ? "reveal" : "land",
                            .source = i % 2 == 0 ? "sistra" : NULL,
                            .actor = actor,
                            .purpose = i % 5 == 0 ? "expediente\t12" : NULL,
                            .body = body};
    digest_row(&row, head);
    *head = row.hash;
    log->lines[i] = line_of(&row);
  }
  log->count = ENTRIES;
}

static void forget_lines(struct log *log) {
  for (size_t i = 0; i < log->count; i++) {
    free(log->lines[i]);
  }
  log->count = 0;
}

static void save(const struct log *log) {
  FILE *file = fopen(log->file, "w");
  assert_non_null(file);
  for (size_t i = 0; i < log->count; i++) {
    fputs(log->lines[i], file);
  }
  assert_int_equal(fclose(file), 0);
}

/* The first entry that each verifier names; 0: none. The program refuses a line that is none with its place. */
static long long ours(const struct log *log, bool checkpoint) {
  struct audit_check check;
  struct error error;
  enum status status = audit_verify_file(log->file, &log->signed_head, checkpoint, &check, &error);
  if (status != OK) {
    assert_int_equal(status, ERR_INPUT);
    return atoll(strrchr(error.place, ':') + 1);
  }
  return check.first_wrong;
}

static long long theirs(const struct log *log, bool checkpoint) {
  int code = 0;
  long long entry = 0;
  char *said =
      shell_output(&code, "%s/audit-verify %s %s", build_folder(), log->file, checkpoint ? log->checkpoint : "");
  const char *wrong = strstr(said, "audit wrong: entry ");
  if (wrong != NULL) {
    assert_int_equal(sscanf(wrong, "audit wrong: entry %lld", &entry), 1);
  } else {
    assert_non_null(strstr(said, "audit ok: entries="));
  }
  assert_int_equal(code, wrong == NULL ? 0 : 1);
  free(said);
  return entry;
}

static void move_up(struct log *log, size_t at) {
  memmove(log->lines + at + 1, log->lines + at, (log->count - at) * sizeof *log->lines);
  log->count++;
}

static void drop(struct log *log, size_t at) {
  free(log->lines[at]);
  memmove(log->lines + at, log->lines + at + 1, (log->count - at - 1) * sizeof *log->lines);
  log->count--;
}

/* Another character of a value; the line keeps its form. */
static void change(struct log *log, size_t at) {
  char *line = log->lines[at];
  size_t len = strlen(line), place;
  do {
    place = draw(log, len);
  } while (strchr("0123456789abcdefghijklmnopqrstuvwxyz", line[place]) == NULL);
  line[place] = line[place] == '7' ? '8' : '7';
}

/* What was done, and whether a checkpoint is needed to see it. */
static const char *tamper(struct log *log, uint64_t kind, bool *checkpoint) {
  size_t at = draw(log, log->count), other = draw(log, log->count - 1);
  struct sha256 head;
  char *kept;
  switch (kind) {
  case 0:
    change(log, at);
    return "change";
  case 1:
    drop(log, draw(log, log->count - 1)); /* the last one is the cut of case 4 */
    return "drop";
  case 2:
    other += other >= at;
    kept = log->lines[at];
    log->lines[at] = log->lines[other];
    log->lines[other] = kept;
    return "swap";
  case 3: /* an entry is told again, anywhere */
    kept = strdup(log->lines[at]);
    assert_non_null(kept);
    at = draw(log, log->count + 1);
    move_up(log, at);
    log->lines[at] = kept;
    return "replay";
  case 4:
    *checkpoint = true;
    for (size_t left = draw(log, log->count); log->count > left;) {
      drop(log, log->count - 1);
    }
    return "truncate";
  default:
    *checkpoint = true;
    forget_lines(log);
    write_chain(log, "somebody", &head);
    return "anew";
  }
}

static void test_tampered(void **state) {
  struct log *log = *state;
  int found = 0, by_kind[6] = {0};
  for (int i = 0; i < TAMPERED; i++) {
    struct sha256 head;
    uint64_t kind = draw(log, 6);
    bool checkpoint = false;
    write_chain(log, "ana", &head);
    const char *what = tamper(log, kind, &checkpoint);
    save(log);
    long long first = ours(log, checkpoint), second = theirs(log, checkpoint);
    if (first == 0 || first != second) {
      print_error("%s: the program names entry %lld, the second verifier %lld\n", what, first, second);
    }
    found += first != 0 && first == second;
    by_kind[kind]++;
    forget_lines(log);
  }
  print_message("tamper ok: changed=%d dropped=%d swapped=%d replayed=%d truncated=%d anew=%d found=%d\n", by_kind[0],
                by_kind[1], by_kind[2], by_kind[3], by_kind[4], by_kind[5], found);
  assert_int_equal(found, TAMPERED);
}

/* The same values, written in another way: both verifiers name the line, though its hash is right. */
static void test_other_writing(void **state) {
  struct log *log = *state;
  static const char *const changes[] = {"s/:4,/:+4,/",
                                        "s/:4,/:04,/",
                                        "s/:4,/: 4,/",
                                        "s/:4,/:4e0,/",
                                        "s/:4,/:4.0,/",
                                        "s/$/ /",
                                        "s/$/\\r/",
                                        "s/ana/\\\\u0061na/",
                                        "s/\\\\n/\\\\u000a/",
                                        "s/ñ/\\\\u00f1/",
                                        "s/ñ/\\xc1\\xb1/",
                                        "s/\\(\"run\":\\)1/\\199999999999999999999/",
                                        "s/\"hash\":\"./&\\U&/",
                                        "s/^/ /",
                                        "s/}$/,\"more\":1}/",
                                        "s/ana/a\\x00na/",
                                        "s/ana/a\\x01na/",
                                        "s/\\(\"hash\":\\)\\(.*\\)}/\\1\\U\\2}/"};
  for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
    struct sha256 head;
    write_chain(log, "ana", &head);
    save(log);
    shell("LC_ALL=C sed -i '4%s' %s", changes[i], log->file);
    if (ours(log, false) != 4 || theirs(log, false) != 4) {
      fail_msg("%s: %lld, %lld", changes[i], ours(log, false), theirs(log, false));
    }
    forget_lines(log);
  }
  struct sha256 head;
  write_chain(log, "ana", &head);
  save(log);
  shell("truncate -s -1 %s", log->file);
  assert_int_equal(ours(log, false), ENTRIES);
  assert_int_equal(theirs(log, false), ENTRIES);
  forget_lines(log);
}

static void test_whole(void **state) {
  struct log *log = *state;
  struct sha256 head;
  write_chain(log, "ana", &head);
  save(log);
  assert_int_equal(ours(log, true), 0);
  assert_int_equal(theirs(log, true), 0);
  forget_lines(log);
}

/* A checkpoint is worth nothing when it can be changed, or made by somebody else. */
static void test_checkpoint(void **state) {
  struct log *log = *state;
  struct buffer text;
  struct error error;
  struct checkpoint read;
  buffer_init(&text, CHECKPOINT_LIMIT);
  FILE *file = fopen(log->checkpoint, "r");
  assert_non_null(file);
  for (int c = getc(file); c != EOF; c = getc(file)) {
    buffer_char(&text, (char)c);
  }
  fclose(file);
  MUST(checkpoint_read(buffer_view(&text), log->signed_head.key, &read, &error));
  assert_int_equal(read.sequence, ENTRIES);
  assert_string_equal(read.workspace, "ministerio-del-interior");
  uint8_t other[SIGNING_PUBLIC_SIZE] = {1};
  assert_int_equal(checkpoint_read(buffer_view(&text), other, &read, &error), ERR_AUTH);
  assert_string_equal(error.message, "the checkpoint was signed with another key than this workspace's");
  char *digit = strstr(text.data, "sequence 60") + 9;
  *digit = '5';
  assert_int_equal(checkpoint_read(buffer_view(&text), NULL, &read, &error), ERR_AUTH);
  assert_string_equal(error.message, "the checkpoint was changed after it was signed");
  for (size_t len = 0; len < text.len; len++) {
    assert_int_not_equal(checkpoint_read(slice_make(text.data, len), NULL, &read, &error), OK);
  }
  buffer_free(&text);
}

static int setup(void **state) {
  struct log *log = calloc(1, sizeof *log);
  struct key *key = NULL;
  struct error error;
  struct buffer text;
  char path[256];
  log->folder = temp_make();
  log->random = 20261122;
  snprintf(log->file, sizeof log->file, "%s/log.jsonl", log->folder);
  snprintf(log->checkpoint, sizeof log->checkpoint, "%s/checkpoint", log->folder);
  snprintf(path, sizeof path, "%s/key", log->folder);
  MUST(key_create(path, &error));
  MUST(key_load(path, &key, &error));
  log->signed_head = (struct checkpoint){.sequence = ENTRIES, .at = INT64_C(1577836900000000)};
  checkpoint_name("ministerio del interior", log->signed_head.workspace);
  write_chain(log, "ana", &log->signed_head.hash);
  forget_lines(log);
  buffer_init(&text, CHECKPOINT_LIMIT);
  MUST(checkpoint_sign(key, &log->signed_head, &text, &error));
  FILE *file = fopen(log->checkpoint, "w");
  fputs(text.data, file);
  fclose(file);
  buffer_free(&text);
  key_free(key);
  *state = log;
  return 0;
}

static int teardown(void **state) {
  struct log *log = *state;
  temp_remove(log->folder);
  free(log);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_whole), cmocka_unit_test(test_other_writing),
                                     cmocka_unit_test(test_tampered), cmocka_unit_test(test_checkpoint)};
  return cmocka_run_group_tests(tests, setup, teardown);
}

/* `puente audit` as an auditor asks it, on both stores: who brought in and approved each version of a mapping, in whole
 * texts, and each filter of the log's list alone and with another. */
#include "core/base/date.h"
#include "tests/support/office.h"
#include "tests/support/postgres.h"
#include "tests/support/says.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#define MAPPING(code, more)                                                                                            \
  "source: " code "\nformat: csv\ndelimiter: \";\"\n"                                                                  \
  "case:\n  key: id\n  denuncia_number: id\n"                                                                          \
  "person:\n  key: [id, victim]\n  role: victim\n  given_names: {from: name, clean: name}\n"                           \
  "  paternal_surname: {from: father, clean: name}\n  maternal_surname: {from: mother, clean: name}\n"                 \
  "  birth_date: born\n  document_number: {from: dni, dni: warn}\n" more
#define HEADER "id;victim;name;father;mother;born;dni\n"
#define ROSA "ROSA;QUISPE;MAMANI;2003-04-05;70117410\n"

static struct office office;

#define done(actor, ...) office_done(&office, actor, __VA_ARGS__)

static int setup(void **state) {
  (void)state;
  office_open(&office, office.dsn, "serve: {timezone: UTC}\napproval: {required: [mapping]}\n");
  program_write(office.folder, "sources/demo.yaml", OFFICE_SOURCE("demo", "demo"));
  program_write(office.folder, "sources/other.yaml", OFFICE_SOURCE("other", "other"));
  program_write(office.folder, "mappings/demo.yaml", MAPPING("demo", ""));
  program_write(office.folder, "mappings/other.yaml", MAPPING("other", ""));
  office_folder(&office, "demo");
  office_folder(&office, "other");
  program_write(office.folder, "demo/one.csv", HEADER "D-1;a;" ROSA "D-2;a;LUZ;HUAMAN;ROJAS;1999-01-02;40117418\n");
  program_write(office.folder, "other/one.csv", HEADER "O-1;a;ANA;TORRES;VEGA;2001-07-08;50117412\n");
  done("ana", "approve propose mapping --reason 'first form' --document RM-7");
  done("luis", "approve accept 1 --reason checked");
  done("luis", "approve accept 2 --reason checked");
  done("tester", "sync");
  return 0;
}

static int setup_postgres(void **state) {
  office.dsn = postgres_start();
  return setup(state);
}

static int teardown(void **state) {
  (void)state;
  office_close(&office);
  return 0;
}

/* ---- versions of a mapping ---- */

/* Without the space or colon after it. */
static size_t moment_length(const char *text, size_t most) {
  while (most > 0 && !isdigit((unsigned char)text[most - 1])) {
    most--;
  }
  return most;
}

/* Digests of plans become "PLAN", moments "THEN", numbers of entries "N". */
static char *plain(const char *text) {
  static char room[8192];
  size_t used = 0;
  while (*text != '\0' && used + 8 < sizeof room) {
    size_t moment = strspn(text, "0123456789-: "), hex = strspn(text, "0123456789abcdef");
    const char *word = NULL;
    size_t skipped = 0;
    if (used >= 5 && strncmp(room + used - 5, "plan ", 5) == 0 && hex == 12) {
      word = "PLAN", skipped = hex;
    } else if (used > 3 && strncmp(room + used - 3, "on ", 3) == 0 && moment > 10) {
      word = "THEN", skipped = moment_length(text, moment);
    } else if (used > 6 && strncmp(room + used - 6, "entry ", 6) == 0 && isdigit((unsigned char)*text)) {
      word = "N", skipped = strspn(text, "0123456789");
    }
    if (word != NULL) {
      used += (size_t)snprintf(room + used, sizeof room - used, "%s", word);
      text += skipped;
    } else {
      room[used++] = *text++;
    }
  }
  room[used] = '\0';
  return room;
}

static void test_versions_of_a_mapping(void **state) {
  (void)state;
  program_write(office.folder, "mappings/demo.yaml", MAPPING("demo", "  aliases: name\n"));
  done("eva", "approve propose mapping demo --reason 'aliases are asked for' --document RM-8");
  done("luis", "approve accept 3 --reason 'seen with the source'");
  done("carmen", "remap demo");
  assert_string_equal(plain(done("tester", "audit mapping demo").out),
                      "plan PLAN, first used by run 1, brought in by tester on THEN (entry N)\n"
                      "  proposed by ana: first form (RM-7)\n"
                      "  approved by luis on THEN: checked\n"
                      "  run 1, land (entry N): 2 records; mapped 2, quarantined 0, withheld 0\n"
                      "plan PLAN, first used by run 3, brought in by carmen on THEN (entry N)\n"
                      "  proposed by eva: aliases are asked for (RM-8)\n"
                      "  approved by luis on THEN: seen with the source\n"
                      "  +   15    aliases: name\n"
                      "  run 3, remap (entry N): 2 records; mapped 2, quarantined 0, withheld 0\n");
}

/* ---- filters of the list ---- */

enum { ENTRIES_MOST = 256 };
struct entries {
  json_t *lines[ENTRIES_MOST];
  size_t count;
};

static const char *text_of(const json_t *entry, const char *name) {
  const char *text = json_string_value(json_object_get(entry, name));
  return text == NULL ? "" : text;
}

/* The log as it is taken away, which no filter has seen. */
static struct entries whole_log(void) {
  struct entries log = {.count = 0};
  done("tester", "audit export log.jsonl");
  char *text = program_read(office.folder, "log.jsonl");
  for (char *rest = text, *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
    assert_true(log.count < ENTRIES_MOST);
    log.lines[log.count] = json_loads(line, 0, NULL);
    log.count += log.lines[log.count] != NULL;
  }
  free(text);
  return log;
}

static void forget_log(struct entries *log) {
  for (size_t i = 0; i < log->count; i++) {
    json_decref(log->lines[i]);
  }
}

/* What is asked; NULL, 0: not asked. */
struct asked {
  int64_t since, until;
  const char *actor, *source, *event;
  int64_t person;
  const char *about; /* what an entry about the person holds in its body, one of several by '|' */
};

static bool holds_one(const char *body, const char *about) {
  char parts[512];
  snprintf(parts, sizeof parts, "%s", about);
  for (char *rest = parts, *part = strsep(&rest, "|"); part != NULL; part = strsep(&rest, "|")) {
    if (strstr(body, part) != NULL) {
      return true;
    }
  }
  return false;
}

static bool fits(const json_t *entry, const struct asked *asked) {
  int64_t at = json_integer_value(json_object_get(entry, "at"));
  return (asked->since == 0 || at >= asked->since) && (asked->until == 0 || at < asked->until)
         && (asked->actor == NULL || strcmp(asked->actor, text_of(entry, "actor")) == 0)
         && (asked->source == NULL || strcmp(asked->source, text_of(entry, "source")) == 0)
         && (asked->event == NULL || strcmp(asked->event, text_of(entry, "event")) == 0)
         && (asked->person == 0 || holds_one(text_of(entry, "body"), asked->about)
             || strcmp(text_of(entry, "event"), "query") == 0); /* which could have shown anybody */
}

/* The list has the entries that fit, all of them and no other, in the order of the log. */
static size_t check_list(const struct entries *log, const struct asked *asked) {
  char line[512], moment[TIMESTAMP_TEXT_SIZE];
  size_t used = (size_t)snprintf(line, sizeof line, "--json audit list"), found = 0, next = 0;
  const struct {
    const char *name, *text;
  } texts[] = {{"actor", asked->actor}, {"source", asked->source}, {"event", asked->event}};
  for (size_t i = 0; i < 3; i++) {
    used += texts[i].text == NULL
                ? 0
                : (size_t)snprintf(line + used, sizeof line - used, " --%s %s", texts[i].name, texts[i].text);
  }
  for (int i = 0; i < 2; i++) {
    int64_t at = i == 0 ? asked->since : asked->until;
    clock_format(at, moment);
    used +=
        at == 0 ? 0 : (size_t)snprintf(line + used, sizeof line - used, " --%s %s", i == 0 ? "since" : "until", moment);
  }
  if (asked->person != 0) {
    snprintf(line + used, sizeof line - used, " --person %lld", (long long)asked->person);
  }
  json_t *list = json_loads(done("tester", line).out, 0, NULL);
  assert_true(json_is_array(list));
  for (size_t i = 0; i < log->count; i++) {
    if (!fits(log->lines[i], asked)) {
      continue;
    }
    int64_t sequence = json_integer_value(json_object_get(log->lines[i], "sequence"));
    int64_t told = json_integer_value(json_object_get(json_array_get(list, next++), "sequence"));
    if (told != sequence) {
      fail_msg("%s: entry %lld is told where %lld fits", line, (long long)told, (long long)sequence);
    }
    found++;
  }
  if (json_array_size(list) != found) {
    fail_msg("%s: %zu entries, %zu fit", line, json_array_size(list), found);
  }
  json_decref(list);
  return found;
}

/* Each filter alone, and each choice of them together. */
static void check_choices(const struct entries *log, const struct asked *all) {
  size_t asked_for = 0, empty = 0;
  for (unsigned choice = 0; choice < 64; choice++) {
    struct asked asked = {.since = choice & 1 ? all->since : 0,
                          .until = choice & 2 ? all->until : 0,
                          .actor = choice & 4 ? all->actor : NULL,
                          .source = choice & 8 ? all->source : NULL,
                          .event = choice & 16 ? all->event : NULL,
                          .person = choice & 32 ? all->person : 0,
                          .about = all->about};
    size_t found = check_list(log, &asked);
    bool alone = choice != 0 && (choice & (choice - 1)) == 0;
    if (alone && (found == 0 || found == log->count)) {
      fail_msg("filter %u alone finds %zu of %zu", choice, found, log->count);
    }
    asked_for++;
    empty += found == 0;
  }
  printf("note: %zu entries, %zu choices of filters, %zu find nothing\n", log->count, asked_for, empty);
}

static int64_t at_of(const struct entries *log, size_t position) {
  return json_integer_value(json_object_get(log->lines[position], "at"));
}

static void see(const char *actor, int64_t person) {
  char line[128];
  snprintf(line, sizeof line, "explain person %lld --reveal --purpose 'asked by the court'", (long long)person);
  done(actor, line);
}

static void test_filters_of_the_list(void **state) {
  (void)state;
  done("tester", "link");
  json_t *members = json_loads(
      done("tester", "--json query --purpose test 'SELECT id, record_id FROM members ORDER BY kind, source, record_id'")
          .out,
      0, NULL);
  int64_t ids[3];
  assert_int_equal(json_array_size(members), 6);
  for (size_t i = 0; i < 3; i++) {
    ids[i] = json_integer_value(json_object_get(json_array_get(members, 3 + i), "id"));
  }
  json_decref(members);
  see("eva", ids[0]);
  see("luis", ids[1]);
  see("eva", ids[2]);
  /* The second record turns out to be of the first person. */
  program_write(office.folder, "demo/two.csv", HEADER "D-2;a;" ROSA);
  done("tester", "sync");
  done("tester", "link");
  members = json_loads(
      done("tester", "--json query --purpose test 'SELECT id, into_id FROM redirects ORDER BY kind DESC'").out, 0,
      NULL);
  int64_t gone = json_integer_value(json_object_get(json_array_get(members, 0), "id"));
  int64_t stays = json_integer_value(json_object_get(json_array_get(members, 0), "into_id"));
  json_decref(members);
  assert_true((gone == ids[0] && stays == ids[1]) || (gone == ids[1] && stays == ids[0]));
  see("carmen", stays);
  struct entries log = whole_log();
  char about[256];
  snprintf(about, sizeof about, "\"person_id\":%lld,|\"person_id\":%lld}|\"person_id\":%lld,|\"person_id\":%lld}",
           (long long)ids[0], (long long)ids[0], (long long)ids[1], (long long)ids[1]);
  struct asked asked = {.since = at_of(&log, log.count / 4),
                        .until = at_of(&log, log.count - 1),
                        .actor = "eva",
                        .source = "demo",
                        .event = "reveal",
                        .person = stays,
                        .about = about};
  check_choices(&log, &asked);
  size_t queries = check_list(&log, &(struct asked){.event = "query"});
  assert_true(queries >= 2);
  /* By the number that is no more, the same. */
  assert_int_equal(check_list(&log, &(struct asked){.person = stays, .about = about}), 3 + queries);
  assert_int_equal(check_list(&log, &(struct asked){.person = gone, .about = about}), 3 + queries);
  asked = (struct asked){.event = "land", .source = "other"};
  assert_int_equal(check_list(&log, &asked), 1);
  forget_log(&log);
  struct said said = program_run(office.folder, "audit list --person 4711");
  assert_int_not_equal(said.code, 0);
  assert_string_equal(said.err, "error: there is no person 4711\n  hint: take a person_id, as `puente explain` and the "
                                "view `persons` show it\n");
}

#define BOTH(test)                                                                                                     \
  cmocka_unit_test_setup_teardown(test, setup, teardown), {                                                            \
#test " (postgres)", test, setup_postgres, teardown, NULL                                                          \
  }

int main(void) {
  const struct CMUnitTest tests[] = {
      BOTH(test_versions_of_a_mapping),
      BOTH(test_filters_of_the_list),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

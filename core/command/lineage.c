#include "core/command/lineage.h"

#include "core/base/text.h"
#include "core/command/figure.h"
#include "core/command/moment.h"
#include "core/service/access.h"
#include "core/service/provenance.h"

#include <stdio.h>

enum status lineage_tell_records(const struct globals *globals, struct workspace *workspace, const char *source,
                                 struct error *error) {
  struct proof_counts counts;
  struct proof_fault fault;
  enum status status = access_require(workspace, RIGHT_LOG, error);
  status = status == OK ? proof_verify(workspace, source, &counts, &fault, error) : status;
  if (status != OK) {
    return status;
  }
  if (fault.found) {
    error_set(error, ERR_STORE, _("the store is not what the log says: %s"), fault.what);
    error_place(error, "%s", fault.place);
    error_hint(error, "%s", _("keep the store as it is, compare it with the last backup, and tell the data officer"));
    return ERR_STORE;
  }
  if (globals->json) {
    printf("{\"versions\":%lld,\"rows\":%lld,\"roots\":%lld,\"memberships\":%lld,\"empty\":%lld,\"unsure\":%lld,"
           "\"unnamed\":%lld}\n",
           (long long)counts.versions, (long long)counts.rows, (long long)counts.entries, (long long)counts.members,
           (long long)counts.empty, (long long)counts.unsure, (long long)counts.unnamed);
    return OK;
  }
  printf("records ok: versions=%lld rows=%lld roots=%lld memberships=%lld\n", (long long)counts.versions,
         (long long)counts.rows, (long long)counts.entries, (long long)counts.members);
  if (counts.empty > 0) {
    printf(_("%lld versions have no bytes any more: they were taken out\n"), (long long)counts.empty);
  }
  if (counts.unsure > 0) {
    printf(_("%lld differences cannot be judged: code lists, model or program are not those of then\n"),
           (long long)counts.unsure);
  }
  if (counts.unnamed > 0) {
    printf(_("%lld entries of former versions do not say which records they cover\n"), (long long)counts.unnamed);
  }
  return OK;
}

static const char *text_of(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text == NULL ? "" : text;
}

static long long number_of(const json_t *object, const char *key) {
  return (long long)json_integer_value(json_object_get(object, key));
}

static void dump(const json_t *answer) {
  json_dumpf(answer, stdout, JSON_INDENT(2));
  puts("");
}

/* ---- versions of a mapping ---- */

static void print_change(const json_t *version) {
  size_t i;
  const json_t *line;
  const char *changed = text_of(version, "changed");
  if (strcmp(changed, "lists") == 0) {
    puts(_("  the text is as it was: a code list, the model or the program changed"));
  }
  json_array_foreach(json_object_get(version, "lines"), i, line) {
    printf("  %s %4lld  %s\n", text_of(line, "sign"), number_of(line, "line"), text_of(line, "text"));
  }
}

static void print_version(const json_t *version) {
  char at[MOMENT_SIZE];
  size_t i;
  const json_t *touched;
  printf(_("plan %.12s, first used by run %lld"), text_of(version, "digest"), number_of(version, "run"));
  if (json_is_integer(json_object_get(version, "at"))) {
    printf(_(", brought in by %s on %s"), text_of(version, "actor"),
           moment_text(json_integer_value(json_object_get(version, "at")), at));
  }
  if (json_is_integer(json_object_get(version, "entry"))) {
    printf(_(" (entry %lld)"), number_of(version, "entry"));
  }
  puts("");
  if (json_is_string(json_object_get(version, "approved_by"))) {
    printf(_("  proposed by %s: %s (%s)\n"), text_of(version, "proposed_by"), text_of(version, "reason"),
           text_of(version, "document"));
    printf(_("  approved by %s on %s: %s\n"), text_of(version, "approved_by"),
           moment_text(json_integer_value(json_object_get(version, "approved_at")), at), text_of(version, "remark"));
  } else {
    puts(_("  approved by nobody"));
  }
  print_change(version);
  json_array_foreach(json_object_get(version, "touched"), i, touched) {
    printf(_("  run %lld, %s (entry %lld): %lld records; mapped %lld, quarantined %lld, withheld %lld\n"),
           number_of(touched, "run"), text_of(touched, "event"), number_of(touched, "entry"),
           number_of(touched, "records"), number_of(touched, "mapped"), number_of(touched, "quarantined"),
           number_of(touched, "withheld"));
  }
}

enum status lineage_tell_mapping(const struct globals *globals, const char *source, struct error *error) {
  struct workspace workspace;
  json_t *answer = NULL;
  size_t i;
  const json_t *version;
  enum status status = workspace_open(globals->config, WORKSPACE_READ, &workspace, error);
  if (status != OK) {
    return status;
  }
  status = audit_mapping(&workspace, source, &answer, error);
  if (status == OK && globals->json) {
    dump(answer);
  }
  json_array_foreach(json_object_get(globals->json ? NULL : answer, "versions"), i, version) {
    print_version(version);
  }
  json_decref(answer);
  workspace_close(&workspace);
  return status;
}

/* ---- a sample ---- */

static void print_record(const json_t *record) {
  size_t i;
  const json_t *one;
  printf(_("    record %lld of %s (%s), plan %s, recomputed: %s\n"), number_of(record, "record_id"),
         text_of(record, "source"), text_of(record, "institution"), text_of(record, "plan"),
         text_of(record, "recomputed"));
  json_array_foreach(json_object_get(record, "versions"), i, one) {
    printf(_("      version %lld: from %s, chunk %lld at byte %lld, %lld bytes\n"), number_of(one, "raw_id"),
           text_of(one, "page"), number_of(one, "chunk"), number_of(one, "offset"), number_of(one, "bytes"));
  }
  const json_t *wrong = json_object_get(record, "wrong");
  if (json_is_object(wrong)) {
    printf(_("      NOT what the log says: %s (%s)\n"), text_of(wrong, "what"), text_of(wrong, "at"));
  } else if (json_is_integer(json_object_get(record, "log_entry"))) {
    printf(_("      as entry %lld of the log has it\n"), number_of(record, "log_entry"));
  }
  json_array_foreach(json_object_get(record, "trace"), i, one) {
    printf("      %s.%s: %s  <-  %s (%s)\n", text_of(one, "entity"), text_of(one, "field"), text_of(one, "output"),
           text_of(one, "input"), text_of(one, "path"));
  }
}

/* What somebody needs to draw the same again, and to see that it is the same. */
static void print_rule(const json_t *answer) {
  const json_t *of = json_object_get(answer, "drawn_of");
  const char *name, *between = " --by '";
  const json_t *value;
  printf(_("drawn of %lld units, as the store stood after run %lld; SHA-256 of their ids, ascending, a line feed after "
           "each: %s\n"),
         number_of(of, "units"), number_of(answer, "run"), text_of(of, "digest"));
  printf(_("the %lld with the least SHA-256 of \"puente/sample/1\", a line feed, the seed, a line feed, the id; drawn "
           "again by:\n"),
         number_of(answer, "n"));
  printf("  puente audit sample %s", text_of(answer, "indicator"));
  json_object_foreach((json_t *)json_object_get(answer, "asked"), name, value) {
    printf("%s%s=%s", between, name, json_string_value(value));
    between = ",";
  }
  printf("%s --n %lld --seed %lld --run %lld%s\n", between[0] == ',' ? "'" : "", number_of(answer, "n"),
         number_of(answer, "seed"), number_of(answer, "run"),
         json_is_true(json_object_get(answer, "exact")) ? " --exact --purpose …" : "");
}

static void print_sample(const json_t *answer) {
  size_t i, j;
  const json_t *unit, *one;
  json_array_foreach(json_object_get(answer, "units"), i, unit) {
    const json_t *whole = json_object_get(unit, "whole");
    bool person = strcmp(text_of(whole, "kind"), "person") == 0;
    printf(_("%zu. drawn by %.16s\n"), i + 1, text_of(unit, "draw"));
    json_array_foreach(json_object_get(unit, "told"), j, one) {
      figure_print_unit(one, person);
    }
    json_array_foreach(json_object_get(whole, "values"), j, one) {
      printf(_("    %s: %s  (record %lld, by %s)\n"), text_of(one, "field"), text_of(one, "value"),
             number_of(one, "record_id"), text_of(one, "rule"));
    }
    json_array_foreach(json_object_get(unit, "records"), j, one) {
      print_record(one);
    }
  }
  print_rule(answer);
}

static enum status read_number(const char *name, const char *text, int64_t *number, struct error *error) {
  if (text != NULL && text_to_int64(slice_of(text), number) && *number >= 0) {
    return OK;
  }
  error_set(error, ERR_USAGE, _("--%s: a number is expected"), name);
  error_hint(error, "%s", _("for example: puente audit sample victims --by year=2022 --n 5 --seed 1"));
  return ERR_USAGE;
}

enum status lineage_tell_sample(const struct globals *globals, char **words, int count,
                                const struct typed_sample *typed, struct error *error) {
  struct figure_request request = {.indicator = words[0], .exact = typed->exact, .sight = {.purpose = typed->purpose}};
  struct workspace workspace;
  struct arena *arena = arena_new(0);
  json_t *answer = NULL;
  int64_t n = 0, seed = 0;
  enum status status = arena == NULL ? error_memory(error) : read_number("n", typed->n, &n, error);
  status = status == OK ? read_number("seed", typed->seed, &seed, error) : status;
  status = status == OK && typed->run != NULL ? read_number("run", typed->run, &request.as_of_run, error) : status;
  const char *const texts[] = {count > 1 ? words[1] : NULL, typed->by, typed->where};
  for (size_t i = 0; i < sizeof texts / sizeof *texts && status == OK; i++) {
    status = texts[i] == NULL ? OK : figure_conditions(&request, texts[i], arena, error);
  }
  status = status == OK ? workspace_open(globals->config, WORKSPACE_WRITE, &workspace, error) : status;
  if (status == OK) {
    status = audit_sample(&workspace, &request, n, seed, &answer, error);
    if (status == OK && globals->json) {
      dump(answer);
    } else if (status == OK) {
      print_sample(answer);
    }
    workspace_close(&workspace);
  }
  json_decref(answer);
  arena_free(arena);
  return status;
}

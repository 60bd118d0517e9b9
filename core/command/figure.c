#include "core/command/figure.h"

#include "core/base/catalog.h"
#include "core/command/label.h"

#include <stdio.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key) {
  const char *text = json_string_value(json_object_get(object, key));
  return text == NULL ? "" : text;
}

static long long number_of(const json_t *object, const char *key) {
  return (long long)json_integer_value(json_object_get(object, key));
}

static const char *wanted_of(const json_t *value) {
  const char *text = text_of(value, "value");
  return text[0] == '\0' ? _("(not recorded)") : text;
}

static void print_value(const json_t *value) {
  const char *from = text_of(value, "from");
  printf("    %s = %s", text_of(value, "field"), wanted_of(value));
  if (from[0] == '\0') {
    puts("");
  } else if (json_object_get(value, "row_id") == NULL) {
    printf(_("  <-  all that is recorded of the case's proceedings\n"));
  } else {
    const char *was = json_string_value(json_object_get(value, "was"));
    printf(_("  <-  %s.%s %s  (%s, record %lld, row %lld, by %s, plan %s)\n"), from, text_of(value, "column"),
           was == NULL ? "-" : was, text_of(value, "source"), number_of(value, "record_id"), number_of(value, "row_id"),
           text_of(value, "rule"), text_of(value, "plan"));
  }
}

static void print_check(const json_t *row) {
  const char *check = text_of(row, "check");
  if (check[0] != '\0') {
    printf("      %s\n", check);
  }
}

void figure_print_unit(const json_t *unit, bool person) {
  size_t i;
  const json_t *one;
  long long of_case = number_of(unit, "case_id");
  if (person && of_case != 0) {
    printf(_("  person %lld, in case %lld\n"), number_of(unit, "id"), of_case);
  } else {
    printf(person ? _("  person %lld\n") : _("  case %lld\n"), number_of(unit, "id"));
  }
  json_array_foreach(json_object_get(unit, "rows"), i, one) {
    printf(_("    %s (%s) record %lld, row %lld, plan %s\n"), text_of(one, "source"), text_of(one, "institution"),
           number_of(one, "record_id"), number_of(one, "row_id"), text_of(one, "plan"));
    print_check(one);
  }
  json_array_foreach(json_object_get(unit, "values"), i, one) {
    print_value(one);
  }
}

/* Whether the release's run still gives the figure. */
static void print_again(const json_t *release, const json_t *answer) {
  size_t i;
  const json_t *one;
  const char *changed = text_of(release, "changed");
  if (json_is_null(json_object_get(release, "same"))) {
    printf(_("published: hidden; as of run %lld: %lld\n"), number_of(release, "run"), number_of(answer, "figure"));
    return;
  }
  if (number_of(release, "rounded") != 0) {
    printf(_("published: %lld, rounded to base %lld; counted again as of run %lld, not rounded: %lld\n"),
           number_of(release, "published"), number_of(release, "rounded"), number_of(release, "run"),
           number_of(answer, "figure"));
  } else {
    printf(_("published: %lld; counted again as of run %lld: %lld\n"), number_of(release, "published"),
           number_of(release, "run"), number_of(answer, "figure"));
  }
  if (json_is_true(json_object_get(release, "same"))) {
    return;
  }
  if (number_of(release, "erased") != 0) {
    printf(_("  records erased since: %lld; whom they told of is not in the store any more\n"),
           number_of(release, "erased"));
  }
  if (changed[0] != '\0') {
    printf(_("  settings are others than when it was published: %s\n"), changed);
  }
  json_array_foreach(json_object_get(release, "findings"), i, one) {
    if (json_is_string(json_object_get(one, "cell"))) {
      printf(_("  `puente release verify` says of %s: published '%s', the store now makes '%s'\n"),
             text_of(one, "cell"), text_of(one, "frozen"), text_of(one, "now"));
    } else {
      printf(_("  `puente release verify %lld` says more\n"), number_of(release, "id"));
    }
  }
}

static void print_release(const json_t *answer) {
  const json_t *release = json_object_get(answer, "release");
  printf(_("release %lld (%s, %s), table %s, cell %s\n  digest %s\n  of the table %s\n"), number_of(release, "id"),
         text_of(release, "name"), text_of(release, "made"), text_of(release, "table"), text_of(release, "cell"),
         text_of(release, "digest"), text_of(release, "table_digest"));
  print_again(release, answer);
}

void figure_print(const json_t *answer) {
  size_t i;
  const json_t *one;
  bool person = strcmp(text_of(answer, "unit"), "person") == 0;
  printf("%s (%s)", label_of(text_of(answer, "label_en"), text_of(answer, "label_es")), text_of(answer, "indicator"));
  json_array_foreach(json_object_get(answer, "where"), i, one) {
    printf(", %s = %s", text_of(one, "field"), wanted_of(one));
  }
  puts("");
  if (json_object_get(answer, "release") != NULL) {
    print_release(answer);
    printf(person ? _("%lld persons of %lld records:\n") : _("%lld cases of %lld records:\n"),
           number_of(answer, "figure"), number_of(answer, "records"));
  } else {
    printf(person ? _("%lld persons of %lld records, %lld if every waiting pair were accepted:\n")
                  : _("%lld cases of %lld records, %lld if every waiting pair were accepted:\n"),
           number_of(answer, "figure"), number_of(answer, "records"), number_of(answer, "least"));
  }
  json_array_foreach(json_object_get(answer, "units"), i, one) {
    figure_print_unit(one, person);
  }
  puts(_("`puente explain person|case ID` tells every value of one, `puente explain record ID` what was made of its"
         " bytes"));
}

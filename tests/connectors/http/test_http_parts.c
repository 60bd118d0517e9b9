/* The parts under the HTTP connectors that need no server: marks, addresses, templates. */
#include "connectors/http/mark.h"
#include "connectors/http/template.h"
#include "connectors/http/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void raises_marks_by_their_kind(void **state) {
  (void)state;
  static const struct {
    const char *mark, *candidate, *format, *expected;
  } cases[] = {
      {"", "2026-01-01", NULL, "2026-01-01"},
      {"2026-01-02T00:00:00Z", "2026-01-01T23:00:00-05:00", NULL, "2026-01-01T23:00:00-05:00"},
      {"2026-01-02T05:00:00Z", "2026-01-01T23:00:00-05:00", NULL, "2026-01-02T05:00:00Z"},
      {"9", "10", NULL, "10"},
      {"b", "a", NULL, "b"},
      {"b", "", NULL, "b"},
      {"", " 02/04/2026 10:00:00 ", "%d/%m/%Y %H:%M:%S", "2026-04-02T10:00:00.000000Z"},
      {"2026-04-02T10:00:00.000000Z", "31/12/2025 10:00:00", "%d/%m/%Y %H:%M:%S", "2026-04-02T10:00:00.000000Z"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct buffer mark;
    struct error error;
    buffer_init(&mark, 256);
    buffer_text(&mark, cases[i].mark);
    assert_int_equal(mark_raise(&mark, slice_of(cases[i].candidate), cases[i].format, &error), OK);
    assert_string_equal(mark.data, cases[i].expected);
    buffer_free(&mark);
  }
}

static void refuses_a_mark_of_another_form(void **state) {
  (void)state;
  struct buffer mark;
  struct error error;
  buffer_init(&mark, 256);
  assert_int_equal(mark_raise(&mark, slice_of("2026-04-02"), "%d/%m/%Y", &error), ERR_INPUT);
  assert_string_equal(error.message, "a mark of change does not look like %d/%m/%Y");
  assert_string_equal(error.hint, "check `watermark_format` against what the source sends");
  buffer_free(&mark);
}

/* A day, to a source whose own marks have a time. */
static void widens_a_date_to_the_form_of_the_marks(void **state) {
  (void)state;
  static const struct {
    const char *date, *form;
    bool end;
    const char *expected;
  } cases[] = {
      {"2024-01-31", "2026-03-31T23:50:00Z", false, "2024-01-31T00:00:00Z"},
      {"2024-01-31", "2026-03-31T23:50:00Z", true, "2024-01-31T23:59:59Z"},
      {"2024-01-31", "2026-03-31 23:50:07.125-05:00", false, "2024-01-31 00:00:00.000-05:00"},
      {"2024-01-31", "2026-03-31T23:50:07.125-05:00", true, "2024-01-31T23:59:59.999-05:00"},
      {"2024-01-31", "2026-03-31T23:50:07", true, "2024-01-31T23:59:59"},
      {"2024-01-31T08:00:00Z", "2026-03-31T23:50:00-05:00", false, "2024-01-31T08:00:00Z"},
      {"2024-01-31", "2026-03-31", false, "2024-01-31"},
      {"2024-01-31", NULL, false, "2024-01-31"},
      {"2024-01-31", "17", false, "2024-01-31"},
      {"2024-01-31", "a mark of another kind", false, "2024-01-31"},
      {"17", "2026-03-31T23:50:00Z", false, "17"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct buffer out;
    struct error error;
    buffer_init(&out, 256);
    assert_int_equal(mark_widen(cases[i].date, cases[i].form, cases[i].end, &out, &error), OK);
    assert_string_equal(out.data, cases[i].expected);
    buffer_free(&out);
  }
}

static void writes_marks_as_the_source_wants_them(void **state) {
  (void)state;
  static const struct {
    const char *mark, *format, *zone, *expected;
  } cases[] = {
      {"2026-03-31T23:50:00Z", NULL, NULL, "2026-03-31T23:50:00Z"},
      {"2026-03-31T23:50:00Z", "%d/%m/%Y", NULL, "31/03/2026"},
      {"2026-03-31T23:50:00-05:00", "%d/%m/%Y %H:%M", NULL, "31/03/2026 23:50"},
      {"2026-04-01T04:50:00Z", "%d/%m/%Y %H:%M", "-05:00", "31/03/2026 23:50"},
      {"2026-03-31T23:50:00-05:00", "%H:%M", "+00:00", "04:50"},
      {"2026-03-31", "%d/%m/%Y", "-05:00", "31/03/2026"},
      {"17", "%d/%m/%Y", NULL, "17"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct buffer out;
    struct error error;
    buffer_init(&out, 256);
    assert_int_equal(mark_write(cases[i].mark, cases[i].format, cases[i].zone, &out, &error), OK);
    assert_string_equal(out.data, cases[i].expected);
    buffer_free(&out);
  }
}

static void finds_the_next_link(void **state) {
  (void)state;
  static const struct {
    const char *header, *expected;
  } cases[] = {
      {"", ""},
      {"</a>; rel=next", "/a"},
      {"</a>; rel=\"prev\", </b>; rel=\"last next\"", "/b"},
      {"</a>; title=\"x, y; rel=next\"; rel=up, </b>; REL=NEXT; x=y", "/b"},
      {"</a>; rel=nextcloud", ""},
      {"</a>; rel=\"next", "/a"},
      {"</a>", ""},
      {"<a", ""},
      {"rel=next", ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct slice found = link_next(slice_of(cases[i].header));
    assert_int_equal(found.len, strlen(cases[i].expected));
    assert_true(found.len == 0 || memcmp(found.data, cases[i].expected, found.len) == 0);
  }
}

static void shows_no_secret_part_of_an_address(void **state) {
  (void)state;
  char shown[URL_SHOWN_SIZE];
  url_show("https://user:pass@host.example:8443/a/b?token=x#y", shown);
  assert_string_equal(shown, "https://host.example:8443/a/b");
  url_show("not an address", shown);
  assert_string_equal(shown, "");
}

static void compares_origins(void **state) {
  (void)state;
  assert_true(url_same_origin("https://a.example/x", "https://A.example:443/y?z"));
  assert_false(url_same_origin("https://a.example/x", "http://a.example/x"));
  assert_false(url_same_origin("https://a.example/x", "https://b.example/x"));
  assert_false(url_same_origin("https://a.example/x", "https://a.example:444/x"));
  assert_false(url_same_origin("https://a.example/x", "https://a.example@b.example/x"));
}

static void escapes_what_it_fills_in(void **state) {
  (void)state;
  const struct placeholder list[] = {
      {.name = "a", .value = "x\"<&>'\n\\"}, {.name = "none"}, {.name = "m", .value = "<b/>", .raw = true}};
  static const struct {
    const char *text, *expected;
    enum escape escape;
  } cases[] = {
      {"{\"v\":\"{{a}}\",\"w\":{{json:a}},\"n\":{{ json:none }}}",
       "{\"v\":\"x\\\"<&>'\\n\\\\\",\"w\":\"x\\\"<&>'\\n\\\\\",\"n\":null}", ESCAPE_JSON},
      {"<v a=\"{{a}}\">{{m}}{{none}}</v>", "<v a=\"x&quot;&lt;&amp;&gt;&apos;\n\\\"><b/></v>", ESCAPE_XML},
      {"{{a}} {{ {", "x\"<&>'\n\\ {{ {", ESCAPE_NONE},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct buffer out;
    struct error error;
    buffer_init(&out, 256);
    assert_int_equal(template_render("`t`", cases[i].text, list, 3, cases[i].escape, &out, &error), OK);
    assert_string_equal(out.data, cases[i].expected);
    buffer_free(&out);
  }
}

static void names_an_unknown_placeholder(void **state) {
  (void)state;
  const struct placeholder list[] = {{.name = "password", .value = "hidden"}};
  struct buffer out;
  struct error error;
  buffer_init(&out, 256);
  assert_int_equal(template_render("`body`", "{{pasword}}", list, 1, ESCAPE_JSON, &out, &error), ERR_CONFIG);
  assert_string_equal(error.message, "unknown placeholder {{pasword}} in `body`");
  assert_string_equal(error.hint, "did you mean {{password}}?");
  buffer_free(&out);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(raises_marks_by_their_kind),
      cmocka_unit_test(refuses_a_mark_of_another_form),
      cmocka_unit_test(widens_a_date_to_the_form_of_the_marks),
      cmocka_unit_test(writes_marks_as_the_source_wants_them),
      cmocka_unit_test(finds_the_next_link),
      cmocka_unit_test(shows_no_secret_part_of_an_address),
      cmocka_unit_test(compares_origins),
      cmocka_unit_test(escapes_what_it_fills_in),
      cmocka_unit_test(names_an_unknown_placeholder),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

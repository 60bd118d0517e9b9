/* What is told where nothing meets the conditions: which values there are of each of their fields. */
#include "core/service/cube.h"
#include "core/service/report.h"

enum { VALUES_SHOWN = 32, LIST_MOST = 1 << 12 };

/* The values that any unit of the indicator has, as they are typed; their figures are not. */
static enum status add_values(const struct cube_request *asked, const char *field, struct report *report,
                              struct error *error) {
  struct cube cube;
  struct buffer list;
  const struct cube_request request = {
      .workspace = asked->workspace, .indicator = asked->indicator, .by = &field, .by_count = 1};
  enum status status = cube_run(&request, &cube, error);
  if (status != OK) {
    return status;
  }
  buffer_init(&list, LIST_MOST);
  for (size_t i = 0; i < cube.count && i < VALUES_SHOWN; i++) {
    uint32_t value = cube.cells[i].values[0];
    if (value != MAP_NONE) {
      struct slice text = map_key(cube.dictionary, value);
      buffer_printf(&list, "%s%.*s", list.len == 0 ? "" : ", ", (int)text.len, text.data);
    }
  }
  buffer_text(&list, cube.count > VALUES_SHOWN ? ", …" : "");
  status = buffer_check(&list, _("a report's description"), error);
  if (status == OK) {
    report_note(report, list.len == 0 ? _("  of %s nothing is recorded") : _("  of %s there are: %s"), field,
                list.data);
  }
  buffer_free(&list);
  cube_free(&cube);
  return status;
}

enum status report_none(const struct cube_request *asked, const struct cube *cube, struct report *report,
                        struct error *error) {
  enum status status = OK;
  if (asked->condition_count == 0 || cube->total.hidden || cube->total.figure != 0) {
    return OK;
  }
  /* Rounded to zero may be a few: which of the two is not told. */
  report_note(report, "%s",
              cube->rounded > 0 ? _("Nothing meets what --where asks for, or so little that it is rounded to zero.")
              : asked->indicator->unit == UNIT_CASE ? _("No case meets what --where asks for.")
                                                    : _("No person meets what --where asks for."));
  for (size_t i = 0; i < asked->condition_count && status == OK; i++) {
    status = add_values(asked, asked->conditions[i].field, report, error);
  }
  return status;
}

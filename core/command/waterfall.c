#include "core/command/waterfall.h"

#include "core/base/error.h"
#include "core/command/table.h"

#include <math.h>

enum { BAR_CELLS = 40, NAME_MOST = 160 };

/* Sums that bars reach from and to, and how a sum becomes a cell. */
struct scale {
  double least, most;
};

static int cell_of(const struct scale *scale, double sum) {
  double span = scale->most - scale->least;
  return span <= 0 ? 0 : (int)lround((sum - scale->least) / span * BAR_CELLS);
}

static double real_of(const json_t *object, const char *key) {
  return json_number_value(json_object_get(object, key));
}

static double step_of(const json_t *step) {
  return real_of(step, "weight") + real_of(step, "adjustment");
}

static void widen(struct scale *scale, double sum) {
  scale->least = fmin(scale->least, sum);
  scale->most = fmax(scale->most, sum);
}

static struct scale scale_of(const json_t *weights) {
  struct scale scale = {0, 0};
  double sum = real_of(weights, "prior");
  size_t i;
  json_t *step;
  widen(&scale, sum);
  json_array_foreach(json_object_get(weights, "steps"), i, step) {
    sum += step_of(step);
    widen(&scale, sum);
  }
  return scale;
}

static void print_bar(const struct scale *scale, double before, double after, FILE *stream) {
  char bar[BAR_CELLS + 2];
  int from = cell_of(scale, fmin(before, after));
  int to = cell_of(scale, fmax(before, after));
  int last = 0;
  for (int i = 0; i <= BAR_CELLS; i++) {
    bool inside = i >= from && i < to;
    bar[i] = ' ';
    if (i == cell_of(scale, 0)) {
      bar[i] = '|';
    } else if (inside) {
      bar[i] = after > before ? '+' : '-';
    }
    last = bar[i] == ' ' ? last : i;
  }
  bar[last + 1] = '\0';
  fputs(bar, stream);
}

static const char *name_of(const json_t *step, char name[NAME_MOST]) {
  snprintf(name, NAME_MOST, "%s: %s", json_string_value(json_object_get(step, "comparison")),
           json_string_value(json_object_get(step, "level")));
  return name;
}

static int widest(const json_t *weights) {
  char name[NAME_MOST];
  size_t width = text_width(slice_of(_("before anything is compared")));
  size_t i;
  json_t *step;
  json_array_foreach(json_object_get(weights, "steps"), i, step) {
    size_t own = text_width(slice_of(name_of(step, name)));
    width = own > width ? own : width;
  }
  return (int)width;
}

static void print_name(const char *name, int width, FILE *stream) {
  fprintf(stream, "  %s%*s", name, width - (int)text_width(slice_of(name)), "");
}

/* m and u of the level, and what the frequency of the value changed. */
static void print_numbers(const json_t *step, FILE *stream) {
  const json_t *m = json_object_get(step, "m");
  if (json_is_number(m)) {
    fprintf(stream, "  %8.2g %8.2g", json_number_value(m), real_of(step, "u"));
  } else {
    fprintf(stream, "  %8s %8s", "-", "-");
  }
  fprintf(stream, " %+7.2f", real_of(step, "weight"));
  if (fabs(real_of(step, "adjustment")) >= 0.005) {
    fprintf(stream, " %+7.2f", real_of(step, "adjustment"));
  } else {
    fprintf(stream, " %7s", "");
  }
}

void waterfall_print(const json_t *weights, FILE *stream) {
  char name[NAME_MOST];
  size_t i;
  json_t *step;
  if (!json_is_object(weights)) {
    return;
  }
  struct scale scale = scale_of(weights);
  int width = widest(weights);
  double sum = real_of(weights, "prior");
  print_name(_("what was compared"), width, stream);
  /* translators: probabilities of the level among matches and others, its weight, and the change by term frequency */
  fprintf(stream, "  %8s %8s %7s %7s\n", "m", "u", _("weight"), _("rarity"));
  print_name(_("before anything is compared"), width, stream);
  fprintf(stream, "  %8s %8s %+7.2f %7s  ", "", "", sum, "");
  print_bar(&scale, 0, sum, stream);
  fputs("\n", stream);
  json_array_foreach(json_object_get(weights, "steps"), i, step) {
    print_name(name_of(step, name), width, stream);
    print_numbers(step, stream);
    fputs("  ", stream);
    print_bar(&scale, sum, sum + step_of(step), stream);
    fputs("\n", stream);
    sum += step_of(step);
  }
  print_name(_("match weight"), width, stream);
  fprintf(stream, "  %8s %8s %+7.2f %7s  ", "", "", real_of(weights, "weight"), "");
  fprintf(stream, _("probability %.4f\n"), real_of(weights, "probability"));
}

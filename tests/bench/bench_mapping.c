/* Mapping alone, on one core: bytes of records of 30 fields to rows of a case, a person and an involvement. Input is
 * generated from a fixed seed, with values that repeat as those of registries do. One JSON line for each case. */
#include "core/base/date.h"
#include "mapping/plan.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

/* A batch that stays in the cache of a core: trees and rows of a record take about 5 KiB. */
enum { BATCH = 500 };

static uint64_t random_state = 42;

static unsigned draw(unsigned below) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return (unsigned)(random_state >> 33) % below;
}

static const char *pick(const char *const *words, unsigned count) {
  return words[draw(count)];
}
#define PICK(words) pick(words, sizeof(words) / sizeof *(words))

enum { COLUMNS = 30, VALUE_MOST = 64 };
static const char *const columns[COLUMNS] = {
    "denuncia",          "fecha_denuncia",   "fecha_hechos", "ubigeo",    "delito",
    "delito_texto",      "comisaria",        "ambito",       "lugar",     "medios",
    "victimas",          "victima",          "paterno",      "materno",   "nombres",
    "tipo_documento",    "documento",        "nacimiento",   "sexo",      "pais",
    "telefono",          "domicilio",        "instruccion",  "ocupacion", "hijos",
    "ubigeo_nacimiento", "ubigeo_domicilio", "edad",         "vinculo",   "captacion"};

static const char *const surnames[] = {
    "Quispe",  "Mamani", "Flores", "Huamán", "Condori",   "Ñaupari",  "De la Cruz", "Rojas", "Vásquez",  "Torres",
    "Sánchez", "Ramos",  "Chávez", "Apaza",  "Gutiérrez", "Castillo", "Pérez",      "Núñez", "Yupanqui", "Tello"};
static const char *const given[] = {"María", "Rosa Luz", "Juana", "Carmen",      "Luis Alberto", "José",   "Ana Lucía",
                                    "Flor",  "Nélida",   "Édgar", "Juan Carlos", "Milagros",     "Yesenia"};
static const char *const ubigeos[] = {"160101", "150101", "080101", "250105", "170101", "140101", "040101", "100601"};
static const char *const offences[] = {"153", "153-A", "153-B", "153-C", "168-B"};
static const char *const venues[] = {"PROSTIBULO", "NIGHT CLUB", "DISCOTECA", "MINERIA ARTESANAL",
                                     "SERVICIO DOMESTICO"};
static const char *const means[] = {"ENGAÑO", "AMENAZA;VIOLENCIA", "FRAUDE", "ABUSO DE PODER;ENGAÑO", "VIOLENCIA"};
static const char *const education[] = {"PRIMARIA", "SECUNDARIA", "SUPERIOR", "-"};
static const char *const relations[] = {"FAMILIAR", "CONOCIDO", "TUTOR", "CONYUGE", "OTRO"};
static const char *const recruitment[] = {"OFERTA DE TRABAJO", "SEDUCCION", "INTERNET", "PADRINAZGO"};

static const char *word_of(int column) {
  switch (column) {
  case 3:
  case 25:
  case 26:
    return PICK(ubigeos);
  case 4:
    return PICK(offences);
  case 5:
    return "TRATA DE PERSONAS";
  case 6:
    return "COMISARIA SECTORIAL PNP";
  case 7:
    return draw(5) > 0 ? "NACIONAL" : "INTERNACIONAL";
  case 8:
    return PICK(venues);
  case 9:
    return PICK(means);
  case 12:
  case 13:
    return PICK(surnames);
  case 14:
    return PICK(given);
  case 15:
    return "1";
  case 18:
    return draw(8) == 0 ? "" : draw(4) > 0 ? "F" : "M";
  case 19:
    return "PE";
  case 21:
    return "Jr. Los Pinos 123, dpto. B";
  case 22:
    return PICK(education);
  case 23:
    return "ESTUDIANTE";
  case 28:
    return PICK(relations);
  case 29:
    return PICK(recruitment);
  default:
    return NULL;
  }
}

static void value_of(int column, unsigned record, char value[VALUE_MOST]) {
  const char *word = word_of(column);
  if (word != NULL) {
    snprintf(value, VALUE_MOST, "%s", word);
  } else if (column == 0) {
    snprintf(value, VALUE_MOST, "%07u-2019", record);
  } else if (column == 1 || column == 2 || column == 17) {
    snprintf(value, VALUE_MOST, "%02u/%02u/%u", draw(28) + 1, draw(12) + 1, (column == 17 ? 1970 : 2017) + draw(7));
  } else if (column == 16) {
    snprintf(value, VALUE_MOST, "%08u", 10000000 + draw(80000000));
  } else if (column == 20) {
    snprintf(value, VALUE_MOST, "9%08u", draw(100000000));
  } else {
    snprintf(value, VALUE_MOST, "%u", draw(9) + 1);
  }
}

static void record_csv(struct buffer *out, unsigned record) {
  char value[VALUE_MOST];
  for (int i = 0; i < COLUMNS; i++) {
    value_of(i, record, value);
    bool quoted = strchr(value, ',') != NULL;
    buffer_printf(out, "%s%s%s%s", i == 0 ? "" : ",", quoted ? "\"" : "", value, quoted ? "\"" : "");
  }
  buffer_char(out, '\n');
}

static void record_json(struct buffer *out, unsigned record) {
  char value[VALUE_MOST];
  buffer_char(out, '{');
  for (int i = 0; i < COLUMNS; i++) {
    value_of(i, record, value);
    buffer_printf(out, "%s\"%s\": ", i == 0 ? "" : ", ", columns[i]);
    buffer_json(out, slice_of(value));
  }
  buffer_text(out, "}\n");
}

struct timing {
  struct plan *plan;
  struct batch batch;
  struct arena *arena;
  struct splitter *splitter;
  struct decoder *decoder;
  size_t records, rows;
  bool parse_only;
};

static enum status batch_run(struct timing *timing, const struct raw *raws, size_t count, struct error *error) {
  const struct format *format = plan_format(timing->plan);
  enum outcome outcome;
  enum status status = OK;
  for (size_t i = 0; status == OK && i < count; i++) {
    struct node *root;
    status = format->parse(timing->decoder, raws[i].bytes, timing->arena, &root, error);
    if (status == OK && !timing->parse_only) {
      status = plan_apply(timing->plan, &timing->batch, root, (uint32_t)i, &outcome, error);
    }
  }
  for (size_t i = 0; i < MODEL_ENTITIES_MOST; i++) {
    timing->rows += timing->batch.rows[i].count;
  }
  timing->records += count;
  arena_reset(timing->arena);
  batch_reset(&timing->batch);
  return status;
}

/* Records of the page are copied as landing copies them to a chunk, then parsed and mapped batch by batch. */
static enum status map_all(struct timing *timing, struct slice input, struct error *error) {
  const struct format *format = plan_format(timing->plan);
  struct raw *raws = calloc(BATCH, sizeof *raws);
  struct arena *bytes = arena_new(0);
  size_t count = 0, fed = 0;
  enum status status = raws == NULL || bytes == NULL ? error_memory(error) : OK;
  if (status == OK) {
    format->begin(timing->splitter);
  }
  while (status == OK && fed < input.len) {
    size_t len = input.len - fed < (1U << 20) ? input.len - fed : 1U << 20;
    status = format->feed(timing->splitter, slice_make(input.data + fed, len), fed + len == input.len, error);
    fed += len;
    while (status == OK && (status = format->next(timing->splitter, &raws[count], error)) == OK) {
      raws[count].bytes = arena_copy(bytes, raws[count].bytes);
      if (timing->decoder == NULL) {
        status = format->decoder_new(format->context(timing->splitter), &timing->decoder, error);
      }
      if (status == OK && ++count == BATCH) {
        status = batch_run(timing, raws, count, error);
        count = 0;
        arena_reset(bytes);
      }
    }
    status = status == END ? OK : status;
  }
  if (status == OK) {
    status = batch_run(timing, raws, count, error);
  }
  arena_free(bytes);
  free(raws);
  return status;
}

/* Seconds of this process on a core: what the floor is about, where the machine has other work too. */
static double core_seconds(void) {
  struct rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) != 0) {
    return 0;
  }
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
         + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static long peak_mib(void) {
  struct rusage usage;
  return getrusage(RUSAGE_SELF, &usage) == 0 ? usage.ru_maxrss / 1024 : -1;
}

static enum status case_run(const char *name, struct timing *timing, struct slice input, const struct model *model,
                            struct error *error) {
  const struct format *format = plan_format(timing->plan);
  enum status status = batch_init(&timing->batch, model, error);
  timing->arena = arena_new(0);
  if (status == OK) {
    status = timing->arena == NULL ? error_memory(error)
                                   : format->splitter_new(plan_format_options(timing->plan), &timing->splitter, error);
  }
  int64_t began = clock_monotonic();
  double core = core_seconds();
  if (status == OK) {
    status = map_all(timing, input, error);
  }
  double seconds = (double)(clock_monotonic() - began) / 1e6;
  core = core_seconds() - core;
  if (status == OK) {
    printf("{\"case\":\"%s\",\"records\":%zu,\"rows\":%zu,\"seconds\":%.3f,\"records_per_second\":%.0f,"
           "\"core_seconds\":%.3f,\"records_per_core_second\":%.0f,\"peak_mib\":%ld,\"input_mib\":%zu}\n",
           name, timing->records, timing->rows, seconds, (double)timing->records / seconds, core,
           (double)timing->records / core, peak_mib(), input.len >> 20);
    fflush(stdout);
  }
  if (timing->decoder != NULL) {
    format->decoder_free(timing->decoder);
  }
  if (timing->splitter != NULL) {
    format->splitter_free(timing->splitter);
  }
  batch_free(&timing->batch);
  arena_free(timing->arena);
  return status;
}

/* What a tree of the common library costs, for comparison with the own reader. */
static void jansson_run(struct slice input) {
  size_t records = 0;
  double core = core_seconds();
  while (input.len > 0) {
    const char *end = memchr(input.data, '\n', input.len);
    size_t len = end == NULL ? input.len : (size_t)(end - input.data) + 1;
    json_t *tree = json_loadb(input.data, len, 0, NULL);
    records += tree != NULL;
    json_decref(tree);
    input = slice_make(input.data + len, input.len - len);
  }
  core = core_seconds() - core;
  printf("{\"case\":\"parse_jansson\",\"records\":%zu,\"core_seconds\":%.3f,\"records_per_core_second\":%.0f}\n",
         records, core, (double)records / core);
  fflush(stdout);
}

static enum status bench(const char *mapping, const char *name, bool json, unsigned records, struct error *error) {
  static const char *const folders[] = {"config/codelists"};
  struct model *model = NULL;
  struct codelists *lists = NULL;
  struct plan *plan = NULL;
  struct buffer input;
  char parse_name[32];
  buffer_init(&input, (size_t)4 << 30);
  for (int i = 0; !json && i < COLUMNS; i++) {
    buffer_printf(&input, "%s%s", columns[i], i + 1 < COLUMNS ? "," : "\n");
  }
  for (unsigned i = 0; i < records; i++) {
    (json ? record_json : record_csv)(&input, i);
  }
  enum status status = buffer_check(&input, "input", error);
  status = status == OK ? model_load("config/model", &model, error) : status;
  status = status == OK ? codelists_load(folders, 1, &lists, error) : status;
  status = status == OK ? plan_load(mapping, model, lists, &plan, NULL, error) : status;
  snprintf(parse_name, sizeof parse_name, "parse_%s", json ? "json" : "csv");
  for (int mapped = 0; status == OK && mapped < 2; mapped++) {
    struct timing timing = {.plan = plan, .parse_only = mapped == 0};
    status = case_run(mapped ? name : parse_name, &timing, buffer_view(&input), model, error);
  }
  if (status == OK && json) {
    jansson_run(buffer_view(&input));
  }
  plan_free(plan);
  codelists_free(lists);
  model_free(model);
  buffer_free(&input);
  return status;
}

int main(int argc, char **argv) {
  unsigned records = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 500000;
  struct error error;
  if (bench("tests/bench/mapping/csv.yaml", "map_csv", false, records, &error) != OK
      || bench("tests/bench/mapping/json.yaml", "map_json", true, records, &error) != OK) {
    fprintf(stderr, "bench_mapping: %s %s\n", error.message, error.place);
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}

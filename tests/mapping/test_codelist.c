#include "mapping/codelist.h"

#include "core/base/file.h"
#include "core/base/text.h"
#include "core/model/model.h"
#include "mapping/codelist_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const struct date ANY = {0};

static struct codelists *program(void) {
  static const char *const folders[] = {"config/codelists", NULL};
  struct codelists *lists = NULL;
  struct error error = {0};
  if (codelists_load(folders, 2, &lists, &error) != OK) {
    fail_msg("%s (%s; %s)", error.message, error.place, error.hint);
  }
  return lists;
}

static const char *look(const struct codelists *lists, const char *name, const char *system, const char *text) {
  const struct codelist *list = codelists_find(lists, name);
  assert_non_null(list);
  const struct code *code = codelist_lookup(list, system, slice_of(text), ANY);
  return code == NULL ? "(none)" : code->code;
}

static void test_every_coded_field_has_its_list(void **state) {
  (void)state;
  struct codelists *lists = program();
  struct model *model = NULL;
  struct error error;
  assert_int_equal(model_load("config/model", &model, &error), OK);
  for (size_t e = 0; e < model->entity_count; e++) {
    for (size_t f = 0; f < model->entities[e].field_count; f++) {
      const char *name = model->entities[e].fields[f].codelist;
      if (name != NULL && codelists_find(lists, name) == NULL) {
        fail_msg("%s.%s: no code list %s", model->entities[e].name, model->entities[e].fields[f].name, name);
      }
    }
  }
  model_free(model);
  codelists_free(lists);
}

/* The Penal Code's table: what an article was called before 31 March 2021. */
static void test_offences_of_both_systems(void **state) {
  (void)state;
  static const char *const pairs[][2] = {{"153", "129-A"},   {"153-A", "129-B"}, {"153-B", "129-C"}, {"153-C", "129-Ñ"},
                                         {"153-D", "129-D"}, {"153-E", "129-E"}, {"153-F", "129-F"}, {"153-G", "129-G"},
                                         {"153-H", "129-H"}, {"181-A", "129-I"}, {"179-A", "129-J"}, {"153-I", "129-K"},
                                         {"153-J", "129-L"}, {"183-A", "129-M"}, {"182-A", "129-N"}, {"168-B", "129-O"},
                                         {"318-A", "129-P"}, {"303-A", "303-A"}};
  struct codelists *lists = program();
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    assert_string_equal(look(lists, "offence", "cp-2017", pairs[i][0]), pairs[i][1]);
    assert_string_equal(look(lists, "offence", "cp-2021", pairs[i][1]), pairs[i][1]);
  }
  assert_string_equal(look(lists, "offence", "cp-2017", "129-A"), "(none)");
  assert_string_equal(look(lists, "offence", "cp-2021", "153"), "(none)");
  assert_string_equal(look(lists, "offence", "cp-1991", "153"), "(none)");
  codelists_free(lists);
}

static void test_dates_count_only_where_they_are_asked_for(void **state) {
  (void)state;
  struct codelists *lists = program();
  const struct codelist *list = codelists_find(lists, "offence");
  static const struct {
    const char *text, *at;
    bool found;
  } cases[] = {{"153-B", "2018-05-01", true},  {"153-B", "2016-05-01", false}, {"153-B", "2022-05-01", false},
               {"153-B", "2021", true},        {"153-B", "2021-03", true},     {"153-B", "2021-04", false},
               {"153-D", "2019-06-18", false}, {"153-D", "2019-06-19", true}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct date at;
    assert_true(date_parse_iso(slice_of(cases[i].at), &at));
    assert_int_equal(codelist_lookup(list, "cp-2017", slice_of(cases[i].text), at) != NULL, cases[i].found);
  }
  codelists_free(lists);
}

static void test_texts_are_compared_folded(void **state) {
  (void)state;
  struct codelists *lists = program();
  static const char *const cases[][3] = {
      {"purpose", "  Explotación   Sexual ", "sexual_exploitation"},
      {"purpose", "TRAFICO DE ORGANOS TEJIDO HUMANO", "organ_trafficking"},
      {"purpose", "TRABAJOS Y SERVICIOS FORZADOS", "forced_labour"},
      {"purpose", "VENTA DE NIÑOS", "sale_of_children"},
      {"venue", "MENDICIDAD/ VIA PUBLICA", "street"},
      {"venue", "TALA ILEGAL DE LA MADERA", "illegal_logging"},
      {"recruitment", "PADRINAZGO", "godparenthood"},
      {"means", "CONCESION O RECEPCION DE PAGOS", "payments"},
      {"means", "ENGAÑO", "deception"},
      {"means", "ENGANO", "(none)"},
      {"relation", "CONYUGE", "spouse"},
      {"outcome", "PENDIENTE DE INVESTIGACION", "pending"},
      {"country", "VENEZUELA", "VE"},
      {"country", "bolivia", "BO"},
      {"country", "PERU", "PE"},
      {"country", "ECUADOR", "EC"},
      {"country", "COLOMBIANA", "CO"},
      {"country", "estados unidos", "US"},
      {"language", "quechua", "que"},
      {"language", "Asháninka", "cni"},
      {"department", "CUZCO", "08"},
      {"department", "callao", "07"},
      {"institution", "Ministerio Público", "PE/MP"},
      {"institution", "MINNA", "PY/MINNA"},
      {"document_type", "CARNET DE EXTRANJERIA", "foreigner_card"},
      {"missing", "NO ESPECIFICA", "unknown"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_string_equal(look(lists, cases[i][0], NULL, cases[i][1]), cases[i][2]);
  }
  codelists_free(lists);
}

/* The quick way of folding gives what the thorough one gives, letter by letter. */
static void test_both_ways_of_folding_agree(void **state) {
  (void)state;
  struct arena *arena = arena_new(0);
  for (unsigned c = 0x20; c < 0x180; c++) {
    char letter[8], room[FOLD_MOST];
    int len = c < 0x80 ? snprintf(letter, sizeof letter, "a%cb", (int)c)
                       : snprintf(letter, sizeof letter, "a%c%cb", (int)(0xC0 | c >> 6), (int)(0x80 | (c & 0x3F)));
    struct slice text = slice_make(letter, (size_t)len), folded;
    struct slice expected = text_squeeze(arena, text_fold(arena, text, true));
    assert_true(codelist_fold(text, room, &folded));
    if (!slice_equal(folded, expected)) {
      fail_msg("U+%04X: %.*s, not %.*s", c, SLICE_ARG(folded), SLICE_ARG(expected));
    }
  }
  arena_free(arena);
}

static void test_a_letter_means_nothing_without_its_system(void **state) {
  (void)state;
  struct codelists *lists = program();
  assert_string_equal(look(lists, "sex", NULL, "M"), "(none)");
  assert_string_equal(look(lists, "sex", "f-m", "M"), "male");
  assert_string_equal(look(lists, "sex", "h-m", "M"), "female");
  codelists_free(lists);
}

/* RENIEC numbers departments otherwise from Callao on; Callao is not Lima. */
static void test_departments_and_provinces_of_both_systems(void **state) {
  (void)state;
  struct codelists *lists = program();
  assert_int_equal(codelist_size(codelists_find(lists, "department")), 25);
  assert_int_equal(codelist_size(codelists_find(lists, "province")), 196);
  assert_string_equal(look(lists, "department", "reniec", "24"), "07");
  assert_string_equal(look(lists, "department", "inei", "24"), "24");
  assert_string_equal(look(lists, "department", "reniec", "14"), "15");
  assert_string_equal(look(lists, "province", "inei", "1601"), "1601");
  assert_string_equal(look(lists, "province", "reniec", "1601"), "1701"); /* Tambopata, not Maynas */
  assert_string_equal(look(lists, "place", "reniec", "1601"), "1701");
  assert_string_equal(look(lists, "place", "reniec", "24"), "07");
  assert_string_equal(look(lists, "place", NULL, "LIMA"), "15"); /* the widest of that name */
  assert_string_equal(look(lists, "place", NULL, "LORETO/MAYNAS"), "1601");
  assert_string_equal(codelist_code(codelists_find(lists, "place"), slice_of("1601"))->parent, "16");
  codelists_free(lists);
}

static void test_systems_are_listed(void **state) {
  (void)state;
  struct codelists *lists = program();
  size_t count;
  const char *const *systems = codelist_systems(codelists_find(lists, "offence"), &count);
  assert_int_equal(count, 2);
  assert_string_equal(systems[0], "cp-2021");
  assert_string_equal(systems[1], "cp-2017");
  assert_true(codelist_has_system(codelists_find(lists, "offence"), "cp-2017"));
  assert_false(codelist_has_system(codelists_find(lists, "offence"), "cp-1991"));
  codelists_free(lists);
}

/* The reasons that the program knows are the codes of the list. */
static void test_missing_reasons_are_the_list(void **state) {
  (void)state;
  struct codelists *lists = program();
  const struct codelist *list = codelists_find(lists, "missing");
  assert_int_equal(codelist_size(list), MISSING_COUNT);
  for (int i = 0; i < MISSING_COUNT; i++) {
    assert_string_equal(codelist_at(list, (size_t)i)->code, missing_name((enum missing)i));
  }
  codelists_free(lists);
}

static void test_mistakes_have_place_and_hint(void **state) {
  (void)state;
  static const struct {
    const char *text, *place, *message, *hint;
  } cases[] = {
      {"list: colour\ncodes:\n  red: {lable: x}\n", "colour.yaml:3:9", "unknown key 'lable'", ""},
      {"list: color\n", "colour.yaml:1:1", "list 'color' stands in the file of 'colour'",
       "write list: colour, or rename the file"},
      {"list: colour\nsystems: {rgb: x}\ncodes:\n  red: {in: {rbg: R}}\n", "colour.yaml:4:14",
       "code list 'colour' declares no system 'rbg'", "did you mean 'rgb'?"},
      {"list: colour\ncodes:\n  red: {alias: [rojo]}\n  scarlet: {alias: [ROJO]}\n", "colour.yaml:4:21",
       "code list 'colour': 'ROJO' means two codes", ""},
      {"list: colour\ncodes:\n  red: {from: 31-03-2021}\n", "colour.yaml:3:15", "'from' has to be a date",
       "for example 2021-03-31"},
      {"list: colour\ncodes:\n  red: {group: red}\n", "colour.yaml:3:16",
       "code list 'colour' does not say which list its groups are of",
       "write groups: LIST above codes:, for example groups: region"},
      {"list: colour\ngroups: color\ncodes:\n  red: {group: red}\n", "colour.yaml:2:9",
       "groups: there is no code list 'color'", "did you mean 'colour'?"},
      {"list: colour\ngroups: colour\ncodes:\n  scarlet: {en: Scarlet, group: redd}\n  red: {}\n", "colour.yaml:4:33",
       "group: code list 'colour' has no code 'redd'", "did you mean 'red'?"},
      {"list: colour\nfrom: {iso-codes: 9999, code: x, names: [name]}\n", "/usr/share/iso-codes/json/iso_9999.json",
       "code list 'colour' needs Debian's package iso-codes", "apt-get install iso-codes"},
      {"list: colour\nfrom: {iso-codes: 3166-1}\n", "colour.yaml:2:7", "from: needs iso-codes: TABLE and code: MEMBER",
       "for example {iso-codes: 3166-1, code: alpha_2, names: [name]}"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char folder[64] = "/tmp/puente-list-XXXXXX", path[128], place[160];
    const char *folders[] = {folder};
    struct codelists *lists = NULL;
    struct error error = {0};
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/colour.yaml", folder);
    snprintf(place, sizeof place, "%s%s%s", cases[i].place[0] == '/' ? "" : folder, cases[i].place[0] == '/' ? "" : "/",
             cases[i].place);
    assert_int_equal(file_write(path, slice_of(cases[i].text), 0600, &error), OK);
    assert_int_equal(codelists_load(folders, 1, &lists, &error), ERR_CONFIG);
    assert_string_equal(error.message, cases[i].message);
    assert_string_equal(error.place, place);
    if (cases[i].hint[0] != '\0') {
      assert_string_equal(error.hint, cases[i].hint);
    }
    unlink(path);
    rmdir(folder);
  }
}

static void test_a_later_folder_replaces_a_list(void **state) {
  (void)state;
  char folder[64] = "/tmp/puente-list-XXXXXX", path[128];
  const char *folders[] = {"config/codelists", folder};
  struct codelists *lists = NULL;
  struct error error = {0};
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/department.yaml", folder);
  assert_int_equal(file_write(path, slice_of("list: department\ncodes:\n  PY-10: {es: Alto Paraná}\n"), 0600, &error),
                   OK);
  assert_int_equal(codelists_load(folders, 2, &lists, &error), OK);
  assert_int_equal(codelist_size(codelists_find(lists, "department")), 1);
  assert_string_equal(look(lists, "place", NULL, "ALTO PARANA"), "PY-10"); /* and what includes it sees the new one */
  codelists_free(lists);
  unlink(path);
  rmdir(folder);
}

static const char *const UBIGEO = "../shared/data/ubigeo_inei_reniec.csv";

/* The published list: the two systems differ for 1,780 of 1,891 districts, and 996 RENIEC codes are the INEI code of
 * another district. */
static void test_the_full_district_list_is_imported(void **state) {
  (void)state;
  if (access(UBIGEO, R_OK) != 0) {
    skip();
  }
  char folder[64] = "/tmp/puente-list-XXXXXX", path[128];
  const char *folders[] = {"config/codelists", folder};
  struct codelist_import result;
  struct codelists *lists = NULL;
  struct error error = {0};
  assert_non_null(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/district.yaml", folder);
  assert_int_equal(codelist_import_ubigeo(UBIGEO, path, &result, &error), OK);
  assert_int_equal(result.rows, 1893);
  assert_int_equal(result.accepted, 1892);
  assert_int_equal(result.rejected, 1);
  assert_int_equal(result.without_inei, 1);
  assert_int_equal(result.without_reniec, 1);
  assert_int_equal(result.differing, 1780);
  assert_int_equal(result.collisions, 996);
  if (codelists_load(folders, 2, &lists, &error) != OK) {
    fail_msg("%s (%s; %s)", error.message, error.place, error.hint);
  }
  assert_string_equal(look(lists, "place", "inei", "160101"), "160101");   /* Iquitos */
  assert_string_equal(look(lists, "place", "reniec", "160101"), "170101"); /* Tambopata */
  assert_string_equal(codelist_code(codelists_find(lists, "place"), slice_of("160101"))->label_es, "IQUITOS");
  assert_string_equal(look(lists, "place", NULL, "LORETO/MAYNAS/IQUITOS"), "160101");
  /* The lists that the program has are what the districts say. */
  const struct codelist *districts = codelists_find(lists, "district"), *provinces = codelists_find(lists, "province");
  for (size_t i = 0; i < codelist_size(districts); i++) {
    assert_non_null(codelist_code(provinces, slice_of(codelist_at(districts, i)->parent)));
  }
  codelists_free(lists);
  unlink(path);
  rmdir(folder);
}

static void test_a_wrong_district_list_is_refused(void **state) {
  (void)state;
  static const struct {
    const char *text, *message, *hint;
    size_t rejected;
  } cases[] = {
      {"inei,departamento,provincia,distrito\n", "the file has no column 'reniec'",
       "its first line has to name inei, reniec, departamento, provincia, distrito", 0},
      {"", "the file has no column 'inei'",
       "its first line has to name inei, reniec, departamento, provincia, distrito", 0},
      {"inei,reniec,departamento,provincia,distrito\n1601,1501,LORETO,MAYNAS,IQUITOS\n",
       "none of 1 lines is a district", "an inei code has 6 digits, and each is there once", 1},
      {"INEI,RENIEC,DEPARTAMENTO,PROVINCIA,DISTRITO\r\n"
       "160101,150101,LORETO,MAYNAS,IQUITOS\r\n"
       "160101,150102,LORETO,MAYNAS,ALTO NANAY\r\n" /* code twice */
       "160102,150102,LIMA,MAYNAS,ALTO NANAY\r\n"   /* a department with two names */
       "160103,150103,LORETO,MAYNAS,\r\n"           /* no name */
       "\"160104\",150104,LORETO,MAYNAS,\"INDIANA, NUEVA\"\r\n",
       "", "", 3},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char folder[64] = "/tmp/puente-list-XXXXXX", path[128], target[128];
    struct codelist_import result;
    struct error error = {0};
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/in.csv", folder);
    snprintf(target, sizeof target, "%s/district.yaml", folder);
    assert_int_equal(file_write(path, slice_of(cases[i].text), 0600, &error), OK);
    enum status status = codelist_import_ubigeo(path, target, &result, &error);
    assert_int_equal(status, cases[i].message[0] == '\0' ? OK : ERR_INPUT);
    assert_string_equal(error.message, cases[i].message);
    assert_string_equal(error.hint, cases[i].hint);
    assert_int_equal(result.rejected, cases[i].rejected);
    assert_int_equal(access(target, F_OK) == 0, status == OK);
    unlink(path);
    unlink(target);
    rmdir(folder);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_every_coded_field_has_its_list),
      cmocka_unit_test(test_offences_of_both_systems),
      cmocka_unit_test(test_dates_count_only_where_they_are_asked_for),
      cmocka_unit_test(test_texts_are_compared_folded),
      cmocka_unit_test(test_both_ways_of_folding_agree),
      cmocka_unit_test(test_a_letter_means_nothing_without_its_system),
      cmocka_unit_test(test_departments_and_provinces_of_both_systems),
      cmocka_unit_test(test_systems_are_listed),
      cmocka_unit_test(test_missing_reasons_are_the_list),
      cmocka_unit_test(test_mistakes_have_place_and_hint),
      cmocka_unit_test(test_a_later_folder_replaces_a_list),
      cmocka_unit_test(test_the_full_district_list_is_imported),
      cmocka_unit_test(test_a_wrong_district_list_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The kept schemas are what the program writes, and know the names that the readers of the configuration accept. */
#include "connectors/connector.h"
#include "core/base/file.h"
#include "core/config.h"
#include "core/config_parts.h"
#include "core/link/plan_read.h"
#include "core/link/schema.h"
#include "core/service/config_schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

static json_t *schema_kept(const char *path, enum status (*write)(struct buffer *out, struct error *error)) {
  struct buffer written, kept;
  struct error error;
  buffer_init(&written, (size_t)1 << 20);
  buffer_init(&kept, (size_t)1 << 20);
  assert_int_equal(write(&written, &error), OK);
  assert_int_equal(file_read(path, (size_t)1 << 20, &kept, &error), OK);
  if (!slice_equal(buffer_view(&written), buffer_view(&kept))) {
    print_error("%s is not what the program writes: build/puente map schema puente|source|link > it\n", path);
    fail();
  }
  json_t *schema = json_loadb(kept.data, kept.len, 0, NULL);
  buffer_free(&written);
  buffer_free(&kept);
  assert_non_null(schema);
  return schema;
}

static void names_agree(json_t *properties, const char *const *keys) {
  size_t count = 0;
  for (; keys[count] != NULL; count++) {
    if (json_object_get(properties, keys[count]) == NULL) {
      print_error("%s is not in the schema\n", keys[count]);
      fail();
    }
  }
  assert_int_equal(json_object_size(properties), count);
}

static json_t *properties_of(json_t *schema, const char *definition) {
  return json_object_get(json_object_get(json_object_get(schema, "$defs"), definition), "properties");
}

static void test_workspace(void **state) {
  (void)state;
  json_t *schema = schema_kept("config/schema/puente.schema.json", config_schema);
  names_agree(json_object_get(schema, "properties"), config_keys);
  names_agree(properties_of(schema, "store"), config_store_keys);
  names_agree(properties_of(schema, "serve"), config_serve_keys);
  names_agree(properties_of(schema, "serve_source"), config_serve_source_keys);
  names_agree(properties_of(schema, "backup"), config_backup_keys);
  names_agree(properties_of(schema, "notify"), config_notify_keys);
  names_agree(properties_of(schema, "access"), config_access_keys);
  names_agree(properties_of(schema, "approval"), config_approval_keys);
  names_agree(properties_of(schema, "mail"), config_mail_keys);
  names_agree(properties_of(schema, "webhook"), config_webhook_keys);
  names_agree(properties_of(schema, "quarantine"), config_quarantine_keys);
  names_agree(properties_of(schema, "checkpoints"), config_checkpoints_keys);
  names_agree(properties_of(schema, "holder"), config_holder_keys);
  names_agree(properties_of(schema, "timestamp"), config_timestamp_keys);
  assert_int_equal(json_object_size(properties_of(schema, "retry")), 4);
  json_decref(schema);
}

static void test_source(void **state) {
  (void)state;
  json_t *schema = schema_kept("config/schema/source.schema.json", source_schema);
  names_agree(json_object_get(schema, "properties"), config_source_keys);
  size_t count;
  (void)connector_table(&count);
  assert_int_equal(json_array_size(json_object_get(schema, "allOf")), count);
  json_decref(schema);
}

/* Kinds with their levels, and the keys of every map. */
static void test_link(void **state) {
  (void)state;
  json_t *schema = schema_kept("config/schema/link.schema.json", link_schema);
  names_agree(json_object_get(schema, "properties"), plan_keys);
  names_agree(properties_of(schema, "comparison"), plan_compare_keys);
  names_agree(properties_of(schema, "level"), plan_level_keys);
  names_agree(properties_of(schema, "named_block"), plan_block_keys);
  names_agree(properties_of(schema, "rule"), plan_rule_keys);
  names_agree(properties_of(schema, "train"), plan_train_keys);
  names_agree(properties_of(schema, "cluster"), plan_cluster_keys);
  names_agree(properties_of(schema, "bounded_band"), plan_band_keys);
  names_agree(properties_of(schema, "truth"), plan_truth_keys);
  json_t *kinds = json_object_get(json_object_get(properties_of(schema, "comparison"), "kind"), "enum");
  assert_int_equal(json_array_size(kinds), COMPARISON_KINDS);
  json_decref(schema);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_workspace), cmocka_unit_test(test_source),
                                     cmocka_unit_test(test_link)};
  return cmocka_run_group_tests_name("configuration schemas", tests, NULL, NULL);
}

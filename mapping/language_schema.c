/* The mapping language as a JSON Schema, so that editors complete and check mapping files. */
#include "mapping/language.h"
#include "mapping/transform/transform.h"

#include <stdio.h>

static void put_members(struct buffer *out, const char *where, const char *indent) {
  size_t count;
  const struct language_word *words = language_table(&count);
  bool first = true;
  for (size_t i = 0; i < count; i++) {
    if (strcmp(words[i].where, where) != 0) {
      continue;
    }
    buffer_printf(out, "%s\n%s\"%s\": {\"$ref\": \"#/$defs/%s\", \"description\": ", first ? "" : ",", indent,
                  words[i].name, words[i].shape);
    buffer_json(out, slice_of(words[i].description));
    buffer_char(out, '}');
    first = false;
  }
}

static void put_object(struct buffer *out, const char *name, const char *where) {
  buffer_printf(out,
                "    \"%s\": {\n      \"type\": \"object\",\n      \"additionalProperties\": false,\n"
                "      \"properties\": {",
                name);
  put_members(out, where, "        ");
  buffer_text(out, "\n      }\n    },\n");
}

static void put_fields(struct buffer *out, const struct entity *entity, const char *shape, const char *indent,
                       bool first) {
  for (size_t i = 0; i < entity->field_count; i++) {
    const struct field *field = &entity->fields[i];
    const char *own = strcmp(field->name, "role") == 0 ? "role" : shape;
    buffer_printf(out, "%s\n%s\"%s\": {\"$ref\": \"#/$defs/%s\", \"description\": ", first && i == 0 ? "" : ",", indent,
                  field->name, own);
    buffer_json(out, slice_of(field->label_en == NULL ? field->name : field->label_en));
    buffer_char(out, '}');
  }
}

static void put_block(struct buffer *out, const struct model *model, const struct entity *entity) {
  const struct entity *involvement = strcmp(entity->name, "person") == 0 ? model_entity(model, "involvement") : NULL;
  buffer_printf(out,
                "    \"%s\": {\n      \"type\": \"object\",\n      \"additionalProperties\": false,\n"
                "      \"properties\": {",
                entity->name);
  put_members(out, "block", "        ");
  put_fields(out, entity, "field", "        ", false);
  if (involvement != NULL) {
    put_fields(out, involvement, "field", "        ", false);
    buffer_text(out, ",\n        \"involvement\": {\n          \"type\": \"object\",\n"
                     "          \"additionalProperties\": false,\n          \"properties\": {");
    put_fields(out, involvement, "field", "            ", true);
    buffer_text(out, "\n          }\n        }");
  }
  buffer_printf(out,
                "\n      }\n    },\n    \"%s_blocks\": {\"oneOf\": [{\"$ref\": \"#/$defs/%s\"}, "
                "{\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/%s\"}}]},\n",
                entity->name, entity->name, entity->name);
}

static void put_reasons(struct buffer *out) {
  buffer_text(out, "    \"reason\": {\"enum\": [");
  for (int i = 0; i < MISSING_COUNT; i++) {
    buffer_printf(out, "%s\"%s\"", i == 0 ? "" : ", ", missing_name((enum missing)i));
  }
  buffer_text(out, "]},\n");
}

static void put_cleaning(struct buffer *out) {
  size_t count;
  const struct transform *transforms = transform_table(&count);
  bool first = true;
  buffer_text(out, "    \"clean_name\": {\"enum\": [");
  for (size_t i = 0; i < count; i++) {
    if (transforms[i].use == TRANSFORM_CLEAN) {
      buffer_printf(out, "%s\"%s\"", first ? "" : ", ", transforms[i].name);
      first = false;
    }
  }
  buffer_text(out, "]},\n    \"cleaning\": {\"oneOf\": [{\"$ref\": \"#/$defs/clean_name\"}, "
                   "{\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/clean_name\"}}]},\n");
}

/* Shapes that hang neither on the model nor on the tables. YAML writes numbers and booleans where text is meant. */
static const char *const shapes[] = {
    "\"scalar\": {\"type\": [\"string\", \"number\", \"boolean\"]}",
    "\"text\": {\"$ref\": \"#/$defs/scalar\"}",
    "\"constant\": {\"$ref\": \"#/$defs/scalar\"}",
    "\"otherwise\": {\"type\": [\"string\", \"number\", \"null\"]}",
    "\"boolean\": {\"type\": \"boolean\"}",
    "\"path\": {\"type\": [\"string\", \"number\"], \"minLength\": 1}",
    "\"texts\": {\"oneOf\": [{\"$ref\": \"#/$defs/scalar\"}, {\"type\": \"array\", \"minItems\": 1, \"items\": "
    "{\"$ref\": \"#/$defs/scalar\"}}]}",
    "\"paths\": {\"oneOf\": [{\"$ref\": \"#/$defs/path\"}, {\"type\": \"array\", \"minItems\": 1, \"maxItems\": 16, "
    "\"items\": {\"$ref\": \"#/$defs/path\"}}]}",
    "\"words\": {\"type\": \"object\", \"additionalProperties\": {\"$ref\": \"#/$defs/scalar\"}}",
    "\"reasons\": {\"type\": \"object\", \"additionalProperties\": {\"$ref\": \"#/$defs/reason\"}}",
    "\"systems\": {\"type\": \"object\", \"additionalProperties\": {\"$ref\": \"#/$defs/texts\"}}",
    "\"format\": {\"enum\": [\"csv\", \"row\", \"json\", \"xml\"]}",
    "\"encoding\": {\"type\": \"string\", \"examples\": [\"utf-8\", \"windows-1252\", \"latin-1\"]}",
    "\"header\": {\"oneOf\": [{\"type\": \"integer\", \"minimum\": 1}, {\"const\": \"none\"}]}",
    "\"repair\": {\"enum\": [\"double_encoding\", \"none\"]}",
    "\"decimal\": {\"enum\": [\".\", \",\"]}",
    "\"strictness\": {\"enum\": [\"warn\", \"quarantine\"]}",
    "\"order\": {\"enum\": [\"given paternal maternal\", \"paternal maternal given\"]}",
    "\"part\": {\"enum\": [\"given\", \"paternal\", \"maternal\"]}",
    "\"conditions\": {\"type\": \"array\", \"minItems\": 1, \"items\": {\"$ref\": \"#/$defs/condition\"}}",
    "\"negation\": {\"$ref\": \"#/$defs/condition\"}",
    "\"condition\": {\"oneOf\": [{\"$ref\": \"#/$defs/test\"}, {\"$ref\": \"#/$defs/conditions\"}]}",
    "\"field\": {\"oneOf\": [{\"$ref\": \"#/$defs/path\"}, {\"$ref\": \"#/$defs/rule\"}]}",
    "\"role\": {\"oneOf\": [{\"type\": \"string\"}, {\"$ref\": \"#/$defs/rule\"}]}",
    "\"lets\": {\"type\": \"object\", \"additionalProperties\": {\"$ref\": \"#/$defs/field\"}}"};

enum status language_schema(const struct model *model, struct buffer *out, struct error *error) {
  buffer_text(out, "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
                   "  \"title\": \"Puente mapping\",\n"
                   "  \"description\": \"How the records of one source become the common model; see "
                   "mapping/README.md. Written by: puente map schema\",\n"
                   "  \"type\": \"object\",\n  \"additionalProperties\": false,\n"
                   "  \"required\": [\"source\", \"format\"],\n  \"properties\": {");
  put_members(out, "head", "    ");
  for (size_t i = 0; i < model->entity_count; i++) {
    const char *name = model->entities[i].name;
    buffer_printf(out, ",\n    \"%s\": {\"$ref\": \"#/$defs/%s_blocks\", \"description\": ", name, name);
    buffer_json(out, slice_of(model->entities[i].label_en));
    buffer_char(out, '}');
  }
  buffer_text(out, "\n  },\n  \"$defs\": {\n");
  put_object(out, "defaults", "defaults");
  put_object(out, "rule", "rule");
  put_object(out, "test", "condition");
  for (size_t i = 0; i < model->entity_count; i++) {
    put_block(out, model, &model->entities[i]);
  }
  put_reasons(out);
  put_cleaning(out);
  size_t count = sizeof shapes / sizeof *shapes;
  for (size_t i = 0; i < count; i++) {
    buffer_printf(out, "    %s%s\n", shapes[i], i + 1 < count ? "," : "");
  }
  buffer_text(out, "  }\n}\n");
  return buffer_check(out, "schema", error);
}

#include "core/service/config_schema.h"

#include "connectors/connector.h"

#include <inttypes.h>

struct member {
  const char *name, *shape, *description; /* shape: JSON without its braces */
};

#define TEXT "\"type\": \"string\""
#define REFERENCE "\"type\": \"string\", \"pattern\": \"^(env:|file:)\""

static const struct member config_members[] = {
    {"name", TEXT, "name of the workspace, for reports and messages"},
    {"lang", "\"enum\": [\"es\", \"en\"]", "language of messages; default: the locale"},
    {"store", "\"$ref\": \"#/$defs/store\"", "where records are kept"},
    {"key", TEXT, "file of the workspace key, mode 0600"},
    {"model", TEXT, "folder of the common model; default: the program's"},
    {"link", TEXT, "file of the linkage rules; default: the program's"},
    {"codelists", TEXT, "folder of further code lists"},
    {"indicators", TEXT, "folder of further indicators"},
    {"sources", TEXT, "folder with one file a source"},
    {"page_limit", "\"type\": [\"string\", \"integer\"]", "largest page that a connector may bring: 64MiB"},
    {NULL, NULL, NULL}};

static const struct member store_members[] = {
    {"sqlite", TEXT, "file of the embedded store"},
    {"postgres", TEXT, "connection string without password"},
    {"password", REFERENCE, "password of the server by reference: env:NAME or file:PATH"},
    {"schema", TEXT, "schema for Puente's tables"},
    {NULL, NULL, NULL}};

static const struct member source_members[] = {
    {"source", TEXT, "code of the source, the name of its file"},
    {"title", TEXT, "its name for people"},
    {"institution", "\"type\": \"string\", \"pattern\": \"^[A-Z]{2}/.+\"", "COUNTRY/ACRONYM, for example PE/MP"},
    {"contact", TEXT, "whom to call when it fails"},
    {"unit", TEXT, "what one of its records counts: denuncia, victim, …"},
    {"state", "\"enum\": [\"active\", \"paused\", \"retired\"]", "whether it is pulled"},
    {"connector", "\"$ref\": \"#/$defs/connector\"", "how it is reached"},
    {"options", "\"type\": \"object\"", "options of the connector"},
    {"mapping", TEXT, "mapping file; default: mappings/CODE.yaml"},
    {"deletes", "\"enum\": [\"none\", \"tombstone\", \"sweep\"]", "how it tells that a record was deleted"},
    {"max_drop", "\"type\": \"number\", \"minimum\": 0, \"maximum\": 1",
     "a sweep that drops a larger share is refused"},
    {"overlap", TEXT, "time that a watermark is set back by: 10m"},
    {"cut", "\"oneOf\": [{\"type\": \"string\"}, {\"type\": \"array\", \"items\": {\"type\": \"string\"}}]",
     "input paths that the sharing terms forbid: removed before landing"},
    {"linked", "\"type\": \"boolean\"", "whether its records take part in linkage"},
    {"precedence", "\"type\": \"integer\", \"minimum\": 0, \"maximum\": 10000", "survivorship: lower wins"},
    {"duplicate_free", "\"type\": \"boolean\"", "certified: one record is one person"},
    {NULL, NULL, NULL}};

static void put_members(struct buffer *out, const struct member *members, const char *indent) {
  for (const struct member *member = members; member->name != NULL; member++) {
    buffer_printf(out, "%s\n%s\"%s\": {%s, \"description\": ", member == members ? "" : ",", indent, member->name,
                  member->shape);
    buffer_json(out, slice_of(member->description));
    buffer_char(out, '}');
  }
}

static void put_head(struct buffer *out, const char *title, const char *required) {
  buffer_printf(
      out,
      "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n  \"title\": \"%s\",\n"
      "  \"type\": \"object\",\n  \"additionalProperties\": false,\n  \"required\": [%s],\n  \"properties\": {",
      title, required);
}

enum status config_schema(struct buffer *out, struct error *error) {
  put_head(out, "Puente workspace", "");
  put_members(out, config_members, "    ");
  buffer_text(out, "\n  },\n  \"$defs\": {\n    \"store\": {\n      \"type\": \"object\",\n"
                   "      \"additionalProperties\": false,\n      \"properties\": {");
  put_members(out, store_members, "        ");
  buffer_text(out, "\n      }\n    }\n  }\n}\n");
  return buffer_check(out, "schema", error);
}

static void put_choices(struct buffer *out, const char *const *choices) {
  buffer_text(out, "\"enum\": [");
  for (const char *const *choice = choices; choice != NULL && *choice != NULL; choice++) {
    buffer_text(out, choice == choices ? "" : ", ");
    buffer_json(out, slice_of(*choice));
  }
  buffer_char(out, ']');
}

static void put_option_shape(struct buffer *out, const struct option *option) {
  static const char *const shapes[] = {
      [OPTION_TEXT] = "\"type\": [\"string\", \"number\", \"boolean\"]",
      [OPTION_BOOLEAN] = "\"type\": \"boolean\"",
      [OPTION_DURATION] = TEXT,
      [OPTION_SIZE] = "\"type\": [\"string\", \"integer\"]",
      [OPTION_PATH] = TEXT,
      [OPTION_SECRET] = REFERENCE,
      [OPTION_LIST] = "\"oneOf\": [{\"type\": \"string\"}, {\"type\": \"array\"}]",
      [OPTION_MAP] = "\"type\": \"object\"",
  };
  if (option->type == OPTION_CHOICE) {
    put_choices(out, option->choices);
  } else if (option->type == OPTION_INTEGER) {
    buffer_printf(out, "\"type\": \"integer\", \"minimum\": %" PRId64 ", \"maximum\": %" PRId64, option->least,
                  option->most);
  } else {
    buffer_text(out, shapes[option->type]);
  }
}

static void put_options(struct buffer *out, const struct option *options) {
  for (const struct option *option = options; option->name != NULL; option++) {
    buffer_printf(out, "%s\n        \"%s\": {", option == options ? "" : ",", option->name);
    put_option_shape(out, option);
    buffer_text(out, ", \"description\": ");
    buffer_json(out, slice_of(option->description == NULL ? "" : option->description));
    if (option->otherwise != NULL) {
      buffer_text(out, ", \"x-default\": ");
      buffer_json(out, slice_of(option->otherwise));
    }
    buffer_char(out, '}');
  }
}

static void put_required(struct buffer *out, const struct option *options) {
  bool first = true;
  buffer_text(out, "      \"required\": [");
  for (const struct option *option = options; option->name != NULL; option++) {
    if (option->required) {
      buffer_printf(out, "%s\"%s\"", first ? "" : ", ", option->name);
      first = false;
    }
  }
  buffer_text(out, "],\n");
}

static void put_connectors(struct buffer *out) {
  size_t count;
  const struct connector *const *table = connector_table(&count);
  buffer_text(out, "    \"connector\": {\"enum\": [");
  for (size_t i = 0; i < count; i++) {
    buffer_printf(out, "%s\"%s\"", i == 0 ? "" : ", ", table[i]->name);
  }
  buffer_text(out, "]}");
  for (size_t i = 0; i < count; i++) {
    buffer_printf(out,
                  ",\n    \"options_%s\": {\n      \"type\": \"object\",\n      \"additionalProperties\": false,\n",
                  table[i]->name);
    put_required(out, table[i]->options);
    buffer_text(out, "      \"properties\": {");
    put_options(out, table[i]->options);
    buffer_text(out, "\n      }\n    }");
  }
  buffer_text(out, "\n  },\n  \"allOf\": [");
  for (size_t i = 0; i < count; i++) {
    buffer_printf(out,
                  "%s\n    {\"if\": {\"properties\": {\"connector\": {\"const\": \"%s\"}}}, \"then\": {\"properties\": "
                  "{\"options\": {\"$ref\": \"#/$defs/options_%s\"}}}}",
                  i == 0 ? "" : ",", table[i]->name, table[i]->name);
  }
  buffer_text(out, "\n  ]\n");
}

enum status source_schema(struct buffer *out, struct error *error) {
  put_head(out, "Puente source", "\"source\", \"institution\", \"unit\", \"connector\"");
  put_members(out, source_members, "    ");
  buffer_text(out, "\n  },\n  \"$defs\": {\n");
  put_connectors(out);
  buffer_text(out, "}\n");
  return buffer_check(out, "schema", error);
}

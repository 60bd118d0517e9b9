#include "core/service/config_schema.h"

#include "core/config.h"

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
    {"releases", TEXT, "folder of further releases"},
    {"sources", TEXT, "folder with one file a source"},
    {"page_limit", "\"type\": [\"string\", \"integer\"]", "largest page that a connector may bring: 64MiB"},
    {"serve", "\"$ref\": \"#/$defs/serve\"", "when sources are pulled, and how failures are met"},
    {"notify", "\"$ref\": \"#/$defs/notify\"", "who is told, and how"},
    {"disclosure", "\"$ref\": \"#/$defs/disclosure\"", "which small figures are hidden"},
    {"checkpoints", "\"$ref\": \"#/$defs/checkpoints\"", "who keeps signed heads of the audit log outside"},
    {"approval", "\"$ref\": \"#/$defs/approval\"", "files that act only once a second person has agreed"},
    {"access", "\"$ref\": \"#/$defs/access\"", "the persons behind what is done by hand"},
    {NULL, NULL, NULL}};

static const struct member disclosure_members[] = {
    {"k", "\"type\": \"integer\", \"minimum\": 1, \"maximum\": 1000",
     "smallest count of persons or cases that a report shows; default: 11"},
    {"width", "\"type\": \"integer\", \"minimum\": 0, \"maximum\": 1000",
     "how far apart the possible counts of a hidden figure stay; default: k-1"},
    {"method", "\"enum\": [\"suppress\", \"round\"]",
     "small figures are hidden, or all are rounded; default: suppress"},
    {"base", "\"enum\": [3, 5]", "of method: round"},
    {"reports", "\"enum\": [\"ledger\", \"single\"]",
     "each report is protected with those told before it, or by itself; default: single"},
    {NULL, NULL, NULL}};

static const struct member approval_members[] = {
    {"required", "\"type\": \"array\", \"items\": {\"enum\": [\"mapping\", \"codelist\", \"link\"]}",
     "kinds of files that need `puente approve`; default: none"},
    {NULL, NULL, NULL}};

static const struct member store_members[] = {
    {"sqlite", TEXT, "file of the embedded store"},
    {"postgres", TEXT, "connection string without password"},
    {"password", REFERENCE, "password of the server by reference: env:NAME or file:PATH"},
    {"schema", TEXT, "schema for Puente's tables"},
    {NULL, NULL, NULL}};

#define SCHEDULE TEXT ", \"examples\": [\"30 2 * * *\", \"@hourly\", \"manual\"]"
#define TEXTS "\"oneOf\": [{\"type\": \"string\"}, {\"type\": \"array\", \"items\": {\"type\": \"string\"}}]"

static const struct member serve_members[] = {
    {"timezone", TEXT, "time zone of all times: America/Lima; default: the machine's"},
    {"schedule", SCHEDULE, "when sources are pulled that name no schedule of their own; default: manual"},
    {"jitter", TEXT, "a due moment is delayed by less than this time: 10m"},
    {"blackout", TEXTS, "when no source is pulled: 08:00-18:00 mon-fri"},
    {"late_after", TEXT, "a source is late when no sync succeeded for so long after it was due"},
    {"parallel", "\"type\": \"integer\", \"minimum\": 0, \"maximum\": 64", "syncs at a time; 0: no limit"},
    {"retry", "\"$ref\": \"#/$defs/retry\"", "when a source that failed is tried again"},
    {"link", TEXT ", \"examples\": [\"after\", \"manual\", \"0 5 * * *\"]",
     "when records are linked: after syncs, or by a clock"},
    {"sources",
     "\"type\": \"object\", \"additionalProperties\": {\"oneOf\": [{\"type\": \"string\"}, "
     "{\"$ref\": \"#/$defs/serve_source\"}]}",
     "schedules by source: CODE: CRON, or CODE: {schedule: …}"},
    {"status", TEXT, "loopback address of health and metrics: 127.0.0.1:9464; off: none"},
    {"backup", "\"$ref\": \"#/$defs/backup\"", "copies of the store by the clock"},
    {NULL, NULL, NULL}};

static const struct member serve_source_members[] = {
    {"schedule", SCHEDULE, "when it is pulled"},
    {"timezone", TEXT, "time zone of its times"},
    {"jitter", TEXT, "a due moment is delayed by less than this time: 10m"},
    {"blackout", TEXTS, "when it is not pulled, instead of the common windows"},
    {"late_after", TEXT, "it is late when no sync succeeded for so long after it was due"},
    {NULL, NULL, NULL}};

static const struct member backup_members[] = {
    {"schedule", SCHEDULE, "when a copy is made; default: manual"},
    {"folder", TEXT, "where copies are kept"},
    {"keep", "\"type\": \"integer\", \"minimum\": 1, \"maximum\": 1000", "newest ones that stay"},
    {NULL, NULL, NULL}};

static const struct member notify_members[] = {
    {"lang", "\"enum\": [\"es\", \"en\"]", "language of what is told; default: the program's"},
    {"mail", "\"$ref\": \"#/$defs/mail\"", "mail server and recipients"},
    {"webhooks", "\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/webhook\"}", "addresses that are told by JSON"},
    {"digest", SCHEDULE, "when a summary is sent; default: manual"},
    {"quarantine", "\"$ref\": \"#/$defs/quarantine\"", "how much quarantine is told of"},
    {NULL, NULL, NULL}};

static const struct member access_members[] = {
    {"shared", TEXTS, "further accounts that several persons use: nothing is done by hand under them"},
    {"people", TEXTS, "the only ones who may act by hand; default: whoever is named and not shared"},
    {NULL, NULL, NULL}};

static const struct member checkpoints_members[] = {
    {"schedule", SCHEDULE, "when the head of the log is signed and sent; default: @daily"},
    {"holders", "\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/holder\"}, \"minItems\": 1, \"maxItems\": 16",
     "who keeps it where nobody can change it who runs the store"},
    {"timestamp", "\"$ref\": \"#/$defs/timestamp\"", "an authority that says when it was (RFC 3161)"},
    {NULL, NULL, NULL}};

static const struct member holder_members[] = {
    {"name", TEXT ", \"pattern\": \"^[a-z0-9_-]{1,40}$\"", "short name, for messages and receipts"},
    {"webhook", TEXT ", \"pattern\": \"^https?://\"", "https://HOST/PATH that takes it; http only to this machine"},
    {"token", REFERENCE, "bearer token of the webhook by reference: env:NAME or file:PATH"},
    {"mail", TEXT, "address that gets it, by the mail server of `notify:`"},
    {"folder", TEXT, "folder that gets NAME-SEQUENCE.checkpoint: a share or a medium of somebody else"},
    {NULL, NULL, NULL}};

static const struct member timestamp_members[] = {
    {"url", TEXT ", \"pattern\": \"^https?://\"", "address of the time-stamp authority"},
    {"ca_file", TEXT, "certificates (PEM) that sign the authority's"},
    {NULL, NULL, NULL}};

static const struct member mail_members[] = {
    {"server", TEXT ", \"pattern\": \"^smtps?://\"", "smtps://HOST:465, or smtp://HOST:587 with STARTTLS"},
    {"from", TEXT, "address of the sender"},
    {"to", TEXTS, "addresses of the recipients"},
    {"username", TEXT, "user of the mail server"},
    {"password", REFERENCE, "its password by reference: env:NAME or file:PATH"},
    {"ca_file", TEXT, "certificates (PEM) that sign the server's, instead of the system's"},
    {NULL, NULL, NULL}};

static const struct member webhook_members[] = {
    {"url", TEXT ", \"pattern\": \"^https?://\"", "https://HOST/PATH; http only to this machine"},
    {"token", REFERENCE, "bearer token by reference: env:NAME or file:PATH"},
    {NULL, NULL, NULL}};

static const struct member quarantine_members[] = {
    {"share", "\"type\": \"number\", \"minimum\": 0, \"maximum\": 1",
     "share of a source's records in quarantine that is told of"},
    {"records", "\"type\": \"integer\", \"minimum\": 1", "growth since it was last told that is told of again"},
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
    {"budget", "\"$ref\": \"#/$defs/budget\"", "what one run may take; the next one goes on"},
    {"gateway", TEXT, "sources that share one are never pulled at the same time"},
    {"succeeds", TEXT, "code of the source that this one replaces"},
    {"expires", "\"type\": \"object\", \"additionalProperties\": {\"type\": \"string\", \"format\": \"date\"}",
     "when passwords and keys end: {password: 2027-01-31}"},
    {"counts", "\"$ref\": \"#/$defs/counts\"", "what its figures mean, for `report discrepancy`"},
    {"terms", "\"$ref\": \"#/$defs/terms\"", "what the supplying institution allows, and until when"},
    {NULL, NULL, NULL}};

#define INSTITUTIONS                                                                                                   \
  "\"oneOf\": [{\"const\": \"all\"}, {\"type\": \"array\", \"items\": {\"type\": \"string\", \"pattern\": "            \
  "\"^[A-Z]{2}/.+\"}}]"
#define DAY "\"type\": \"string\", \"format\": \"date\""

static const struct member terms_members[] = {
    {"legal_basis", TEXT, "law or rule that lets the institution share"},
    {"agreement", "\"$ref\": \"#/$defs/agreement\"", "the document that says so"},
    {"fields", TEXTS, "input paths that may be kept; all others are cut before landing"},
    {"purposes", TEXTS, "codes of the list purpose_of_use for which identified data may be seen; default: all"},
    {"shown_to", INSTITUTIONS, "institutions that see its values by name; default and []: its own alone"},
    {"consent", "\"enum\": [\"not_required\", \"required\"]",
     "required: of whoever does not say that they consent nothing is landed; default: not_required"},
    {"linked_by_name", "\"enum\": [true, false, \"encoded\"]",
     "true; encoded: a code is kept instead of names, needs fields; false is refused"},
    {"retention", "\"oneOf\": [{\"type\": \"string\"}, {\"$ref\": \"#/$defs/retention\"}]",
     "how long a record is kept after its last change: 10y, 18m"},
    {NULL, NULL, NULL}};

static const struct member agreement_members[] = {
    {"document", TEXT, "its number"},
    {"date", DAY, "when it was signed"},
    {"until", DAY, "its last day; warnings come 30, 14 and 3 days before"},
    {NULL, NULL, NULL}};

static const struct member retention_members[] = {{"keep", TEXT, "years or months: 10y, 18m"},
                                                  {"then", "\"const\": \"erase\"", "what happens then"},
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

/* A map among the definitions, from a list of members or a table of options. */
static void put_definition(struct buffer *out, const char *name, const struct member *members,
                           const struct option *options) {
  buffer_printf(out,
                "    \"%s\": {\n      \"type\": \"object\",\n      \"additionalProperties\": false,\n"
                "      \"properties\": {",
                name);
  if (members != NULL) {
    put_members(out, members, "        ");
  } else {
    put_options(out, options);
  }
  buffer_text(out, "\n      }\n    }");
}

struct definition {
  const char *name;
  const struct member *members;
  const struct option *options;
};

enum status config_schema(struct buffer *out, struct error *error) {
  static const struct definition definitions[] = {
      {"store", store_members, NULL},
      {"serve", serve_members, NULL},
      {"serve_source", serve_source_members, NULL},
      {"retry", NULL, config_retry_options},
      {"backup", backup_members, NULL},
      {"notify", notify_members, NULL},
      {"disclosure", disclosure_members, NULL},
      {"mail", mail_members, NULL},
      {"webhook", webhook_members, NULL},
      {"quarantine", quarantine_members, NULL},
      {"access", access_members, NULL},
      {"checkpoints", checkpoints_members, NULL},
      {"holder", holder_members, NULL},
      {"timestamp", timestamp_members, NULL},
      {"approval", approval_members, NULL},
  };
  put_head(out, "Puente workspace", "");
  put_members(out, config_members, "    ");
  buffer_text(out, "\n  },\n  \"$defs\": {");
  for (size_t i = 0; i < sizeof definitions / sizeof *definitions; i++) {
    buffer_text(out, i == 0 ? "\n" : ",\n");
    put_definition(out, definitions[i].name, definitions[i].members, definitions[i].options);
  }
  buffer_text(out, "\n  }\n}\n");
  return buffer_check(out, "schema", error);
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
  static const struct definition definitions[] = {{"budget", NULL, config_budget_options},
                                                  {"counts", NULL, config_counts_options},
                                                  {"terms", terms_members, NULL},
                                                  {"agreement", agreement_members, NULL},
                                                  {"retention", retention_members, NULL}};
  put_head(out, "Puente source", "\"source\", \"institution\", \"unit\", \"connector\"");
  put_members(out, source_members, "    ");
  buffer_text(out, "\n  },\n  \"$defs\": {\n");
  for (size_t i = 0; i < sizeof definitions / sizeof *definitions; i++) {
    put_definition(out, definitions[i].name, definitions[i].members, definitions[i].options);
    buffer_text(out, ",\n");
  }
  put_connectors(out);
  buffer_text(out, "}\n");
  return buffer_check(out, "schema", error);
}

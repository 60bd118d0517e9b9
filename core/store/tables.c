#include "core/store/internal.h"

#define INTEGER(column)                                                                                                \
  { .name = column, .type = COLUMN_INTEGER }
#define TEXT(column)                                                                                                   \
  { .name = column, .type = COLUMN_TEXT }
#define BYTES(column)                                                                                                  \
  { .name = column, .type = COLUMN_BYTES }
#define REAL(column)                                                                                                   \
  { .name = column, .type = COLUMN_REAL }
#define COLUMNS(...)                                                                                                   \
  .columns = (const struct table_column[]){__VA_ARGS__},                                                               \
  .column_count = sizeof((const struct table_column[]){__VA_ARGS__}) / sizeof(struct table_column)

const struct table TABLE_RAW_CHUNK = {
    .name = "raw_chunk",
    .primary = "chunk_id",
    COLUMNS(INTEGER("chunk_id"), INTEGER("source_id"), INTEGER("run"), TEXT("origin"), TEXT("format"), BYTES("context"),
            INTEGER("size"), BYTES("body")),
};
/* key_prefix, the first eight bytes of the key's digest, stands in the first version only: the one index beside the
 * primary keys has one small entry for each record. */
const struct table TABLE_RAW_RECORD = {
    .name = "raw_record",
    .primary = "raw_id",
    COLUMNS(INTEGER("raw_id"), INTEGER("chunk_id"), INTEGER("chunk_offset"), INTEGER("chunk_length"),
            INTEGER("key_prefix"), BYTES("key_digest"), TEXT("source_key"), BYTES("digest"), INTEGER("state"),
            INTEGER("plan_id"), INTEGER("from_run"), INTEGER("to_run")),
};
const struct table TABLE_ISSUE = {
    .name = "issue",
    .primary = "raw_id, number",
    COLUMNS(INTEGER("raw_id"), INTEGER("number"), INTEGER("level"), TEXT("field"), TEXT("reason"), TEXT("path"),
            TEXT("shape"), TEXT("hint"), INTEGER("line"), INTEGER("run"), INTEGER("closed_run"), TEXT("closed_reason")),
};
const struct table TABLE_SEEN = {.name = "seen", .primary = "record_id", COLUMNS(INTEGER("record_id"))};
const struct table TABLE_LINK_PAIR = {
    .name = "link_pair",
    .primary = "kind, row_a, row_b",
    COLUMNS(INTEGER("kind"), INTEGER("row_a"), INTEGER("row_b"), REAL("weight"), TEXT("rule"), INTEGER("run"),
            TEXT("verdict"), INTEGER("outcome"), TEXT("reason"), INTEGER("since")),
};
const struct table TABLE_LINK_DECISION = {
    .name = "link_decision",
    .primary = "decision_id",
    COLUMNS(INTEGER("decision_id"), INTEGER("kind"), INTEGER("record_a"), TEXT("key_a"), INTEGER("record_b"),
            TEXT("key_b"), INTEGER("same"), INTEGER("state"), TEXT("actor"), INTEGER("at"), INTEGER("run"),
            TEXT("reason"), TEXT("approved_by"), INTEGER("approved_at"), INTEGER("revoked_at")),
};
/* The text is sealed; `body` holds it in models of before there were seals. */
const struct table TABLE_LINK_MODEL = {
    .name = "link_model",
    .primary = "model_id",
    COLUMNS(INTEGER("model_id"), INTEGER("kind"), BYTES("digest"), TEXT("body"), INTEGER("run"), INTEGER("trained_at"),
            INTEGER("active"), BYTES("sealed")),
};
const struct table TABLE_LINK_KEY = {
    .name = "link_key",
    .primary = "kind, key, row_id",
    COLUMNS(INTEGER("kind"), INTEGER("key"), INTEGER("row_id")),
};
const struct table TABLE_LINK_UNLINKABLE = {
    .name = "link_unlinkable", .primary = "kind, row_id", COLUMNS(INTEGER("kind"), INTEGER("row_id"))};

/* ---- of unattended work ---- */
const struct table TABLE_DUTY = {
    .name = "duty",
    .primary = "name",
    COLUMNS(TEXT("name"), INTEGER("due"), INTEGER("began"), INTEGER("ended"), TEXT("outcome")),
};
const struct table TABLE_HEALTH = {
    .name = "health",
    .primary = "source_id",
    COLUMNS(INTEGER("source_id"), INTEGER("health"), INTEGER("since"), INTEGER("failures"), INTEGER("tried"),
            INTEGER("succeeded"), TEXT("error"), TEXT("message"), TEXT("place"), TEXT("hint")),
};
const struct table TABLE_FIELD = {
    .name = "field",
    .primary = "source_id, path",
    COLUMNS(INTEGER("source_id"), TEXT("path"), INTEGER("kinds"), INTEGER("records"), INTEGER("looked"),
            INTEGER("first_run"), INTEGER("last_run")),
};
/* closed 0: it stands. */
const struct table TABLE_DRIFT = {
    .name = "drift",
    .primary = "source_id, path, kind, run",
    COLUMNS(INTEGER("source_id"), TEXT("path"), INTEGER("kind"), INTEGER("run"), INTEGER("mapped"),
            INTEGER("was_kinds"), INTEGER("is_kinds"), INTEGER("since"), INTEGER("closed")),
};
const struct table TABLE_EXPIRY = {
    .name = "expiry",
    .primary = "source_id, what",
    COLUMNS(INTEGER("source_id"), TEXT("what"), INTEGER("ends"), INTEGER("seen")),
};
const struct table TABLE_NOTICE = {
    .name = "notice",
    .primary = "name",
    COLUMNS(TEXT("name"), INTEGER("since"), INTEGER("sent"), INTEGER("closed"), INTEGER("level")),
};

/* ---- of trust ---- */

/* Data keys, wrapped under a key file that `wrapper` names (ring.h); retired 0: it still opens bodies. */
const struct table TABLE_DATA_KEY = {
    .name = "data_key",
    .primary = "key_id, wrapper",
    COLUMNS(INTEGER("key_id"), BYTES("wrapper"), TEXT("purpose"), BYTES("wrapped"), INTEGER("made"),
            INTEGER("retired")),
};
/* What was taken out, and what does not come back: by keyed digests of keys of records and persons, and of bytes
 * (erase.h). epoch: which taking out it was; final 1: it does not come back. */
const struct table TABLE_ERASURE = {
    .name = "erasure",
    .primary = "source_id, key_digest",
    COLUMNS(INTEGER("source_id"), BYTES("key_digest"), INTEGER("kind"), INTEGER("record_id"), INTEGER("run"),
            INTEGER("at"), TEXT("cause"), INTEGER("final"), INTEGER("epoch"), TEXT("actor"), TEXT("reason"),
            TEXT("document")),
};
/* What a version's outcome was until `run` changed it: with what raw_record says now, each entry of the log can be made
 * again from the store. */
const struct table TABLE_OUTCOME = {
    .name = "outcome",
    .primary = "raw_id, run",
    COLUMNS(INTEGER("raw_id"), INTEGER("run"), INTEGER("state"), INTEGER("plan_id")),
};
/* Texts that act only once a second person has agreed (core/store/approval.h). approved_at 0: waits, or was rejected;
 * `remark` is the second person's reason. */
const struct table TABLE_APPROVAL = {
    .name = "approval",
    .primary = "approval_id",
    COLUMNS(INTEGER("approval_id"), TEXT("kind"), TEXT("name"), BYTES("digest"), BYTES("body"), TEXT("proposed_by"),
            INTEGER("proposed_at"), TEXT("approved_by"), INTEGER("approved_at"), TEXT("reason"), TEXT("document"),
            TEXT("state"), TEXT("remark")),
};
/* What outside holders of checkpoints answered; sent 0: could not be sent, `message` tells why. */
const struct table TABLE_RECEIPT = {
    .name = "receipt",
    .primary = "holder, sequence",
    COLUMNS(TEXT("holder"), INTEGER("sequence"), BYTES("hash"), INTEGER("at"), INTEGER("sent"), TEXT("receipt"),
            TEXT("message"), BYTES("stamp")),
};
/* The ledger of what was published (core/store/ledger.h). `body` of a table is its CSV byte for byte; cells are what
 * analysts read; a figure that is hidden stands nowhere. `settings` NULL: a text beside the figures, without cells. */
const struct table TABLE_RELEASE = {
    .name = "release",
    .primary = "release_id",
    COLUMNS(INTEGER("release_id"), TEXT("name"), INTEGER("made"), TEXT("actor"), TEXT("purpose"), INTEGER("run"),
            TEXT("settings"), BYTES("digest"), INTEGER("replaces")),
};
const struct table TABLE_RELEASE_TABLE = {
    .name = "release_table",
    .primary = "release_id, number",
    COLUMNS(INTEGER("release_id"), INTEGER("number"), TEXT("name"), TEXT("fields"), TEXT("settings"), TEXT("body"),
            BYTES("digest")),
};
const struct table TABLE_RELEASE_CELL = {
    .name = "release_cell",
    .primary = "release_id, number, ordinal",
    COLUMNS(INTEGER("release_id"), INTEGER("number"), INTEGER("ordinal"), TEXT("value_1"), TEXT("value_2"),
            TEXT("value_3"), TEXT("value_4"), INTEGER("figure"), TEXT("status")),
};
/* What reports showed (core/store/told.h). */
const struct table TABLE_TOLD = {
    .name = "told",
    .primary = "told_id",
    COLUMNS(INTEGER("told_id"), TEXT("definition"), TEXT("cells"), INTEGER("at"), TEXT("actor")),
};
/* Who may do what; ended 0: still. institution, region NULL: any. */
const struct table TABLE_GRANTED = {
    .name = "granted",
    .primary = "login, role, since",
    COLUMNS(TEXT("login"), TEXT("role"), INTEGER("since"), TEXT("institution"), TEXT("region"), TEXT("granted_by"),
            INTEGER("ended")),
};
/* Sights of identified data, committed before the read; `written_in` is the database's number of the transaction
 * that wrote it. */
const struct table TABLE_SIGHT = {
    .name = "sight",
    .primary = "sight_id",
    COLUMNS(INTEGER("sight_id"), TEXT("login"), TEXT("purpose"), TEXT("scope"), INTEGER("at"), INTEGER("until"),
            INTEGER("written_in")),
};
/* The records of a sight: what was the login's own of its person, case or record. */
const struct table TABLE_SIGHT_RECORD = {
    .name = "sight_record", .primary = "sight_id, record_id", COLUMNS(INTEGER("sight_id"), INTEGER("record_id"))};
/* What a source's institution lets others see of a consolidated value; recipient, field "*": any. */
const struct table TABLE_SHARE = {.name = "share",
                                  .primary = "source_id, recipient, field",
                                  COLUMNS(INTEGER("source_id"), TEXT("recipient"), TEXT("field"))};
/* Persons whom sights of many show, each list once, by the SHA-256 of its text (core/store/shown.h). */
const struct table TABLE_SHOWN = {
    .name = "shown", .primary = "digest", COLUMNS(BYTES("digest"), INTEGER("persons"), TEXT("ids"))};
/* Hardened encodings of names that may not be shared (CLK), by staged row. */
const struct table TABLE_ENCODING = {
    .name = "encoding", .primary = "row_id", COLUMNS(INTEGER("row_id"), BYTES("body"))};

#define MEMBER(id)                                                                                                     \
  COLUMNS(INTEGER("row_id"), INTEGER("from_run"), INTEGER("to_run"), INTEGER(id), INTEGER("source_id"), TEXT("row_key"))

static const struct table SYSTEM[] = {
    {.name = "meta", .primary = "name", COLUMNS(TEXT("name"), TEXT("value"))},
    {.name = "counter", .primary = "name", COLUMNS(TEXT("name"), INTEGER("value"))},
    {.name = "source",
     .primary = "source_id",
     COLUMNS(INTEGER("source_id"), TEXT("code"), TEXT("title"), TEXT("institution"), TEXT("contact"), TEXT("unit"),
             TEXT("state"), TEXT("connector"), TEXT("deletes"), INTEGER("linked"), INTEGER("precedence"),
             INTEGER("lease_token"), TEXT("lease_holder"), INTEGER("lease_until"), TEXT("cursor"), TEXT("watermark"),
             TEXT("mark"), INTEGER("first_run"), INTEGER("complete_run"), TEXT("looks"))},
    {.name = "memory", .primary = "source_id, item", COLUMNS(INTEGER("source_id"), TEXT("item"), INTEGER("run"))},
    {.name = "run",
     .primary = "run_id",
     COLUMNS(INTEGER("run_id"), TEXT("kind"), INTEGER("source_id"), TEXT("actor"), TEXT("purpose"), INTEGER("started"),
             INTEGER("ended"), TEXT("state"), TEXT("message"), INTEGER("pulled"), INTEGER("fresh"), INTEGER("changed"),
             INTEGER("unchanged"), INTEGER("repeated"), INTEGER("rejected"), INTEGER("mapped"), INTEGER("quarantined"),
             INTEGER("withheld"), INTEGER("deleted"), INTEGER("cut"), INTEGER("warnings"), INTEGER("pages"),
             INTEGER("bytes"), INTEGER("source_count"))},
    {.name = "plan",
     .primary = "plan_id",
     COLUMNS(INTEGER("plan_id"), INTEGER("source_id"), BYTES("digest"), BYTES("body"), INTEGER("run"))},
    {.name = "audit_log",
     .primary = "sequence",
     COLUMNS(INTEGER("sequence"), INTEGER("at"), INTEGER("run"), TEXT("event"), TEXT("source"), TEXT("actor"),
             TEXT("purpose"), TEXT("body"), BYTES("outcomes"), BYTES("previous"), BYTES("hash"))},
    {.name = "audit_head", .primary = "id", COLUMNS(INTEGER("id"), INTEGER("sequence"), BYTES("hash"))},
    {.name = "person_member", .primary = "row_id, from_run", MEMBER("person_id")},
    {.name = "case_member", .primary = "row_id, from_run", MEMBER("case_id")},
    {.name = "person_redirect",
     .primary = "person_id, run",
     COLUMNS(INTEGER("person_id"), INTEGER("run"), INTEGER("into_id"))},
    {.name = "case_redirect",
     .primary = "case_id, run",
     COLUMNS(INTEGER("case_id"), INTEGER("run"), INTEGER("into_id"))},
};

const char *const TABLES_INDEXES =
    "CREATE INDEX raw_record_key ON raw_record (key_prefix) WHERE key_prefix IS NOT NULL;"
    "CREATE UNIQUE INDEX source_code ON source (code);"
    "CREATE UNIQUE INDEX plan_digest ON plan (source_id, digest);"
    "CREATE INDEX person_member_key ON person_member (source_id, row_key, row_id) WHERE to_run IS NULL;"
    "CREATE INDEX case_member_key ON case_member (source_id, row_key, row_id) WHERE to_run IS NULL;"
    "CREATE INDEX person_member_id ON person_member (person_id);"
    "CREATE INDEX case_member_id ON case_member (case_id);";

const char *const TABLES_APPROVAL_INDEX =
    "CREATE INDEX IF NOT EXISTS audit_log_approval ON audit_log (sequence) WHERE event = 'approval';";

const char *const TABLES_LINK_INDEXES =
    "CREATE INDEX IF NOT EXISTS link_pair_other ON link_pair (row_b);"
    "CREATE INDEX IF NOT EXISTS link_pair_waiting ON link_pair (kind, weight) WHERE outcome = 1;"
    "CREATE INDEX IF NOT EXISTS link_decision_pair ON link_decision (record_a, record_b);"
    "CREATE INDEX IF NOT EXISTS link_key_row ON link_key (row_id);"
    /* Members are sought as they were, too. */
    "DROP INDEX IF EXISTS person_member_key;"
    "DROP INDEX IF EXISTS case_member_key;"
    "CREATE INDEX IF NOT EXISTS person_member_past ON person_member (source_id, row_key, row_id);"
    "CREATE INDEX IF NOT EXISTS case_member_past ON case_member (source_id, row_key, row_id);";

const struct table *tables_system(size_t *count) {
  *count = sizeof SYSTEM / sizeof *SYSTEM;
  return SYSTEM;
}

const struct table *tables_source(void) {
  const struct table *table = SYSTEM;
  while (strcmp(table->name, "source") != 0)
    table++;
  return table;
}

/* ---- tables of the model ---- */

static const struct table_column ROW_COLUMNS[ROW_HEAD] = {
    [ROW_ID] = INTEGER("row_id"),
    [ROW_KEY] = TEXT("key"),
    [ROW_CASE] = TEXT("case_key"),
    [ROW_PERSON] = TEXT("person_key"),
    [ROW_INSTITUTION] = TEXT("institution"),
    [ROW_REGION] = TEXT("region"),
    [ROW_MISSING] = TEXT("missing"),
    [ROW_FROM] = INTEGER("from_run"),
    [ROW_TO] = INTEGER("to_run"),
};

static enum column_type type_of(const struct column *column) {
  if (column->own)
    return COLUMN_TEXT;
  return (column->field->type == FIELD_INTEGER || column->field->type == FIELD_BOOLEAN) && !column->field->many
             ? COLUMN_INTEGER
             : COLUMN_TEXT;
}

/* SELECT of the columns of the table, and of the sealed body where the entity has identifiers. */
static const char *select_text(struct store *store, const struct shelf *shelf) {
  struct buffer text;
  buffer_init(&text, 1 << 16);
  buffer_text(&text, "SELECT ");
  for (size_t i = 0; i < shelf->table.column_count; i++)
    buffer_printf(&text, "%ss.\"%s\"", i == 0 ? "" : ", ", shelf->table.columns[i].name);
  const char *copy = text.failed == OK ? arena_text(store->memory, buffer_view(&text)) : NULL;
  buffer_free(&text);
  return copy;
}

static enum status make_shelf(struct store *store, const struct entity *entity, struct shelf *shelf,
                              struct error *error) {
  struct arena *memory = store->memory;
  shelf->entity = entity;
  shelf->region = shelf->encoding = -1;
  struct table_column *columns = arena_array(memory, ROW_HEAD + entity->column_count, sizeof *columns);
  int *places = arena_array(memory, entity->column_count + 1, sizeof *places);
  int *identifiers = arena_array(memory, entity->column_count + 1, sizeof *identifiers);
  shelf->table.name = arena_printf(memory, "st_%s", entity->name);
  shelf->identifier_numbers = arena_array(memory, entity->column_count + 1, 1);
  shelf->used = arena_array(memory, ROW_HEAD + entity->column_count, sizeof *shelf->used);
  if (columns == NULL || places == NULL || identifiers == NULL || shelf->identifier_numbers == NULL
      || shelf->used == NULL || shelf->table.name == NULL)
    return error_memory(error);
  memcpy(columns, ROW_COLUMNS, sizeof ROW_COLUMNS);
  size_t count = ROW_HEAD;
  for (size_t i = 0; i < entity->column_count; i++) {
    const struct column *column = &entity->columns[i];
    if (column->field->type == FIELD_ENCODING) {
      shelf->encoding = (int)i;
      continue;
    }
    if (column->field->sensitivity == SENSITIVITY_IDENTIFIER) {
      identifiers[shelf->identifier_count++] = (int)i;
      continue;
    }
    if (!column->own && strcmp(column->name, "place") == 0)
      shelf->region = (int)i;
    places[shelf->column_count++] = (int)i;
    columns[count++] = (struct table_column){.name = column->name, .type = type_of(column)};
  }
  shelf->columns = places;
  shelf->identifiers = identifiers;
  shelf->table.primary = "row_id";
  shelf->table.columns = columns;
  shelf->table.column_count = count;
  shelf->select = select_text(store, shelf);
  return shelf->select == NULL ? error_memory(error) : OK;
}

/* One table holds the identifiers of all entities: row ids of two entities are never equal. A key's column is named
 * after its entity and itself. */
static enum status make_identity(struct store *store, struct error *error) {
  struct arena *memory = store->memory;
  for (size_t e = 0; e < store->model->entity_count; e++)
    store->key_count += store->model->entities[e].key_count;
  size_t count = store->key_count;
  struct table_column *columns = arena_array(memory, count + 2, sizeof *columns);
  store->key_names = arena_array(memory, count + 1, sizeof *store->key_names);
  store->subkeys = arena_array(memory, count + 1, sizeof *store->subkeys);
  if (columns == NULL || store->key_names == NULL || store->subkeys == NULL)
    return error_memory(error);
  columns[0] = (struct table_column)INTEGER("row_id");
  columns[1] = (struct table_column)BYTES("body");
  size_t at = 0;
  for (size_t e = 0; e < store->model->entity_count; e++) {
    struct shelf *shelf = &store->shelves[e];
    shelf->key = arena_array(memory, count + 1, sizeof *shelf->key);
    if (shelf->key == NULL)
      return error_memory(error);
    for (size_t k = 0; k < shelf->entity->key_count; k++, at++) {
      const char *name = arena_printf(memory, "%s.%s", shelf->entity->name, shelf->entity->keys[k].name);
      columns[at + 2].name = arena_printf(memory, "k_%s_%s", shelf->entity->name, shelf->entity->keys[k].name);
      columns[at + 2].type = COLUMN_BYTES;
      if (name == NULL || columns[at + 2].name == NULL)
        return error_memory(error);
      store->key_names[at] = name;
      shelf->key[at] = &shelf->entity->keys[k];
    }
  }
  store->identity =
      (struct table){.name = "identity", .primary = "row_id", .columns = columns, .column_count = count + 2};
  return OK;
}

void tables_subkeys(struct store *store) {
  for (size_t k = 0; k < store->key_count; k++)
    store->subkeys[k] = key_subkey(store->key, store->key_names[k]);
}

static const struct table_column WHOLE_IDENTITY[] = {INTEGER("id"), INTEGER("from_run"), INTEGER("to_run"),
                                                     BYTES("body")};

static enum status make_whole(struct store *store, struct whole *whole, const char *entity, const char *table,
                              struct error *error) {
  const struct entity *found = model_entity(store->model, entity);
  if (found == NULL)
    return OK;
  const struct shelf *shelf = &store->shelves[found->index];
  whole->shelf = shelf;
  whole->id = arena_printf(store->memory, "%s_id", entity);
  whole->member = arena_printf(store->memory, "%s_member", entity);
  whole->redirect = arena_printf(store->memory, "%s_redirect", entity);
  char *identity = arena_printf(store->memory, "%s_identity", entity);
  char *primary = arena_printf(store->memory, "%s_id, from_run", entity);
  whole->sealed = arena_printf(store->memory, "%s_identity.body", entity);
  struct table_column *columns = arena_array(store->memory, WHOLE_HEAD + shelf->column_count, sizeof *columns);
  if (whole->id == NULL || whole->member == NULL || whole->redirect == NULL || identity == NULL || primary == NULL
      || whole->sealed == NULL || columns == NULL)
    return error_memory(error);
  columns[WHOLE_ID] = (struct table_column){.name = whole->id, .type = COLUMN_INTEGER};
  columns[WHOLE_FROM] = (struct table_column)INTEGER("from_run");
  columns[WHOLE_TO] = (struct table_column)INTEGER("to_run");
  columns[WHOLE_RECORDS] = (struct table_column)INTEGER("records");
  columns[WHOLE_ORIGINS] = (struct table_column)TEXT("origins");
  memcpy(columns + WHOLE_HEAD, shelf->table.columns + ROW_HEAD, shelf->column_count * sizeof *columns);
  whole->table = (struct table){
      .name = table, .primary = primary, .columns = columns, .column_count = WHOLE_HEAD + shelf->column_count};
  whole->identity =
      (struct table){.name = identity, .primary = "id, from_run", .columns = WHOLE_IDENTITY, .column_count = 4};
  return OK;
}

enum status tables_from_model(struct store *store, struct error *error) {
  store->shelves = arena_array(store->memory, store->model->entity_count, sizeof *store->shelves);
  if (store->shelves == NULL)
    return error_memory(error);
  enum status status = OK;
  for (size_t e = 0; e < store->model->entity_count && status == OK; e++)
    status = make_shelf(store, &store->model->entities[e], &store->shelves[e], error);
  if (status == OK)
    status = make_identity(store, error);
  if (status == OK)
    status = make_whole(store, &store->wholes[CLUSTER_PERSON], "person", "person", error);
  if (status == OK)
    status = make_whole(store, &store->wholes[CLUSTER_CASE], "case", "trafficking_case", error);
  return status;
}

/* ---- making ---- */

enum status tables_create(struct store *store, const struct table *table, struct error *error) {
  struct buffer sql;
  buffer_init(&sql, 1 << 16);
  bool single = strchr(table->primary, ',') == NULL;
  buffer_printf(&sql, "CREATE TABLE IF NOT EXISTS \"%s\" (", table->name);
  for (size_t i = 0; i < table->column_count; i++) {
    const struct table_column *column = &table->columns[i];
    bool key = single && strcmp(column->name, table->primary) == 0;
    buffer_printf(&sql, "%s\"%s\" %s%s", i == 0 ? "" : ", ", column->name, store->dialect.types[column->type],
                  key ? " PRIMARY KEY NOT NULL" : "");
  }
  if (!single)
    buffer_printf(&sql, ", PRIMARY KEY (%s))%s", table->primary, store->dialect.table_options);
  else
    buffer_char(&sql, ')');
  enum status status = buffer_check(&sql, "statement", error);
  if (status == OK)
    status = store->ops->script(store->driver, sql.data, error);
  buffer_free(&sql);
  return status;
}

/* Values of one type in a column of another are refused by one database and changed by the other. */
static enum status type_differs(const struct table *table, const struct table_column *column, struct error *error) {
  error_set(error, ERR_CONFIG, "%s", _("the model gives a field another type than its column in the store has"));
  error_place(error, "%s.%s", table->name, column->name);
  error_hint(error, "%s", _("a field keeps its type: take the change back, or give the new one a name of its own"));
  return ERR_CONFIG;
}

enum status tables_complete(struct store *store, const struct table *table, size_t *missing, struct error *error) {
  enum status status = OK;
  for (size_t i = 0; i < table->column_count && status == OK; i++) {
    const struct table_column *column = &table->columns[i];
    const char *type = store->dialect.types[column->type];
    bool found = false;
    int64_t fits = 0;
    status = db_integer(store, error, &fits, &found, store->dialect.find_column,
                        VALUES(text_value(table->name), text_value(column->name), text_value(type)));
    if (status == OK && found && fits == 0)
      return type_differs(table, column, error);
    if (status != OK || found)
      continue;
    if (missing != NULL) {
      ++*missing;
      continue;
    }
    char *sql =
        arena_printf(store->scratch, "ALTER TABLE \"%s\" ADD COLUMN \"%s\" %s", table->name, column->name, type);
    status = sql == NULL ? error_memory(error) : store->ops->script(store->driver, sql, error);
  }
  return status;
}

/* A number that a name keeps for ever; given at first sight, in a transaction. */
static enum status number_name(struct store *store, const char *name, const char *counter, int64_t *number,
                               struct error *error) {
  bool found = false;
  *number = 0;
  if (name == NULL || counter == NULL) {
    return error_memory(error);
  }
  enum status status =
      db_integer(store, error, number, &found, "SELECT value FROM counter WHERE name = $1", VALUES(text_value(name)));
  if (status == OK && !found && store->open) {
    status = db_count(store, counter, 1, number, error);
    if (status == OK) {
      status = db_execute(store, error, "INSERT INTO counter (name, value) VALUES ($1, $2)",
                          VALUES(text_value(name), int_value(*number)));
    }
  }
  return status;
}

/* An entity's number is part of its row ids, an identifier's part of sealed bodies: both stay when the model grows. */
enum status tables_number_entities(struct store *store, struct error *error) {
  for (size_t e = 0; e < store->model->entity_count; e++) {
    struct shelf *shelf = &store->shelves[e];
    const char *entity = shelf->entity->name;
    int64_t number = 0;
    enum status status =
        number_name(store, arena_printf(store->scratch, "entity:%s", entity), "entities", &number, error);
    shelf->number = (int)number - 1;
    if (status == OK && number > 1 << ENTITY_BITS) {
      status = error_set(error, ERR_LIMIT, _("the store has seen more than %d entities"), 1 << ENTITY_BITS);
    }
    for (size_t i = 0; i < shelf->identifier_count && status == OK; i++) {
      const char *column = shelf->entity->columns[shelf->identifiers[i]].name;
      status = number_name(store, arena_printf(store->scratch, "identifier:%s.%s", entity, column),
                           arena_printf(store->scratch, "identifiers:%s", entity), &number, error);
      shelf->identifier_numbers[i] = (uint8_t)number;
      if (status == OK && number > 127) {
        status = error_set(error, ERR_LIMIT, "%s", _("the store has seen more than 127 identifiers of an entity"));
      }
    }
    if (status != OK) {
      return status;
    }
  }
  return OK;
}

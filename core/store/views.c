#include "core/store/internal.h"

#include "core/base/text.h"

#include <stdio.h>

/* Views hold no identifier, no key of a source, and no field that only its own institution may see. */

enum { VIEW_COLUMNS_MOST = 120, VIEWS_MOST = 40, SELECT_LIMIT = 1 << 17 };

/* A view that does not depend on the model. TIME(x) and HEX(x) are spelled out in the dialect; a column's name begins
 * with '#' where it is an integer. */
struct fixed_column {
  const char *name, *expression, *description;
};
struct fixed_view {
  const char *name, *description, *from;
  const struct fixed_column *columns;
  size_t column_count;
  bool dated; /* it has a past: views_past */
};
#define FIXED(...)                                                                                                     \
  .columns = (const struct fixed_column[]){__VA_ARGS__},                                                               \
  .column_count = sizeof((const struct fixed_column[]){__VA_ARGS__}) / sizeof(struct fixed_column)

#define STATE_TEXT                                                                                                     \
  "CASE r.state WHEN 0 THEN 'mapped' WHEN 1 THEN 'quarantined' WHEN 2 THEN 'withheld' ELSE 'dismissed' END"
#define LEVEL_TEXT "CASE i.level WHEN 1 THEN 'error' ELSE 'warning' END"
#define KIND_TEXT(table) "CASE " table ".kind WHEN 0 THEN 'person' ELSE 'case' END"
#define MEMBERS(entity)                                                                                                \
  "SELECT '" entity "' AS kind, row_id, " entity "_id AS id, source_id, from_run, to_run FROM " entity "_member"
#define BOTH_MEMBERS                                                                                                   \
  "(" MEMBERS("person") " UNION ALL " MEMBERS("case") ") m JOIN source s ON s.source_id = m.source_id"

#define HEALTH_TEXT                                                                                                    \
  "CASE h.health WHEN 1 THEN 'ok' WHEN 2 THEN 'unreachable' WHEN 3 THEN 'refused' WHEN 4 THEN 'changed' "              \
  "WHEN 5 THEN 'empty' WHEN 6 THEN 'failed' ELSE 'unknown' END"
#define MICROS(column) "TIME(NULLIF(" column ", 0))"

static const struct fixed_view FIXED_VIEWS[] = {
    {.name = "sources",
     .description = N_("registries that are connected, and how far each was pulled"),
     .from = "source s",
     FIXED({"code", "s.code", N_("short name")}, {"#source_id", "s.source_id", N_("number, stable for ever")},
           {"title", "s.title", N_("name for people")}, {"institution", "s.institution", N_("supplying institution")},
           {"contact", "s.contact", N_("whom to call when it fails")},
           {"unit", "s.unit", N_("what its main record counts")}, {"state", "s.state", N_("active, paused or retired")},
           {"connector", "s.connector", N_("how it is reached")},
           {"deletes", "s.deletes", N_("how it tells deletions")},
           {"#linked", "s.linked", N_("1: its persons and cases are linked")},
           {"#precedence", "s.precedence", N_("in survivorship the lower wins")},
           {"watermark", "s.watermark", N_("up to where the last complete pass came")},
           {"#complete_run", "s.complete_run", N_("last run that completed a pass; 0: never")},
           {"#pass_run", "s.first_run", N_("run that began the pass under way; 0: none")})},
    {.name = "runs",
     .description = N_("every run, with its counts: pulled = fresh + changed + unchanged + repeated + rejected"),
     .from = "run r LEFT JOIN source s ON s.source_id = r.source_id",
     FIXED({"#run_id", "r.run_id", N_("number")}, {"kind", "r.kind", N_("sync, remap, retry, link, …")},
           {"source", "s.code", N_("source, where it has one")}, {"actor", "r.actor", N_("who started it")},
           {"purpose", "r.purpose", N_("why")}, {"started", "TIME(r.started)", N_("UTC")},
           {"ended", "TIME(r.ended)", N_("UTC")}, {"state", "r.state", N_("running, done, failed or interrupted")},
           {"#pulled", "r.pulled", N_("records read")}, {"#fresh", "r.fresh", N_("records with a new key")},
           {"#changed", "r.changed", N_("records with other content than before")},
           {"#unchanged", "r.unchanged", N_("records as they were")},
           {"#repeated", "r.repeated", N_("repeated with equal content in the same pass")},
           {"#rejected", "r.rejected", N_("refused before landing, or without a key")},
           {"#mapped", "r.mapped", N_("landed and staged")},
           {"#quarantined", "r.quarantined", N_("landed and set aside, with their issues")},
           {"#withheld", "r.withheld", N_("landed, counted, not staged")},
           {"#deleted", "r.deleted", N_("records deleted at the source")},
           {"#cut", "r.cut", N_("values removed before landing by the sharing terms")},
           {"#warnings", "r.warnings", N_("issues that kept nothing back")}, {"#pages", "r.pages", N_("pages read")},
           {"#bytes", "r.bytes", N_("bytes read")},
           {"#source_count", "r.source_count", N_("what the source says it holds; -1: it does not say")},
           {"message", "r.message", N_("of a failed run: what failed, where, what to do")})},
    {.name = "source_health",
     .description = N_("what the last tries of each source say"),
     .from = "health h JOIN source s ON s.source_id = h.source_id",
     FIXED({"source", "s.code", N_("source")},
           {"health", HEALTH_TEXT, N_("ok, unreachable, refused, changed, empty or failed")},
           {"since", "TIME(h.since)", N_("UTC")}, {"#failures", "h.failures", N_("tries that failed in a row")},
           {"tried", "TIME(h.tried)", N_("last try, UTC")},
           {"succeeded", MICROS("h.succeeded"), N_("last try that succeeded, UTC; empty: none")},
           {"message", "h.message", N_("of the last failure")}, {"place", "h.place", N_("where it happened")},
           {"hint", "h.hint", N_("what may help")})},
    {.name = "source_fields",
     .description = N_("fields that each source sends, as its last complete pass showed them"),
     .from = "field f JOIN source s ON s.source_id = f.source_id",
     FIXED({"source", "s.code", N_("source")}, {"path", "f.path", N_("where in the record")},
           {"#kinds", "f.kinds",
            N_("kinds of its values, added up: 1 null, 2 boolean, 4 number, 8 text, 16 list, 32 object")},
           {"#records", "f.records", N_("records that had it, of those looked at")},
           {"#looked", "f.looked", N_("records looked at")}, {"#first_run", "f.first_run", N_("run that first saw it")},
           {"#last_run", "f.last_run", N_("run that last saw it")})},
    {.name = "source_drift",
     .description = N_("how the fields of a source changed, also what is settled"),
     .from = "drift d JOIN source s ON s.source_id = d.source_id",
     FIXED({"source", "s.code", N_("source")}, {"path", "d.path", N_("where in the record")},
           {"kind", "CASE d.kind WHEN 0 THEN 'new' WHEN 1 THEN 'missing' ELSE 'retyped' END",
            N_("new, missing or retyped")},
           {"#mapped", "d.mapped", N_("1: the mapping reads it")},
           {"#was", "d.was_kinds", N_("kinds of its values before, added up as in source_fields")},
           {"#is", "d.is_kinds", N_("kinds of its values then")}, {"#run", "d.run", N_("run that found it")},
           {"since", "TIME(d.since)", N_("UTC")}, {"closed", MICROS("d.closed"), N_("UTC; empty: it stands")})},
    {.name = "records",
     .description = N_("current landed records, without key and content"),
     .from = "raw_record r JOIN source s ON s.source_id = r.raw_id >> 52 WHERE r.to_run IS NULL",
     FIXED({"#raw_id", "r.raw_id", N_("number of the version")},
           {"#record_id", "r.raw_id >> 20", N_("number of the record")}, {"source", "s.code", N_("source")},
           {"state", STATE_TEXT, N_("mapped, quarantined, withheld or dismissed")},
           {"#plan_id", "r.plan_id", N_("plan that decided")}, {"#from_run", "r.from_run", N_("run that landed it")})},
    {.name = "quarantine",
     .description = N_("why current records are set aside; values are shown by their shape"),
     .from = "issue i JOIN raw_record r ON r.raw_id = i.raw_id JOIN source s ON s.source_id = i.raw_id >> 52 "
             "WHERE i.level = 1 AND i.closed_run IS NULL AND r.state = 1 AND r.to_run IS NULL",
     FIXED({"#raw_id", "i.raw_id", N_("number of the version")}, {"#number", "i.number", N_("of the issue")},
           {"#record_id", "i.raw_id >> 20", N_("number of the record")}, {"source", "s.code", N_("source")},
           {"field", "i.field", N_("field of the model, or empty")}, {"reason", "i.reason", N_("stable code")},
           {"path", "i.path", N_("where in the record")}, {"shape", "i.shape", N_("of the value, never the value")},
           {"hint", "i.hint", N_("what may help")}, {"#line", "i.line", N_("of the rule in the mapping file")},
           {"#run", "i.run", N_("run that found it")})},
    {.name = "issues",
     .description = N_("errors and warnings of current records, open and closed"),
     .from = "issue i JOIN raw_record r ON r.raw_id = i.raw_id JOIN source s ON s.source_id = i.raw_id >> 52 "
             "WHERE r.to_run IS NULL",
     FIXED({"#raw_id", "i.raw_id", N_("number of the version")}, {"#number", "i.number", N_("of the issue")},
           {"#record_id", "i.raw_id >> 20", N_("number of the record")}, {"source", "s.code", N_("source")},
           {"level", LEVEL_TEXT, N_("error or warning")}, {"field", "i.field", N_("field of the model, or empty")},
           {"reason", "i.reason", N_("stable code")}, {"path", "i.path", N_("where in the record")},
           {"shape", "i.shape", N_("of the value, never the value")}, {"hint", "i.hint", N_("what may help")},
           {"#line", "i.line", N_("of the rule in the mapping file")}, {"#run", "i.run", N_("run that found it")},
           {"#closed_run", "i.closed_run", N_("run that closed it; empty: open")},
           {"closed_reason", "i.closed_reason", N_("why it was closed")})},
    {.name = "plans",
     .description = N_("mapping plans that were ever applied"),
     .from = "plan p JOIN source s ON s.source_id = p.source_id",
     FIXED({"#plan_id", "p.plan_id", N_("number")}, {"source", "s.code", N_("source")},
           {"digest", "HEX(p.digest)", N_("SHA-256 of mapping, code lists, model and engine")},
           {"#run", "p.run", N_("run that first used it")})},
    {.name = "audit",
     .description = N_("the hash-chained log: one entry for each transaction"),
     .from = "audit_log a",
     FIXED({"#sequence", "a.sequence", N_("number, without gaps")}, {"at", "TIME(a.at)", N_("UTC")},
           {"#run", "a.run", N_("run; 0: none")}, {"event", "a.event", N_("what was done")},
           {"source", "a.source", N_("source, where it has one")}, {"actor", "a.actor", N_("who")},
           {"purpose", "a.purpose", N_("why")}, {"body", "a.body", N_("counts and digests, JSON")},
           {"outcomes", "HEX(a.outcomes)", N_("Merkle root over the outcomes of its records")},
           {"previous", "HEX(a.previous)", N_("hash of the entry before")}, {"hash", "HEX(a.hash)", N_("its own")})},
    {.name = "members",
     .description = N_("which staged rows are which person and which case, now"),
     .from = BOTH_MEMBERS " WHERE m.to_run IS NULL",
     .dated = true,
     FIXED({"#id", "m.id", N_("person_id or case_id")}, {"kind", "m.kind", N_("person or case")},
           {"#row_id", "m.row_id", N_("staged row")}, {"#record_id", "m.row_id >> 20", N_("record it came from")},
           {"source", "s.code", N_("source")}, {"#from_run", "m.from_run", N_("run that joined it")})},
    {.name = "member_history",
     .description = N_("the same with what was and is no more"),
     .from = BOTH_MEMBERS,
     FIXED({"#id", "m.id", N_("person_id or case_id")}, {"kind", "m.kind", N_("person or case")},
           {"#row_id", "m.row_id", N_("staged row")}, {"#record_id", "m.row_id >> 20", N_("record it came from")},
           {"source", "s.code", N_("source")}, {"#from_run", "m.from_run", N_("run that joined it")},
           {"#to_run", "m.to_run", N_("run that took it out; empty: a member now")})},
    {.name = "redirects",
     .description = N_("ids that were merged into others, or dissolved"),
     .from = "(SELECT 'person' AS kind, person_id AS id, into_id, run FROM person_redirect UNION ALL "
             "SELECT 'case', case_id, into_id, run FROM case_redirect) d",
     FIXED({"#id", "d.id", N_("former person_id or case_id")}, {"kind", "d.kind", N_("person or case")},
           {"#into_id", "d.into_id", N_("the id that took its place; 0: dissolved")},
           {"#run", "d.run", N_("run that did it")})},
    {.name = "pairs",
     .description = N_("pairs that linking joined, left for a person, or kept apart"),
     .from = "link_pair p",
     FIXED({"kind", KIND_TEXT("p"), N_("person or case")}, {"#row_a", "p.row_a", N_("staged row")},
           {"#row_b", "p.row_b", N_("staged row")},
           {"weight", "p.weight", N_("match weight, log2 of the odds that the two are one")},
           {"rule", "p.rule", N_("rule that proposed it")}, {"#run", "p.run", N_("run that linked")},
           {"verdict", "p.verdict", N_("rule above weights that decided, or empty")},
           {"outcome", "CASE p.outcome WHEN 0 THEN 'joined' WHEN 1 THEN 'waiting' ELSE 'apart' END",
            N_("joined, waiting for a person, or apart")},
           {"reason", "p.reason", N_("why it waits or is apart: weight, rule, decision, group, …")},
           {"#since", "p.since", N_("run since which it waits; empty: it does not")})},
    {.name = "unlinkable",
     .description = N_("rows that linking cannot join to anything: nameless on purpose, or without any key"),
     .from = "link_unlinkable u JOIN source s ON s.source_id = u.row_id >> 52",
     FIXED({"kind", KIND_TEXT("u"), N_("person or case")}, {"#row_id", "u.row_id", N_("staged row")},
           {"#record_id", "u.row_id >> 20", N_("record it came from")}, {"source", "s.code", N_("source")})},
    {.name = "decisions",
     .description = N_("what people decided about two records, former decisions too"),
     .from = "link_decision d",
     FIXED({"#decision_id", "d.decision_id", N_("number")}, {"kind", KIND_TEXT("d"), N_("person or case")},
           {"#record_a", "d.record_a", N_("number of the record")},
           {"#record_b", "d.record_b", N_("number of the other record")},
           {"decision", "CASE d.same WHEN 1 THEN 'same' ELSE 'different' END", N_("same or different")},
           {"state", "CASE d.state WHEN 0 THEN 'proposed' WHEN 1 THEN 'standing' ELSE 'revoked' END",
            N_("proposed (waits for approval), standing, or revoked by a newer one")},
           {"actor", "d.actor", N_("who")}, {"at", "TIME(d.at)", N_("UTC")},
           {"#run", "d.run", N_("run of the decision")},
           {"approved_by", "d.approved_by", N_("who approved it; empty: nobody")},
           {"approved_at", "TIME(d.approved_at)", N_("UTC")}, {"revoked_at", "TIME(d.revoked_at)", N_("UTC")})},
    {.name = "released_tables",
     .description = N_("tables that were published, byte for byte as they were"),
     .from = "release_table t JOIN release r ON r.release_id = t.release_id",
     FIXED({"#release_id", "t.release_id", N_("number of the release")}, {"release", "r.name", N_("its name")},
           {"made", "TIME(r.made)", N_("UTC")},
           {"#run", "r.run", N_("the store as it stood after this run was counted")},
           {"#replaces", "r.replaces", N_("the release of the same name before it; empty: none")},
           {"release_settings", "r.settings", N_("what was asked for, JSON")},
           {"release_digest", "HEX(r.digest)", N_("SHA-256 of the settings and of all tables")},
           {"#number", "t.number", N_("of the table in the release")}, {"name", "t.name", N_("of the table")},
           {"fields", "t.fields", N_("what it is broken down by; empty: a text beside the figures")},
           {"settings", "t.settings", N_("how it is counted, JSON")}, {"body", "t.body", N_("the table as CSV")},
           {"digest", "HEX(t.digest)", N_("SHA-256 of the table")})},
    {.name = "released_cells",
     .description = N_("cells of the tables that were published; a hidden figure stands nowhere"),
     .from =
         "release_cell c JOIN release_table t ON t.release_id = c.release_id AND t.number = c.number JOIN release r "
         "ON r.release_id = c.release_id",
     FIXED({"#release_id", "c.release_id", N_("number of the release")}, {"release", "r.name", N_("its name")},
           {"#number", "c.number", N_("of the table in the release")}, {"name", "t.name", N_("of the table")},
           {"fields", "t.fields", N_("what the values are of, in their order")},
           {"#ordinal", "c.ordinal", N_("of the cell in the table")},
           {"value_1", "c.value_1", N_("of the first field; not_recorded, or total")},
           {"value_2", "c.value_2", N_("of the second field")}, {"value_3", "c.value_3", N_("of the third field")},
           {"value_4", "c.value_4", N_("of the fourth field")}, {"#figure", "c.figure", N_("empty: hidden")},
           {"status", "c.status", N_("shown or hidden")})},
};

/* A view under construction. */
struct draft_view {
  const char *name, *description;
  struct view_column columns[VIEW_COLUMNS_MOST];
  enum column_type types[VIEW_COLUMNS_MOST];
  size_t count;
  struct buffer select;
  bool dated;
};

static void add_column(struct draft_view *draft, const char *name, enum column_type type, const char *description,
                       const char *expression) {
  if (draft->count == VIEW_COLUMNS_MOST) {
    draft->select.failed = ERR_LIMIT;
    return;
  }
  buffer_printf(&draft->select, "%s%s AS \"%s\"", draft->count == 0 ? "SELECT " : ", ", expression, name);
  draft->types[draft->count] = type;
  draft->columns[draft->count++] = (struct view_column){.name = name, .description = description};
}

static enum status finish_view(struct store *store, struct draft_view *draft, const char *from, struct error *error) {
  struct arena *memory = store->memory;
  buffer_printf(&draft->select, " FROM %s", from);
  enum status status = buffer_check(&draft->select, "view", error);
  struct view_column *columns = arena_array(memory, draft->count, sizeof *columns);
  enum column_type *types = arena_array(memory, draft->count, sizeof *types);
  const char *select = status == OK ? arena_text(memory, buffer_view(&draft->select)) : NULL;
  buffer_free(&draft->select);
  if (status == OK && (columns == NULL || types == NULL || select == NULL)) {
    status = error_memory(error);
  }
  if (status != OK) {
    return status;
  }
  memcpy(columns, draft->columns, draft->count * sizeof *columns);
  memcpy(types, draft->types, draft->count * sizeof *types);
  size_t at = store->view_count++;
  store->views[at] = (struct view){
      .name = draft->name, .description = draft->description, .columns = columns, .column_count = draft->count};
  store->view_texts[at] = (struct view_text){.name = draft->name, .select = select, .dated = draft->dated};
  store->view_types[at] = types;
  return OK;
}

static void start_view(struct draft_view *draft, const char *name, const char *description) {
  draft->name = name;
  draft->description = description;
  draft->count = 0;
  draft->dated = false;
  buffer_init(&draft->select, SELECT_LIMIT);
}

/* ---- views of the model ---- */

static const char *plural(struct store *store, const char *name) {
  return arena_printf(store->memory, "%ss", name);
}

static void add_fields(struct draft_view *draft, const struct shelf *shelf, const char *alias) {
  for (size_t i = 0; i < shelf->column_count; i++) {
    const struct column *column = &shelf->entity->columns[shelf->columns[i]];
    char expression[128];
    if (column->field->local) {
      continue;
    }
    snprintf(expression, sizeof expression, "%s.\"%s\"", alias, column->name);
    add_column(draft, column->name, shelf->table.columns[ROW_HEAD + i].type,
               column->own ? N_("the source's own code and text of it") : column->field->label_en, expression);
  }
}

#define MEMBER_BY_KEY(entity)                                                                                          \
  "(SELECT m." entity "_id FROM " entity "_member m WHERE m.source_id = s.row_id >> 52 AND m.row_key = s." entity      \
  "_key AND m.to_run IS NULL ORDER BY m.row_id LIMIT 1)"
#define MEMBER_BY_ROW(entity)                                                                                          \
  "(SELECT m." entity "_id FROM " entity "_member m WHERE m.row_id = s.row_id AND m.to_run IS NULL)"

/* Staged rows, with the consolidated case and person that they belong to. */
static enum status compose_rows(struct store *store, const struct shelf *shelf, struct error *error) {
  struct draft_view draft;
  const struct entity *entity = shelf->entity;
  bool is_case = strcmp(entity->name, "case") == 0, is_person = strcmp(entity->name, "person") == 0;
  start_view(&draft,
             is_case || is_person ? arena_printf(store->memory, "%s_records", entity->name)
                                  : plural(store, entity->name),
             arena_printf(store->memory, "%s: %s", entity->label_en, _("one row as one source reported it")));
  const char *from =
      arena_printf(store->memory, "\"%s\" s JOIN source o ON o.source_id = s.row_id >> 52 WHERE s.to_run IS NULL",
                   shelf->table.name);
  if (draft.name == NULL || draft.description == NULL || from == NULL) {
    return error_memory(error);
  }
  draft.dated = true;
  add_column(&draft, "row_id", COLUMN_INTEGER, N_("number of the staged row"), "s.row_id");
  add_column(&draft, "record_id", COLUMN_INTEGER, N_("number of the record it came from"), "s.row_id >> 20");
  add_column(&draft, "source", COLUMN_TEXT, N_("source"), "o.code");
  add_column(&draft, "institution", COLUMN_TEXT, N_("supplying institution"), "s.institution");
  if (shelf->region < 0 || !entity->columns[shelf->region].field->local) { /* else it tells where somebody is now */
    add_column(&draft, "region", COLUMN_TEXT, N_("place that decides who may see it"), "s.region");
  }
  if (is_case || entity->has_case) {
    add_column(&draft, "case_id", COLUMN_INTEGER, N_("consolidated case"),
               is_case ? MEMBER_BY_ROW("case") : MEMBER_BY_KEY("case"));
  }
  if (is_person || entity->has_person) {
    add_column(&draft, "person_id", COLUMN_INTEGER, N_("consolidated person"),
               is_person ? MEMBER_BY_ROW("person") : MEMBER_BY_KEY("person"));
  }
  add_fields(&draft, shelf, "s");
  add_column(&draft, "missing", COLUMN_TEXT, N_("why fields are empty: field:reason …"), "s.missing");
  add_column(&draft, "from_run", COLUMN_INTEGER, N_("run that staged it"), "s.from_run");
  return finish_view(store, &draft, from, error);
}

static enum status compose_whole(struct store *store, const struct whole *whole, const char *name,
                                 struct error *error) {
  struct draft_view draft;
  start_view(&draft, plural(store, name),
             arena_printf(store->memory, "%s: %s", whole->shelf->entity->label_en, _("consolidated from all sources")));
  const char *id = arena_printf(store->memory, "w.%s", whole->id);
  const char *sources = arena_printf(store->memory,
                                     "(SELECT count(DISTINCT m.source_id) FROM %s m WHERE m.%s = w.%s "
                                     "AND m.to_run IS NULL)",
                                     whole->member, whole->id, whole->id);
  const char *from = arena_printf(store->memory, "\"%s\" w WHERE w.to_run IS NULL", whole->table.name);
  if (draft.name == NULL || draft.description == NULL || id == NULL || sources == NULL || from == NULL) {
    return error_memory(error);
  }
  draft.dated = true;
  add_column(&draft, whole->id, COLUMN_INTEGER, N_("number, kept for ever"), id);
  add_column(&draft, "records", COLUMN_INTEGER, N_("staged rows that it joins"), "w.records");
  add_column(&draft, "sources", COLUMN_INTEGER, N_("sources that know it"), sources);
  add_fields(&draft, whole->shelf, "w");
  add_column(&draft, "from_run", COLUMN_INTEGER, N_("run that gave it these values"), "w.from_run");
  return finish_view(store, &draft, from, error);
}

/* Where each value of a consolidated person or case came from. */
static enum status compose_origins(struct store *store, struct error *error) {
  struct draft_view draft;
  struct buffer from;
  buffer_init(&from, SELECT_LIMIT);
  buffer_char(&from, '(');
  for (int kind = CLUSTER_PERSON; kind <= CLUSTER_CASE; kind++) {
    const struct whole *whole = &store->wholes[kind];
    if (whole->shelf != NULL) {
      const struct dialect *dialect = &store->dialect;
      buffer_printf(&from,
                    "%sSELECT '%s' AS kind, p.%s AS id, j.key AS field, %s AS row_id, %s AS rule FROM \"%s\" p "
                    "CROSS JOIN %s WHERE p.to_run IS NULL",
                    from.len > 1 ? " UNION ALL " : "", kind == CLUSTER_PERSON ? "person" : "case", whole->id,
                    dialect->json_row, dialect->json_rule, whole->table.name, dialect->json_pairs);
    }
  }
  buffer_text(&from, ") v JOIN source s ON s.source_id = v.row_id >> 52");
  enum status status = buffer_check(&from, "view", error);
  if (status == OK) {
    start_view(&draft, "origins", N_("which staged row and which rule gave a consolidated value"));
    draft.dated = true;
    add_column(&draft, "id", COLUMN_INTEGER, N_("person_id or case_id"), "v.id");
    add_column(&draft, "kind", COLUMN_TEXT, N_("person or case"), "v.kind");
    add_column(&draft, "field", COLUMN_TEXT, N_("field of the model"), "v.field");
    add_column(&draft, "row_id", COLUMN_INTEGER, N_("staged row that the value came from"), "v.row_id");
    add_column(&draft, "record_id", COLUMN_INTEGER, N_("record it came from"), "v.row_id >> 20");
    add_column(&draft, "rule", COLUMN_TEXT, N_("survivorship rule"), "v.rule");
    add_column(&draft, "source", COLUMN_TEXT, N_("source"), "s.code");
    add_column(&draft, "institution", COLUMN_TEXT, N_("supplying institution"), "s.institution");
    status = finish_view(store, &draft, from.data, error);
  }
  buffer_free(&from);
  return status;
}

/* ---- fixed views ---- */

/* Appends `text`, with the dialect's format around the argument of TIME(…) or HEX(…). */
static void spell(struct store *store, struct buffer *out, const char *text) {
  bool time = strncmp(text, "TIME(", 5) == 0, hex = strncmp(text, "HEX(", 4) == 0;
  if (!time && !hex) {
    buffer_text(out, text);
    return;
  }
  const char *argument = strchr(text, '(') + 1;
  const char *format = time ? store->dialect.time : store->dialect.hex;
  int len = (int)strlen(argument) - 1;
  char spelled[256];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* one of two constants of the dialect */
  snprintf(spelled, sizeof spelled, format, len, argument);
#pragma GCC diagnostic pop
  buffer_text(out, spelled);
}

static enum status compose_fixed(struct store *store, const struct fixed_view *fixed, struct error *error) {
  struct draft_view draft;
  start_view(&draft, fixed->name, fixed->description);
  draft.dated = fixed->dated;
  for (size_t i = 0; i < fixed->column_count; i++) {
    const struct fixed_column *column = &fixed->columns[i];
    bool integer = column->name[0] == '#';
    struct buffer expression;
    buffer_init(&expression, 1024);
    spell(store, &expression, column->expression);
    enum status status = buffer_check(&expression, "view", error);
    if (status == OK) {
      add_column(&draft, column->name + integer, integer ? COLUMN_INTEGER : COLUMN_TEXT, column->description,
                 expression.data);
    }
    buffer_free(&expression);
    if (status != OK) {
      buffer_free(&draft.select);
      return status;
    }
  }
  return finish_view(store, &draft, fixed->from, error);
}

/* ---- all ---- */

enum status views_compose(struct store *store, struct error *error) {
  size_t fixed = sizeof FIXED_VIEWS / sizeof *FIXED_VIEWS;
  store->views = arena_array(store->memory, VIEWS_MOST, sizeof *store->views);
  store->view_texts = arena_array(store->memory, VIEWS_MOST, sizeof *store->view_texts);
  store->view_types = arena_array(store->memory, VIEWS_MOST, sizeof *store->view_types);
  if (store->views == NULL || store->view_texts == NULL || store->view_types == NULL) {
    return error_memory(error);
  }
  enum status status = OK;
  if (store->wholes[CLUSTER_CASE].shelf != NULL) {
    status = compose_whole(store, &store->wholes[CLUSTER_CASE], "case", error);
  }
  if (status == OK && store->wholes[CLUSTER_PERSON].shelf != NULL) {
    status = compose_whole(store, &store->wholes[CLUSTER_PERSON], "person", error);
  }
  for (size_t e = 0; e < store->model->entity_count && status == OK; e++) {
    status = compose_rows(store, &store->shelves[e], error);
  }
  if (status == OK && (store->wholes[0].shelf != NULL || store->wholes[1].shelf != NULL)) {
    status = compose_origins(store, error);
  }
  for (size_t i = 0; i < fixed && status == OK; i++) {
    status = compose_fixed(store, &FIXED_VIEWS[i], error);
  }
  return status;
}

/* The length of "alias.to_run IS NULL" at this place, the alias being one letter; 0: none stands here. */
static size_t now_at(const char *text, const char *start) {
  static const char words[] = ".to_run IS NULL";
  bool apart = text == start || text[-1] == ' ' || text[-1] == '(';
  return apart && text[0] != '\0' && strncmp(text + 1, words, sizeof words - 1) == 0 ? sizeof words : 0;
}

enum status views_dated(const struct view_text *view, const char *run, struct buffer *select) {
  if (!view->dated) {
    return ERR_INTERNAL;
  }
  for (const char *at = view->select; *at != '\0';) {
    size_t len = now_at(at, view->select);
    if (len == 0) {
      buffer_char(select, *at++);
      continue;
    }
    buffer_printf(select, "%c.from_run <= %s AND (%c.to_run IS NULL OR %c.to_run > %s)", at[0], run, at[0], at[0], run);
    at += len;
  }
  return select->failed;
}

enum status views_past(const struct view_text *view, int64_t run, struct buffer *select, struct error *error) {
  char number[24];
  snprintf(number, sizeof number, "%lld", (long long)run);
  if (views_dated(view, number, select) == ERR_INTERNAL && !view->dated) {
    return error_set(error, ERR_INTERNAL, _("view %s has no past"), view->name);
  }
  return buffer_check(select, "statement", error);
}

enum status views_make(struct store *store, struct error *error) {
  return store->ops->make_views(store->driver, store->view_texts, store->view_count, error);
}

const struct view *store_views(const struct store *store, size_t *count) {
  *count = store->view_count;
  return store->views;
}

const struct view *views_find(const struct store *store, const char *name, const enum column_type **types,
                              struct error *error) {
  const char *names[VIEWS_MOST];
  for (size_t i = 0; i < store->view_count; i++) {
    names[i] = store->views[i].name;
    if (strcmp(names[i], name) == 0) {
      *types = store->view_types[i];
      return &store->views[i];
    }
  }
  error_set(error, ERR_USAGE, _("there is no view %s"), name);
  const char *nearest = text_nearest(slice_of(name), names, store->view_count);
  if (nearest != NULL) {
    error_hint(error, _("did you mean %s?"), nearest);
  } else {
    error_hint(error, "%s", _("`puente query --views` lists them"));
  }
  return NULL;
}

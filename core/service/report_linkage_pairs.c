#include "core/base/map.h"
#include "core/service/linked.h"
#include "core/service/report_linkage.h"

#include <stdio.h>
#include <stdlib.h>

enum { BANDS_MOST = 8, KINDS = 2, OUTCOMES = 3, DOUBTFUL_MOST = 100, LARGE = 3, TALLIES_MOST = 1024 };
#define HALF 0.5
#define MEMBERS_LIMIT ((size_t)1 << 34)

/* ---- members ---- */

static enum status take_member(void *context, const struct member *member, struct error *error) {
  const struct linkage_row row = {.row_id = member->row_id, .id = member->id};
  buffer_append(context, &row, sizeof row);
  return buffer_check(context, "rows", error);
}

static int by_row(const void *a, const void *b) {
  int64_t x = ((const struct linkage_row *)a)->row_id, y = ((const struct linkage_row *)b)->row_id;
  return (x > y) - (x < y);
}

static int by_id(const void *a, const void *b) {
  const struct linkage_row *x = a, *y = b;
  return x->id != y->id ? (x->id < y->id ? -1 : 1) : by_row(a, b);
}

/* Rows by id: those of one id stand together. */
static void measure(struct linkage_row *rows, size_t count) {
  for (size_t from = 0, to; from < count; from = to) {
    bool across = false;
    for (to = from + 1; to < count && rows[to].id == rows[from].id; to++) {
      across = across || source_of_record(record_of(rows[to].row_id)) != source_of_record(record_of(rows[from].row_id));
    }
    for (size_t i = from; i < to; i++) {
      rows[i].size = (uint32_t)(to - from);
      rows[i].across = across;
    }
  }
}

struct linkage_row *linkage_find(const struct linkage *linkage, int64_t row_id) {
  const struct linkage_row wanted = {.row_id = row_id};
  return bsearch(&wanted, linkage->rows, linkage->count, sizeof wanted, by_row);
}

static enum status take_waiting(void *context, const struct waiting_pair *waiting, struct error *error) {
  const int64_t rows[] = {waiting->pair.row_a, waiting->pair.row_b};
  (void)error;
  for (size_t i = 0; i < 2; i++) {
    struct linkage_row *row = linkage_find(context, rows[i]);
    if (row != NULL) {
      row->waits = true;
    }
  }
  return OK;
}

static enum status take_unlinkable(void *context, int64_t row_id, struct error *error) {
  struct linkage_row *row = linkage_find(context, row_id);
  (void)error;
  if (row != NULL) {
    row->unlinkable = true;
  }
  return OK;
}

enum status linkage_read(const struct workspace *workspace, enum cluster_kind kind, struct linkage *linkage,
                         struct error *error) {
  struct buffer members;
  buffer_init(&members, MEMBERS_LIMIT);
  *linkage = (struct linkage){.workspace = workspace, .kind = kind};
  enum status status = store_visit_members(workspace->store, kind, take_member, &members, error);
  if (status == OK) {
    linkage->count = members.len / sizeof *linkage->rows;
    linkage->rows = malloc((linkage->count + 1) * sizeof *linkage->rows);
    status = linkage->rows == NULL ? error_memory(error) : OK;
  }
  if (status == OK && linkage->count > 0) {
    memcpy(linkage->rows, members.data, linkage->count * sizeof *linkage->rows);
    qsort(linkage->rows, linkage->count, sizeof *linkage->rows, by_id);
    measure(linkage->rows, linkage->count);
    qsort(linkage->rows, linkage->count, sizeof *linkage->rows, by_row);
  }
  buffer_free(&members);
  status = status == OK ? store_visit_waiting(workspace->store, kind, 0, take_waiting, linkage, error) : status;
  return status == OK ? store_visit_unlinkable(workspace->store, kind, take_unlinkable, linkage, error) : status;
}

void linkage_free(struct linkage *linkage) {
  free(linkage->rows);
  *linkage = (struct linkage){.count = 0};
}

/* ---- pairs by rule and by reason ---- */

/* By "kind|rule" or "kind|outcome|reason|verdict". */
struct tallies {
  struct map *names;
  int64_t pairs[TALLIES_MOST][OUTCOMES];
  enum cluster_kind kind;
  bool by_rule;
};

static const char *const KIND_NAMES[KINDS] = {"person", "case"};
static const char *const OUTCOME_NAMES[OUTCOMES] = {"joined", "waiting", "apart"};

static const char *kind_label(size_t kind) {
  return kind == CLUSTER_PERSON ? _("person") : _("case");
}

static const char *outcome_label(size_t outcome) {
  return outcome == PAIR_JOINED ? _("joined") : outcome == PAIR_WAITING ? _("waiting") : _("kept apart");
}

static enum status take_pair(void *context, const struct link_pair_row *pair, struct error *error) {
  struct tallies *tallies = context;
  char name[512];
  const char *rule = pair->rule == NULL ? "" : pair->rule;
  const char *verdict = pair->verdict == NULL ? "" : pair->verdict;
  int len = tallies->by_rule ? snprintf(name, sizeof name, "%d\t%s", (int)tallies->kind, rule)
                             : snprintf(name, sizeof name, "%d\t%d\t%s\t%s", (int)tallies->kind, pair->outcome,
                                        pair->reason, verdict);
  size_t used = len < 0 ? 0 : (size_t)len < sizeof name ? (size_t)len : sizeof name - 1;
  uint32_t at = map_intern(tallies->names, slice_make(name, used));
  if (at == MAP_NONE || at >= TALLIES_MOST || pair->outcome < 0 || pair->outcome >= OUTCOMES) {
    return at == MAP_NONE ? error_memory(error) : OK;
  }
  tallies->pairs[at][pair->outcome]++;
  return OK;
}

static enum status tally_pairs(const struct workspace *workspace, struct tallies *tallies, struct error *error) {
  tallies->names = map_new();
  enum status status = tallies->names == NULL ? error_memory(error) : OK;
  for (int kind = CLUSTER_PERSON; kind <= CLUSTER_CASE && status == OK; kind++) {
    tallies->kind = (enum cluster_kind)kind;
    status = store_visit_pairs(workspace->store, tallies->kind, NULL, 0, take_pair, tallies, error);
  }
  return status;
}

/* The next part of a name, up to the tab. */
static struct slice part_of(struct slice *name) {
  const char *end = memchr(name->data, '\t', name->len);
  size_t len = end == NULL ? name->len : (size_t)(end - name->data);
  struct slice part = slice_make(name->data, len);
  *name = end == NULL ? slice_of("") : slice_make(end + 1, name->len - len - 1);
  return part;
}

static const struct linked_block *block_of(const struct linked *linked, size_t kind, struct slice rule) {
  for (size_t i = 0; i < linked->kinds[kind].block_count; i++) {
    if (slice_is(rule, linked->kinds[kind].blocks[i].rule)) {
      return &linked->kinds[kind].blocks[i];
    }
  }
  return NULL;
}

static void add_known(struct report *report, const struct linked_block *block, int64_t number) {
  if (block == NULL || number < 0) {
    report_null(report);
  } else {
    report_count(report, number);
  }
}

static void add_rule(const struct linked *linked, struct slice name, const int64_t pairs[OUTCOMES],
                     struct report *report) {
  size_t kind = part_of(&name).data[0] == '0' ? CLUSTER_PERSON : CLUSTER_CASE;
  const struct linked_block *block = block_of(linked, kind, name);
  report_code(report, KIND_NAMES[kind], kind_label(kind));
  if (name.len == 0) {
    report_code(report, NULL, _("(no rule: key of the source, decision)"));
  } else {
    report_text(report, name);
  }
  add_known(report, block, block == NULL ? -1 : block->proposed);
  add_known(report, block, block == NULL ? -1 : block->marginal);
  for (size_t i = 0; i < OUTCOMES; i++) {
    report_count(report, pairs[i]);
  }
  add_known(report, block, block == NULL ? -1 : block->capped);
  add_known(report, block, block == NULL ? -1 : block->dropped);
}

/* Rules that proposed pairs of which none was kept. */
static void add_idle_rules(const struct linked *linked, const struct tallies *tallies, struct report *report) {
  static const int64_t none[OUTCOMES] = {0};
  for (size_t kind = 0; kind < KINDS; kind++) {
    for (size_t i = 0; i < linked->kinds[kind].block_count; i++) {
      const char *name = arena_printf(report->arena, "%zu\t%s", kind, linked->kinds[kind].blocks[i].rule);
      if (name == NULL) {
        report->failed = ERR_MEMORY;
      } else if (map_get(tallies->names, slice_of(name)) == MAP_NONE) {
        add_rule(linked, slice_of(name), none, report);
      }
    }
  }
}

enum status report_linkage_rules(const struct workspace *workspace, struct report *report, struct error *error) {
  struct tallies tallies = {.by_rule = true};
  struct linked linked;
  enum status status = linked_read(workspace->store, report->arena, &linked, error);
  status = status == OK ? tally_pairs(workspace, &tallies, error) : status;
  report->title = _("Linkage: what each blocking rule found");
  report_column(report, "kind", _("kind"), REPORT_TEXT);
  report_column(report, "rule", _("rule"), REPORT_TEXT);
  report_column(report, "proposed", _("proposed"), REPORT_COUNT);
  report_column(report, "marginal", _("by no rule before it"), REPORT_COUNT);
  report_column(report, "joined", _("joined"), REPORT_COUNT);
  report_column(report, "waiting", _("waiting"), REPORT_COUNT);
  report_column(report, "apart", _("kept apart"), REPORT_COUNT);
  report_column(report, "capped", _("blocks over the cap"), REPORT_COUNT);
  report_column(report, "dropped", _("pairs not looked at"), REPORT_COUNT);
  for (uint32_t i = 0; status == OK && i < map_count(tallies.names) && i < TALLIES_MOST; i++) {
    add_rule(&linked, map_key(tallies.names, i), tallies.pairs[i], report);
  }
  if (status == OK) {
    add_idle_rules(&linked, &tallies, report);
    report_note(report, "%s",
                _("Each pair is counted for the first rule that proposed it. Proposed pairs, caps: of the last linking,"
                  " where it told them."));
  }
  map_free(tallies.names);
  return status;
}

enum status report_linkage_reasons(const struct workspace *workspace, struct report *report, struct error *error) {
  struct tallies tallies = {.by_rule = false};
  enum status status = tally_pairs(workspace, &tallies, error);
  report->title = _("Linkage: why pairs wait or are kept apart");
  report_column(report, "kind", _("kind"), REPORT_TEXT);
  report_column(report, "outcome", _("outcome"), REPORT_TEXT);
  report_column(report, "reason", _("reason"), REPORT_TEXT);
  report_column(report, "verdict", _("rule above weights"), REPORT_TEXT);
  report_column(report, "pairs", _("pairs"), REPORT_COUNT);
  for (uint32_t i = 0; status == OK && i < map_count(tallies.names) && i < TALLIES_MOST; i++) {
    struct slice name = map_key(tallies.names, i);
    size_t kind = part_of(&name).data[0] == '0' ? CLUSTER_PERSON : CLUSTER_CASE;
    size_t outcome = (size_t)(part_of(&name).data[0] - '0');
    report_code(report, KIND_NAMES[kind], kind_label(kind));
    report_code(report, OUTCOME_NAMES[outcome], outcome_label(outcome));
    report_text(report, part_of(&name));
    if (name.len == 0) {
      report_null(report);
    } else {
      report_text(report, name);
    }
    report_count(report, tallies.pairs[i][outcome]);
  }
  map_free(tallies.names);
  return status;
}

/* ---- sizes ---- */

struct band {
  uint32_t least, most; /* records each; most UINT32_MAX: and more */
  int64_t persons, records;
};

static void count_bands(const struct linkage *linkage, struct band *bands, size_t count, uint32_t *largest) {
  double share[BANDS_MOST] = {0};
  for (size_t i = 0; i < linkage->count; i++) {
    size_t band = count - 1;
    while (bands[band].least > linkage->rows[i].size) {
      band--;
    }
    bands[band].records++;
    share[band] += 1.0 / linkage->rows[i].size;
    *largest = linkage->rows[i].size > *largest ? linkage->rows[i].size : *largest;
  }
  for (size_t i = 0; i < count; i++) {
    bands[i].persons = (int64_t)(share[i] + HALF);
  }
}

static bool is_few(const struct band *band, int k) {
  return band->persons > 0 && band->persons < k;
}

static void join_bands(struct band *band, const struct band *next) {
  band->most = next->most;
  band->persons += next->persons;
  band->records += next->records;
}

/* A band of fewer than k persons is joined with the next one, the last with the one before: nothing is hidden, and no
 * band tells of few. */
static size_t widen_bands(struct band *bands, size_t count, int k) {
  size_t kept = 0;
  for (size_t i = 0; i < count; i++) {
    if (kept > 0 && is_few(&bands[kept - 1], k)) {
      join_bands(&bands[kept - 1], &bands[i]);
    } else {
      bands[kept++] = bands[i];
    }
  }
  while (kept > 1 && is_few(&bands[kept - 1], k)) {
    join_bands(&bands[kept - 2], &bands[kept - 1]);
    kept--;
  }
  return kept;
}

static void add_band(const struct band *band, int k, struct report *report) {
  char name[32];
  if (band->most == UINT32_MAX) {
    snprintf(name, sizeof name, "%u+", band->least);
  } else if (band->most > band->least) {
    snprintf(name, sizeof name, "%u-%u", band->least, band->most);
  } else {
    snprintf(name, sizeof name, "%u", band->least);
  }
  report_text(report, slice_of(name));
  report_guarded(report, band->persons, is_few(band, k));
  report_guarded(report, band->records, is_few(band, k));
}

enum status report_linkage_sizes(const struct linkage *linkage, struct report *report) {
  struct band bands[BANDS_MOST] = {{1, 1, 0, 0}, {2, 2, 0, 0},   {3, 3, 0, 0},   {4, 4, 0, 0},
                                   {5, 9, 0, 0}, {10, 19, 0, 0}, {20, 49, 0, 0}, {50, UINT32_MAX, 0, 0}};
  int k = report->guarded ? linkage->workspace->config->disclosure.k : 1;
  uint32_t largest = 0;
  count_bands(linkage, bands, BANDS_MOST, &largest);
  size_t count = widen_bands(bands, BANDS_MOST, k);
  report->title = _("Linkage: persons by the number of their records");
  report_column(report, "records_each", _("records each"), REPORT_TEXT);
  report_column(report, "persons", _("persons"), REPORT_COUNT);
  report_column(report, "records", _("records"), REPORT_COUNT);
  for (size_t i = 0; i < count; i++) {
    add_band(&bands[i], k, report);
  }
  if (k == 1) {
    report_note(report, _("The largest has %u records."), largest);
  }
  return OK;
}

/* ---- doubtful persons: few of their pairs agree, or one pair alone holds two parts together ---- */

struct edge {
  int64_t id;
  uint32_t a, b; /* positions in rows */
};
struct graph {
  const struct linkage *linkage;
  struct buffer edges;
};
struct doubtful {
  int64_t id;
  uint32_t size, bridges;
  double density;
};

static enum status take_edge(void *context, const struct link_pair_row *pair, struct error *error) {
  struct graph *graph = context;
  const struct linkage_row *a = linkage_find(graph->linkage, pair->row_a),
                           *b = linkage_find(graph->linkage, pair->row_b);
  if (a == NULL || b == NULL || a->id != b->id || pair->weight < 0 || a->size < LARGE) {
    return OK;
  }
  const struct edge edge = {
      .id = a->id, .a = (uint32_t)(a - graph->linkage->rows), .b = (uint32_t)(b - graph->linkage->rows)};
  buffer_append(&graph->edges, &edge, sizeof edge);
  return buffer_check(&graph->edges, "pairs", error);
}

static int by_edge(const void *a, const void *b) {
  const struct edge *x = a, *y = b;
  return x->id != y->id ? (x->id < y->id ? -1 : 1)
         : x->a != y->a ? (x->a < y->a ? -1 : 1)
                        : (x->b > y->b) - (x->b < y->b);
}

/* Whether the two ends come apart without the edge: a part grows from one end by passes over the edges. */
static bool is_bridge(const struct edge *edges, size_t count, size_t without, bool *reached) {
  bool grown = true;
  for (size_t i = 0; i < count; i++) {
    reached[edges[i].a] = reached[edges[i].b] = false;
  }
  reached[edges[without].a] = true;
  while (grown && !reached[edges[without].b]) {
    grown = false;
    for (size_t i = 0; i < count; i++) {
      if (i != without && reached[edges[i].a] != reached[edges[i].b]) {
        reached[edges[i].a] = reached[edges[i].b] = grown = true;
      }
    }
  }
  return !reached[edges[without].b];
}

static int by_density(const void *a, const void *b) {
  const struct doubtful *x = a, *y = b;
  if (x->density < y->density || x->density > y->density) {
    return x->density < y->density ? -1 : 1;
  }
  return (x->id > y->id) - (x->id < y->id);
}

/* A pair may hold a person of any size together; above that size they are not looked for, and density tells. */
enum { BRIDGES_SOUGHT = 200 };

static size_t find_doubtful(const struct linkage *linkage, const struct edge *edges, size_t count, bool *reached,
                            struct doubtful *found) {
  size_t doubtful = 0;
  for (size_t from = 0, to; from < count; from = to) {
    for (to = from + 1; to < count && edges[to].id == edges[from].id;) {
      to++;
    }
    struct doubtful one = {.id = edges[from].id, .size = linkage->rows[edges[from].a].size};
    one.density = (double)(to - from) / (0.5 * one.size * (one.size - 1));
    for (size_t i = from; i < to && to - from <= BRIDGES_SOUGHT; i++) {
      one.bridges += is_bridge(edges + from, to - from, i - from, reached);
    }
    if (one.bridges > 0 || one.density < HALF) {
      found[doubtful++] = one;
    }
  }
  qsort(found, doubtful, sizeof *found, by_density);
  return doubtful;
}

static void add_doubtful(const struct doubtful *found, size_t count, struct report *report) {
  report_column(report, "person_id", _("person"), REPORT_TEXT);
  report_column(report, "records", _("records"), REPORT_COUNT);
  report_column(report, "density", _("pairs that agree"), REPORT_SHARE);
  report_column(report, "bridges", _("bridges"), REPORT_COUNT);
  for (size_t i = 0; i < count && i < DOUBTFUL_MOST; i++) {
    char id[24];
    snprintf(id, sizeof id, "%lld", (long long)found[i].id);
    report_text(report, slice_of(id));
    report_count(report, found[i].size);
    report_share(report, found[i].density);
    report_count(report, found[i].bridges);
  }
  report_note(report,
              _("%zu persons of three records and more, at most %d are shown: fewer than half of their pairs agree,"
                " or a bridge, one pair alone, holds two parts together. `puente explain person ID` shows them."),
              count, (int)DOUBTFUL_MOST);
}

enum status report_linkage_doubtful(const struct linkage *linkage, struct report *report, struct error *error) {
  struct graph graph = {.linkage = linkage};
  buffer_init(&graph.edges, MEMBERS_LIMIT);
  enum status status = store_visit_pairs(linkage->workspace->store, linkage->kind, NULL, 0, take_edge, &graph, error);
  size_t count = graph.edges.len / sizeof(struct edge);
  struct edge *edges = malloc((count + 1) * sizeof *edges);
  struct doubtful *found = malloc((count + 1) * sizeof *found);
  bool *reached = calloc(linkage->count + 1, sizeof *reached);
  if (status == OK && (edges == NULL || found == NULL || reached == NULL)) {
    status = error_memory(error);
  }
  report->title = _("Linkage: persons to be looked at again");
  if (status == OK) {
    if (count > 0) {
      memcpy(edges, graph.edges.data, count * sizeof *edges);
      qsort(edges, count, sizeof *edges, by_edge);
    }
    add_doubtful(found, count == 0 ? 0 : find_doubtful(linkage, edges, count, reached, found), report);
  }
  buffer_free(&graph.edges);
  free(edges);
  free(found);
  free(reached);
  return status;
}

#include "core/link/schema.h"

#include "core/link/plan_read.h"

struct member {
  const char *name, *shape, *description; /* shape: JSON without its braces */
};

#define TEXT "\"type\": \"string\""
#define WORD "\"type\": [\"string\", \"number\"]"
#define WORDS "\"$ref\": \"#/$defs/words\""
#define SHARE "\"type\": \"number\", \"minimum\": 0, \"maximum\": 1"
#define BOUNDS                                                                                                         \
  "\"type\": \"array\", \"minItems\": 2, \"maxItems\": 2, \"items\": {\"type\": \"number\", \"minimum\": 0, "          \
  "\"maximum\": 1}"

static const struct member plan_members[] = {
    {"entity", TEXT, "what the records are: person, case; for files without meaning"},
    {"id", TEXT, "column that names a record of a file; default: its line"},
    {"block_most", "\"type\": \"integer\", \"minimum\": 2, \"maximum\": 1000000",
     "records under one key; larger blocks are left out and counted; default: 500"},
    {"compare",
     "\"type\": \"object\", \"minProperties\": 1, \"additionalProperties\": {\"$ref\": \"#/$defs/comparison\"}",
     "what is compared: a name for each comparison"},
    {"block", "\"type\": \"array\", \"minItems\": 1, \"items\": {\"$ref\": \"#/$defs/block\"}",
     "which pairs are looked at: those that agree in all keys of a rule"},
    {"rules", "\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/rule\"}",
     "above weights, in order: the first that holds decides"},
    {"train", "\"$ref\": \"#/$defs/train\"", "how weights are learned"},
    {"cluster", "\"$ref\": \"#/$defs/cluster\"", "how pairs make entities"},
    {"band", "\"$ref\": \"#/$defs/band\"", "pairs that a person decides; default: hold from 0.80 to 0.99"},
    {"truth", "\"$ref\": \"#/$defs/truth\"", "for measuring alone: which records of a file are one"},
    {NULL, NULL, NULL}};

static const struct member comparison_members[] = {
    {"kind", NULL, "how values are compared"},
    {"from", WORDS, "columns"},
    {"whole", TEXT, "of kind name: one more column of whole names, which counts where the others are all missing"},
    {"levels", "\"type\": \"array\", \"minItems\": 1",
     "levels of the kind, best first; what is left out falls to what it implies, or to the last"},
    {"frequency", "\"type\": \"boolean\"", "agreement on a rare value weighs more; default: of names"},
    {"placeholders", WORDS, "of kind document: numbers that identify nobody"},
    {"spikes", WORDS, "of kind date: days of the year that stand for an unknown one, \"01-01\""},
    {"instead_of", WORDS, "comparisons above; this one counts only where those are all missing"},
    {NULL, NULL, NULL}};

static const struct member level_members[] = {
    {"at", "\"type\": \"number\"", "threshold: least similarity, or most edits"},
    {"as", TEXT, "what rules and explanations call the level"},
    {"m", SHARE, "share of the pairs of one entity at this level; default: learned"},
    {"u", SHARE, "share of the pairs of two entities at this level; default: learned"},
    {NULL, NULL, NULL}};

static const struct member block_members[] = {
    {"name", TEXT, "what reports and train call the rule; default: its keys joined by \" + \""},
    {"keys", WORDS, "1 to 4 comparisons, or parts of them: birth, surnames.any"},
    {NULL, NULL, NULL}};

static const struct member rule_members[] = {
    {"name", TEXT, "what explanations call the rule"},
    {"when", "\"$ref\": \"#/$defs/conditions\"", "levels at which the rule decides: all of these hold"},
    {"unless", "\"$ref\": \"#/$defs/conditions\"", "… but not where all of these hold"},
    {"then", NULL,
     "merge: whatever the weight; review: a person decides; hold: a person, or a third record; never: kept apart"},
    {NULL, NULL, NULL}};

static const struct member train_members[] = {
    {"seed", "\"type\": \"integer\", \"minimum\": 0", "of the random pairs; default: 1"},
    {"random_pairs", "\"type\": \"integer\", \"minimum\": 1000, \"maximum\": 1000000000",
     "pairs that teach u; default: 1000000"},
    {"deterministic", WORDS, "blocking rules whose pairs are taken for matches; default: the first"},
    {"recall", SHARE, "share of all matches that those find; default: 0.6"},
    {"rounds", WORDS,
     "blocking rules whose pairs teach m, a round each; default: as many as free each comparison once"},
    {"floor", SHARE, "least m and u; default: 0.00001"},
    {"threshold", SHARE, "training ends where no m changes more; default: 0.0001"},
    {"iterations", "\"type\": \"integer\", \"minimum\": 1, \"maximum\": 10000", "at most; default: 100"},
    {"frequency_floor", SHARE, "least share of a value that an adjustment believes; default: 0.00001"},
    {NULL, NULL, NULL}};

static const struct member cluster_members[] = {
    {"method", NULL, "average link, connected components, or best link; default: average"},
    {"cap", "\"type\": \"number\"", "greatest weight of one pair in a mean; default: 20"},
    {"unproposed", "\"type\": \"number\"", "weight of a pair that no blocking rule proposed; default: -2"},
    {"stop", "\"type\": \"number\"", "least mean weight at which clusters are joined; default: 0"},
    {"giant", "\"type\": \"integer\", \"minimum\": 2", "a cluster of more records stops the run; default: 500"},
    {NULL, NULL, NULL}};

static const struct member band_members[] = {
    {"hold", BOUNDS, "probabilities between which a pair waits for a person"},
    {"tentative", BOUNDS, "probabilities between which a pair is merged until a person rejects it"},
    {NULL, NULL, NULL}};

static const struct member truth_members[] = {
    {"column", TEXT, "where the truth is written"},
    {"match", TEXT, "regular expression whose first group is the entity; default: the whole value"},
    {NULL, NULL, NULL}};

static const char *const no_choices[] = {NULL};

static void put_choices(struct buffer *out, const char *const *choices) {
  buffer_text(out, "\"enum\": [");
  for (size_t i = 0; choices[i] != NULL; i++) {
    buffer_printf(out, "%s\"%s\"", i == 0 ? "" : ", ", choices[i]);
  }
  buffer_char(out, ']');
}

/* `choices`: of the member without a shape. */
static void put_members(struct buffer *out, const struct member *members, const char *const *choices,
                        const char *indent) {
  for (const struct member *member = members; member->name != NULL; member++) {
    buffer_printf(out, "%s\n%s\"%s\": {", member == members ? "" : ",", indent, member->name);
    if (member->shape != NULL) {
      buffer_text(out, member->shape);
    } else {
      put_choices(out, choices);
    }
    buffer_text(out, ", \"description\": ");
    buffer_json(out, slice_of(member->description));
    buffer_char(out, '}');
  }
}

/* A closed object; `more`: JSON that stands beside its properties. */
static void put_object(struct buffer *out, const char *name, const char *more, const struct member *members,
                       const char *const *choices) {
  buffer_printf(out, ",\n    \"%s\": {\n      \"type\": \"object\",\n      \"additionalProperties\": false,\n%s", name,
                more);
  buffer_text(out, "      \"properties\": {");
  put_members(out, members, choices, "        ");
  buffer_text(out, "\n      }\n    }");
}

/* Levels of one kind: a name alone, or with a threshold or settings. */
static void put_levels(struct buffer *out, const struct comparison_type *type) {
  buffer_text(out, "{\"anyOf\": [{");
  put_choices(out, type->levels + 1);
  buffer_text(out, "}, {\"type\": \"object\", \"minProperties\": 1, \"maxProperties\": 1, \"propertyNames\": {");
  put_choices(out, type->levels + 1);
  buffer_text(out,
              "}, \"additionalProperties\": {\"anyOf\": [{\"type\": \"number\"}, {\"$ref\": \"#/$defs/level\"}]}}]}");
}

static void put_comparison(struct buffer *out) {
  const char *kinds[COMPARISON_KINDS + 1];
  for (size_t i = 0; i < COMPARISON_KINDS; i++) {
    kinds[i] = comparison_types[i].name;
  }
  kinds[COMPARISON_KINDS] = NULL;
  buffer_text(out, ",\n    \"comparison\": {\n      \"type\": \"object\",\n      \"additionalProperties\": false,\n"
                   "      \"required\": [\"kind\", \"from\"],\n      \"properties\": {");
  put_members(out, comparison_members, kinds, "        ");
  buffer_text(out, "\n      },\n      \"allOf\": [");
  for (size_t i = 0; i < COMPARISON_KINDS; i++) {
    buffer_printf(out, "%s\n        {\"if\": {\"properties\": {\"kind\": {\"const\": \"%s\"}}}, \"then\": ",
                  i == 0 ? "" : ",", comparison_types[i].name);
    buffer_text(out, "{\"properties\": {\"levels\": {\"items\": ");
    put_levels(out, &comparison_types[i]);
    buffer_text(out, "}}}}");
  }
  buffer_text(out, "\n      ]\n    }");
}

static void put_shared(struct buffer *out) {
  buffer_text(
      out, "    \"words\": {\"oneOf\": [{" WORD "}, {\"type\": \"array\", \"minItems\": 1, \"items\": {" WORD "}}]},\n"
           "    \"conditions\": {\"type\": \"object\", \"minProperties\": 1, \"additionalProperties\": {" WORDS "}},\n"
           "    \"block\": {\"oneOf\": [{" WORDS "}, {\"$ref\": \"#/$defs/named_block\"}]},\n"
           "    \"band\": {\"oneOf\": [{");
  put_choices(out, plan_band_keys);
  buffer_text(out, "}, {\"$ref\": \"#/$defs/bounded_band\"}]}");
}

enum status link_schema(struct buffer *out, struct error *error) {
  buffer_text(out, "{\n  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
                   "  \"title\": \"Puente linkage\",\n  \"type\": \"object\",\n  \"additionalProperties\": false,\n"
                   "  \"required\": [\"compare\", \"block\"],\n  \"properties\": {");
  put_members(out, plan_members, no_choices, "    ");
  buffer_text(out, "\n  },\n  \"$defs\": {\n");
  put_shared(out);
  put_comparison(out);
  put_object(out, "level", "", level_members, no_choices);
  put_object(out, "named_block", "      \"required\": [\"keys\"],\n", block_members, no_choices);
  put_object(out, "rule", "      \"required\": [\"name\", \"when\", \"then\"],\n", rule_members, plan_verdicts);
  put_object(out, "train", "", train_members, no_choices);
  put_object(out, "cluster", "", cluster_members, partition_method_names);
  put_object(out, "bounded_band", "      \"minProperties\": 1,\n      \"maxProperties\": 1,\n", band_members,
             no_choices);
  put_object(out, "truth", "      \"required\": [\"column\"],\n", truth_members, no_choices);
  buffer_text(out, "\n  }\n}\n");
  return buffer_check(out, "schema", error);
}

#include "mapping/language.h"

#include <pthread.h>
#include <string.h>

static const struct language_word table[] = {
    {"head", "source", "text", N_("code of the source that the mapping is written for")},
    {"head", "format", "format", N_("how the source's records are written")},
    {"head", "record", "text", N_("where the records are: json data/items, xml /Denuncias/Denuncia")},
    {"head", "encoding", "encoding", N_("encoding of a csv")},
    {"head", "delimiter", "text", N_("sign between the columns of a csv")},
    {"head", "quote", "text", N_("quotation sign of a csv")},
    {"head", "header", "header", N_("line of the header of a csv; none: columns names them")},
    {"head", "columns", "texts", N_("names of the columns of a csv without a header")},
    {"head", "record_limit", "text", N_("a larger record is skipped and reported: 64KiB, 16MiB")},
    {"head", "key", "paths", N_("the record's own key: a path, or several joined by /")},
    {"head", "refuse", "condition", N_("records that are not even landed")},
    {"head", "withhold", "condition", N_("records that are landed and counted, but not mapped")},
    {"head", "deleted", "condition", N_("records that say that the one of their key was deleted")},
    {"head", "defaults", "defaults", N_("what every field of the file starts from")},
    {"head", "let", "lets", N_("named intermediate values, used as $name where a path may stand")},
    {"defaults", "date", "texts", N_("date formats, tried in turn")},
    {"defaults", "missing", "reasons", N_("values that mean that nothing is known, each with its reason")},
    {"defaults", "system", "systems", N_("the code system, or systems tried in turn, of each code list")},
    {"defaults", "repair", "repair", N_("whether double-encoded text is mended")},
    {"defaults", "decimal", "decimal", N_("the decimal sign of numbers")},
    {"block", "each", "path",
     N_("nodes to go through, each of which makes a row; paths are then relative to the node")},
    {"block", "when", "condition", N_("without it, no row")},
    {"block", "key", "paths", N_("key of the row: a path, or several joined by /")},
    {"block", "case", "paths", N_("key of the case that the row belongs to; absent: the enclosing or only one")},
    {"block", "person", "paths", N_("key of the person that the row belongs to; absent: the enclosing or only one")},
    {"block", "let", "lets", N_("named values for this block")},
    {"rule", "when", "condition", N_("without it the field stays empty")},
    {"rule", "from", "texts", N_("a path, or several: the first that has a value")},
    {"rule", "join", "text", N_("all paths of from, joined by this text")},
    {"rule", "value", "constant", N_("a constant instead of from")},
    {"rule", "repair", "repair", N_("whether double-encoded text is mended")},
    {"rule", "missing", "reasons", N_("values that mean that nothing is known, each with its reason")},
    {"rule", "many", "text", N_("the text that separates several values")},
    {"rule", "clean", "cleaning", N_("transforms of the text")},
    {"rule", "values", "words", N_("table from what the source writes to the model's codes")},
    {"rule", "split_name", "order", N_("order of the parts in a whole name")},
    {"rule", "part", "part", N_("the part of a whole name that this field takes")},
    {"rule", "date", "texts", N_("date format, or several tried in turn")},
    {"rule", "decimal", "decimal", N_("the decimal sign; the other one is the thousands sign")},
    {"rule", "phone", "text", N_("the calling code of a number without one: +51")},
    {"rule", "dni", "strictness", N_("a Peruvian DNI with or without its check character")},
    {"rule", "document", "strictness", N_("a document number of any kind")},
    {"rule", "type", "text", N_("the field of this block that tells the document's kind")},
    {"rule", "lookup", "text", N_("code list; default: the field's own")},
    {"rule", "system", "texts", N_("code system, or systems tried in turn")},
    {"rule", "at", "text", N_("the field of this block at whose date a code must be valid")},
    {"rule", "ubigeo", "text", N_("the system of a place code: inei, reniec")},
    {"rule", "text", "path", N_("the source's own text beside its code")},
    {"rule", "else", "otherwise", N_("for a value that cannot be read: null, quarantine, a code, or a missing reason")},
    {"rule", "default", "constant", N_("a constant where nothing was found")},
    {"rule", "required", "boolean", N_("a record without this value is quarantined")},
    {"condition", "path", "path", N_("the value that is tested")},
    {"condition", "equals", "constant", N_("is this text, case and accents aside")},
    {"condition", "in", "texts", N_("is one of these texts")},
    {"condition", "matches", "text", N_("fits the pattern: * any run, ? one character")},
    {"condition", "present", "boolean", N_("is there and not blank")},
    {"condition", "not", "negation", N_("does not pass the test, or the condition does not hold")},
    {"condition", "all", "conditions", N_("all of them hold")},
    {"condition", "any", "conditions", N_("one of them holds")},
};

enum { WORDS = sizeof table / sizeof *table };

const struct language_word *language_table(size_t *count) {
  *count = WORDS;
  return table;
}

static size_t take_names(const char *where, const char **names) {
  size_t count = 0;
  for (size_t i = 0; i < WORDS; i++) {
    if (strcmp(table[i].where, where) == 0) {
      names[count++] = table[i].name;
    }
  }
  names[count] = NULL;
  return count;
}

/* Filled once for all threads: pointers into the table above. */
static const char *lists[5][WORDS + 1];
static pthread_once_t lists_once = PTHREAD_ONCE_INIT;
static const char *const places[] = {"head", "defaults", "block", "rule", "condition"};

static void lists_fill(void) {
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    take_names(places[i], lists[i]);
  }
}

const char *const *language_keys(const char *where) {
  pthread_once(&lists_once, lists_fill);
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    if (strcmp(places[i], where) == 0) {
      return lists[i];
    }
  }
  return NULL;
}

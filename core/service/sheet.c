#include "core/service/sheet.h"

#include "core/base/folder.h"
#include "core/service/relay.h"
#include "mapping/format/format.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STEP = 4 << 20, BATCH = 2048, TRUTH_LENGTH_MOST = 1024, FIRST_CAPACITY = 1 << 12 };
#define IDS_LIMIT ((size_t)1 << 36)
#define RECORDS_MOST ((size_t)UINT32_MAX - 1)

struct slice texts_at(const struct texts *texts, size_t position) {
  uint64_t begin = position == 0 ? 0 : texts->ends[position - 1];
  return slice_make(texts->bytes.data + begin, (size_t)(texts->ends[position] - begin));
}

static enum status texts_add(struct texts *texts, struct slice text) {
  if (texts->count == texts->capacity) {
    size_t capacity = texts->capacity == 0 ? FIRST_CAPACITY : texts->capacity * 2;
    uint64_t *ends = realloc(texts->ends, capacity * sizeof *ends);
    if (ends == NULL) {
      return ERR_MEMORY;
    }
    texts->ends = ends;
    texts->capacity = capacity;
  }
  enum status status = buffer_slice(&texts->bytes, text);
  texts->ends[texts->count++] = texts->bytes.len;
  return status;
}

/* Records of one file that follow each other. */
struct batch {
  struct arena *arena; /* of their bytes */
  size_t at, count;    /* in the sheet */
  struct slice *texts; /* by column and record: texts[column * BATCH + record] */
  struct slice truths[BATCH];
};

/* What the reading of one sheet needs beside it. */
struct reading {
  const struct sheet_options *options;
  struct sheet *sheet;
  struct map *entities; /* of the truth */
  regex_t pattern;
  bool has_pattern;
  struct relay *relay; /* encodes a batch while the other is filled */
  struct batch batches[2];
  struct batch *batch; /* being filled */
  /* Of the present file. */
  struct sheet_file *file;
  struct splitter *splitter;
  struct decoder *decoder;
  uint32_t *fields; /* by column of the sheet: position in the file's header */
  uint32_t id, truth, among;
  uint64_t *seen; /* hashes of its ids, open addressing */
  size_t seen_slots, seen_count;
  char *chunk;
};

static enum status no_column(const struct reading *reading, const char *name, const struct node *header,
                             struct error *error) {
  const char *names[SHEET_COLUMNS_MOST];
  size_t count = 0;
  for (uint32_t i = 0; i < header->count && count < SHEET_COLUMNS_MOST; i++) {
    const char *text = arena_text(reading->batch->arena, header->children[i].name);
    if (text == NULL) {
      return error_memory(error);
    }
    names[count++] = text;
  }
  error_set(error, ERR_CONFIG, _("there is no column \"%s\""), name);
  error_place(error, "%s", reading->file->path);
  const char *nearest = text_nearest(slice_of(name), names, count);
  if (nearest != NULL) {
    error_hint(error, _("did you mean \"%s\"?"), nearest);
  } else {
    error_hint(error, _("`puente link --suggest FILE` shows the columns of a file"));
  }
  return ERR_CONFIG;
}

/* `name` NULL: none is wanted. */
static enum status find_column(const struct reading *reading, const char *name, const struct node *header,
                               uint32_t *position, struct error *error) {
  *position = LINK_MISSING;
  for (uint32_t i = 0; name != NULL && i < header->count; i++) {
    if (!slice_is(header->children[i].name, name)) {
      continue;
    }
    if (*position != LINK_MISSING) {
      error_set(error, ERR_CONFIG, _("the header has two columns \"%s\""), name);
      error_place(error, "%s", reading->file->path);
      return ERR_CONFIG;
    }
    *position = i;
  }
  return name == NULL || *position != LINK_MISSING ? OK : no_column(reading, name, header, error);
}

static enum status make_columns(struct reading *reading, const struct node *header, struct error *error) {
  struct sheet *sheet = reading->sheet;
  const struct sheet_options *options = reading->options;
  size_t count = options->columns != NULL ? options->column_count : header->count;
  if (count > SHEET_COLUMNS_MOST) {
    return error_set(error, ERR_LIMIT, _("the header has more than %d columns"), SHEET_COLUMNS_MOST);
  }
  sheet->columns = arena_array(sheet->arena, count + 1, sizeof *sheet->columns);
  sheet->missing = arena_array(sheet->arena, count + 1, sizeof *sheet->missing);
  reading->fields = arena_array(sheet->arena, count + 1, sizeof *reading->fields);
  if (sheet->columns == NULL || sheet->missing == NULL || reading->fields == NULL) {
    return error_memory(error);
  }
  for (size_t i = 0; i < 2; i++) {
    reading->batches[i].texts = arena_array(sheet->arena, (count + 1) * BATCH, sizeof(struct slice));
    if (reading->batches[i].texts == NULL) {
      return error_memory(error);
    }
  }
  for (; sheet->column_count < count; sheet->column_count++) {
    struct link_column *column = &sheet->columns[sheet->column_count];
    struct slice name = options->columns != NULL ? slice_of(options->columns[sheet->column_count])
                                                 : header->children[sheet->column_count].name;
    column->name = arena_text(sheet->arena, name);
    column->dictionary = map_new();
    if (column->name == NULL || column->dictionary == NULL) {
      map_free(column->dictionary);
      return error_memory(error);
    }
  }
  return OK;
}

/* The first record's names say where the wanted columns stand in this file. */
static enum status take_header(struct reading *reading, const struct node *header, struct error *error) {
  const struct sheet_options *options = reading->options;
  struct sheet *sheet = reading->sheet;
  enum status status = sheet->columns == NULL ? make_columns(reading, header, error) : OK;
  for (size_t i = 0; status == OK && i < sheet->column_count; i++) {
    status = find_column(reading, sheet->columns[i].name, header, &reading->fields[i], error);
    if (options->truth != NULL && strcmp(options->truth, sheet->columns[i].name) == 0) {
      reading->fields[i] = LINK_MISSING; /* the method never sees it */
    }
  }
  if (status == OK) {
    status = find_column(reading, options->id, header, &reading->id, error);
  }
  if (status == OK) {
    status = find_column(reading, options->truth, header, &reading->truth, error);
  }
  return status != OK ? status : find_column(reading, options->among, header, &reading->among, error);
}

static bool grow(void **array, size_t capacity, size_t size) {
  void *grown = realloc(*array, capacity * size);
  if (grown == NULL) {
    return false;
  }
  *array = grown;
  return true;
}

static enum status make_room(struct reading *reading, struct error *error) {
  struct sheet *sheet = reading->sheet;
  if (sheet->count + BATCH <= sheet->capacity) {
    return OK;
  }
  if (sheet->count + BATCH > RECORDS_MOST) {
    return error_set(error, ERR_LIMIT, _("more than %zu records"), RECORDS_MOST);
  }
  if (relay_wait(reading->relay) != OK) {
    return error_memory(error);
  }
  size_t capacity = sheet->capacity == 0 ? FIRST_CAPACITY : sheet->capacity * 2;
  bool grown = grow((void **)&sheet->source, capacity, sizeof *sheet->source);
  for (size_t i = 0; grown && i < sheet->column_count; i++) {
    grown = grow((void **)&sheet->columns[i].values, capacity, sizeof *sheet->columns[i].values);
  }
  if (grown && reading->options->truth != NULL) {
    grown = grow((void **)&sheet->truth, capacity, sizeof *sheet->truth);
  }
  if (grown && reading->options->among != NULL) {
    grown = grow((void **)&sheet->among, capacity, sizeof *sheet->among);
  }
  sheet->capacity = grown ? capacity : sheet->capacity;
  return grown ? OK : error_memory(error);
}

static struct slice field_text(const struct node *record, uint32_t field) {
  return field == LINK_MISSING ? slice_none() : slice_trim(record->children[field].text);
}

/* The part of a value of the truth's column that names the entity; empty: none does. */
static struct slice entity_text(const struct reading *reading, struct slice value) {
  if (!reading->has_pattern || value.len == 0) {
    return value;
  }
  char text[TRUTH_LENGTH_MOST];
  regmatch_t groups[2];
  size_t len = value.len < sizeof text ? value.len : sizeof text - 1;
  memcpy(text, value.data, len);
  text[len] = '\0';
  if (regexec(&reading->pattern, text, 2, groups, 0) != 0) {
    return slice_none();
  }
  const regmatch_t *group = &groups[groups[1].rm_so >= 0 ? 1 : 0];
  return slice_make(value.data + group->rm_so, (size_t)(group->rm_eo - group->rm_so));
}

static uint64_t hash_text(struct slice text) {
  uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a, mixed at the end */
  for (size_t i = 0; i < text.len; i++) {
    hash = (hash ^ (unsigned char)text.data[i]) * UINT64_C(0x100000001b3);
  }
  hash = (hash ^ (hash >> 32)) * UINT64_C(0x9E3779B97F4A7C15);
  return hash == 0 ? 1 : hash;
}

static bool see(struct reading *reading, uint64_t hash) {
  size_t mask = reading->seen_slots - 1, slot = (size_t)hash & mask;
  while (reading->seen[slot] != 0 && reading->seen[slot] != hash) {
    slot = (slot + 1) & mask;
  }
  bool known = reading->seen[slot] == hash;
  reading->seen[slot] = hash;
  return known;
}

/* Counts ids that occur twice: by their hashes, since the count alone is told. */
static enum status note_id(struct reading *reading, struct slice id, struct error *error) {
  if (reading->seen_count * 4 >= reading->seen_slots * 3) {
    uint64_t *former = reading->seen;
    size_t former_slots = reading->seen_slots;
    reading->seen_slots = former_slots == 0 ? FIRST_CAPACITY : former_slots * 2;
    reading->seen = calloc(reading->seen_slots, sizeof *reading->seen);
    if (reading->seen == NULL) {
      reading->seen = former;
      return error_memory(error);
    }
    for (size_t i = 0; i < former_slots; i++) {
      if (former[i] != 0) {
        see(reading, former[i]);
      }
    }
    free(former);
  }
  bool known = see(reading, hash_text(id));
  reading->seen_count += known ? 0 : 1;
  reading->file->repeated += known ? 1 : 0;
  return OK;
}

static enum status take_id(struct reading *reading, const struct node *record, uint64_t line, struct error *error) {
  char number[24];
  struct slice id = field_text(record, reading->id);
  if (id.len == 0) {
    snprintf(number, sizeof number, "%" PRIu64, line);
    id = slice_of(number);
  } else if (note_id(reading, id, error) != OK) {
    return error->code;
  }
  return texts_add(&reading->sheet->ids, id) == OK ? OK : error_memory(error);
}

/* Column by column: a column's dictionary stays near then. */
static enum status encode(void *context, void *piece) {
  struct reading *reading = context;
  struct sheet *sheet = reading->sheet;
  const struct batch *batch = piece;
  for (size_t i = 0; i < sheet->column_count; i++) {
    struct link_column *column = &sheet->columns[i];
    const struct slice *texts = &batch->texts[i * BATCH];
    if (map_intern_all(column->dictionary, texts, batch->count, &column->values[batch->at]) != OK) {
      return ERR_MEMORY;
    }
    for (size_t k = 0; k < batch->count; k++) {
      sheet->missing[i] += texts[k].len == 0;
    }
  }
  return sheet->truth == NULL
             ? OK
             : map_intern_all(reading->entities, batch->truths, batch->count, &sheet->truth[batch->at]);
}

static enum status end_batch(struct reading *reading, struct error *error) {
  struct batch *batch = reading->batch;
  batch->at = reading->sheet->count;
  if (batch->count > 0) {
    if (relay_hand(reading->relay, batch) != OK) {
      return error_memory(error);
    }
    reading->sheet->count += batch->count;
    reading->batch = &reading->batches[batch == reading->batches];
    reading->batch->count = 0;
  }
  arena_reset(reading->batch->arena);
  return OK;
}

static enum status take_record(struct reading *reading, const struct node *record, uint64_t line, struct error *error) {
  struct sheet *sheet = reading->sheet;
  struct batch *batch = reading->batch;
  size_t place = batch->count;
  if ((place == 0 && make_room(reading, error) != OK) || take_id(reading, record, line, error) != OK) {
    return error->code;
  }
  for (size_t i = 0; i < sheet->column_count; i++) {
    batch->texts[i * BATCH + place] = field_text(record, reading->fields[i]);
  }
  batch->truths[place] = entity_text(reading, field_text(record, reading->truth));
  sheet->source[sheet->count + place] = (uint32_t)(reading->file - sheet->files);
  if (sheet->among != NULL) {
    sheet->among[sheet->count + place] = field_text(record, reading->among).len > 0;
  }
  reading->file->records++;
  return ++batch->count == BATCH ? end_batch(reading, error) : OK;
}

static void leave_out(struct sheet_file *file, uint64_t line, const char *reason) {
  if (file->unread++ == 0) {
    file->first_wrong = line;
    snprintf(file->reason, sizeof file->reason, "%.159s", reason);
  }
}

static enum status take_raw(struct reading *reading, const struct raw *raw, struct error *error) {
  const struct format *format = format_find("csv");
  struct node *record = NULL;
  if (raw->fault != RECORD_FINE) {
    leave_out(reading->file, raw->line, raw->reason);
    return OK;
  }
  bool first = reading->decoder == NULL;
  if (first && format->decoder_new(format->context(reading->splitter), &reading->decoder, error) != OK) {
    return error->code;
  }
  struct slice bytes = arena_copy(reading->batch->arena, raw->bytes); /* fields borrow from it until the batch ends */
  if (bytes.data == NULL && raw->bytes.len > 0) {
    return error_memory(error);
  }
  enum status status = format->parse(reading->decoder, bytes, reading->batch->arena, &record, error);
  if (status == ERR_INPUT) {
    leave_out(reading->file, raw->line, error->message);
    if (first) {
      format->decoder_free(reading->decoder);
      reading->decoder = NULL;
    }
    return end_batch(reading, error); /* or the bytes of broken lines would heap up */
  }
  if (status == OK && first) {
    status = take_header(reading, record, error);
  }
  return status == OK ? take_record(reading, record, raw->line, error) : status;
}

/* All records that the bytes so far hold. */
static enum status take_step(struct reading *reading, struct slice bytes, bool final, struct error *error) {
  const struct format *format = format_find("csv");
  struct raw raw;
  enum status status = format->feed(reading->splitter, bytes, final, error);
  while (status == OK && (status = format->next(reading->splitter, &raw, error)) == OK) {
    status = take_raw(reading, &raw, error);
  }
  return status == END ? OK : status;
}

static enum status io_error(const char *path, int cause, struct error *error) {
  error_set(error, cause == ENOENT ? ERR_NOT_FOUND : ERR_IO, _("cannot read the file: %s"), strerror(cause));
  error_place(error, "%s", path);
  return error->code;
}

/* As many bytes as there are, up to `most`; -1: failed. */
static ssize_t read_full(int handle, char *bytes, size_t most) {
  size_t have = 0;
  while (have < most) {
    ssize_t got = read(handle, bytes + have, most - have);
    if (got < 0 && errno != EINTR) {
      return -1;
    }
    if (got == 0) {
      break;
    }
    have += got > 0 ? (size_t)got : 0;
  }
  return (ssize_t)have;
}

/* The usual delimiter that the header has most of, so that nobody needs to say it. */
static char guess_delimiter(struct slice head) {
  static const char usual[] = {',', ';', '\t', '|'};
  size_t counts[sizeof usual] = {0}, best = 0;
  bool quoted = false;
  for (size_t i = 0; i < head.len && (quoted || (head.data[i] != '\n' && head.data[i] != '\r')); i++) {
    quoted = quoted != (head.data[i] == '"');
    for (size_t k = 0; k < sizeof usual; k++) {
      counts[k] += !quoted && head.data[i] == usual[k];
    }
  }
  for (size_t k = 1; k < sizeof usual; k++) {
    best = counts[k] > counts[best] ? k : best;
  }
  return usual[best];
}

static enum status begin_file(struct reading *reading, struct slice head, struct error *error) {
  const struct format_options options = {.encoding = reading->options->encoding, .delimiter = guess_delimiter(head)};
  return format_find("csv")->splitter_new(&options, &reading->splitter, error);
}

static void end_file(struct reading *reading) {
  const struct format *format = format_find("csv");
  if (reading->splitter != NULL) {
    format->splitter_free(reading->splitter);
  }
  if (reading->decoder != NULL) {
    format->decoder_free(reading->decoder);
  }
  free(reading->seen);
  reading->splitter = NULL;
  reading->decoder = NULL;
  reading->seen = NULL;
  reading->seen_slots = reading->seen_count = 0;
}

static enum status walk(struct reading *reading, int handle, double size, struct error *error) {
  const struct sheet_options *options = reading->options;
  double done = 0;
  for (enum status status = OK;;) {
    ssize_t got = read_full(handle, reading->chunk, STEP);
    if (got < 0) {
      return io_error(reading->file->path, errno, error);
    }
    struct slice bytes = slice_make(reading->chunk, (size_t)got);
    if (reading->splitter == NULL) {
      status = begin_file(reading, bytes, error);
    }
    if (status == OK) {
      status = take_step(reading, bytes, got < STEP, error);
    }
    if (status != OK || got < STEP) {
      return status;
    }
    done += (double)got;
    if (options->progress != NULL && !options->progress(options->context, "read", size > 0 ? done / size : 0)) {
      return error_set(error, ERR_INTERRUPTED, _("stopped"));
    }
  }
}

static enum status check_file(const struct sheet_file *file, struct error *error) {
  if (file->records > 0) {
    return OK;
  }
  if (file->unread == 0) {
    error_set(error, ERR_INPUT, _("the file holds no record"));
  } else {
    error_set(error, ERR_INPUT, _("no line of the file could be read: %s"), file->reason);
    error_place(error, _("line %" PRIu64), file->first_wrong);
  }
  return ERR_INPUT;
}

static enum status read_file(struct reading *reading, struct error *error) {
  struct stat info;
  int handle = open(reading->file->path, O_RDONLY | O_CLOEXEC);
  if (handle < 0 || fstat(handle, &info) != 0 || S_ISDIR(info.st_mode)) {
    int cause = handle >= 0 && S_ISDIR(info.st_mode) ? EISDIR : errno;
    if (handle >= 0) {
      close(handle);
    }
    return io_error(reading->file->path, cause, error);
  }
  enum status status = walk(reading, handle, (double)info.st_size, error);
  close(handle);
  if (status == OK) {
    status = end_batch(reading, error);
  }
  if (status == OK) {
    status = check_file(reading->file, error);
  }
  if (status == ERR_INPUT) { /* formats know lines and no files */
    error_place(error, "%s", reading->file->path);
  }
  end_file(reading);
  return status;
}

static enum status name_file(struct sheet *sheet, const char *path, struct error *error) {
  struct sheet_file *file = &sheet->files[sheet->file_count];
  const char *stem = folder_stem(sheet->arena, path);
  if (stem == NULL) {
    return error_memory(error);
  }
  *file = (struct sheet_file){.path = path};
  snprintf(file->name, sizeof file->name, "%s", stem);
  for (size_t i = 0; i < sheet->file_count; i++) {
    if (strcmp(sheet->files[i].name, file->name) == 0) {
      error_set(error, ERR_USAGE, _("two files have the name \"%s\""), file->name);
      error_hint(error, _("a file's name is the source of its records: rename one"));
      return ERR_USAGE;
    }
  }
  sheet->file_count++;
  return OK;
}

static enum status begin_reading(struct reading *reading, struct error *error) {
  const struct sheet_options *options = reading->options;
  struct sheet *sheet = reading->sheet;
  sheet->arena = arena_new(0);
  reading->batch = reading->batches;
  reading->batches[0].arena = arena_new(0);
  reading->batches[1].arena = arena_new(0);
  reading->relay = relay_new(encode, reading, options->threads == 1);
  reading->chunk = malloc(STEP);
  reading->entities = map_new();
  buffer_init(&sheet->ids.bytes, IDS_LIMIT);
  bool made = sheet->arena != NULL && reading->batches[0].arena != NULL && reading->batches[1].arena != NULL;
  if (!made || reading->relay == NULL || reading->chunk == NULL || reading->entities == NULL) {
    return error_memory(error);
  }
  if (options->file_count == 0 || options->file_count > SHEET_FILES_MOST) {
    return error_set(error, ERR_USAGE, _("between 1 and %d files can be read"), SHEET_FILES_MOST);
  }
  if (options->truth_pattern != NULL) {
    int wrong = regcomp(&reading->pattern, options->truth_pattern, REG_EXTENDED);
    reading->has_pattern = wrong == 0;
    if (wrong != 0) {
      char why[160];
      regerror(wrong, &reading->pattern, why, sizeof why);
      return error_set(error, ERR_CONFIG, _("the truth's \"match\" is no regular expression: %s"), why);
    }
  }
  enum status status = OK;
  for (size_t i = 0; status == OK && i < options->file_count; i++) {
    status = name_file(sheet, options->files[i], error);
  }
  return status;
}

enum status sheet_read(const struct sheet_options *options, struct sheet *sheet, struct error *error) {
  struct reading reading = {.options = options, .sheet = sheet, .id = LINK_MISSING};
  *sheet = (struct sheet){.count = 0};
  enum status status = begin_reading(&reading, error);
  for (size_t i = 0; status == OK && i < sheet->file_count; i++) {
    reading.file = &sheet->files[i];
    status = read_file(&reading, error);
  }
  if (status == OK && relay_wait(reading.relay) != OK) {
    status = error_memory(error);
  }
  relay_free(reading.relay);
  if (reading.has_pattern) {
    regfree(&reading.pattern);
  }
  arena_free(reading.batches[0].arena);
  arena_free(reading.batches[1].arena);
  map_free(reading.entities);
  free(reading.chunk);
  if (status != OK) {
    sheet_free(sheet);
  }
  return status;
}

void sheet_free(struct sheet *sheet) {
  for (size_t i = 0; i < sheet->column_count; i++) {
    free(sheet->columns[i].values);
    map_free(sheet->columns[i].dictionary);
  }
  free(sheet->source);
  free(sheet->truth);
  free(sheet->among);
  free(sheet->ids.ends);
  buffer_free(&sheet->ids.bytes);
  arena_free(sheet->arena);
  *sheet = (struct sheet){.count = 0};
}

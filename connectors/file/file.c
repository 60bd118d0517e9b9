/* The `file` connector: one file, or a drop folder. Each file is taken once, by its content: its SHA-256 is what the
 * core remembers when the last page has landed. A pass goes through the files in the order of their names; a pass that
 * was cut short simply goes through them again, since what has landed is passed over. */
#include "connectors/connector.h"
#include "connectors/file/reader.h"
#include "core/base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FILES_MOST = 100000, PROBE_SIZE = 64 << 10 };

struct file_options {
  const char *path, *pattern;
  int64_t settle, page, limit;
};

static const struct option options[] = {
    {.name = "path",
     .type = OPTION_PATH,
     .required = true,
     .description = N_("the file, or the folder into which files are dropped"),
     .offset = offsetof(struct file_options, path)},
    {.name = "pattern",
     .type = OPTION_TEXT,
     .otherwise = "*",
     .description = N_("of a folder: which names are taken, with * ? and [a-z]"),
     .offset = offsetof(struct file_options, pattern)},
    {.name = "settle",
     .type = OPTION_DURATION,
     .otherwise = "5s",
     .least = 0,
     .most = (int64_t)86400 * 1000000,
     .description =
         N_("a file that changed less than this time ago may still be written, and is left for the next run"),
     .offset = offsetof(struct file_options, settle)},
    {.name = "page",
     .type = OPTION_SIZE,
     .otherwise = "4MiB",
     .least = 4096,
     .most = 64 << 20,
     .description = N_("how much is read and landed in one transaction"),
     .offset = offsetof(struct file_options, page)},
    {.name = "limit",
     .type = OPTION_SIZE,
     .otherwise = "16GiB",
     .least = 1,
     .most = INT64_MAX,
     .description = N_("largest file, unpacked; a larger one is refused"),
     .offset = offsetof(struct file_options, limit)},
    {.name = NULL},
};

struct connection {
  const struct pull *pull;
  const struct file_options *options;
  struct arena *arena;
  const char **names; /* of the folder's files, in order; one file: its own name */
  size_t count, next;
  bool listed;
  bool folder; /* `path` is one */
  size_t unsettled;
  struct reader *reader; /* of the file under way */
  char *path;
  char digest[2 * SHA256_SIZE + 1];
  struct error problem; /* the first file that could not be taken; told when the others have been */
};

static void file_close(struct connection *connection) {
  if (connection == NULL)
    return;
  reader_close(connection->reader);
  arena_free(connection->arena);
  free(connection);
}

static enum status file_open(const struct pull *pull, struct connection **connection, struct error *error) {
  struct connection *made = calloc(1, sizeof *made);
  if (made == NULL)
    return error_memory(error);
  made->pull = pull;
  made->options = pull->options;
  made->arena = arena_new(0);
  if (made->arena == NULL) {
    free(made);
    return error_memory(error);
  }
  *connection = made;
  return OK;
}

/* ---- which files ---- */

/* Names under which programs write what is not complete yet. */
static bool is_provisional(const char *name) {
  static const char *const endings[] = {".part", ".tmp", ".filepart", ".crdownload", ".swp", "~"};
  if (*name == '.')
    return true;
  size_t len = strlen(name);
  for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
    size_t end = strlen(endings[i]);
    if (len >= end && strcmp(name + len - end, endings[i]) == 0)
      return true;
  }
  return false;
}

/* The time of the last change of content or state: unlike the modification time, a copying program cannot set it. */
static bool is_settled(const struct connection *connection, const struct stat *facts) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  int64_t age = ((int64_t)now.tv_sec - facts->st_ctim.tv_sec) * 1000000 + (now.tv_nsec - facts->st_ctim.tv_nsec) / 1000;
  return connection->options->settle == 0 || age >= connection->options->settle;
}

static int compare_names(const void *a, const void *b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static enum status add_name(struct connection *connection, const char *name, size_t *capacity, struct error *error) {
  if (connection->count == FILES_MOST) {
    error_set(error, ERR_LIMIT, _("the folder holds more than %d files"), FILES_MOST);
    error_hint(error, _("move those that were taken to another folder"));
    return ERR_LIMIT;
  }
  if (connection->count == *capacity) {
    size_t grown = *capacity == 0 ? 64 : *capacity * 2;
    const char **names = arena_array(connection->arena, grown, sizeof *names);
    if (names == NULL)
      return error_memory(error);
    if (connection->count > 0)
      memcpy(names, connection->names, connection->count * sizeof *names);
    connection->names = names;
    *capacity = grown;
  }
  const char *copy = arena_text(connection->arena, slice_of(name));
  if (copy == NULL)
    return error_memory(error);
  connection->names[connection->count++] = copy;
  return OK;
}

static enum status read_folder(struct connection *connection, DIR *folder, struct error *error) {
  size_t capacity = 0;
  struct dirent *entry;
  enum status status = OK;
  errno = 0;
  while (status == OK && (entry = readdir(folder)) != NULL) {
    struct stat facts;
    if (is_provisional(entry->d_name) || fnmatch(connection->options->pattern, entry->d_name, FNM_PERIOD) != 0
        || fstatat(dirfd(folder), entry->d_name, &facts, 0) != 0 || !S_ISREG(facts.st_mode))
      continue;
    if (!is_settled(connection, &facts))
      connection->unsettled++;
    else
      status = add_name(connection, entry->d_name, &capacity, error);
    errno = 0;
  }
  if (status == OK && errno != 0 && errno != ENOENT)
    status = error_set(error, ERR_IO, _("the folder cannot be read: %s"), strerror(errno));
  if (connection->count > 0)
    qsort(connection->names, connection->count, sizeof *connection->names, compare_names);
  return status;
}

static enum status missing(const struct connection *connection, struct error *error) {
  if (errno == EACCES) {
    error_set(error, ERR_AUTH, _("no permission to read the file or folder"));
    error_hint(error, _("let the user that runs puente read it and its folders (chmod, chown)"));
  } else if (errno == ENOENT || errno == ENOTDIR) {
    error_set(error, ERR_NOT_FOUND, _("there is no such file or folder"));
    error_hint(error, _("check \"path\", and that the folder is mounted"));
  } else {
    error_set(error, ERR_IO, _("the file or folder cannot be read: %s"), strerror(errno));
  }
  error_place(error, "%s", connection->options->path);
  return error->code;
}

static enum status list_files(struct connection *connection, struct error *error) {
  const char *path = connection->options->path;
  struct stat facts;
  if (stat(path, &facts) != 0)
    return missing(connection, error);
  connection->folder = S_ISDIR(facts.st_mode);
  if (!connection->folder) {
    const char *slash = strrchr(path, '/');
    size_t capacity = 0;
    connection->unsettled = is_settled(connection, &facts) ? 0 : 1;
    return connection->unsettled > 0 ? OK : add_name(connection, slash == NULL ? path : slash + 1, &capacity, error);
  }
  DIR *folder = opendir(path);
  if (folder == NULL)
    return missing(connection, error);
  enum status status = read_folder(connection, folder, error);
  closedir(folder);
  if (status != OK)
    error_place(error, "%s", path);
  return status;
}

static enum status begin_pass(struct connection *connection, struct error *error) {
  if (connection->listed)
    return OK;
  enum status status = list_files(connection, error);
  connection->listed = status == OK;
  if (status == OK && connection->unsettled > 0)
    log_message(LEVEL_INFO, _("source %s: left for the next run, since they changed a moment ago: %zu files"),
                connection->pull->source, connection->unsettled);
  return status;
}

/* ---- one file ---- */

static bool stopped(const struct connection *connection) {
  return connection->pull->stop != NULL && atomic_load(connection->pull->stop);
}

static enum status read_through(struct connection *connection, struct reader *reader, struct error *error) {
  const size_t size = 256 << 10;
  char *bytes = malloc(size);
  enum status status = bytes == NULL ? error_memory(error) : OK;
  int64_t total = 0;
  for (size_t got = size; status == OK && got == size; total += (int64_t)got) {
    status = reader_read(reader, bytes, size, &got, error);
    if (status == OK && stopped(connection))
      status = error_set(error, ERR_INTERRUPTED, _("stopped while the file was read"));
  }
  free(bytes);
  if (status == OK && total == 0) {
    error_set(error, ERR_INPUT, _("the file is empty"));
    error_hint(error, _("an export that failed leaves such a file: have it sent again, or remove it"));
    return ERR_INPUT;
  }
  return status == OK ? reader_digest(reader, connection->digest, error) : status;
}

/* Reads the file once through before any of it lands: so its content is known, and that it is whole. */
static enum status inspect(struct connection *connection, struct error *error) {
  struct reader *reader;
  enum status status = reader_open(connection->path, connection->options->limit, &reader, error);
  if (status != OK)
    return status;
  status = read_through(connection, reader, error);
  reader_close(reader);
  return status;
}

static const char *name_of(const struct connection *connection) {
  return connection->names[connection->next - 1];
}

/* Of a folder, each content is taken once. One file is written anew in its place: where it goes back to a former
 * content, that is what holds now, and it is taken again. */
static enum status is_known(const struct connection *connection, bool *known, struct error *error) {
  const struct pull *pull = connection->pull;
  bool last = !connection->folder && pull->remembers_last != NULL;
  *known = false;
  if (pull->remembers == NULL)
    return OK;
  return (last ? pull->remembers_last : pull->remembers)(pull->core, connection->digest, known, error);
}

static enum status set_path(struct connection *connection, struct error *error) {
  struct stat facts;
  const char *path = connection->options->path;
  bool folder = stat(path, &facts) == 0 && S_ISDIR(facts.st_mode);
  connection->path = folder ? arena_printf(connection->arena, "%s/%s", path, name_of(connection))
                            : arena_text(connection->arena, slice_of(path));
  return connection->path == NULL ? error_memory(error) : OK;
}

static bool stops_all(enum status status) {
  return status == ERR_MEMORY || status == ERR_INTERRUPTED;
}

/* Opens the next file that is new; END when there is none. A file that cannot be taken does not keep the others
 * waiting: its error is told at the end. */
static enum status next_file(struct connection *connection, struct error *error) {
  while (connection->next < connection->count) {
    connection->next++;
    bool known = false;
    enum status status = set_path(connection, error);
    if (status == OK)
      status = inspect(connection, error);
    if (status == OK)
      status = is_known(connection, &known, error);
    if (status == OK && known)
      continue;
    if (status == OK)
      status = reader_open(connection->path, connection->options->limit, &connection->reader, error);
    if (status == OK)
      return OK;
    error_place(error, "%s", connection->path);
    if (stops_all(status))
      return status;
    if (connection->problem.code == OK)
      connection->problem = *error;
    else
      log_error(LEVEL_WARNING, error);
  }
  if (connection->problem.code == OK)
    return END;
  *error = connection->problem;
  return error->code;
}

/* What was landed must be what was inspected. */
static enum status check_unchanged(struct connection *connection, struct error *error) {
  char digest[2 * SHA256_SIZE + 1];
  enum status status = reader_digest(connection->reader, digest, error);
  if (status != OK || strcmp(digest, connection->digest) == 0)
    return status;
  error_set(error, ERR_NETWORK, _("the file changed while it was read"));
  error_hint(error, _("write it under another name and rename it when it is complete, or raise \"settle\""));
  return ERR_NETWORK;
}

static enum status fill_page(struct connection *connection, struct page *page, struct error *error) {
  size_t size = (size_t)connection->options->page, got = 0;
  if (size > page->bytes.limit)
    size = page->bytes.limit;
  buffer_reserve(&page->bytes, size);
  enum status status = buffer_check(&page->bytes, _("page"), error);
  if (status == OK)
    status = reader_read(connection->reader, page->bytes.data, size, &got, error);
  if (status != OK)
    return status;
  page->bytes.len = got;
  page->bytes.data[got] = '\0';
  page->ends = got < size;
  if (!page->ends)
    return OK;
  status = check_unchanged(connection, error);
  buffer_text(&page->memory, connection->digest);
  reader_close(connection->reader);
  connection->reader = NULL;
  return status;
}

static enum status file_next(struct connection *connection, struct page *page, struct error *error) {
  enum status status = begin_pass(connection, error);
  if (status == OK && connection->reader == NULL) {
    status = next_file(connection, error);
    page->begins = status == OK;
  }
  if (status != OK)
    return status;
  status = fill_page(connection, page, error);
  if (status != OK) {
    error_place(error, "%s", connection->path);
    return status;
  }
  buffer_text(&page->origin, name_of(connection));
  buffer_text(&page->cursor, "{\"file\":");
  buffer_json(&page->cursor, slice_of(name_of(connection)));
  buffer_char(&page->cursor, '}');
  return buffer_check(&page->cursor, _("cursor"), error);
}

/* ---- check --live ---- */

static enum status probe_files(struct connection *connection, probe_report *report, void *context, struct page *first,
                               struct error *error) {
  char words[160];
  enum status status = list_files(connection, error);
  if (status != OK) {
    report(context, status == ERR_AUTH ? "permission" : "folder", status, error->message);
    return status;
  }
  snprintf(words, sizeof words, _("files ready: %zu; changed a moment ago: %zu"), connection->count,
           connection->unsettled);
  report(context, "folder", OK, words);
  if (connection->count == 0)
    return OK;
  connection->next = 1;
  status = set_path(connection, error);
  if (status == OK)
    status = reader_open(connection->path, connection->options->limit, &connection->reader, error);
  size_t got = 0;
  if (status == OK && buffer_reserve(&first->bytes, PROBE_SIZE) != OK)
    status = error_memory(error);
  if (status == OK)
    status = reader_read(connection->reader, first->bytes.data, PROBE_SIZE, &got, error);
  if (status == OK && got == 0)
    status = error_set(error, ERR_INPUT, _("the file is empty"));
  if (status != OK)
    error_place(error, "%s", connection->path);
  report(context, "permission", status, status == OK ? _("the first file can be read") : error->message);
  if (status == OK)
    report(context, "record", OK, _("the beginning of the first file was read"));
  first->bytes.len = got;
  if (first->bytes.data != NULL)
    first->bytes.data[got] = '\0';
  first->begins = true;
  first->ends = got < PROBE_SIZE;
  if (status == OK)
    buffer_text(&first->origin, name_of(connection));
  return status;
}

static enum status file_probe(const struct pull *pull, probe_report *report, void *context, struct page *first,
                              struct error *error) {
  struct connection *connection = NULL;
  enum status status = file_open(pull, &connection, error);
  if (status == OK)
    status = probe_files(connection, report, context, first, error);
  file_close(connection);
  return status;
}

const struct connector connector_file = {
    .name = "file",
    .description = N_("a file or a drop folder of CSV, JSON or XML files, plain or gzip"),
    .options = options,
    .options_size = sizeof(struct file_options),
    .open = file_open,
    .next = file_next,
    .close = file_close,
    .probe = file_probe,
};

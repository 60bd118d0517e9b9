#include "core/base/digest.h"
#include "core/base/file.h"
#include "core/service/handover.h"
#include "core/service/handover_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

struct entry {
  char path[1024];
  unsigned mode;
  struct slice bytes;
};
struct reading {
  struct slice left; /* of the document */
  int line;
  struct entry *entries;
  size_t count;
};

static struct slice next_line(struct reading *reading) {
  struct slice line = reading->left;
  const char *end = line.len == 0 ? NULL : memchr(line.data, '\n', line.len);
  line.len = end == NULL ? line.len : (size_t)(end - line.data) + 1;
  reading->left = slice_make(reading->left.data + line.len, reading->left.len - line.len);
  reading->line++;
  return line;
}

static enum status wrong(const struct reading *reading, const char *path, const char *message, struct error *error) {
  error_set(error, ERR_CONFIG, "%s", message);
  error_place(error, _("line %d: %s"), reading->line, path);
  error_hint(error, "%s", _("nothing was written; take the document as `puente handover` made it"));
  return ERR_CONFIG;
}

/* A key, secret or store that somebody slips in would be used as if it were one's own. */
static bool is_own(const char *path) {
  static const char *const ends[] = {".key", ".secret", ".db", ".db-wal", ".db-journal"};
  size_t len = strlen(path);
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
    size_t end = strlen(ends[i]);
    if (len >= end && strcasecmp(path + len - end, ends[i]) == 0) {
      return true;
    }
  }
  return false;
}

/* Relative, without "." and "..", of plain characters. */
static bool is_safe(const char *path) {
  size_t len = strlen(path);
  if (len == 0 || path[0] == '/' || path[len - 1] == '/' || strstr(path, "//") != NULL) {
    return false;
  }
  for (const char *at = path; *at != '\0'; at++) {
    if ((unsigned char)*at < ' ' || *at == '\\' || *at == 0x7f) {
      return false;
    }
  }
  for (const char *part = path; part != NULL; part = strchr(part, '/')) {
    part += *part == '/';
    size_t size = strcspn(part, "/");
    if ((size == 1 && part[0] == '.') || (size == 2 && part[0] == '.' && part[1] == '.')) {
      return false;
    }
  }
  return true;
}

static bool is_fence(struct slice line, size_t *length) {
  *length = 0;
  while (*length < line.len && line.data[*length] == '`') {
    ++*length;
  }
  return *length >= 3 && *length + 1 == line.len && line.data[*length] == '\n';
}

/* The lines between two equal fences. */
static bool read_block(struct reading *reading, struct slice *bytes) {
  size_t wanted = 0, found = 0;
  if (!is_fence(next_line(reading), &wanted)) {
    return false;
  }
  *bytes = slice_make(reading->left.data, 0);
  while (reading->left.len > 0) {
    struct slice line = next_line(reading);
    if (is_fence(line, &found) && found == wanted) {
      return true;
    }
    bytes->len += line.len;
  }
  return false;
}

static enum status read_entry(struct reading *reading, const char *head, struct error *error) {
  struct entry *entry = &reading->entries[reading->count];
  size_t size = 0;
  char hex[65] = "";
  struct sha256 wanted, digest;
  if (sscanf(head, "<!-- puente-file mode=%o bytes=%zu sha256=%64[0-9a-f] path=%1000[^\n]", &entry->mode, &size, hex,
             entry->path)
          != 4
      || !hex_parse(slice_of(hex), wanted.bytes, SHA256_SIZE)) {
    return wrong(reading, "", _("the description of a file cannot be read"), error);
  }
  char *end = strstr(entry->path, " -->");
  if (end != NULL) {
    *end = '\0';
  }
  if (end == NULL || !is_safe(entry->path)) {
    return wrong(reading, entry->path, _("a path that leaves the workspace is refused"), error);
  }
  if (is_own(entry->path)) {
    return wrong(reading, entry->path, _("keys, secrets and stores do not come by a document"), error);
  }
  if (!read_block(reading, &entry->bytes)) {
    return wrong(reading, entry->path, _("the content of a file does not end"), error);
  }
  /* The line end before the fence may be the document's. */
  if (entry->bytes.len == size + 1) {
    entry->bytes.len = size;
  }
  digest = sha256_of(entry->bytes);
  if (entry->bytes.len != size || memcmp(&digest, &wanted, sizeof digest) != 0) {
    return wrong(reading, entry->path, _("the content of a file is not what its digest says"), error);
  }
  for (size_t i = 0; i < reading->count; i++) {
    if (strcmp(reading->entries[i].path, entry->path) == 0) {
      return wrong(reading, entry->path, _("a file stands twice in the document"), error);
    }
  }
  if (++reading->count > HANDOVER_FILES_MOST) {
    return error_set(error, ERR_LIMIT, _("more than %d files of configuration"), HANDOVER_FILES_MOST);
  }
  return OK;
}

static enum status read_entries(struct reading *reading, struct error *error) {
  static const char mark[] = "<!-- puente-file ";
  enum status status = OK;
  bool configured = false;
  while (reading->left.len > 0 && status == OK) {
    struct slice line = next_line(reading);
    char head[1400];
    if (line.len < sizeof mark || line.len >= sizeof head || memcmp(line.data, mark, sizeof mark - 1) != 0) {
      continue;
    }
    memcpy(head, line.data, line.len);
    head[line.len] = '\0';
    status = read_entry(reading, head, error);
    configured = configured || (status == OK && strcmp(reading->entries[reading->count - 1].path, "puente.yaml") == 0);
  }
  if (status == OK && !configured) {
    return wrong(reading, "puente.yaml", _("the document holds no configuration"), error);
  }
  return status;
}

/* ---- writing ---- */

static enum status cannot(const char *path, struct error *error) {
  int cause = errno;
  error_set(error, cause == ENOSPC || cause == EDQUOT ? ERR_FULL : ERR_IO, _("cannot write the file: %s"),
            cause == ELOOP || cause == ENOTDIR ? _("a link is in the way") : strerror(cause));
  error_place(error, "%s", path);
  return error->code;
}

/* The folder of a path below `root`, made where it is missing; links are not followed. -1 on failure. */
static int open_folder(int root, char *path) {
  int folder = dup(root);
  for (char *slash = strchr(path, '/'); slash != NULL && folder >= 0; slash = strchr(path, '/')) {
    *slash = '\0';
    int next = -1;
    if (mkdirat(folder, path, 0755) == 0 || errno == EEXIST) {
      next = openat(folder, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    int cause = errno;
    close(folder);
    errno = cause;
    folder = next;
    path = slash + 1;
  }
  return folder;
}

static enum status write_entry(int root, const struct entry *entry, struct error *error) {
  char path[sizeof entry->path];
  memcpy(path, entry->path, sizeof path);
  const char *slash = strrchr(entry->path, '/');
  int folder = open_folder(root, path);
  int file = folder < 0 ? -1
                        : openat(folder, slash == NULL ? entry->path : slash + 1,
                                 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, entry->mode & 0644);
  enum status status = file < 0 ? cannot(entry->path, error) : OK;
  for (size_t done = 0; status == OK && done < entry->bytes.len;) {
    ssize_t put = write(file, entry->bytes.data + done, entry->bytes.len - done);
    if (put < 0 && errno != EINTR) {
      status = cannot(entry->path, error);
    }
    done += put > 0 ? (size_t)put : 0;
  }
  if (status == OK && fsync(file) != 0) {
    status = cannot(entry->path, error);
  }
  if (file >= 0) {
    close(file);
  }
  if (folder >= 0) {
    close(folder);
  }
  return status;
}

/* puente.yaml last: what makes it a workspace. */
static enum status write_all(const char *folder, const struct reading *reading, struct error *error) {
  if (mkdir(folder, 0755) != 0 && errno != EEXIST) {
    return cannot(folder, error);
  }
  int root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) {
    return cannot(folder, error);
  }
  enum status status = OK;
  if (faccessat(root, "puente.yaml", F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
    status = error_set(error, ERR_CONFIG, "%s", _("there is a workspace already"));
    error_place(error, "%s", folder);
    error_hint(error, "%s", _("choose another folder; nothing was changed"));
  }
  for (int last = 0; last <= 1; last++) {
    for (size_t i = 0; i < reading->count && status == OK; i++) {
      if ((strcmp(reading->entries[i].path, "puente.yaml") == 0) == (last == 1)) {
        status = write_entry(root, &reading->entries[i], error);
      }
    }
  }
  close(root);
  return status;
}

enum status handover_found(const char *folder, const char *document, int *files, struct error *error) {
  struct buffer text;
  enum status status = file_read(document, HANDOVER_LIMIT, &text, error);
  if (status != OK) {
    return status;
  }
  struct reading reading = {.left = buffer_view(&text),
                            .entries = calloc(HANDOVER_FILES_MOST + 1, sizeof *reading.entries)};
  status = reading.entries == NULL ? error_memory(error) : read_entries(&reading, error);
  status = status == OK ? write_all(folder, &reading, error) : status;
  *files = (int)reading.count;
  free(reading.entries);
  buffer_free(&text);
  return status;
}

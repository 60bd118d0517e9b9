#include "core/service/handover.h"

#include "core/base/date.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/service/access.h"
#include "core/service/handover_files.h"
#include "core/service/overview.h"
#include "core/store/backup.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECRETS_MOST = 512 };

/* ---- secrets ---- */

struct secrets {
  const struct config *config;
  struct arena *arena;
  struct secret_place *items;
  size_t count;
};

static enum status add_secret(struct secrets *secrets, const char *where, const char *name, const char *reference,
                              struct error *error) {
  struct stat info;
  if (reference == NULL) {
    return OK;
  }
  if (secrets->count == SECRETS_MOST) {
    return error_set(error, ERR_LIMIT, _("more than %d secrets"), SECRETS_MOST);
  }
  struct secret_place *place = &secrets->items[secrets->count++];
  place->what = arena_printf(secrets->arena, "%s%s%s", where, where[0] == '\0' ? "" : ": ", name);
  place->reference = reference;
  if (strncmp(reference, "env:", 4) == 0) {
    const char *value = getenv(reference + 4);
    place->there = value != NULL && value[0] != '\0';
  } else {
    const char *path = strncmp(reference, "file:", 5) == 0 ? reference + 5 : reference;
    place->file = path_join(secrets->arena, secrets->config->folder, path);
    place->there = place->file != NULL && stat(place->file, &info) == 0;
    place->mode = place->there ? (unsigned)info.st_mode & 07777 : 0;
  }
  return place->what == NULL || (place->file == NULL && strncmp(reference, "env:", 4) != 0) ? error_memory(error) : OK;
}

/* Those that a source names freely: `secrets: {ruc: env:PIDE_RUC}`. */
static enum status add_named(struct secrets *secrets, const struct source_config *source, const struct option *option,
                             struct error *error) {
  const struct yaml *map = yaml_get(source->options_yaml, option->name);
  enum status status = OK;
  for (size_t i = 0; map != NULL && map->kind == YAML_MAP && i < map->count && status == OK; i++) {
    const struct yaml *node = &map->children[i];
    status = add_secret(secrets, source->code, node->key, node->kind == YAML_SCALAR ? node->text : NULL, error);
  }
  return status;
}

static enum status add_source(struct secrets *secrets, const struct source_config *source, struct error *error) {
  enum status status = OK;
  for (const struct option *option = source->connector->options; option->name != NULL && status == OK; option++) {
    bool key = option->type == OPTION_PATH && strcmp(option->name, "sslkey") == 0;
    if (option->type == OPTION_MAP && strcmp(option->name, "secrets") == 0) {
      status = add_named(secrets, source, option, error);
    } else if (option->type == OPTION_SECRET || key) {
      status =
          add_secret(secrets, source->code, option->name, yaml_text(source->options_yaml, option->name, NULL), error);
    }
  }
  return status;
}

enum status secrets_list(const struct config *config, struct arena *arena, struct secret_place **found, size_t *count,
                         struct error *error) {
  struct secrets secrets = {.config = config, .arena = arena};
  secrets.items = arena_array(arena, SECRETS_MOST, sizeof *secrets.items);
  if (secrets.items == NULL) {
    return error_memory(error);
  }
  enum status status = add_secret(&secrets, "", "key", config->key_file, error);
  status = status == OK ? add_secret(&secrets, "store", "password", config->store_password, error) : status;
  status = status == OK ? add_secret(&secrets, "notify", "password", config->notify.password, error) : status;
  for (size_t i = 0; i < config->notify.webhook_count && status == OK; i++) {
    status = add_secret(&secrets, "webhook", "token", config->notify.webhooks[i].token, error);
  }
  for (size_t i = 0; i < config->source_count && status == OK; i++) {
    status = add_source(&secrets, &config->sources[i], error);
  }
  *found = secrets.items;
  *count = secrets.count;
  return status;
}

/* ---- the document ---- */

/* One line of text, whatever it holds; a bar would end a cell of a table. */
static void put_line(struct buffer *out, const char *text) {
  for (; text != NULL && *text != '\0'; text++) {
    if (*text == '|' || *text == '\\') {
      buffer_char(out, '\\');
    }
    buffer_char(out, (unsigned char)*text < ' ' ? ' ' : *text);
  }
}

static void put_time(struct buffer *out, int64_t micros) {
  char text[TIMESTAMP_TEXT_SIZE];
  if (micros <= 0) {
    buffer_text(out, _("never"));
    return;
  }
  clock_format(micros, text);
  buffer_printf(out, "%.19sZ", text);
}

static void put_secrets(const struct config *config, const struct secret_place *secrets, size_t count,
                        struct buffer *out) {
  buffer_printf(out, "\n## %s\n\n%s\n\n", _("Where each secret lives"),
                _("Only where: no value is in this document. Hand them over by another way."));
  buffer_printf(out, "| %s | %s | %s | %s |\n|---|---|---|---|\n", _("secret"), _("reference"), _("there"), _("mode"));
  for (size_t i = 0; i < count; i++) {
    buffer_text(out, "| ");
    put_line(out, secrets[i].what);
    buffer_text(out, " | `");
    put_line(out, secrets[i].reference);
    buffer_printf(out, "` | %s | ", secrets[i].there ? _("yes") : _("no"));
    if (secrets[i].mode != 0) {
      buffer_printf(out, "%04o", secrets[i].mode);
    }
    buffer_text(out, " |\n");
  }
  for (size_t i = 0; i < config->source_count; i++) {
    const struct source_config *source = &config->sources[i];
    for (size_t e = 0; e < source->expiry_count; e++) {
      buffer_printf(out, "\n- %s, %s: ", source->code, source->expiries[e].what);
      buffer_text(out, _("ends on "));
      put_time(out, source->expiries[e].at);
      buffer_char(out, '\n');
    }
  }
}

static void put_contacts(const struct config *config, struct buffer *out) {
  buffer_printf(out, "\n## %s\n\n| %s | %s | %s | %s | %s |\n|---|---|---|---|---|\n", _("Sources and whom to call"),
                _("source"), _("title"), _("institution"), _("contact"), _("connector"));
  for (size_t i = 0; i < config->source_count; i++) {
    const struct source_config *source = &config->sources[i];
    const char *cells[] = {source->code, source->title, source->institution, source->contact, source->connector->name};
    for (size_t c = 0; c < sizeof cells / sizeof *cells; c++) {
      buffer_text(out, "| ");
      put_line(out, cells[c]);
      buffer_char(out, ' ');
    }
    buffer_text(out, "|\n");
  }
}

static void put_problem(const struct source_overview *source, struct buffer *out) {
  const char *lines[] = {source->message, source->place, source->hint};
  for (size_t i = 0; i < 3; i++) {
    if (lines[i] != NULL && lines[i][0] != '\0') {
      buffer_text(out, i == 0 ? "\n- " : "; ");
      if (i == 0) {
        buffer_printf(out, "**%s**: ", source->source->code);
      }
      put_line(out, lines[i]);
    }
  }
}

static void put_overview(const struct overview *overview, struct buffer *out) {
  buffer_printf(out, "\n## %s\n\n", _("How it stands"));
  if (!overview->made) {
    buffer_printf(out, "%s\n", _("There is no store yet."));
    return;
  }
  buffer_printf(out, "| %s | %s | %s | %s | %s |\n|---|---|---|---|---|\n", _("source"), _("state"),
                _("last complete sync"), _("records"), _("in quarantine"));
  for (size_t i = 0; i < overview->source_count; i++) {
    const struct source_overview *source = &overview->sources[i];
    buffer_printf(out, "| %s | %s | ", source->source->code, source->state);
    put_time(out, source->complete);
    buffer_printf(out, " | %lld | %lld |\n", (long long)source->total, (long long)source->quarantined);
  }
  buffer_printf(out, _("\nPersons: %lld. Cases: %lld. Pairs that wait for a person: %lld. Last linking: "),
                (long long)overview->persons, (long long)overview->cases, (long long)overview->review);
  put_time(out, overview->linked);
  buffer_printf(out, ".\n\n### %s\n", _("Open problems"));
  size_t before = out->len;
  for (size_t i = 0; i < overview->source_count; i++) {
    put_problem(&overview->sources[i], out);
  }
  if (overview->link_message != NULL) {
    buffer_text(out, "\n- ");
    put_line(out, overview->link_message);
  }
  buffer_printf(out, "%s\n", out->len == before ? _("\nNone is known.") : "");
}

static enum status put_copies(const struct workspace *workspace, struct buffer *out, struct error *error) {
  static const char *const notes[] = {"backup", "restore"};
  const char *titles[] = {_("Last backup that was read back"), _("Last restore, or trial of one")};
  struct buffer file;
  enum status status = OK;
  buffer_init(&file, 1 << 16);
  buffer_printf(out, "\n## %s\n\n", _("Backups"));
  for (size_t i = 0; i < 2 && status == OK && workspace->store != NULL; i++) {
    int64_t at = 0;
    status = store_noted_copy(workspace->store, notes[i], &at, &file, error);
    buffer_printf(out, "- %s: ", titles[i]);
    put_time(out, at);
    if (file.len > 0) {
      buffer_text(out, ", `");
      put_line(out, file.data);
      buffer_char(out, '`');
    }
    buffer_char(out, '\n');
  }
  buffer_free(&file);
  return status;
}

/* A fence longer than any run of its sign in the text. */
static size_t fence_for(struct slice text) {
  size_t longest = 2, run = 0;
  for (size_t i = 0; i < text.len; i++) {
    run = text.data[i] == '`' ? run + 1 : 0;
    longest = run > longest ? run : longest;
  }
  return longest + 1;
}

static void put_fence(struct buffer *out, size_t length) {
  for (size_t i = 0; i < length; i++) {
    buffer_char(out, '`');
  }
}

static enum status put_file(const struct handover_files *files, const char *path, struct buffer *out,
                            struct error *error) {
  struct stat info;
  struct buffer text;
  char hex[2 * SHA256_SIZE + 1];
  const char *full = path_join(files->arena, files->root, path);
  enum status status = full == NULL ? error_memory(error) : file_read(full, HANDOVER_FILE_LIMIT, &text, error);
  if (status != OK) {
    return status;
  }
  unsigned mode = stat(full, &info) == 0 ? (unsigned)info.st_mode & 0777 : 0644;
  struct sha256 digest = sha256_of(buffer_view(&text));
  hex_format(digest.bytes, SHA256_SIZE, hex);
  buffer_printf(out,
                "\n### `%s`\n\n%s %04o, %zu bytes, SHA-256 `%s`\n\n<!-- puente-file mode=%04o bytes=%zu sha256=%s ",
                path, _("mode"), mode, text.len, hex, mode, text.len, hex);
  buffer_printf(out, "path=%s -->\n", path);
  size_t fence = fence_for(buffer_view(&text));
  put_fence(out, fence);
  buffer_char(out, '\n');
  buffer_slice(out, buffer_view(&text));
  if (text.len == 0 || text.data[text.len - 1] != '\n') {
    buffer_char(out, '\n');
  }
  put_fence(out, fence);
  buffer_char(out, '\n');
  buffer_free(&text);
  return buffer_check(out, "document", error);
}

/* A successor would look for them in vain. */
static void put_missing(const struct handover_files *files, struct buffer *out) {
  if (files->missing_count > 0) {
    buffer_printf(out, "\n%s\n\n",
                  _("These are named by the configuration and are not there: find them, or mend what names them."));
  }
  for (size_t i = 0; i < files->missing_count; i++) {
    buffer_printf(out, "- `%s`\n", files->missing[i]);
    log_message(LEVEL_WARNING, _("the configuration names a file that is not there: %s"), files->missing[i]);
  }
}

static enum status put_files(const struct config *config, struct arena *arena, struct buffer *out,
                             struct error *error) {
  struct handover_files files;
  enum status status = handover_collect(config, arena, &files, error);
  if (status != OK) {
    return status;
  }
  buffer_printf(out, "\n## %s\n", _("Configuration"));
  if (files.outside_count > 0) {
    buffer_printf(out, "\n%s\n\n",
                  _("These lie outside the workspace, are no text, or hold a secret: carry them by hand."));
  }
  for (size_t i = 0; i < files.outside_count; i++) {
    buffer_printf(out, "- `%s`\n", files.outside[i]);
  }
  put_missing(&files, out);
  for (size_t i = 0; i < files.count && status == OK; i++) {
    status = put_file(&files, files.paths[i], out, error);
  }
  return status;
}

static void put_head(const struct config *config, int version, struct buffer *out) {
  buffer_printf(out, "# %s: ", _("Handover"));
  put_line(out, config->name);
  buffer_text(out, "\n\n");
  put_time(out, clock_now());
  buffer_printf(out, _("; puente %s, store of version %d"), PUENTE_VERSION, version);
  buffer_printf(out, ", %s.\n\n## %s\n\n", config->store == STORE_SQLITE ? "SQLite" : "PostgreSQL", _("How to go on"));
  buffer_text(out, _("1. `puente init FOLDER --from THIS_FILE` makes the configuration anew and checks its digests.\n"
                     "2. Put the key and the other secrets where the table below says, mode 0600.\n"
                     "3. `puente store restore BACKUP` puts the latest copy of the store back.\n"
                     "4. `puente check`, then `puente sync`: what came since the copy is pulled.\n"
                     "5. `puente store verify` and `puente status` show that all is well.\n"));
}

static enum status write_parts(struct workspace *workspace, struct overview *overview, struct buffer *out,
                               struct error *error) {
  struct secret_place *secrets = NULL;
  size_t count = 0;
  const struct config *config = workspace->config;
  put_head(config, workspace->store == NULL ? store_format() : store_version(workspace->store), out);
  enum status status = secrets_list(config, overview->memory, &secrets, &count, error);
  if (status == OK) {
    put_secrets(config, secrets, count, out);
    put_contacts(config, out);
    put_overview(overview, out);
    status = put_copies(workspace, out, error);
  }
  status = status == OK ? put_files(config, overview->memory, out, error) : status;
  return status == OK ? buffer_check(out, "document", error) : status;
}

enum status service_handover(const char *config_path, struct buffer *document, struct error *error) {
  struct workspace workspace;
  struct overview overview;
  enum status status = service_overview(config_path, &workspace, &overview, error);
  if (status != OK) {
    return status;
  }
  status = access_person(&workspace, error);
  status = status == OK ? write_parts(&workspace, &overview, document, error) : status;
  overview_free(&overview);
  workspace_close(&workspace);
  return status;
}

#include "core/audit/audit.h"
#include "core/base/file.h"
#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/service/workspace.h"

#include <stdio.h>
#include <string.h>

/* The configuration with what opens its store. */
static enum status options_of(const struct globals *globals, struct workspace *workspace, struct store_options *options,
                              char **password, struct error *error) {
  enum status status = workspace_open(globals->config, WORKSPACE_CONFIG, workspace, error);
  if (status != OK) {
    return status;
  }
  status = workspace_store_options(workspace, options, password, error);
  if (status != OK) {
    workspace_close(workspace);
  }
  return status;
}

static enum status init(const struct globals *globals, struct error *error) {
  struct workspace workspace;
  struct store_options options;
  char *password = NULL;
  enum status status = options_of(globals, &workspace, &options, &password, error);
  if (status != OK) {
    return status;
  }
  status = store_create(&options, error);
  if (status == OK && globals->json) {
    printf("{\"created\":true}\n");
  } else if (status == OK && !globals->quiet) {
    printf(_("made the store %s\n"), options.kind == STORE_SQLITE ? options.path : options.schema);
  }
  secret_free(password);
  workspace_close(&workspace);
  return status;
}

static void print_migrated(const struct globals *globals, int from, int to, const struct buffer *backup) {
  const char *copy = backup->len == 0 ? "" : backup->data;
  if (globals->json) {
    struct buffer name;
    buffer_init(&name, 1 << 16);
    buffer_json(&name, slice_of(copy));
    printf("{\"from\":%d,\"to\":%d,\"backup\":%s}\n", from, to, backup->len == 0 ? "null" : name.data);
    buffer_free(&name);
    return;
  }
  if (globals->quiet) {
    return;
  }
  if (backup->len == 0 && from == to) {
    printf(_("the store is of version %d already: nothing to do\n"), to);
    return;
  }
  printf(_("the store was of version %d and is of version %d now\n"), from, to);
  if (backup->len > 0) {
    printf(_("a copy of what it was: %s\n"), copy);
  }
}

static enum status migrate(const struct globals *globals, struct error *error) {
  struct workspace workspace;
  struct store_options options;
  char *password = NULL;
  int from = 0, to = 0;
  struct buffer backup;
  enum status status = options_of(globals, &workspace, &options, &password, error);
  if (status != OK) {
    return status;
  }
  buffer_init(&backup, 1 << 16);
  status = store_migrate(&options, &from, &to, &backup, error);
  if (status == OK) {
    print_migrated(globals, from, to, &backup);
  } else if (backup.len > 0) {
    fprintf(stderr, _("a copy of what it was: %s\n"), backup.data);
  }
  buffer_free(&backup);
  secret_free(password);
  workspace_close(&workspace);
  return status;
}

static enum status backup(const struct globals *globals, const char *target, struct error *error) {
  struct workspace workspace;
  enum status status = workspace_open(globals->config, WORKSPACE_READ, &workspace, error);
  if (status != OK) {
    return status;
  }
  status = store_backup(workspace.store, target, error);
  if (status == OK && globals->json) {
    struct buffer name;
    buffer_init(&name, 1 << 16);
    buffer_json(&name, slice_of(target));
    printf("{\"backup\":%s}\n", name.data == NULL ? "null" : name.data);
    buffer_free(&name);
  } else if (status == OK && !globals->quiet) {
    printf(_("copied to %s and read back; the key is not in it: keep a copy of the key file elsewhere\n"), target);
  }
  workspace_close(&workspace);
  return status;
}

static enum status verify(const struct globals *globals, struct error *error) {
  struct workspace workspace;
  struct audit_check check;
  char head[2 * SHA256_SIZE + 1];
  enum status status = workspace_open(globals->config, WORKSPACE_READ, &workspace, error);
  if (status != OK) {
    return status;
  }
  status = audit_verify(workspace.store, &check, error);
  workspace_close(&workspace);
  if (status != OK) {
    return status;
  }
  hex_format(check.head.bytes, SHA256_SIZE, head);
  if (check.first_wrong != 0) {
    error_set(error, ERR_STORE, _("the audit log was altered: %s"), check.what);
    error_place(error, _("entry %lld"), (long long)check.first_wrong);
    error_hint(error, "%s", _("keep the store as it is, compare it with the last backup, and tell the data officer"));
    return ERR_STORE;
  }
  if (globals->json) {
    printf("{\"entries\":%lld,\"head\":\"%s\"}\n", (long long)check.entries, head);
  } else {
    printf("audit ok: entries=%lld head=%s\n", (long long)check.entries, head);
  }
  return OK;
}

static int run(const struct globals *globals, int argc, char **argv) {
  const struct argument table[] = {{.name = NULL}};
  int exit_code;
  struct error error;
  enum status status;
  if (arguments_done(&command_store, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  const char *verb = argc > 1 ? argv[1] : "";
  if (strcmp(verb, "backup") == 0 ? argc != 3 : argc != 2) {
    return command_misused(&command_store, "%s",
                           strcmp(verb, "backup") == 0 ? _("backup takes one file name") : _("say what to do"));
  }
  if (strcmp(verb, "init") == 0) {
    status = init(globals, &error);
  } else if (strcmp(verb, "migrate") == 0) {
    status = migrate(globals, &error);
  } else if (strcmp(verb, "backup") == 0) {
    status = backup(globals, argv[2], &error);
  } else if (strcmp(verb, "verify") == 0) {
    status = verify(globals, &error);
  } else {
    return command_misused(&command_store, _("puente store has no %s"), verb);
  }
  return status == OK ? 0 : command_fail(&error);
}

const struct command command_store = {
    .name = "store",
    .synopsis = "init|migrate|backup FILE|verify",
    .summary = N_("make, move to a new version, copy and check the store"),
    .help = N_("  init          make the tables in an empty store; the first sync does it too\n"
               "  migrate       copy the store, then bring it to this program's version and model\n"
               "  backup FILE   an online copy, read back; PostgreSQL: pg_dump's custom format\n"
               "  verify        read the audit log and check its chain\n"
               "\n"
               "  puente store backup /media/backup/puente-2026-03-31.db\n"),
    .run = run,
};

#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/text.h"
#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/command/stop.h"
#include "core/service/backup.h"
#include "core/store/access.h"

#include <stdio.h>
#include <string.h>

struct chosen {
  const char *file, *keep;
  bool full;
};

/* The configuration with what opens its store. */
static enum status options_of(const struct globals *globals, struct workspace *workspace, struct store_options *options,
                              char **password, struct error *error) {
  enum status status = workspace_open_bare(globals->config, WORKSPACE_CONFIG, workspace, error);
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
    puts(_("`puente store rollback` goes back to it"));
  }
}

/* Whoever works through a role is shut out of what was made anew. */
static void tell_roles(bool old) {
  if (old) {
    fprintf(stderr, "%s\n", _("The roles are older than the store: run `puente access setup` again."));
  }
}

static void look_at_roles(const struct store_options *options) {
  enum roles_state state = ROLES_NONE;
  struct store *store = NULL;
  struct error ignored;
  if (store_open(options, &store, &ignored) == OK && store_roles_state(store, &state, &ignored) == OK) {
    tell_roles(state == ROLES_OLD);
  }
  store_close(store);
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
    look_at_roles(&options);
  } else if (backup.len > 0) {
    fprintf(stderr, _("a copy of what it was: %s\n"), backup.data);
    fprintf(stderr, "%s\n", _("`puente store rollback` goes back to it"));
  }
  buffer_free(&backup);
  secret_free(password);
  workspace_close(&workspace);
  return status;
}

/* ---- copies ---- */

/* How a copy was read back, in words: the difference matters on the day of a restore. */
static const char *proof_words(enum copy_proof proof) {
  switch (proof) {
  case PROOF_RESTORED:
    return _("restored for a trial, counted, its audit chain checked, and rolled back");
  case PROOF_READ:
    return _("read to its end and counted; this user may not make a schema to restore it for a trial");
  default:
    return _("opened, every page checked, counted, its audit chain checked");
  }
}

static void print_path(const char *name, const char *path) {
  struct buffer text;
  buffer_init(&text, 1 << 16);
  buffer_json(&text, slice_of(path));
  printf("\"%s\":%s", name, text.data == NULL || path[0] == '\0' ? "null" : text.data);
  buffer_free(&text);
}

static void print_backup(const struct globals *globals, const struct backup_done *done) {
  if (globals->json) {
    printf("{");
    print_path("backup", done->file.data);
    printf(",\"proof\":\"%s\",\"tables\":%lld,\"rows\":%lld,\"bytes\":%lld,\"deleted\":%d}\n", copy_proofs[done->proof],
           (long long)done->tables, (long long)done->rows, (long long)done->bytes, done->deleted);
    return;
  }
  if (globals->quiet) {
    return;
  }
  printf(_("copied to %s: %lld tables, %lld rows\n"), done->file.data, (long long)done->tables, (long long)done->rows);
  printf(_("read back: %s\n"), proof_words(done->proof));
  if (done->deleted > 0) {
    printf(_("older copies deleted: %d\n"), done->deleted);
  }
  printf(_("its SHA-256: %s.sha256; carry it along with the copy\n"), done->file.data);
  puts(_("the key is not in it: keep a copy of the key file elsewhere"));
}

/* For writing, so that the copy is noted in the store; one that cannot be written is copied all the same. */
static enum status open_to_copy(const struct globals *globals, struct workspace *workspace, struct error *error) {
  enum status status = workspace_open_bare(globals->config, WORKSPACE_READ, workspace, error);
  if (status != OK) {
    return status;
  }
  struct workspace writing;
  struct error ignored;
  if (workspace_open_bare(globals->config, WORKSPACE_WRITE, &writing, &ignored) == OK) {
    workspace_close(workspace);
    *workspace = writing;
  }
  return OK;
}

static enum status backup(const struct globals *globals, const struct chosen *chosen, struct error *error) {
  struct workspace workspace;
  struct backup_done done;
  int64_t keep = 0;
  if (chosen->keep != NULL && (!text_to_int64(slice_of(chosen->keep), &keep) || keep < 1 || keep > 10000)) {
    return error_set(error, ERR_USAGE, "%s", _("--keep: a number from 1 to 10000 is expected"));
  }
  enum status status = open_to_copy(globals, &workspace, error);
  if (status != OK) {
    return status;
  }
  const struct backup_job job = {.target = chosen->file, .keep = (int)keep, .stop = stop_flag()};
  status = service_backup(&workspace, &job, &done, error);
  if (status == OK) {
    print_backup(globals, &done);
  }
  backup_done_free(&done);
  workspace_close(&workspace);
  return status;
}

/* The copy is in its place, but not all that should follow could be done. A copy of an older version is none of it. */
static bool lacks(const struct restore_done *done) {
  return done->erased_fails || (!done->current && done->version >= store_format());
}

static void print_restored(const struct globals *globals, const char *file, const struct restore_done *done) {
  const char *aside = done->aside.len == 0 ? "" : done->aside.data;
  if (globals->json) {
    printf("{");
    print_path("restored", file);
    printf(",\"version\":%d,", done->version);
    print_path("aside", aside);
    printf(",\"opens\":%s,\"erased\":%lld,\"erased_all\":%s}\n", done->current ? "true" : "false",
           (long long)done->erased, done->erased_fails ? "false" : "true");
    return;
  }
  if (!globals->quiet) {
    printf(_("restored %s: the store is of version %d, read back and counted\n"), file, done->version);
    if (aside[0] != '\0') {
      printf(_("what was there is kept: %s\n"), aside);
    }
    if (done->erased > 0) {
      printf(_("taken out again, since it was after the copy: %lld records (`puente erase list`)\n"),
             (long long)done->erased);
    }
  }
  if (done->erased_fails) {
    fprintf(stderr, "%s\n",
            _("what was taken out after the copy is back in this store, and has to be taken out again"));
    log_error(LEVEL_ERROR, &done->erased_why);
  }
  if (!done->current && done->version < store_format()) {
    printf(_("this program does not open it as it is: %s\n"), done->why.message);
    puts(_("the puente of that version does; this one after `puente store migrate`"));
  } else if (!done->current) {
    fprintf(stderr, "%s\n", _("the copy is in its place, and this program does not open it"));
    log_error(LEVEL_ERROR, &done->why);
  }
}

/* `partly`: done, but for what it says. */
static enum status restore(const struct globals *globals, const char *file, bool *partly, struct error *error) {
  struct workspace workspace;
  struct restore_done done;
  enum status status = workspace_open_bare(globals->config, WORKSPACE_CONFIG, &workspace, error);
  if (status != OK) {
    return status;
  }
  status = service_restore(&workspace, file, &done, error);
  if (status == OK) {
    print_restored(globals, file, &done);
    tell_roles(done.roles_old);
    *partly = lacks(&done);
  }
  restore_done_free(&done);
  workspace_close(&workspace);
  return status;
}

static enum status rollback(const struct globals *globals, bool *partly, struct error *error) {
  struct workspace workspace;
  struct restore_done done;
  struct buffer file;
  enum status status = workspace_open_bare(globals->config, WORKSPACE_CONFIG, &workspace, error);
  if (status != OK) {
    return status;
  }
  buffer_init(&file, 1 << 16);
  status = service_rollback(&workspace, &file, &done, error);
  if (status == OK) {
    print_restored(globals, file.data, &done);
    tell_roles(done.roles_old);
    *partly = lacks(&done);
  }
  restore_done_free(&done);
  buffer_free(&file);
  workspace_close(&workspace);
  return status;
}

static void print_copy_verified(const char *file, const struct verify_done *done) {
  printf(_("copy ok: tables=%lld rows=%lld; %s\n"), (long long)done->tables, (long long)done->rows,
         proof_words(done->proof));
  if (done->digest) {
    printf(_("digest ok: the SHA-256 is the one in %s.sha256\n"), file);
  } else {
    printf(_("digest: there is no %s.sha256, so a value that a disk changed may go unseen\n"), file);
  }
  if (done->opened >= 0) {
    printf(_("seals ok: the key opened %lld bodies of the copy\n"), (long long)done->opened);
  } else {
    printf("%s\n", _("seals: none was tried, since the copy could not be restored to look at"));
  }
}

static void print_verified(const struct globals *globals, const char *file, const struct verify_done *done) {
  char head[2 * SHA256_SIZE + 1];
  hex_format(done->head.bytes, SHA256_SIZE, head);
  if (globals->json) {
    printf("{");
    print_path("copy", file == NULL ? "" : file);
    printf(",\"version\":%d,\"entries\":%lld,\"head\":\"%s\",\"tables\":%lld,\"rows\":%lld", done->version,
           (long long)done->entries, head, (long long)done->tables, (long long)done->rows);
    if (file == NULL) {
      printf(",\"digests\":%lld}\n", (long long)done->looked);
    } else {
      printf(",\"opened\":%lld,\"proof\":\"%s\",\"digest\":%s}\n", (long long)done->opened, copy_proofs[done->proof],
             done->digest ? "true" : "false");
    }
    return;
  }
  if (done->entries >= 0) {
    printf("audit ok: entries=%lld head=%s\n", (long long)done->entries, head);
  }
  if (file != NULL) {
    print_copy_verified(file, done);
  } else if (done->looked < 0) {
    printf(_("store ok: tables=%lld rows=%lld; without the key no digest was made anew\n"), (long long)done->tables,
           (long long)done->rows);
  } else {
    printf(_("store ok: tables=%lld rows=%lld digests=%lld\n"), (long long)done->tables, (long long)done->rows,
           (long long)done->looked);
  }
}

static enum status verify(const struct globals *globals, const struct chosen *chosen, struct error *error) {
  struct workspace workspace;
  struct verify_done done;
  enum workspace_mode mode = chosen->file == NULL ? WORKSPACE_READ : WORKSPACE_CONFIG;
  enum status status = workspace_open_bare(globals->config, mode, &workspace, error);
  if (status != OK) {
    return status;
  }
  status = chosen->file == NULL ? service_verify(&workspace, chosen->full, &done, error)
                                : service_verify_copy(&workspace, chosen->file, chosen->full, &done, error);
  if (status == OK) {
    print_verified(globals, chosen->file, &done);
  }
  workspace_close(&workspace);
  return status;
}

/* Whether a verb takes the arguments given; `least` and `most` without the verb. */
static bool takes(const char *verb, const char *name, int given, int least, int most) {
  return strcmp(verb, name) == 0 && given >= least && given <= most;
}

static int run(const struct globals *globals, int argc, char **argv) {
  struct chosen chosen = {.full = false};
  const struct argument table[] = {
      {.name = "keep", .text = &chosen.keep}, {.name = "full", .flag = &chosen.full}, {.name = NULL}};
  int exit_code;
  bool partly = false;
  struct error error;
  enum status status;
  if (arguments_done(&command_store, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  const char *verb = argc > 1 ? argv[1] : "";
  int given = argc - 2;
  chosen.file = argc > 2 ? argv[2] : NULL;
  if (takes(verb, "init", given, 0, 0)) {
    status = init(globals, &error);
  } else if (takes(verb, "migrate", given, 0, 0)) {
    status = migrate(globals, &error);
  } else if (takes(verb, "backup", given, 0, 1)) {
    status = backup(globals, &chosen, &error);
  } else if (takes(verb, "restore", given, 1, 1)) {
    status = restore(globals, chosen.file, &partly, &error);
  } else if (takes(verb, "rollback", given, 0, 0)) {
    status = rollback(globals, &partly, &error);
  } else if (takes(verb, "verify", given, 0, 1)) {
    status = verify(globals, &chosen, &error);
  } else if (strcmp(verb, "restore") == 0) {
    return command_misused(&command_store, "%s", _("restore takes one file name"));
  } else if (argc < 2) {
    return command_misused(&command_store, "%s", _("say what to do"));
  } else if (strstr(" init migrate rollback backup verify ", verb) != NULL) {
    return command_misused(&command_store, _("%s takes fewer arguments"), verb);
  } else {
    return command_misused(&command_store, _("puente store has no %s"), verb);
  }
  return status != OK ? command_fail(&error) : partly ? 3 : 0;
}

const struct command command_store = {
    .name = "store",
    .synopsis = "init|migrate|rollback|backup [FILE|FOLDER]|restore FILE|verify [FILE]",
    .summary = N_("make, move to a new version, copy, restore and check the store"),
    .help =
        N_("  init                   make the tables in an empty store; the first sync does it too\n"
           "  migrate                copy the store, then bring it to this program's version and model\n"
           "  rollback               back to the copy that the last migrate made, also after one that failed\n"
           "  backup [FILE|FOLDER]   a copy while others work, read back whole before it gets its name; into a\n"
           "                         folder (default: backups/) under a name of its own\n"
           "    --keep N             in a folder: the newest N stay\n"
           "  restore FILE           put a copy in the store's place; what was there is kept under a dated name\n"
           "  verify [FILE]          check the store: files, persons and cases, audit chain, digests of records;\n"
           "                         of a FILE: whether it could be restored, and the key opens what is sealed in it\n"
           "    --full               all records and sealed bodies, not a sample\n"
           "\n"
           "  puente store backup /media/backup/\n"
           "  puente store restore /media/backup/observatorio-2026-03-31T020000Z.db\n"),
    .run = run,
};

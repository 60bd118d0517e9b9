#include "core/base/date.h"
#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/command/stop.h"
#include "core/service/access.h"
#include "core/service/escrow.h"
#include "core/service/rewrap.h"
#include "core/service/rotation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum status print_key(void *context, const struct data_key *key, struct error *error) {
  char made[TIMESTAMP_TEXT_SIZE], retired[TIMESTAMP_TEXT_SIZE] = "";
  const bool *json = context;
  (void)error;
  clock_format(key->made, made);
  if (key->retired != 0) {
    clock_format(key->retired, retired);
  }
  if (*json) {
    printf("{\"key\":%lld,\"purpose\":\"%s\",\"made\":\"%s\",\"retired\":\"%s\",\"present\":%s}\n", (long long)key->id,
           key->purpose, made, retired, key->present ? "true" : "false");
    return OK;
  }
  const char *state = strcmp(key->purpose, "digest") == 0 ? _("root of digests")
                      : key->present                      ? _("seals what is written")
                      : key->retired != 0                 ? _("retired")
                                                          : _("opens what is left");
  printf("%6lld  %-7s  %s  %s %s\n", (long long)key->id, key->purpose, made, state, retired);
  return OK;
}

static enum status list(const struct globals *globals, struct error *error) {
  struct workspace workspace;
  bool json = globals->json;
  enum status status = workspace_open_bare(globals->config, WORKSPACE_READ, &workspace, error);
  if (status != OK) {
    return status;
  }
  status = access_require(&workspace, RIGHT_KEYS, error);
  status = status == OK ? store_visit_data_keys(workspace.store, print_key, &json, error) : status;
  workspace_close(&workspace);
  return status;
}

static enum status rotate(const struct globals *globals, bool resume, struct error *error) {
  struct workspace workspace;
  struct rotation_done done;
  const struct workspace_opening opening = {
      .path = globals->config, .mode = WORKSPACE_WRITE, .bare = true, .stop = stop_flag()};
  enum status status = workspace_open_as(&opening, &workspace, error);
  if (status != OK) {
    return status;
  }
  status = service_rotate(&workspace, resume, stop_flag(), &done, error);
  if (status == OK && globals->json) {
    printf("{\"sealed\":%lld,\"retired\":%lld}\n", (long long)done.sealed, (long long)done.retired);
  } else if (status == OK) {
    printf(_("sealed again: %lld, keys retired: %lld\n"), (long long)done.sealed, (long long)done.retired);
  }
  workspace_close(&workspace);
  return status;
}

static enum status replace(const struct globals *globals, struct error *error) {
  struct workspace workspace;
  struct replaced_key replaced;
  const struct workspace_opening opening = {
      .path = globals->config, .mode = WORKSPACE_WRITE, .bare = true, .stop = stop_flag()};
  enum status status = workspace_open_as(&opening, &workspace, error);
  if (status != OK) {
    return status;
  }
  status = service_replace_key(&workspace, &replaced, error);
  if (status == OK && globals->json) {
    printf("{\"replaced\":true}\n");
  } else if (status == OK) {
    printf("%s", _("the workspace's key was replaced: its file and the store have the new one\n"));
    if (replaced.former[0] != '\0') {
      printf(_("the former one is %s: it opens copies of before, and nothing else opens them\n"), replaced.former);
    }
    printf("%s",
           _("shares of before give the former key: split the new one for its holders, `puente key split FOLDER`\n"));
  }
  workspace_close(&workspace);
  return status;
}

static bool read_count(const char *text, int *count) {
  char *end = NULL;
  long number = strtol(text, &end, 10);
  *count = (int)number;
  return end != text && *end == '\0' && number >= 2 && number <= SHARES_MOST;
}

struct chosen {
  const char *shares, *needed, *institution, *reason;
  bool resume, workspace_key;
};

static enum status split(const struct globals *globals, const struct chosen *chosen, const char *folder,
                         struct error *error) {
  struct workspace workspace;
  int shares = 3, needed = 2;
  if ((chosen->shares != NULL && !read_count(chosen->shares, &shares))
      || (chosen->needed != NULL && !read_count(chosen->needed, &needed))) {
    return error_set(error, ERR_USAGE, _("--shares and --needed take a number from 2 to %d"), SHARES_MOST);
  }
  enum status status = workspace_open_bare(globals->config, WORKSPACE_WRITE, &workspace, error);
  if (status != OK) {
    return status;
  }
  status = service_split_key(&workspace, folder, shares, needed, error);
  if (status == OK && globals->json) {
    printf("{\"shares\":%d,\"needed\":%d}\n", shares, needed);
  } else if (status == OK) {
    printf(_("%d shares were written; any %d of them give the key back\n"
             "give each to another holder, on paper or on a medium, and delete the files here\n"),
           shares, needed);
  }
  workspace_close(&workspace);
  return status;
}

static enum status join(const struct globals *globals, char **files, size_t count, struct error *error) {
  struct workspace workspace;
  bool asked = false;
  enum status status = workspace_open_bare(globals->config, WORKSPACE_CONFIG, &workspace, error);
  if (status != OK) {
    return status;
  }
  const char *out = files[count - 1];
  status = service_join_key(&workspace, files, count - 1, out, &asked, error);
  if (status == OK && globals->json) {
    printf("{\"store\":%s}\n", asked ? "true" : "false");
  } else if (status == OK) {
    printf(asked ? _("the key was written to %s; it opens the store\n")
                 : _("the key was written to %s; no store was there to try it on\n"),
           out);
  }
  workspace_close(&workspace);
  return status;
}

static const char *tried(bool known, bool fits) {
  return !known ? _("not tried") : fits ? _("fits") : _("DOES NOT FIT");
}

static void print_check(const struct globals *globals, const struct escrow_check *check) {
  const char *const json[] = {"null", "false", "true"};
  if (globals->json) {
    printf("{\"given\":%zu,\"needed\":%d,\"shares\":%d,\"date\":\"%s\",\"joined\":%s,\"file\":%s,\"store\":%s}\n",
           check->given, check->first.needed, check->first.shares, check->first.date, check->enough ? "true" : "false",
           json[check->file_known + (check->file_known && check->file)],
           json[check->store_known + (check->store_known && check->store)]);
    return;
  }
  printf(_("shares of the key of \"%s\", split on %s: %zu given, %d needed of %d\n"), check->first.workspace,
         check->first.date, check->given, check->first.needed, check->first.shares);
  printf(_("joined in memory:    %s\n"), check->enough ? _("they give the key") : _("too few to try"));
  printf(_("key file here:       %s\n"), tried(check->file_known, check->file));
  printf(_("store:               %s\n"), tried(check->store_known, check->store));
}

static enum status check_shares(const struct globals *globals, char **files, size_t count, struct error *error) {
  struct workspace workspace;
  struct escrow_check check;
  enum status status = workspace_open_bare(globals->config, WORKSPACE_CONFIG, &workspace, error);
  if (status != OK) {
    return status;
  }
  status = service_check_shares(&workspace, files, count, &check, error);
  if (status == OK || check.enough) {
    print_check(globals, &check);
  }
  if (status == OK && ((check.file_known && !check.file) || (check.store_known && !check.store))) {
    status = error_set(error, ERR_CONFIG, "%s", _("these shares are of another key than this workspace's"));
    error_hint(error, "%s", _("split the present key: `puente key split FOLDER`, and give the new shares out"));
  }
  workspace_close(&workspace);
  return status;
}

static enum status linkage(const struct globals *globals, const struct chosen *chosen, const char *path,
                           struct error *error) {
  struct workspace workspace;
  char mark[LINKAGE_MARK + 1];
  const struct linkage_gift gift = {.path = path, .institution = chosen->institution, .reason = chosen->reason};
  if (gift.institution == NULL || gift.institution[0] == '\0' || gift.reason == NULL || gift.reason[0] == '\0') {
    error_set(error, ERR_USAGE, "%s", _("--for INSTITUTION and --reason TEXT are needed"));
    error_hint(error, "%s", _("the log keeps who was given the linkage key, and why"));
    return ERR_USAGE;
  }
  enum status status = workspace_open_bare(globals->config, WORKSPACE_WRITE, &workspace, error);
  if (status != OK) {
    return status;
  }
  status = service_give_linkage_key(&workspace, &gift, mark, error);
  if (status == OK && globals->json) {
    printf("{\"key\":\"%s\"}\n", mark);
  } else if (status == OK) {
    printf(_("linkage key %s was written to %s\n"
             "give it to the institution by a way of its own, and delete the file here\n"),
           mark, path);
  }
  workspace_close(&workspace);
  return status;
}

struct arguments {
  char **items; /* after the verb */
  size_t count;
};

static enum status run_list(const struct globals *globals, const struct chosen *chosen, const struct arguments *rest,
                            struct error *error) {
  (void)chosen;
  (void)rest;
  return list(globals, error);
}

static enum status run_rotate(const struct globals *globals, const struct chosen *chosen, const struct arguments *rest,
                              struct error *error) {
  (void)rest;
  return chosen->workspace_key ? replace(globals, error) : rotate(globals, chosen->resume, error);
}

static enum status run_split(const struct globals *globals, const struct chosen *chosen, const struct arguments *rest,
                             struct error *error) {
  return split(globals, chosen, rest->items[0], error);
}

static enum status run_join(const struct globals *globals, const struct chosen *chosen, const struct arguments *rest,
                            struct error *error) {
  (void)chosen;
  return join(globals, rest->items, rest->count, error);
}

static enum status run_check(const struct globals *globals, const struct chosen *chosen, const struct arguments *rest,
                             struct error *error) {
  (void)chosen;
  return check_shares(globals, rest->items, rest->count, error);
}

static enum status run_linkage(const struct globals *globals, const struct chosen *chosen, const struct arguments *rest,
                               struct error *error) {
  return linkage(globals, chosen, rest->items[0], error);
}

static const struct verb {
  const char *name;
  size_t least, most; /* arguments after it */
  enum status (*run)(const struct globals *globals, const struct chosen *chosen, const struct arguments *rest,
                     struct error *error);
} VERBS[] = {{"list", 0, 0, run_list},        {"rotate", 0, 0, run_rotate},      {"split", 1, 1, run_split},
             {"join", 2, SIZE_MAX, run_join}, {"check", 1, SIZE_MAX, run_check}, {"linkage", 1, 1, run_linkage}};

static int run(const struct globals *globals, int argc, char **argv) {
  struct chosen chosen = {.shares = NULL};
  const struct argument table[] = {{.name = "resume", .flag = &chosen.resume},
                                   {.name = "workspace-key", .flag = &chosen.workspace_key},
                                   {.name = "shares", .text = &chosen.shares},
                                   {.name = "needed", .text = &chosen.needed},
                                   {.name = "for", .text = &chosen.institution},
                                   {.name = "reason", .text = &chosen.reason},
                                   {.name = NULL}};
  int exit_code = 0;
  struct error error;
  if (arguments_done(&command_key, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  const struct arguments rest = {.items = argv + 2, .count = argc > 2 ? (size_t)argc - 2 : 0};
  for (size_t i = 0; i < sizeof VERBS / sizeof *VERBS && argc > 1; i++) {
    const struct verb *verb = &VERBS[i];
    if (strcmp(argv[1], verb->name) == 0 && rest.count >= verb->least && rest.count <= verb->most) {
      return verb->run(globals, &chosen, &rest, &error) == OK ? 0 : command_fail(&error);
    }
  }
  return command_misused(
      &command_key, "%s",
      _("list, rotate, split FOLDER, join SHARE SHARE OUT, check SHARE or linkage FILE is expected"));
}

const struct command command_key = {
    .name = "key",
    .synopsis = "list|rotate|split FOLDER|join SHARE… OUT|check SHARE…|linkage FILE",
    .summary = N_("the keys that identities and landed bytes are sealed under; their rotation and escrow"),
    .help =
        N_("  list               the data keys, and which one seals what is written\n"
           "  rotate             make a new data key, seal with it what was sealed before, and retire the old ones;\n"
           "                     with PostgreSQL syncs go on; with SQLite they take turns\n"
           "    --resume         go on with a rotation that was interrupted, without a new key\n"
           "    --workspace-key  make a new key file instead, which opens the same data keys; others go on; asked for\n"
           "                     again where it was interrupted, it goes on\n"
           "  split FOLDER       split the workspace's key into shares for holders, a file each\n"
           "    --shares N       how many (3)\n"
           "    --needed M       how many of them give the key back (2)\n"
           "  join SHARE… OUT    put the key back into the new file OUT; the store is asked whether it is its own\n"
           "  check SHARE…       what shares are of; enough of them are joined in memory and tried on the store\n"
           "  linkage FILE       write the key of name codes alone to a new file, for an institution that encodes its\n"
           "                     own names with `puente encode`; it opens no store\n"
           "    --for WHOM       which institution it is for\n"
           "    --reason TEXT    why; both stand in the log\n\n"
           "Examples:\n"
           "  puente key rotate\n"
           "  puente key rotate --workspace-key\n"
           "  puente key split --shares 3 --needed 2 /media/shares\n"
           "  puente key join share-1-of-3.txt share-3-of-3.txt puente.key"),
    .run = run,
};

#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/command/moment.h"
#include "core/command/table.h"
#include "core/service/granting.h"

#include <stdio.h>

static enum status list_one(void *context, const struct granted *granted, struct error *error) {
  struct table *table = context;
  char since[MOMENT_SIZE], ended[MOMENT_SIZE];
  (void)error;
  table_text(table, granted->login);
  table_text(table, role_name(granted->role));
  table_text(table, granted->institution);
  table_text(table, granted->region);
  table_text(table, moment_text(granted->since, since));
  table_text(table, granted->ended == 0 ? NULL : moment_text(granted->ended, ended));
  table_text(table, granted->granted_by);
  return OK;
}

static enum status list(const struct globals *globals, struct workspace *workspace, struct error *error) {
  const struct table_column columns[] = {{.name = "login", .title = _("login")},
                                         {.name = "role", .title = _("role")},
                                         {.name = "institution", .title = _("institution")},
                                         {.name = "region", .title = _("region")},
                                         {.name = "since", .title = _("since")},
                                         {.name = "ended", .title = _("until")},
                                         {.name = "granted_by", .title = _("granted by")}};
  enum roles_state state = ROLES_NONE;
  enum status status = store_roles_state(workspace->store, &state, error);
  struct table *table = status == OK ? table_new(columns, sizeof columns / sizeof *columns) : NULL;
  if (status == OK) {
    status = table == NULL ? error_memory(error) : granting_visit(workspace, list_one, table, error);
  }
  if (status == OK && state != ROLES_STAND) {
    table_note(table, "%s",
               state == ROLES_NONE ? _("The store has no roles yet: `puente access setup` makes them.")
                                   : _("The roles are older than the store: run `puente access setup` again."));
  }
  status = status == OK ? table_print(table, stdout, globals->json ? TABLE_JSON : TABLE_TEXT, error) : status;
  table_free(table);
  return status;
}

struct request {
  const char *verb, *login, *role;
  struct granted granted;
};

static enum status act(const struct globals *globals, struct workspace *workspace, struct request *request,
                       struct error *error) {
  enum status status = OK;
  if (request->role != NULL) {
    status = role_parse(request->role, &request->granted.role, error);
  }
  if (status != OK) {
    return status;
  }
  request->granted.login = request->login;
  bool quiet = globals->quiet || globals->json;
  if (strcmp(request->verb, "list") == 0) {
    return list(globals, workspace, error);
  }
  if (strcmp(request->verb, "setup") == 0) {
    status = granting_setup(workspace, error);
    if (status == OK && !quiet) {
      puts(_("roles are made; grant them by `puente access grant LOGIN ROLE`"));
    }
    return status;
  }
  if (strcmp(request->verb, "grant") == 0) {
    status = granting_grant(workspace, &request->granted, error);
    if (status == OK && !quiet) {
      printf(_("%s has the role %s now\n"), request->login, request->role);
    }
    return status;
  }
  status = granting_revoke(workspace, request->login, request->granted.role, error);
  if (status == OK && !quiet) {
    printf(_("%s has the role %s no more\n"), request->login, request->role);
  }
  return status;
}

static bool is_known(const char *verb, int argc) {
  bool alone = strcmp(verb, "setup") == 0 || strcmp(verb, "list") == 0;
  bool named = strcmp(verb, "grant") == 0 || strcmp(verb, "revoke") == 0;
  return (alone && argc <= 2) || (named && argc == 4);
}

static int run(const struct globals *globals, int argc, char **argv) {
  struct request request = {.verb = NULL};
  const struct argument table[] = {{.name = "institution", .text = &request.granted.institution},
                                   {.name = "region", .text = &request.granted.region},
                                   {.name = NULL}};
  int exit_code = 0;
  if (arguments_done(&command_access, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  request.verb = argc > 1 ? argv[1] : "list";
  if (!is_known(request.verb, argc)) {
    return command_misused(&command_access, "%s", _("setup, grant LOGIN ROLE, revoke LOGIN ROLE or list is expected"));
  }
  if (argc == 4) {
    request.login = argv[2];
    request.role = argv[3];
  }
  struct workspace workspace;
  struct error error;
  enum workspace_mode mode = strcmp(request.verb, "list") == 0 ? WORKSPACE_READ : WORKSPACE_WRITE;
  if (workspace_open(globals->config, mode, &workspace, &error) != OK) {
    return command_fail(&error);
  }
  enum status status = act(globals, &workspace, &request, &error);
  workspace_close(&workspace);
  return status == OK ? 0 : command_fail(&error);
}

const struct command command_access = {
    .name = "access",
    .synopsis = "setup | grant LOGIN ROLE [--institution CODE] [--region CODE] | revoke LOGIN ROLE | list",
    .summary = N_("say who may see what: roles that PostgreSQL itself keeps"),
    .help = N_("  setup                make the roles, their views and policies; again after `puente store migrate`\n"
               "                       and after a restore. What was granted stays\n"
               "  grant LOGIN ROLE     give a login of the database a role:\n"
               "                         operator  status, runs, quarantine by shapes; no value of a person\n"
               "                         analyst   what was released, and nothing else\n"
               "                         officer   identified rows of one institution, each sight with its purpose\n"
               "                         auditor   the log and lineage, values masked\n"
               "                         keys      the register of keys\n"
               "    --institution CODE an officer's institution: PE/MP\n"
               "    --region CODE      and region: the beginning of the place's code, 15 or 1501\n"
               "  revoke LOGIN ROLE    take it away\n"
               "  list                 who has which role, and who had\n\n"
               "Each change is in the audit log. docs/roles.md has the matrix. Example:\n"
               "  puente access grant ana officer --institution PE/MP --region 15"),
    .run = run,
};

/* THE TABLE OF COMMANDS. A new one is a file here, a line below, and a row in commands.c. */
#ifndef PUENTE_COMMAND_COMMANDS_H
#define PUENTE_COMMAND_COMMANDS_H

#include "core/command/command.h"

/* NULL-terminated, in the order that help shows. */
const struct command *const *command_table(void);
/* ERR_USAGE with the nearest name as the hint. */
enum status command_lookup(const char *name, const struct command **command, struct error *error) MUST_CHECK;

extern const struct command command_access;
extern const struct command command_audit;
extern const struct command command_check;
extern const struct command command_codelist;
extern const struct command command_connectors;
extern const struct command command_drift;
extern const struct command command_encode;
extern const struct command command_erase;
extern const struct command command_explain;
extern const struct command command_export;
extern const struct command command_handover;
extern const struct command command_help;
extern const struct command command_init;
extern const struct command command_key;
extern const struct command command_link;
extern const struct command command_map;
extern const struct command command_notify;
extern const struct command command_quarantine;
extern const struct command command_query;
extern const struct command command_release;
extern const struct command command_remap;
extern const struct command command_report;
extern const struct command command_review;
extern const struct command command_approve;
extern const struct command command_run;
extern const struct command command_serve;
extern const struct command command_status;
extern const struct command command_store;
extern const struct command command_sync;
extern const struct command command_version;

#endif

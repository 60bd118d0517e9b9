/* What the readers of puente.yaml's parts share. Internal to core/config*.c. */
#ifndef PUENTE_CONFIG_PARTS_H
#define PUENTE_CONFIG_PARTS_H

#include "core/config.h"

/* ERR_CONFIG with the nearest code as the hint; the caller sets the place. */
enum status config_unknown_source(const struct config *config, const char *code, struct error *error);
/* "manual" or a cron expression into `table`, whose zone, jitter and blackout stay. Untouched where `node` is NULL. */
enum status config_timetable(const struct yaml *node, struct timetable *table, struct error *error) MUST_CHECK;
/* A secret by reference: env:NAME or file:PATH. Untouched where the key is absent. */
enum status config_reference(const struct yaml *map, const char *key, const char **reference,
                             struct error *error) MUST_CHECK;
/* One text; ERR_CONFIG where it is a list or a map, or empty. Untouched where the key is absent. */
enum status config_text(const struct yaml *map, const char *key, const char **text, struct error *error) MUST_CHECK;
extern const char *const config_approval_keys[];
enum status config_approval_read(const struct yaml *block, struct config *config, struct error *error) MUST_CHECK;
extern const char *const config_disclosure_keys[];
enum status config_disclosure_read(const struct yaml *block, struct config *config, struct error *error) MUST_CHECK;
/* A bare mail address; `key` names it in messages. */
enum status config_mail_address(const struct yaml *node, const char *key, const char *text,
                                struct error *error) MUST_CHECK;
/* https, or http to this machine; without user and password. */
enum status config_webhook_url(const struct yaml *node, const char *key, const char *url,
                               struct error *error) MUST_CHECK;
/* The block `notify:`; config->serve is known. */
enum status config_notify_read(const struct yaml *block, struct config *config, struct arena *arena,
                               struct error *error) MUST_CHECK;

#endif

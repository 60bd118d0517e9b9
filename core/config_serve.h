/* What `serve:` and `notify:` of puente.yaml say: when sources are pulled, how failures are met, and who is told. Part
 * of struct config, which owns it. */
#ifndef PUENTE_CONFIG_SERVE_H
#define PUENTE_CONFIG_SERVE_H

#include "connectors/options.h"
#include "core/base/yaml.h"
#include "core/schedule/retry.h"
#include "core/schedule/timetable.h"

struct config;

enum { LATE_AFTER_DEFAULT_HOURS = 2 };

/* One source's part of the schedule, by position in config->sources. */
struct source_schedule {
  struct timetable timetable; /* manual where neither the source nor `serve: schedule` names one; zone always set */
  int64_t late_after;         /* microseconds: late when no sync succeeded for so long after it was due */
};

struct serve_config {
  struct source_schedule *sources;
  bool links;               /* linking follows syncs that brought something */
  struct timetable linking; /* else by this; manual: never by itself */
  const char *zone;         /* default of all timetables; an IANA name */
  int parallel;             /* syncs at a time; 0: no limit but one a source and one a gateway */
  struct retry_policy retry;
  const char *address; /* of /healthz, /readyz, /metrics: a loopback address; NULL: off */
  int port;
  struct timetable backup; /* manual: none */
  const char *backup_folder;
  int backup_keep; /* newest ones that stay */
};

struct webhook_config {
  const char *url;
  const char *token; /* reference to a bearer token; NULL: none */
};
struct notify_config {
  const char *lang;   /* NULL: the program's */
  const char *server; /* "smtps://host:465", "smtp://host:587" (STARTTLS is demanded unless the host is loopback); NULL:
                         no mail */
  const char *username, *password; /* password: a reference */
  const char *ca_file;
  const char *from;
  const char *const *to;
  size_t to_count;
  const struct webhook_config *webhooks;
  size_t webhook_count;
  struct timetable digest;    /* manual: none */
  double quarantine_share;    /* of a source's records in quarantine that is told of; default 0.05 */
  int64_t quarantine_records; /* growth since it was last told that is told of again; default 100 */
};

/* Names that `serve:`, an entry of its `sources:`, and its other maps may hold (NULL-terminated). */
extern const char *const config_serve_keys[], *const config_serve_source_keys[], *const config_backup_keys[];
extern const struct option config_retry_options[];
/* Names that `notify:` and its maps may hold. */
extern const char *const config_notify_keys[], *const config_mail_keys[], *const config_webhook_keys[],
                                                                              *const config_quarantine_keys[];

/* Reads both blocks into config->serve and config->notify; config->sources are known. */
enum status config_serve_read(const struct yaml *root, struct config *config, struct arena *arena,
                              struct error *error) MUST_CHECK;

#endif

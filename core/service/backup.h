/* Copies of the workspace's store: made, kept, looked at, put back. What was done stands in the store and in the audit
 * log, so that an overview and a handover can tell when it was last done. */
#ifndef PUENTE_SERVICE_BACKUP_H
#define PUENTE_SERVICE_BACKUP_H

#include "core/service/workspace.h"
#include "core/store/backup.h"

struct backup_job {
  const char *target;      /* a file that is not there yet, or a folder; NULL: the folder that `serve: backup:` names,
                              else backups/ beside puente.yaml */
  int keep;                /* in a folder: newest copies of this workspace that stay; 0: all */
  const atomic_bool *stop; /* NULL allowed */
};
struct backup_done {
  struct buffer file; /* freed by backup_done_free */
  enum copy_proof proof;
  int64_t tables, rows, bytes, entries; /* entries: of the audit log, whose chain was checked; -1: it was not */
  int deleted;                          /* older copies that gave way */
};
/* A copy, read back whole; only then older ones give way, never the new one. On a workspace opened for writing it is
 * noted in the store. */
enum status service_backup(struct workspace *workspace, const struct backup_job *job, struct backup_done *done,
                           struct error *error) MUST_CHECK;
void backup_done_free(struct backup_done *done);

/* Whether copies by the clock could be written where `serve: backup:` wants them; makes nothing. */
enum status service_backup_place(const struct config *config, struct error *error) MUST_CHECK;

struct restore_done {
  struct buffer aside; /* file or schema where the former store is; empty: there was none */
  int version;         /* of the restored store */
  bool current;        /* it opens as it is; else the next one says why not */
  struct error why;
  int64_t erased;    /* records that had been taken out since the copy, and were again (reapply.h) */
  bool erased_fails; /* they were not: `erased_why` */
  struct error erased_why;
  bool roles_old; /* logins see little or nothing until the roles are made anew */
};
/* Copies of this workspace in the folder of its copies, oldest first: file names without the folder. */
typedef void copy_visitor(void *context, const char *folder, const char *name);
enum status service_visit_copies(const struct workspace *workspace, copy_visitor *visit, void *context,
                                 struct error *error) MUST_CHECK;
/* The path of the newest one, empty where there is none; the caller frees the buffer, whatever is answered. */
enum status service_newest_copy(const struct workspace *workspace, struct buffer *path, struct error *error) MUST_CHECK;
/* On a workspace of WORKSPACE_CONFIG: nothing of it has the store open. */
enum status service_restore(const struct workspace *workspace, const char *file, struct restore_done *done,
                            struct error *error) MUST_CHECK;
/* Back to the store as it was before its last upgrade; `file` tells the copy. */
enum status service_rollback(const struct workspace *workspace, struct buffer *file, struct restore_done *done,
                             struct error *error) MUST_CHECK;
void restore_done_free(struct restore_done *done);

struct verify_done {
  int64_t entries; /* of the audit log */
  struct sha256 head;
  int64_t tables, rows;
  int64_t opened;        /* sealed bodies of a copy that the key opened; -1: PROOF_READ, none could be tried */
  int64_t looked;        /* records whose digests were made anew; -1: not without the key */
  enum copy_proof proof; /* of a copy */
  bool digest;           /* of a copy: its SHA-256 lies beside it, and agrees */
  int version;
};
/* The live store: the database's own check, members against persons and cases, the chain of the audit log, digests of
 * landed records (a sample, or all). ERR_STORE with what is wrong. */
enum status service_verify(struct workspace *workspace, bool full, struct verify_done *done,
                           struct error *error) MUST_CHECK;
/* A copy, read back as if it were restored, its sealed bodies opened with the workspace's key: all, or at least 1,000
 * of each table. ERR_CONFIG, ERR_STORE where the key does not open them. Noted in the store, where there is one, as a
 * restore that was tried. On a workspace of WORKSPACE_CONFIG. */
enum status service_verify_copy(const struct workspace *workspace, const char *file, bool full,
                                struct verify_done *done, struct error *error) MUST_CHECK;

#endif

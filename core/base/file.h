/* Files: whole reads with a limit, secrets, atomic writes, paths relative to the file that names them. */
#ifndef PUENTE_BASE_FILE_H
#define PUENTE_BASE_FILE_H

#include "core/base/arena.h"
#include "core/base/buffer.h"

/* What to do where a path cannot be written, by the errno of the try; no hint where there is nothing to say. */
void file_hint(int cause, struct error *error);
enum status file_read(const char *path, size_t limit, struct buffer *out, struct error *error) MUST_CHECK;
/* Whether a file may take this place: ERR_USAGE where a device or a pipe stands there, ERR_IO where a folder does. */
enum status file_replaceable(const char *path, struct error *error) MUST_CHECK;
/* Writes beside the target, syncs, renames; mode as given. Replaces nothing but a file. */
enum status file_write(const char *path, struct slice bytes, unsigned mode, struct error *error) MUST_CHECK;
/* Makes a rename in the file's folder lasting, as far as the file system can. */
void file_sync_folder(const char *path);
/* A file without a name in that folder, mode 0600, gone with its last descriptor; -1: errno says why. */
int file_unnamed(const char *folder);
/* A secret: `env:NAME` or `file:PATH` (mode 0600 or stricter, in $CREDENTIALS_DIRECTORY 0440 too; trailing newline
 * removed; PATH relative to `base`).
 * Anything else, and so a secret written in YAML, is ERR_CONFIG. The caller wipes and frees `*secret`. */
enum status secret_read(const char *reference, const char *base, char **secret, struct error *error) MUST_CHECK;
void secret_free(char *secret); /* wipes */
/* `path` itself if absolute, else joined to the folder `base`. */
char *path_join(struct arena *arena, const char *base, const char *path);
char *path_folder(struct arena *arena, const char *path);
/* The folder that holds the program's own data (model, code lists, schema, locale): beside the source tree when run
 * from build/, PREFIX/share/puente when installed, or $PUENTE_DATA. */
const char *path_data(void);

#endif

/* The bytes of one file, plain or gzip (told by its first bytes), with the SHA-256 of what stands on disk. The caller
 * closes the reader. */
#ifndef PUENTE_CONNECTORS_FILE_READER_H
#define PUENTE_CONNECTORS_FILE_READER_H

#include "core/base/digest.h"

struct reader;

enum status reader_open(const char *path, int64_t limit, struct reader **reader, struct error *error) MUST_CHECK;
/* Fills `out` as far as the file goes; `*got` below `size` means its end. ERR_LIMIT past `limit` bytes, ERR_INPUT for
 * damaged gzip, ERR_IO where the file cannot be read. */
enum status reader_read(struct reader *reader, char *out, size_t size, size_t *got, struct error *error) MUST_CHECK;
/* Of the bytes on disk, once reader_read has met the end; hexadecimal. */
enum status reader_digest(struct reader *reader, char digest[2 * SHA256_SIZE + 1], struct error *error) MUST_CHECK;
int64_t reader_size(const struct reader *reader); /* of the file on disk, when it was opened */
void reader_close(struct reader *reader);         /* NULL allowed */

#endif

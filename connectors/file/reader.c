#include "connectors/file/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { INPUT_SIZE = 256 << 10 };

struct reader {
  int file;
  int64_t size, limit, given;
  EVP_MD_CTX *digest;
  z_stream zip;
  bool zipped, member_open, at_end;
  size_t begin, end; /* of the bytes read and not yet used */
  unsigned char input[INPUT_SIZE];
};

/* Moves on to the next bytes of the file; none left: begin == end. */
static enum status fill(struct reader *reader, struct error *error) {
  ssize_t count;
  do
    count = read(reader->file, reader->input, INPUT_SIZE);
  while (count < 0 && errno == EINTR);
  if (count < 0)
    return error_set(error, ERR_IO, _("the file cannot be read: %s"), strerror(errno));
  reader->begin = 0;
  reader->end = (size_t)count;
  if (EVP_DigestUpdate(reader->digest, reader->input, (size_t)count) != 1)
    return error_memory(error);
  return OK;
}

static enum status open_error(struct error *error) {
  switch (errno) {
  case ENOENT:
    error_set(error, ERR_NOT_FOUND, _("there is no such file"));
    error_hint(error, _("check \"path\", and that the folder is mounted"));
    break;
  case EACCES:
    error_set(error, ERR_AUTH, _("no permission to read the file"));
    error_hint(error, _("let the user that runs puente read it (chmod, chown)"));
    break;
  default:
    error_set(error, ERR_IO, _("the file cannot be opened: %s"), strerror(errno));
  }
  return error->code;
}

static enum status look_at_head(struct reader *reader, struct error *error) {
  static const unsigned char gzip[] = {0x1f, 0x8b};
  enum status status = fill(reader, error);
  if (status != OK)
    return status;
  if (reader->end >= 4 && memcmp(reader->input, "PK\3\4", 4) == 0) {
    error_set(error, ERR_INPUT, _("the file is a ZIP archive or a spreadsheet, not text"));
    error_hint(error, _("unpack it, or save the sheet as CSV"));
    return ERR_INPUT;
  }
  if (reader->end < sizeof gzip || memcmp(reader->input, gzip, sizeof gzip) != 0)
    return OK;
  reader->zipped = reader->member_open = true;
  return inflateInit2(&reader->zip, 16 + MAX_WBITS) == Z_OK ? OK : error_memory(error);
}

enum status reader_open(const char *path, int64_t limit, struct reader **reader, struct error *error) {
  struct reader *made = calloc(1, sizeof *made);
  struct stat facts;
  if (made == NULL)
    return error_memory(error);
  made->limit = limit;
  made->digest = EVP_MD_CTX_new();
  made->file = open(path, O_RDONLY | O_CLOEXEC);
  enum status status = OK;
  if (made->digest == NULL || EVP_DigestInit_ex(made->digest, EVP_sha256(), NULL) != 1)
    status = error_memory(error);
  else if (made->file < 0 || fstat(made->file, &facts) != 0)
    status = open_error(error);
  else
    status = look_at_head(made, error);
  if (status != OK) {
    reader_close(made);
    return status;
  }
  made->size = facts.st_size;
  *reader = made;
  return OK;
}

void reader_close(struct reader *reader) {
  if (reader == NULL)
    return;
  if (reader->zipped)
    inflateEnd(&reader->zip);
  if (reader->file >= 0)
    close(reader->file);
  EVP_MD_CTX_free(reader->digest);
  free(reader);
}

int64_t reader_size(const struct reader *reader) {
  return reader->size;
}

static enum status damaged(struct error *error) {
  error_set(error, ERR_INPUT, _("the gzip file is damaged or cut short"));
  error_hint(error, _("test it with \"gzip -t\" and have it sent again"));
  return ERR_INPUT;
}

/* After a gzip member: another one, the end, or the zero bytes with which tapes and block devices fill up. */
static enum status next_member(struct reader *reader, struct error *error) {
  while (!reader->at_end) {
    while (reader->begin < reader->end && reader->input[reader->begin] == 0)
      reader->begin++;
    if (reader->begin < reader->end) {
      reader->member_open = true;
      return inflateReset(&reader->zip) == Z_OK ? OK : error_memory(error);
    }
    enum status status = fill(reader, error);
    if (status != OK)
      return status;
    reader->at_end = reader->end == 0;
  }
  return OK;
}

static enum status read_zipped(struct reader *reader, char *out, size_t size, size_t *got, struct error *error) {
  reader->zip.next_out = (unsigned char *)out;
  reader->zip.avail_out = (unsigned)size;
  while (reader->zip.avail_out > 0 && !reader->at_end) {
    enum status status = OK;
    if (!reader->member_open) {
      status = next_member(reader, error);
    } else if (reader->begin == reader->end) {
      status = fill(reader, error);
      if (status == OK && reader->end == 0)
        return damaged(error);
    }
    if (status != OK)
      return status;
    if (reader->at_end)
      break;
    reader->zip.next_in = reader->input + reader->begin;
    reader->zip.avail_in = (unsigned)(reader->end - reader->begin);
    int result = inflate(&reader->zip, Z_NO_FLUSH);
    reader->begin = reader->end - reader->zip.avail_in;
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
      return result == Z_MEM_ERROR ? error_memory(error) : damaged(error);
    reader->member_open = result != Z_STREAM_END;
  }
  *got = size - reader->zip.avail_out;
  return OK;
}

static enum status read_plain(struct reader *reader, char *out, size_t size, size_t *got, struct error *error) {
  *got = 0;
  while (*got < size && !reader->at_end) {
    if (reader->begin == reader->end) {
      enum status status = fill(reader, error);
      if (status != OK)
        return status;
      reader->at_end = reader->end == 0;
    }
    size_t count = reader->end - reader->begin;
    count = count < size - *got ? count : size - *got;
    memcpy(out + *got, reader->input + reader->begin, count);
    reader->begin += count;
    *got += count;
  }
  return OK;
}

enum status reader_read(struct reader *reader, char *out, size_t size, size_t *got, struct error *error) {
  size_t most = size < (1u << 30) ? size : (1u << 30); /* zlib counts in unsigned int */
  enum status status =
      reader->zipped ? read_zipped(reader, out, most, got, error) : read_plain(reader, out, most, got, error);
  if (status != OK)
    return status;
  reader->given += (int64_t)*got;
  if (reader->given <= reader->limit)
    return OK;
  error_set(error, ERR_LIMIT, _("the file holds more than %lld bytes%s"), (long long)reader->limit,
            reader->zipped ? _(" unpacked") : "");
  error_hint(error, _("raise \"limit\" if that is right"));
  return ERR_LIMIT;
}

enum status reader_digest(struct reader *reader, char digest[2 * SHA256_SIZE + 1], struct error *error) {
  uint8_t bytes[EVP_MAX_MD_SIZE];
  if (EVP_DigestFinal_ex(reader->digest, bytes, NULL) != 1)
    return error_memory(error);
  hex_format(bytes, SHA256_SIZE, digest);
  return OK;
}

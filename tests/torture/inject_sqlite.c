/* SQLite's own memory and files, by the doors that it has for that: an allocator and a file system in front of its
 * own. */
#include "tests/torture/inject.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

static sqlite3_mem_methods memory;
static sqlite3_vfs *below;

struct shim {
  sqlite3_file base;
  sqlite3_io_methods methods;
  sqlite3_file *file; /* of the file system below; stands behind this structure */
};

static void *take(int size) {
  return inject_here(INJECT_SQLITE_MEMORY, "sqlite: malloc") ? NULL : memory.xMalloc(size);
}

static void *take_more(void *old, int size) {
  return inject_here(INJECT_SQLITE_MEMORY, "sqlite: realloc") ? NULL : memory.xRealloc(old, size);
}

static sqlite3_file *real(sqlite3_file *file) {
  return ((struct shim *)file)->file;
}

static int shim_close(sqlite3_file *file) {
  return real(file)->pMethods == NULL ? SQLITE_OK : real(file)->pMethods->xClose(real(file));
}

static int shim_read(sqlite3_file *file, void *bytes, int size, sqlite3_int64 at) {
  return inject_here(INJECT_SQLITE_FILE, "sqlite: read") ? SQLITE_IOERR_READ
                                                         : real(file)->pMethods->xRead(real(file), bytes, size, at);
}

static int shim_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 at) {
  return inject_here(INJECT_SQLITE_FILE, "sqlite: write") ? SQLITE_FULL
                                                          : real(file)->pMethods->xWrite(real(file), bytes, size, at);
}

static int shim_truncate(sqlite3_file *file, sqlite3_int64 size) {
  return inject_here(INJECT_SQLITE_FILE, "sqlite: truncate") ? SQLITE_IOERR_TRUNCATE
                                                             : real(file)->pMethods->xTruncate(real(file), size);
}

static int shim_sync(sqlite3_file *file, int flags) {
  return inject_here(INJECT_SQLITE_FILE, "sqlite: fsync") ? SQLITE_IOERR_FSYNC
                                                          : real(file)->pMethods->xSync(real(file), flags);
}

static int shim_size(sqlite3_file *file, sqlite3_int64 *size) {
  return real(file)->pMethods->xFileSize(real(file), size);
}

static int shim_lock(sqlite3_file *file, int level) {
  return inject_here(INJECT_SQLITE_FILE, "sqlite: lock") ? SQLITE_IOERR_LOCK
                                                         : real(file)->pMethods->xLock(real(file), level);
}

static int shim_unlock(sqlite3_file *file, int level) {
  return real(file)->pMethods->xUnlock(real(file), level);
}

static int shim_reserved(sqlite3_file *file, int *reserved) {
  return real(file)->pMethods->xCheckReservedLock(real(file), reserved);
}

static int shim_control(sqlite3_file *file, int what, void *argument) {
  return real(file)->pMethods->xFileControl(real(file), what, argument);
}

static int shim_sector(sqlite3_file *file) {
  return real(file)->pMethods->xSectorSize(real(file));
}

static int shim_traits(sqlite3_file *file) {
  return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

static int shim_map(sqlite3_file *file, int page, int size, int extend, void volatile **bytes) {
  return inject_here(INJECT_SQLITE_FILE, "sqlite: shared memory")
             ? SQLITE_IOERR_SHMMAP
             : real(file)->pMethods->xShmMap(real(file), page, size, extend, bytes);
}

static int shim_shared_lock(sqlite3_file *file, int offset, int count, int flags) {
  return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}

static void shim_barrier(sqlite3_file *file) {
  real(file)->pMethods->xShmBarrier(real(file));
}

static int shim_unmap(sqlite3_file *file, int remove) {
  return real(file)->pMethods->xShmUnmap(real(file), remove);
}

static int shim_fetch(sqlite3_file *file, sqlite3_int64 at, int size, void **bytes) {
  return real(file)->pMethods->xFetch(real(file), at, size, bytes);
}

static int shim_unfetch(sqlite3_file *file, sqlite3_int64 at, void *bytes) {
  return real(file)->pMethods->xUnfetch(real(file), at, bytes);
}

static const sqlite3_io_methods shim_methods = {.xClose = shim_close,
                                                .xRead = shim_read,
                                                .xWrite = shim_write,
                                                .xTruncate = shim_truncate,
                                                .xSync = shim_sync,
                                                .xFileSize = shim_size,
                                                .xLock = shim_lock,
                                                .xUnlock = shim_unlock,
                                                .xCheckReservedLock = shim_reserved,
                                                .xFileControl = shim_control,
                                                .xSectorSize = shim_sector,
                                                .xDeviceCharacteristics = shim_traits,
                                                .xShmMap = shim_map,
                                                .xShmLock = shim_shared_lock,
                                                .xShmBarrier = shim_barrier,
                                                .xShmUnmap = shim_unmap,
                                                .xFetch = shim_fetch,
                                                .xUnfetch = shim_unfetch};

static int shim_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *given) {
  struct shim *shim = (struct shim *)file;
  (void)vfs;
  *shim = (struct shim){.file = (sqlite3_file *)(shim + 1)};
  if (inject_here(INJECT_SQLITE_FILE, "sqlite: open")) {
    return SQLITE_CANTOPEN;
  }
  int code = below->xOpen(below, path, shim->file, flags, given);
  if (shim->file->pMethods != NULL) {
    shim->methods = shim_methods;
    shim->methods.iVersion = shim->file->pMethods->iVersion;
    shim->base.pMethods = &shim->methods;
  }
  return code;
}

static int shim_delete(sqlite3_vfs *vfs, const char *path, int sync) {
  (void)vfs;
  return inject_here(INJECT_SQLITE_FILE, "sqlite: unlink") ? SQLITE_IOERR_DELETE : below->xDelete(below, path, sync);
}

void inject_install(void) {
  static sqlite3_vfs shim;
  sqlite3_mem_methods mine;
  sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory);
  mine = memory;
  mine.xMalloc = take;
  mine.xRealloc = take_more;
  if (sqlite3_config(SQLITE_CONFIG_MALLOC, &mine) != SQLITE_OK || sqlite3_initialize() != SQLITE_OK) {
    abort();
  }
  below = sqlite3_vfs_find(NULL);
  shim = *below;
  shim.zName = "torture";
  shim.szOsFile = (int)sizeof(struct shim) + below->szOsFile;
  shim.pNext = NULL;
  shim.xOpen = shim_open;
  shim.xDelete = shim_delete;
  if (sqlite3_vfs_register(&shim, 1) != SQLITE_OK) {
    abort();
  }
}

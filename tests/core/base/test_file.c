/* Files, secrets, paths, digests and keys. */
#include "core/base/digest.h"
#include "core/base/file.h"
#include "tests/support/temp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char *folder;
static char path[512];

static int make_folder(void **state) {
  (void)state;
  folder = temp_make();
  snprintf(path, sizeof path, "%s/file", folder);
  return 0;
}

static int remove_folder(void **state) {
  (void)state;
  temp_remove(folder);
  return 0;
}

static void files_are_replaced_whole(void **state) {
  (void)state;
  struct buffer bytes;
  struct error error;
  struct stat info;
  assert_int_equal(file_write(path, slice_of("first"), 0640, &error), OK);
  assert_int_equal(file_write(path, slice_of("second"), 0600, &error), OK);
  assert_int_equal(stat(path, &info), 0);
  assert_int_equal(info.st_mode & 0777, 0600);
  assert_int_equal(file_read(path, 6, &bytes, &error), OK);
  assert_string_equal(bytes.data, "second");
  buffer_free(&bytes);
  assert_int_equal(file_read(path, 5, &bytes, &error), ERR_LIMIT);
  assert_string_equal(error.message, "the file is larger than its limit of 5 bytes");
  assert_string_equal(error.place, path);
  assert_int_equal(file_read("/nonexistent/x", 5, &bytes, &error), ERR_NOT_FOUND);
  assert_string_equal(error.message, "cannot open the file: No such file or directory");
  assert_int_equal(file_write("/nonexistent/x", slice_of(""), 0600, &error), ERR_IO);
  assert_int_equal(file_write(path, slice_of(""), 0600, &error), OK);
  assert_int_equal(file_read(path, 5, &bytes, &error), OK);
  assert_int_equal(bytes.len, 0);
  assert_non_null(bytes.data);
  buffer_free(&bytes);
}

static void secrets_come_from_outside(void **state) {
  (void)state;
  struct error error;
  char *secret;
  setenv("PUENTE_TEST_SECRET", "s3cret", 1);
  assert_int_equal(secret_read("env:PUENTE_TEST_SECRET", folder, &secret, &error), OK);
  assert_string_equal(secret, "s3cret");
  secret_free(secret);
  unsetenv("PUENTE_TEST_SECRET");
  assert_int_equal(secret_read("env:PUENTE_TEST_SECRET", folder, &secret, &error), ERR_CONFIG);
  assert_string_equal(error.message, "the environment variable PUENTE_TEST_SECRET of a secret is not set");
  assert_int_equal(file_write(path, slice_of("from file\r\n"), 0600, &error), OK);
  assert_int_equal(secret_read("file:file", folder, &secret, &error), OK);
  assert_string_equal(secret, "from file");
  secret_free(secret);
  assert_int_equal(chmod(path, 0640), 0);
  assert_int_equal(secret_read("file:file", folder, &secret, &error), ERR_CONFIG);
  assert_string_equal(error.message, "the file of a secret can be read by others (mode 0640)");
  assert_string_equal(error.hint, "chmod 600 the file");
  /* As systemd's LoadCredential hands a secret over. */
  setenv("CREDENTIALS_DIRECTORY", folder, 1);
  assert_int_equal(chmod(path, 0440), 0);
  assert_int_equal(secret_read("file:file", folder, &secret, &error), OK);
  secret_free(secret);
  assert_int_equal(chmod(path, 0444), 0);
  assert_int_equal(secret_read("file:file", folder, &secret, &error), ERR_CONFIG);
  setenv("CREDENTIALS_DIRECTORY", "/run/credentials/other.service", 1);
  assert_int_equal(chmod(path, 0440), 0);
  assert_int_equal(secret_read("file:file", folder, &secret, &error), ERR_CONFIG);
  /* A folder whose name only begins like that is another. */
  char beginning[512];
  snprintf(beginning, sizeof beginning, "%.*s", (int)strlen(folder) - 1, folder);
  setenv("CREDENTIALS_DIRECTORY", beginning, 1);
  assert_int_equal(secret_read("file:file", folder, &secret, &error), ERR_CONFIG);
  unsetenv("CREDENTIALS_DIRECTORY");
  assert_int_equal(chmod(path, 0600), 0);
  assert_int_equal(file_write(path, slice_of("\n"), 0600, &error), OK);
  assert_int_equal(chmod(path, 0600), 0);
  assert_int_equal(secret_read("file:file", folder, &secret, &error), ERR_CONFIG);
  assert_string_equal(error.message, "the file of a secret is empty");
  assert_string_equal(error.hint, "this file has to hold the secret, with mode 0600");
  assert_int_equal(secret_read("file:nowhere", folder, &secret, &error), ERR_CONFIG);
  assert_string_equal(error.hint, "this file has to hold the secret, with mode 0600");
  assert_int_equal(secret_read("hunter2", folder, &secret, &error), ERR_CONFIG);
  assert_null(secret);
  assert_string_equal(error.message, "a secret is not written in a configuration file");
  assert_string_equal(error.place, "");
  assert_string_equal(error.hint, "write env:NAME, or file:PATH of a file with mode 0600");
}

static void paths_are_joined(void **state) {
  (void)state;
  struct arena *arena = arena_new(0);
  assert_string_equal(path_join(arena, "/a/b", "c"), "/a/b/c");
  assert_string_equal(path_join(arena, "/a/b/", "c"), "/a/b/c");
  assert_string_equal(path_join(arena, "/a", "/c"), "/c");
  assert_string_equal(path_folder(arena, "/a/b.yaml"), "/a");
  assert_string_equal(path_folder(arena, "/b.yaml"), "/");
  assert_string_equal(path_folder(arena, "b.yaml"), ".");
  arena_free(arena);
}

static void data_stand_beside_the_sources(void **state) {
  (void)state;
  char here[512];
  assert_non_null(getcwd(here, sizeof here));
  unsetenv("PUENTE_DATA");
  assert_string_equal(path_data(), here);
  setenv("PUENTE_DATA", "/elsewhere", 1);
  assert_string_equal(path_data(), "/elsewhere");
  unsetenv("PUENTE_DATA");
}

static void digests_are_the_published_ones(void **state) {
  (void)state;
  char text[2 * SHA256_SIZE + 1];
  struct sha256 digest = sha256_of(slice_of("abc"));
  hex_format(digest.bytes, SHA256_SIZE, text);
  assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  struct sha256 back;
  assert_true(hex_parse(slice_of(text), back.bytes, SHA256_SIZE));
  assert_memory_equal(back.bytes, digest.bytes, SHA256_SIZE);
  assert_false(hex_parse(slice_of("zz"), back.bytes, 1));
  assert_false(hex_parse(slice_of("abc"), back.bytes, 1));
  struct sha256 one = sha256_pair(0, &digest, &back);
  struct sha256 other = sha256_pair(1, &digest, &back);
  assert_memory_not_equal(one.bytes, other.bytes, SHA256_SIZE);
}

static void keys_are_private_and_kept(void **state) {
  (void)state;
  struct error error;
  struct key *key;
  unlink(path);
  assert_int_equal(key_load(path, &key, &error), ERR_CONFIG);
  assert_string_equal(error.message, "cannot read the key file: No such file or directory");
  assert_int_equal(key_create(path, &error), OK);
  assert_int_equal(key_create(path, &error), ERR_IO);
  assert_string_equal(error.hint, "a key is never overwritten: without it the digests in the store match nothing");
  assert_int_equal(key_load(path, &key, &error), OK);
  struct keyed_digest document = key_digest(key, "document", slice_of("10117410"));
  struct keyed_digest name = key_digest(key, "name", slice_of("10117410"));
  assert_memory_not_equal(document.bytes, name.bytes, KEYED_SIZE);
  struct subkey subkey = key_subkey(key, "document");
  struct keyed_digest again = subkey_digest(&subkey, slice_of("10117410"));
  assert_memory_equal(document.bytes, again.bytes, KEYED_SIZE);
  key_free(key);
  assert_int_equal(chmod(path, 0644), 0);
  assert_int_equal(key_load(path, &key, &error), ERR_CONFIG);
  assert_string_equal(error.message, "the key file can be read by others (mode 0644)");
  assert_int_equal(file_write(path, slice_of("short"), 0600, &error), OK);
  assert_int_equal(key_load(path, &key, &error), ERR_CONFIG);
  assert_string_equal(error.message, "the key file does not hold 32 bytes");
  assert_null(key);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(files_are_replaced_whole),
      cmocka_unit_test(secrets_come_from_outside),
      cmocka_unit_test(paths_are_joined),
      cmocka_unit_test(data_stand_beside_the_sources),
      cmocka_unit_test(digests_are_the_published_ones),
      cmocka_unit_test(keys_are_private_and_kept),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

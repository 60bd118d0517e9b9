#include "core/command/arguments.h"
#include "core/command/commands.h"
#include "core/store/store.h"

#include <curl/curl.h>
#include <jansson.h>
#include <libpq-fe.h>
#include <libxml/xmlversion.h>
#include <openssl/crypto.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unicode/uversion.h>
#include <yaml.h>
#include <zstd.h>

struct library {
  const char *name;
  char version[48];
};

enum { LIBRARIES = 10 };

static void read_libraries(struct library libraries[LIBRARIES]) {
  const char *texts[LIBRARIES][2] = {{"sqlite", sqlite3_libversion()},
                                     {"libcurl", curl_version_info(CURLVERSION_NOW)->version},
                                     {"libxml2", LIBXML_DOTTED_VERSION},
                                     {"jansson", JANSSON_VERSION},
                                     {"libyaml", yaml_get_version_string()},
                                     {"libsodium", sodium_version_string()},
                                     {"openssl", OpenSSL_version(OPENSSL_VERSION_STRING)},
                                     {"zstd", ZSTD_versionString()},
                                     {"icu", U_ICU_VERSION},
                                     {"libpq", NULL}};
  for (size_t i = 0; i < LIBRARIES; i++) {
    libraries[i].name = texts[i][0];
    if (texts[i][1] != NULL) {
      snprintf(libraries[i].version, sizeof libraries[i].version, "%s", texts[i][1]);
    } else {
      int version = PQlibVersion();
      snprintf(libraries[i].version, sizeof libraries[i].version, "%d.%d", version / 10000, version % 10000);
    }
  }
}

static void print_json(const struct library libraries[LIBRARIES]) {
  printf("{\"program\":\"%s\",\"store\":%d", PUENTE_VERSION, store_format());
  for (size_t i = 0; i < LIBRARIES; i++) {
    printf(",\"%s\":\"%s\"", libraries[i].name, libraries[i].version);
  }
  puts("}");
}

static int run(const struct globals *globals, int argc, char **argv) {
  const struct argument table[] = {{.name = NULL}};
  int exit_code = 0;
  if (arguments_done(&command_version, table, &argc, argv, &exit_code)) {
    return exit_code;
  }
  struct library libraries[LIBRARIES];
  read_libraries(libraries);
  if (globals->json) {
    print_json(libraries);
    return 0;
  }
  printf(_("puente %s, store format %d\n"), PUENTE_VERSION, store_format());
  for (size_t i = 0; i < LIBRARIES; i++) {
    printf("  %-10s %s\n", libraries[i].name, libraries[i].version);
  }
  return 0;
}

const struct command command_version = {
    .name = "version",
    .synopsis = "[--json]",
    .summary = N_("print the versions of program, store format and libraries"),
    .help = "",
    .run = run,
};

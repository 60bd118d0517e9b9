#include "tests/support/fault.h"

#include "tests/support/certificates.h"
#include "tests/support/program.h"
#include "tests/support/temp.h"
#include "tests/support/workspace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MOST = 8192 };

static const char SOURCE[] = "source: demo\ntitle: Demo\ninstitution: PE/MP\ncontact: help desk 1234\nunit: denuncia\n"
                             "connector: rest\noptions:\n";
/* Each is left out where a row has its own. */
static const char *const OPTIONS[] = {
    "  url: http://127.0.0.1:%d/c\n", "  records: d\n",           "  paging: cursor\n", "  cursor_path: next\n",
    "  total_path: total\n",          "  watermark_field: at\n",  "  backoff: 1ms\n",   "  retries: 1\n",
    "  connect_timeout: 2s\n",        "  retry_after_limit: 2s\n"};
static const char MAPPING[] = "source: demo\nformat: json\nrecord: d\nkey: id\n"
                              "case:\n  key: id\n  denuncia_number: id\n  reported_on: date\n"
                              "person:\n  key: [id, name]\n  role: victim\n  paternal_surname: name\n";
/* The first row whose path begins a request's answers it: the longer paths stand before. */
static const struct http_answer GOOD[] = {{.path = "/c?cursor=c", .body = FAULT_THIRD},
                                          {.path = "/c?cursor=b", .body = FAULT_SECOND},
                                          {.path = "/c", .body = FAULT_FIRST},
                                          {.path = "/token", .body = "{\"access_token\":\"t\",\"expires_in\":3600}"}};

void site_open(struct site *site) {
  *site = (struct site){.folder = temp_make(), .server = http_server_start(NULL)};
  site->proxy = proxy_start(NULL, http_server_port(site->server));
  certificates_make(site->folder);
  if (program_run(site->folder, "--quiet init .").code != 0) {
    fprintf(stderr, "test harness: no workspace was made\n");
    abort();
  }
  workspace_key(site->folder);
  program_write(site->folder, "mappings/demo.yaml", MAPPING);
  setenv("FAULT_SECRET", "s3cret", 1);
  site_source(site, "");
  site_heal(site);
}

void site_close(struct site *site) {
  proxy_stop(site->proxy);
  http_server_stop(site->server);
  program_forget();
  temp_remove(site->folder);
}

void site_heal(struct site *site) {
  proxy_set(site->proxy, &(struct proxy_mode){.fault = PROXY_PASS});
  proxy_aim(site->proxy, http_server_port(site->server));
  http_server_script(site->server, GOOD, sizeof GOOD / sizeof *GOOD);
}

void site_store(const struct site *site, const char *store) {
  char text[1024];
  snprintf(text, sizeof text, "name: faults\nstore: %s\n", store);
  program_write(site->folder, "puente.yaml", text);
}

static void put(FILE *out, const struct site *site, const char *text) {
  for (; *text != '\0'; text++) {
    if (strncmp(text, "%d", 2) == 0) {
      fprintf(out, "%d", proxy_port(site->proxy));
      text++;
    } else if (*text == '@') {
      fputs(site->folder, out);
    } else {
      putc(*text, out);
    }
  }
}

void site_source(const struct site *site, const char *options) {
  char text[4096];
  FILE *out = fmemopen(text, sizeof text, "w");
  if (out == NULL) {
    abort();
  }
  fputs(SOURCE, out);
  for (size_t i = 0; i < sizeof OPTIONS / sizeof *OPTIONS; i++) {
    char name[32];
    snprintf(name, sizeof name, "%.*s:", (int)strcspn(OPTIONS[i], ":"), OPTIONS[i]);
    if (strstr(options, name) == NULL) {
      put(out, site, OPTIONS[i]);
    }
  }
  put(out, site, options);
  putc('\0', out);
  fclose(out);
  program_write(site->folder, "sources/demo.yaml", text);
}

const char *site_words(const struct site *site, const char *text) {
  static char words[WORDS_MOST];
  char port[16], store[16] = "";
  snprintf(port, sizeof port, ":%d", proxy_port(site->proxy));
  if (site->store != NULL) {
    snprintf(store, sizeof store, ":%d", proxy_port(site->store));
  }
  const struct {
    const char *from, *to;
  } terms[] = {{site->folder, "FOLDER"}, {port, ":PORT"}, {site->store == NULL ? site->folder : store, ":STORE"}};
  size_t length = 0;
  while (*text != '\0' && length + 16 < sizeof words) {
    size_t i = 0;
    while (i < 3 && strncmp(text, terms[i].from, strlen(terms[i].from)) != 0) {
      i++;
    }
    if (i < 3) {
      length += (size_t)snprintf(words + length, sizeof words - length, "%s", terms[i].to);
      text += strlen(terms[i].from);
    } else {
      words[length++] = *text++;
    }
  }
  words[length] = '\0';
  return words;
}

bool site_says(const struct site *site, const char *name, const char *arguments, int code, const char *says) {
  struct said said = program_run(site->folder, arguments);
  const char *words = site_words(site, said.err);
  if (said.code == code && strcmp(words, says) == 0) {
    return true;
  }
  fprintf(stderr, "%s: %s ended with %d, wanted %d; it said\n%s-- wanted\n%s--\n", name, arguments, said.code, code,
          words, says);
  return false;
}

bool site_sound(const struct site *site, const char *name, int landed) {
  if (!site_says(site, name, "--quiet store verify", 0, "")) {
    return false;
  }
  int64_t found = workspace_number(site->folder, "SELECT count(*) FROM records");
  if (landed >= 0 && found != landed) {
    fprintf(stderr, "%s: %lld records landed, wanted %d\n", name, (long long)found, landed);
  }
  return landed < 0 || found == landed;
}

bool site_state(const struct site *site, const char *name, const char *state) {
  char *told = workspace_rows(site->folder, "SELECT health FROM source_health");
  told[strcspn(told, "\n")] = '\0';
  bool same = strcmp(told, state) == 0;
  if (!same) {
    fprintf(stderr, "%s: the source's health is \"%s\", wanted \"%s\"\n", name, told, state);
  }
  free(told);
  return same;
}

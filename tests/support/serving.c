#include "tests/support/serving.h"

#include "core/base/file.h"
#include "tests/support/temp.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATH_SIZE = 512, TEXT_SIZE = 4096 };

static void put(const struct serving *serving, const char *name, const char *text) {
  char path[PATH_SIZE];
  struct error error;
  snprintf(path, sizeof path, "%s/%s", serving->folder, name);
  if (file_write(path, slice_of(text), 0600, &error) != OK) {
    fprintf(stderr, "serving: %s: %s\n", path, error.message);
    abort();
  }
}

void serving_configure(struct serving *serving, const char *store, const char *serve) {
  char text[TEXT_SIZE];
  snprintf(text, sizeof text, "name: serving\nlang: en\nstore: %s\nserve: %s\n", store, serve);
  put(serving, "puente.yaml", text);
}

void serving_make(struct serving *serving, const char *store, const char *serve) {
  serving->folder = temp_make();
  snprintf(serving->config, sizeof serving->config, "%s/puente.yaml", serving->folder);
  shell("cd %s && mkdir sources mappings in", serving->folder);
  workspace_key(serving->folder);
  serving_configure(serving, store, serve);
}

void serving_remove(struct serving *serving) {
  temp_remove(serving->folder);
}

static void put_mapping(const struct serving *serving, const char *code) {
  char name[PATH_SIZE], text[TEXT_SIZE];
  snprintf(name, sizeof name, "mappings/%s.yaml", code);
  snprintf(text, sizeof text,
           "source: %s\nformat: json\ncase:\n  key: id\n  denuncia_number: id\n"
           "person:\n  key: [id, victim]\n  role: victim\n  paternal_surname: surname\n",
           code);
  put(serving, name, text);
}

static void put_source(const struct serving *serving, const char *code, const char *way, const char *more) {
  char name[PATH_SIZE], text[TEXT_SIZE];
  snprintf(name, sizeof name, "sources/%s.yaml", code);
  snprintf(text, sizeof text,
           "source: %s\ntitle: Source %s\ninstitution: PE/MP\ncontact: \"the desk of %s\"\nunit: denuncia\n%s\n%s\n",
           code, code, code, way, more);
  put(serving, name, text);
  put_mapping(serving, code);
}

void serving_files(struct serving *serving, const char *code, const char *more) {
  char way[PATH_SIZE];
  snprintf(way, sizeof way, "connector: file\noptions: {path: in/%s, settle: 0s}", code);
  put_source(serving, code, way, more);
  shell("mkdir -p %s/in/%s", serving->folder, code);
}

void serving_drop(struct serving *serving, const char *code, int id) {
  char name[PATH_SIZE], text[TEXT_SIZE];
  snprintf(name, sizeof name, "in/%s/%06d.part", code, id);
  snprintf(text, sizeof text, "{\"id\":\"%s-%d\",\"victim\":\"a\",\"surname\":\"QUISPE\"}\n", code, id);
  put(serving, name, text);
  shell("cd %s/in/%s && mv %06d.part %06d.json", serving->folder, code, id, id);
}

void serving_rest(struct serving *serving, const char *code, int port, const char *options, const char *more) {
  char way[PATH_SIZE];
  snprintf(way, sizeof way,
           "connector: rest\noptions: {url: \"http://127.0.0.1:%d/%s\", records: data, paging: cursor, "
           "cursor_path: next, retries: 0%s}",
           port, code, options);
  put_source(serving, code, way, more);
}

pid_t serving_start(struct serving *serving, const char *name, const char *environment, const char *arguments) {
  return shell_start(0, "LANGUAGE=en PUENTE_ACTOR=tester %s exec %s/puente --config %s serve %s 2>>%s/%s.log",
                     environment, build_folder(), serving->config, arguments, serving->folder, name);
}

int serving_wait(pid_t daemon) {
  int status = 0;
  if (waitpid(daemon, &status, 0) != daemon) {
    abort();
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int serving_end(pid_t daemon, int signal) {
  kill(daemon, signal);
  return serving_wait(daemon);
}

char *serving_log(const struct serving *serving, const char *name) {
  int code;
  return shell_output(&code, "cat %s/%s.log 2>/dev/null", serving->folder, name);
}

int serving_says(const struct serving *serving, const char *name, const char *text) {
  char *log = serving_log(serving, name);
  int times = 0;
  for (const char *at = log; (at = strstr(at, text)) != NULL; at++) {
    times++;
  }
  free(log);
  return times;
}

bool serving_hears(const struct serving *serving, const char *name, const char *text, int times, int seconds) {
  const struct timespec pause = {.tv_nsec = 50000000};
  for (int left = seconds * 20; left > 0; left--) {
    if (serving_says(serving, name, text) >= times) {
      return true;
    }
    nanosleep(&pause, NULL);
  }
  char *log = serving_log(serving, name);
  fprintf(stderr, "waited for \"%s\" in %s.log:\n%s\n", text, name, log);
  free(log);
  return false;
}

#include "tests/torture/remote.h"

#include "tests/support/http_server.h"
#include "tests/support/smtp_server.h"
#include "tests/support/stamp_server.h"
#include "tests/support/temp.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What the servers remember is bounded: they forget well before. */
enum { REQUESTS_MOST = 100, MESSAGES_MOST = 20, LOOK_NANOSECONDS = 10000000 };

#define VICTIM(surname, name, document)                                                                                \
  "\"victims\":[{\"n\":1,\"surname\":\"" surname "\",\"name\":\"" name "\",\"document\":\"" document "\"}]"

static const struct http_answer answers[] = {
    {.path = "/token", .body = "{\"access_token\":\"t\",\"token_type\":\"Bearer\",\"expires_in\":3600}"},
    {.path = "/more",
     .body = "{\"data\":[{\"id\":\"W-2\",\"changed\":\"2024-05-02T00:00:00Z\"," VICTIM(
         "MAMANI", "LUZ", "45678902") "}],\"next\":null,\"total\":2}"},
    {.path = "/cases",
     .body = "{\"data\":[{\"id\":\"W-1\",\"changed\":\"2024-05-01T00:00:00Z\"," VICTIM(
         "QUISPE", "ROSA", "45678901") "}],\"next\":\"/more\",\"total\":2}"},
    {.path = "/soap",
     .headers = {"Content-Type: text/xml"},
     .body = "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><Casos><Paginas>1</Paginas>"
             "<Caso><Numero>S-1</Numero><Persona><Orden>1</Orden><Apellido>Quispe</Apellido><Nombre>Rosa</Nombre>"
             "<Dni>45678901</Dni></Persona></Caso></Casos></s:Body></s:Envelope>"},
    {.path = "/hook", .status = 204},
    {.path = "/$", .status = 204, .headers = {"Date: Sat, 01 Jun 2024 12:00:00 GMT"}},
};

struct ports {
  volatile int http, smtp, stamp; /* 0: not yet */
};

static pid_t process;
static char *folder;

static void nap(void) {
  nanosleep(&(struct timespec){.tv_nsec = LOOK_NANOSECONDS}, NULL);
}

static void serve(struct ports *ports) {
  static const struct smtp_script script;
  struct http_server *http = http_server_start(NULL);
  struct smtp_server *smtp = smtp_server_start(NULL);
  struct stamp_server *stamp = stamp_server_start(folder);
  http_server_script(http, answers, sizeof answers / sizeof *answers);
  ports->http = http_server_port(http);
  ports->smtp = smtp_server_port(smtp);
  ports->stamp = stamp_server_port(stamp);
  for (;;) {
    nap();
    if (http_server_requests(http) > REQUESTS_MOST) {
      http_server_script(http, answers, sizeof answers / sizeof *answers);
    }
    if (smtp_server_messages(smtp) > MESSAGES_MOST) {
      smtp_server_script(smtp, &script);
    }
  }
}

static void tell(const char *name, int port) {
  char text[16];
  snprintf(text, sizeof text, "%d", port);
  setenv(name, text, 1);
}

void remote_start(void) {
  char authority[512];
  struct ports *ports = mmap(NULL, sizeof *ports, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (ports == MAP_FAILED) {
    perror("torture: mmap");
    abort();
  }
  folder = temp_make();
  fflush(NULL);
  process = fork();
  if (process == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    serve(ports);
  }
  while (ports->stamp == 0) {
    if (process < 0 || waitpid(process, NULL, WNOHANG) != 0) {
      fprintf(stderr, "torture: no servers\n");
      abort();
    }
    nap();
  }
  tell("TORTURE_HTTP", ports->http);
  tell("TORTURE_SMTP", ports->smtp);
  tell("TORTURE_STAMP", ports->stamp);
  snprintf(authority, sizeof authority, "%s/tsa_ca.pem", folder);
  setenv("TORTURE_CA", authority, 1);
  setenv("TORTURE_SECRET", "not a secret", 1);
  munmap(ports, sizeof *ports);
}

void remote_stop(void) {
  kill(process, SIGKILL);
  waitpid(process, NULL, 0);
  temp_remove(folder);
}

#include "tests/support/postgres.h"

#include "tests/support/cluster.h"
#include "tests/support/temp.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <glob.h>
#include <libpq-fe.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A guardian process starts the server and waits on a pipe: when the test program ends, even by a signal that nothing
 * can catch, the pipe closes, and the guardian ends the server and removes its folder. */
static struct {
  char *folder;
  char binaries[256];
  char owner[512], admin[512];
  char port_option[64];
  const char *fsync;
  int port;
  int pipe;
  pid_t guardian;
} server = {.pipe = -1, .fsync = "off"};

static void give_up(const char *what) {
  fprintf(stderr, "private PostgreSQL server: %s\n", what);
  exit(1);
}

static void find_binaries(void) {
  glob_t found;
  if (glob("/usr/lib/postgresql/*/bin/postgres", 0, NULL, &found) != 0)
    give_up("not installed (Debian package postgresql)");
  snprintf(server.binaries, sizeof server.binaries, "%s", found.gl_pathv[found.gl_pathc - 1]);
  *strrchr(server.binaries, '/') = '\0';
  globfree(&found);
}

static pid_t start_postmaster(void) {
  char program[300], data[300], listen[96], sync[32], pages[48];
  snprintf(program, sizeof program, "%s/postgres", server.binaries);
  snprintf(data, sizeof data, "%s/data", server.folder);
  snprintf(listen, sizeof listen, "listen_addresses=%s", server.port_option);
  snprintf(sync, sizeof sync, "fsync=%s", server.fsync);
  snprintf(pages, sizeof pages, "full_page_writes=%s", server.fsync);
  const char *buffers = strcmp(server.fsync, "on") == 0 ? "shared_buffers=512MB" : "shared_buffers=32MB";
  char port[16];
  snprintf(port, sizeof port, "%d", server.port);
  pid_t child = fork();
  if (child == 0) {
    cluster_user();
    cluster_log(server.folder);
    execl(program, program, "-D", data, "-k", server.folder, "-p", port, "-c", listen, "-c", sync, "-c", pages, "-c",
          buffers, "-c", "max_wal_size=2GB", "-c", "max_connections=40", "-c", "timezone=UTC", (char *)NULL);
    _exit(127);
  }
  return child;
}

/* One byte says how to stop: 'i' as a crash and keep the data; the end of the pipe: stop and remove everything. */
static void guard(int pipe) {
  signal(SIGINT, SIG_IGN);
  signal(SIGTERM, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  pid_t postmaster = start_postmaster();
  char order = 0;
  ssize_t got = read(pipe, &order, 1);
  if (postmaster > 0) {
    kill(postmaster, got == 1 && order == 'f' ? SIGINT : SIGQUIT);
    waitpid(postmaster, NULL, 0);
  }
  if (got != 1)
    temp_remove(server.folder);
  _exit(0);
}

static void end_server(void) {
  if (server.pipe >= 0)
    close(server.pipe);
  if (server.guardian > 0)
    waitpid(server.guardian, NULL, 0);
  server.pipe = -1;
  server.guardian = 0;
  if (server.folder != NULL && access(server.folder, F_OK) == 0)
    temp_remove(server.folder);
  else
    free(server.folder);
  server.folder = NULL;
}

static void start_guardian(void) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    give_up("no pipe");
  server.guardian = fork();
  if (server.guardian < 0)
    give_up("no process");
  if (server.guardian == 0) {
    close(ends[1]);
    setpgid(0, 0);
    guard(ends[0]);
  }
  close(ends[0]);
  server.pipe = ends[1];
  for (int tries = 0; tries < 600; tries++) {
    if (PQping(server.admin) == PQPING_OK)
      return;
    usleep(50000);
  }
  give_up("did not start");
}

static const char *start(void) {
  if (server.folder != NULL)
    return server.owner;
  find_binaries();
  if (server.port == 0)
    server.port = 5432;
  server.folder = temp_make();
  atexit(end_server);
  if (!cluster_make(server.folder, server.binaries))
    give_up("its data could not be made");
  snprintf(server.owner, sizeof server.owner, "host=%s port=%d user=puente dbname=puente", server.folder, server.port);
  snprintf(server.admin, sizeof server.admin, "host=%s port=%d user=postgres dbname=puente", server.folder,
           server.port);
  start_guardian();
  return server.owner;
}

const char *postgres_start(void) {
  return start();
}

const char *postgres_admin(void) {
  start();
  return server.admin;
}

const char *postgres_start_durable(void) {
  if (server.folder == NULL)
    server.fsync = "on";
  return start();
}

const char *postgres_start_tcp(int *port) {
  if (server.folder == NULL) {
    int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    if (probe < 0 || bind(probe, (struct sockaddr *)&address, sizeof address) != 0
        || getsockname(probe, (struct sockaddr *)&address, &size) != 0)
      give_up("no free port");
    server.port = ntohs(address.sin_port);
    close(probe);
    snprintf(server.port_option, sizeof server.port_option, "127.0.0.1");
  }
  start();
  *port = server.port;
  return server.owner;
}

void postgres_stop(int immediate) {
  if (server.pipe < 0)
    return;
  if (write(server.pipe, immediate ? "i" : "f", 1) != 1)
    give_up("cannot be stopped");
  waitpid(server.guardian, NULL, 0);
  close(server.pipe);
  server.pipe = -1;
  server.guardian = 0;
}

void postgres_again(void) {
  if (server.folder == NULL || server.pipe >= 0)
    give_up("not stopped");
  start_guardian();
}

void postgres_run(const char *sql) {
  PGconn *connection = PQconnectdb(postgres_admin());
  PGresult *result = PQexec(connection, sql);
  ExecStatusType status = PQresultStatus(result);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
    give_up(PQerrorMessage(connection));
  PQclear(result);
  PQfinish(connection);
}

#include "tests/support/cluster.h"

#include "tests/support/workspace.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_ROOM = 600 };

/* For the programs of a folder: with an owner as a ministry's, who may create roles and is no superuser. */
static const char MAKE[] =
    "set -e\n"
    "%s/initdb -D data -U postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync --no-instructions\n"
    "%s/postgres --single -D data -c fsync=off postgres <<'END'\n"
    "CREATE ROLE puente LOGIN CREATEROLE PASSWORD 'puente'\n"
    "CREATE DATABASE puente OWNER puente\n"
    "END\n";

static const struct passwd *other_user(void) {
  const struct passwd *user = getpwnam("postgres");
  return user == NULL ? getpwnam("nobody") : user;
}

void cluster_user(void) {
  if (geteuid() != 0) {
    return;
  }
  const struct passwd *user = other_user();
  if (user == NULL || setgroups(0, NULL) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0) {
    _exit(126);
  }
}

void cluster_log(const char *folder) {
  char path[PATH_ROOM];
  snprintf(path, sizeof path, "%s/log", folder);
  int log = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
  int nothing = open("/dev/null", O_RDONLY);
  if (log < 0 || nothing < 0 || dup2(nothing, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0 || chdir(folder) != 0) {
    _exit(126);
  }
}

static bool ended_well(pid_t child) {
  int state = 0;
  return child >= 0 && waitpid(child, &state, 0) == child && state == 0;
}

static bool make_new(const char *folder, const char *binaries) {
  char command[sizeof MAKE + 2 * PATH_ROOM];
  snprintf(command, sizeof command, MAKE, binaries, binaries);
  pid_t child = fork();
  if (child == 0) {
    cluster_user();
    cluster_log(folder);
    execl("/bin/sh", "sh", "-c", command, (char *)NULL);
    _exit(127);
  }
  return ended_well(child);
}

/* As root, so that the owner stays: BUILD may lie where the server's user cannot go. */
static bool copy(const char *from, const char *to) {
  pid_t child = fork();
  if (child == 0) {
    int nothing = open("/dev/null", O_RDWR);
    if (nothing < 0 || dup2(nothing, 2) < 0) {
      _exit(126);
    }
    execlp("cp", "cp", "-a", from, to, (char *)NULL);
    _exit(127);
  }
  return ended_well(child);
}

/* Of several that come first at once, one is kept. That none can be kept costs time only. */
static void keep(const char *data, const char *kept) {
  char own[PATH_ROOM + 24];
  snprintf(own, sizeof own, "%s.%d", kept, (int)getpid());
  if (!copy(data, own) || rename(own, kept) != 0) {
    shell("rm -rf '%s'", own);
  }
}

bool cluster_make(const char *folder, const char *binaries) {
  const struct passwd *user = geteuid() == 0 ? other_user() : NULL;
  char data[PATH_ROOM], kept[PATH_ROOM];
  struct stat about;
  if (geteuid() == 0 && (user == NULL || chown(folder, user->pw_uid, user->pw_gid) != 0)) {
    return false;
  }
  snprintf(data, sizeof data, "%s/data", folder);
  snprintf(kept, sizeof kept, "%s/cluster%.100s", build_folder(), binaries);
  for (char *at = kept + strlen(build_folder()) + 1; *at != '\0'; at++) {
    *at = *at == '/' ? '-' : *at; /* programs of another version have a cluster of their own */
  }
  if (stat(kept, &about) == 0 && about.st_uid == (user == NULL ? geteuid() : user->pw_uid)) {
    return copy(kept, data);
  }
  bool made = make_new(folder, binaries);
  if (made) {
    keep(data, kept);
  }
  return made;
}

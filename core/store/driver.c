#include "core/store/driver.h"

#include <stdio.h>
#include <stdlib.h>

/* Copies `format` with its "$%d" set to the parameter's number. */
static size_t spell(char *out, size_t size, const char *format, int parameter) {
  const char *mark = strchr(format, '$');
  return (size_t)snprintf(out, size, "%.*s$%d%s", (int)(mark - format), format, parameter, mark + 3);
}

/* LIST(n) is written in the portable SQL for "the integers of parameter n", and IN (SELECT k.value FROM LIST(n)) for
 * being one of them, which PostgreSQL plans better in its own words. */
char *driver_expand(const char *sql, const char *list, const char *member) {
  static const char among[] = "IN (SELECT k.value FROM LIST(";
  size_t size = strlen(sql) + 1;
  for (const char *at = strstr(sql, "LIST("); at != NULL; at = strstr(at + 1, "LIST(")) {
    size += strlen(list) + strlen(member) + 8;
  }
  char *text = malloc(size);
  if (text == NULL) {
    return NULL;
  }
  size_t used = 0;
  while (*sql != '\0') {
    bool in = strncmp(sql, among, sizeof among - 1) == 0;
    if (!in && strncmp(sql, "LIST(", 5) != 0) {
      text[used++] = *sql++;
      continue;
    }
    char *end;
    int parameter = (int)strtol(sql + (in ? sizeof among - 1 : 5), &end, 10);
    used += spell(text + used, size - used, in ? member : list, parameter);
    sql = end + (in ? 2 : 1);
  }
  text[used] = '\0';
  return text;
}

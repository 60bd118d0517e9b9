#include "core/store/driver.h"

#include <stdio.h>
#include <stdlib.h>

/* LIST(n) is written in the portable SQL for "the integers of parameter n". */
char *driver_expand(const char *sql, const char *list) {
  size_t size = strlen(sql) + 1;
  for (const char *at = strstr(sql, "LIST("); at != NULL; at = strstr(at + 1, "LIST("))
    size += strlen(list) + 8;
  char *text = malloc(size);
  if (text == NULL)
    return NULL;
  size_t used = 0;
  while (*sql != '\0') {
    if (strncmp(sql, "LIST(", 5) != 0) {
      text[used++] = *sql++;
      continue;
    }
    char *end;
    int parameter = (int)strtol(sql + 5, &end, 10);
    const char *mark = strchr(list, '$');
    used += (size_t)snprintf(text + used, size - used, "%.*s$%d%s", (int)(mark - list), list, parameter, mark + 3);
    sql = end + 1;
  }
  text[used] = '\0';
  return text;
}

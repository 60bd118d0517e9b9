#include "connectors/connector.h"

#include "core/base/file.h"

/* One line a connector: declared here, listed below. */
extern const struct connector connector_file;
extern const struct connector connector_rest;
extern const struct connector connector_soap;
extern const struct connector connector_sql;
extern const struct connector connector_static;

static const struct connector *const table[] = {
    &connector_file, &connector_rest, &connector_soap, &connector_sql, &connector_static, NULL,
};

enum { CONNECTORS = sizeof table / sizeof *table - 1 };

const struct connector *const *connector_table(size_t *count) {
  *count = CONNECTORS;
  return table;
}

const struct connector *connector_find(const char *name) {
  for (size_t i = 0; table[i] != NULL; i++) {
    if (strcmp(table[i]->name, name) == 0) {
      return table[i];
    }
  }
  return NULL;
}

/* What is wrong with one option row; NULL: nothing. */
static const char *option_fault(const struct option *option, size_t options_size) {
  if (option->description == NULL || option->description[0] == '\0') {
    return "has no description";
  }
  if (option->offset >= options_size) {
    return "lies outside its structure";
  }
  if (option->type == OPTION_CHOICE && option->choices == NULL) {
    return "has no choices";
  }
  if (option->type == OPTION_SECRET && option->otherwise != NULL) {
    return "is a secret with a default";
  }
  return option->required && option->otherwise != NULL ? "is required and has a default" : NULL;
}

static enum status check_options(const struct connector *connector, struct error *error) {
  if (connector->options == NULL) {
    return error_set(error, ERR_INTERNAL, _("connector '%s' has no table of options"), connector->name);
  }
  for (const struct option *option = connector->options; option->name != NULL; option++) {
    const char *fault = option_fault(option, connector->options_size);
    if (fault != NULL) {
      return error_set(error, ERR_INTERNAL, _("connector '%s': option '%s' %s"), connector->name, option->name, fault);
    }
    for (const struct option *other = connector->options; other != option; other++) {
      if (strcmp(other->name, option->name) == 0) {
        return error_set(error, ERR_INTERNAL, _("connector '%s' has option '%s' twice"), connector->name, option->name);
      }
    }
  }
  return OK;
}

enum status connector_check(const struct connector *connector, struct error *error) {
  if (connector->name == NULL || connector->description == NULL) {
    return error_set(error, ERR_INTERNAL, "%s", _("a connector has no name or no description"));
  }
  if (connector->open == NULL || connector->next == NULL || connector->close == NULL || connector->probe == NULL) {
    return error_set(error, ERR_INTERNAL, _("connector '%s' lacks open, next, close or probe"), connector->name);
  }
  return check_options(connector, error);
}

enum status connector_check_table(struct error *error) {
  for (size_t i = 0; table[i] != NULL; i++) {
    enum status status = connector_check(table[i], error);
    if (status != OK) {
      return status;
    }
    if (connector_find(table[i]->name) != table[i]) {
      return error_set(error, ERR_INTERNAL, _("two connectors are named '%s'"), table[i]->name);
    }
  }
  return OK;
}

/* ---- pages ---- */

enum { CURSOR_MOST = 64 << 10 };

void page_init(struct page *page, size_t limit) {
  *page = (struct page){.source_count = -1};
  buffer_init(&page->bytes, limit);
  buffer_init(&page->cursor, CURSOR_MOST);
  buffer_init(&page->watermark, CURSOR_MOST);
  buffer_init(&page->memory, CURSOR_MOST);
  buffer_init(&page->origin, CURSOR_MOST);
}

void page_reset(struct page *page) {
  buffer_reset(&page->bytes);
  buffer_reset(&page->cursor);
  buffer_reset(&page->watermark);
  buffer_reset(&page->memory);
  buffer_reset(&page->origin);
  page->begins = false;
  page->ends = false;
  page->source_count = -1;
}

void page_free(struct page *page) {
  buffer_free(&page->bytes);
  buffer_free(&page->cursor);
  buffer_free(&page->watermark);
  buffer_free(&page->memory);
  buffer_free(&page->origin);
}

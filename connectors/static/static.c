/* The `static` connector: documents written in the source's own file. It serves tutorials and tests of a mapping, and
 * is the smallest connector there is: copy this folder to begin a new one, then add a line to connectors/registry.c.
 *
 * What every connector has: options as a table, a connection, and four functions (see connectors/connector.h). */
#include "connectors/connector.h"
#include "core/base/text.h"

#include <stdlib.h>

/* 1. Options: a struct and one row for each member. The core reads them from YAML, checks, documents and frees them. */
struct static_options {
  struct option_list documents;
};
static const struct option option_table[] = {
    {.name = "documents",
     .type = OPTION_LIST,
     .required = true,
     .description = N_("the documents, each as text in the format that the mapping names"),
     .offset = offsetof(struct static_options, documents)},
    {.name = NULL},
};

/* 2. The connection: what is remembered between two calls of `next`. `pull` and its options outlive it. */
struct connection {
  const struct static_options *options;
  size_t next; /* position of the next document */
};

/* 3. open: begins a pass, or goes on after the page whose cursor was committed last. Errors say what to do. */
static enum status static_open(const struct pull *pull, struct connection **connection, struct error *error) {
  const struct static_options *options = pull->options;
  int64_t position = 0;
  *connection = NULL;
  if (pull->cursor != NULL && (!text_to_int64(slice_of(pull->cursor), &position) || position < 0)) {
    error_set(error, ERR_CONFIG, "%s", _("the cursor is not one of this connector"));
    error_hint(error, "%s", _("begin the pass anew: puente sync --full"));
    return ERR_CONFIG;
  }
  struct connection *made = calloc(1, sizeof *made);
  if (made == NULL) {
    return error_memory(error);
  }
  made->options = options;
  made->next = (size_t)position;
  *connection = made;
  return OK;
}

/* 4. next: one page, with the cursor that goes on after it; END once the pass is complete, and only then: a failed read
 * returns an error, or records would be taken for deleted. */
static enum status static_next(struct connection *connection, struct page *page, struct error *error) {
  const struct option_list *documents = &connection->options->documents;
  if (connection->next >= documents->count) {
    return END;
  }
  buffer_text(&page->bytes, documents->items[connection->next++]);
  page->begins = true; /* each page is a whole document here; a large file would come in many pages */
  page->ends = true;
  buffer_printf(&page->cursor, "%zu", connection->next);
  buffer_printf(&page->origin, "document %zu", connection->next);
  return buffer_check(&page->bytes, "document", error); /* appends remember a failure: asked once is enough */
}

/* 5. close: frees what open made; NULL is allowed. */
static void static_close(struct connection *connection) {
  free(connection);
}

/* 6. probe: `puente check --live`: the way to the source step by step, and one page that is not landed. */
static enum status static_probe(const struct pull *pull, probe_report *report, void *context, struct page *first,
                                struct error *error) {
  struct connection *connection = NULL;
  enum status status = static_open(pull, &connection, error);
  if (status == OK) {
    status = static_next(connection, first, error);
  }
  status = status == END ? OK : status;
  report(context, "record", status, status == OK ? _("the documents can be read") : error->message);
  static_close(connection);
  return status;
}

/* 7. The one struct that leaves this file. */
const struct connector connector_static = {
    .name = "static",
    .description = N_("documents written in the source's own file, for tutorials and tests"),
    .options = option_table,
    .options_size = sizeof(struct static_options),
    .open = static_open,
    .next = static_next,
    .close = static_close,
    .probe = static_probe,
};

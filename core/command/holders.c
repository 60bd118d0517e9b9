#include "core/command/holders.h"

#include "core/command/moment.h"
#include "core/command/table.h"
#include "core/service/access.h"
#include "core/service/holders.h"
#include "core/store/receipt.h"

#include <stdio.h>

enum { ROWS_MOST = 100000 };

enum status holders_tell_sending(const struct globals *globals, struct error *error) {
  struct workspace workspace;
  const struct holders_job job = {.limits = NULL};
  struct holders_done done;
  enum status status = workspace_open_bare(globals->config, WORKSPACE_WRITE, &workspace, error);
  if (status != OK) {
    return status;
  }
  status = access_require(&workspace, RIGHT_RUN, error);
  status = status == OK ? access_person(&workspace, error) : status;
  if (status == OK) {
    status = holders_send(&workspace, &job, &done, error);
    if (done.reached > 0 && !globals->quiet) {
      printf(
          _("signed entry %lld and sent it: holders reached %zu, failed %zu; `puente audit receipts` lists what they "
            "answered\n"),
          (long long)done.sequence, done.reached, done.failed);
    }
  }
  workspace_close(&workspace);
  return status;
}

/* ---- receipts ---- */

static enum status add_receipt(void *context, const struct receipt *receipt, struct error *error) {
  struct table *table = context;
  char text[MOMENT_SIZE], hex[2 * SHA256_SIZE + 1];
  if (table_rows(table) >= ROWS_MOST) {
    return error_set(error, ERR_LIMIT, _("more than %d entries fit"), ROWS_MOST);
  }
  hex_format(receipt->hash.bytes, SHA256_SIZE, hex);
  table_text(table, receipt->holder);
  table_number(table, receipt->sequence);
  table_text(table, moment_text(receipt->at, text));
  table_text(table, receipt->sent == 0 ? _("FAILED") : moment_text(receipt->sent, text));
  table_paint(table, receipt->sent == 0 ? PAINT_BAD : PAINT_NONE);
  table_text(table, receipt->sent == 0 ? receipt->message : receipt->answer);
  table_text(table, hex);
  return OK;
}

enum status holders_tell_receipts(const struct globals *globals, struct error *error) {
  const struct table_column columns[] = {{.name = "holder", .title = _("holder")},
                                         {.name = "sequence", .title = _("entry"), .align = ALIGN_RIGHT},
                                         {.name = "at", .title = _("signed")},
                                         {.name = "sent", .title = _("taken")},
                                         {.name = "receipt", .title = _("what they answered"), .most = 60},
                                         {.name = "hash", .title = _("hash"), .most = 12}};
  struct workspace workspace;
  enum status status = workspace_open_bare(globals->config, WORKSPACE_READ, &workspace, error);
  if (status != OK) {
    return status;
  }
  struct table *table = table_new(columns, sizeof columns / sizeof *columns);
  status = table == NULL ? error_memory(error) : access_require(&workspace, RIGHT_LOG, error);
  status = status == OK ? store_visit_receipts(workspace.store, add_receipt, table, error) : status;
  if (status == OK) {
    status = table_print(table, stdout, globals->json ? TABLE_JSON : TABLE_TEXT, error);
  }
  table_free(table);
  workspace_close(&workspace);
  return status;
}

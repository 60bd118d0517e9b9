/* `terms: linked_by_name: encoded`: of the persons of a record a code is kept (core/link/clk.h), and no identifier.
 *
 * A record is mapped as it came, in memory alone; from names and birth date, as the model's field of type encoding
 * lists them, each person gets a code. Then the record is cut as `fields:` says, and the codes are written behind the
 * bytes that stay: they land, are sealed, digested, mapped again, taken out with them.
 *
 *   bytes of the record · 0x1E "clk" 0x0A · for each person: digest of the row's key, 32 hexadecimal digits · "=" ·
 *   the code as clk_write writes it · 0x0A
 *
 * What lands from any source is looked through for this mark: nobody outside can bring codes by it. */
#ifndef PUENTE_SYNC_ENCODE_H
#define PUENTE_SYNC_ENCODE_H

#include "core/base/digest.h"
#include "mapping/format/format.h"
#include "mapping/plan.h"

/* Landed bytes without the codes at their end, and the codes; len 0: there are none. */
struct slice encoded_record(struct slice landed);
struct slice encoded_codes(struct slice landed);
/* Gives the rows of the record at `record` their codes, by their keys; the text is borrowed. */
void encoded_fill(struct batch *batch, uint32_t record, const struct subkey *keys, struct slice codes);

/* Codes that the source itself sends (mapped to the model's field of type encoding) and that are none, or of another
 * version, are dropped: how many of the record at `record`. */
size_t encoded_drop(struct batch *batch, uint32_t record);

struct encoder;
/* ERR_CONFIG where the model has no field of type encoding. Plan and model are borrowed. */
enum status encoder_new(const struct plan *plan, const struct model *model, const struct key *key,
                        struct encoder **made, struct error *error) MUST_CHECK;
void encoder_free(struct encoder *encoder); /* NULL allowed */
/* The codes of a record as it came; none where it cannot be read or mapped. Valid until the next call. */
enum status encoder_read(struct encoder *encoder, const struct format *format, const struct decoder *decoder,
                         struct slice bytes, const struct subkey *keys, struct slice *codes,
                         struct error *error) MUST_CHECK;
/* The bytes to land: those that were cut, with the codes behind them. `rejected`: the mapping reads an identifier in
 * them all the same. `bytes` is valid until the next call. */
enum status encoder_close(struct encoder *encoder, const struct format *format, const struct decoder *decoder,
                          struct slice codes, struct slice *bytes, bool *rejected, struct error *error) MUST_CHECK;

#endif

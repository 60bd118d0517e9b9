/* Persons whose names may not be shared: pairs by codes of names (core/link/clk.h), which go to review and are never
 * joined by a program. Private to core/resolve.
 *
 * A row has a code where its source's terms say so; a row with a name gets one made in memory, under the same key.
 * Rows with codes are compared with each other and with those of a name; two of a name are the linker's own. */
#ifndef PUENTE_RESOLVE_ENCODED_H
#define PUENTE_RESOLVE_ENCODED_H

#include "core/resolve/twopass.h"

#define ENCODED_RULE "name encoding" /* blocking rule of such pairs, as the store has it */

/* Adds pairs that wait for a person, with REASON_ENCODING, to what linking found: of two clusters the most alike one.
 * Left out are those of one cluster, of a decision, sealed rows, two persons of one case or of a source free of
 * duplicates, and whatever another rule keeps apart. Their weight tells the Dice coefficient within the plan's band: it
 * stays below where pairs are joined. The numbers of waiting pairs and accepted clusters follow. */
enum status encoded_pairs(struct store *store, struct twopass_side *persons, struct error *error) MUST_CHECK;

/* The Dice coefficient of two rows, by position; `found` false where neither has a code, or one could have none. */
enum status encoded_pair(struct store *store, const struct staged_rows *persons, const uint32_t rows[2], bool *found,
                         double *dice, struct error *error) MUST_CHECK;

#endif

/* Everything that a store holds, as text: every table of its schema, found in the database's own catalogue and not in
 * the program's lists, every row, every column. Two stores that went another way to the same content have equal dumps.
 *
 * Set aside is what tells when, and in how many tries, the content came:
 *   - columns of times and run ids (named in dump.c): a value up to `known` runs stands as it is, a later one as '+';
 *   - rows of the tables of runs and of the audit log beyond the `known` runs, entries of that log that belong to no
 *     run (backups), its head, the counter of runs, when the last backup was made, and the
 *     token of a lease, which counts the tries;
 *   - how many records the last pass looked at for the shape of its fields: one that was killed looked at the rest
 * only;
 *   - data keys, which are random: what is sealed is compared as it is inside;
 *   - former outcomes (table outcome): kept by the run that ended them, for the roots of the audit log.
 * Everything else has to be equal: ids of records, versions, rows, persons and cases, bytes and their places in
 * chunks, digests, identities, states, issues, cursors and watermarks, pairs, keys, models, memberships. */
#ifndef PUENTE_TESTS_SUPPORT_DUMP_H
#define PUENTE_TESTS_SUPPORT_DUMP_H

#include <stdbool.h>
#include <stdint.h>

/* Text is allocated: "table|column|…" lines, then rows. Any failure ends the test program. */
char *dump_sqlite(const char *path, const char *key_file, int64_t known);
char *dump_postgres(const char *conninfo, const char *schema, const char *key_file, int64_t known);

/* Whether they are equal; else prints the first lines that differ, with the table they stand in. */
bool dump_same(const char *wanted, const char *got);

#endif

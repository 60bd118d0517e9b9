/* The persons of all sources as one CSV, for linking without a store; and who is easily taken for whom. */
#ifndef PUENTE_EXAMPLES_PERSONS_H
#define PUENTE_EXAMPLES_PERSONS_H

#include "examples/peru/simulator/errors.h"

/* id, source, document_type, document_number, paternal_surname, maternal_surname, given_names, full_name (where the
 * source keeps one field), birth_date, sex, nationality, denuncia, carpeta, kin, true_person. `kin` says that persons
 * are easily taken for each other: "sibling", "twin", "document" (shown by two), by space. One line a person, case and
 * source that saw her; in UTF-8, source after source. False: it could not be written, or out of memory. */
bool persons_write(const char *path, const struct simulation *simulation);

/* Who is easily taken for somebody else, by person; freed by the caller; NULL: out of memory. Brothers and sisters are
 * rescued together: two of one case with the surnames and the place of birth. */
enum { KIN_SIBLING = 1, KIN_TWIN = 2, KIN_DOCUMENT = 4 };
uint8_t *kin_find(const struct world *world);
const char *kin_text(uint8_t kin); /* as in the CSV; "" for none */

#endif

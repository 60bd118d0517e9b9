/* The persons of all sources as one CSV, for linking without a store. */
#ifndef PUENTE_EXAMPLES_PERSONS_H
#define PUENTE_EXAMPLES_PERSONS_H

#include "examples/peru/simulator/errors.h"

/* id, source, document_type, document_number, paternal_surname, maternal_surname, given_names, full_name (where the
 * source keeps one field), birth_date, sex, nationality, denuncia, carpeta, kin, true_person. `kin` says that persons
 * are easily taken for each other: "sibling", "twin", "document" (shown by two), by space. One line a person, case and
 * source that saw her; in UTF-8, source after source. False: it could not be written, or out of memory. */
bool persons_write(const char *path, const struct simulation *simulation);

#endif

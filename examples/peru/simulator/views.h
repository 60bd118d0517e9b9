/* The five registries: each writes pages, rows or lines of its own shape from the one population. */
#ifndef PUENTE_EXAMPLES_VIEWS_H
#define PUENTE_EXAMPLES_VIEWS_H

#include "examples/peru/simulator/write.h"

/* A page of cases changed at or after `since`, after the position `cursor` ("" at the beginning). */
void sistra_page(FILE *out, const struct simulation *simulation, const struct listing *listing, int64_t since,
                 const char *cursor, uint32_t limit);
/* Page `page` (from 1) of the denuncias changed at or after `since`, as a SOAP envelope in Latin-1. */
void reta_page(FILE *out, const struct simulation *simulation, const struct listing *listing, int64_t since,
               uint32_t page, uint32_t size);
/* `count` assistances from position `first` on, in the style of PIDE. */
void mimp_page(FILE *out, const struct simulation *simulation, const struct listing *listing, int64_t since,
               uint32_t first, uint32_t count);
void mimp_failure(FILE *out, const char *code, const char *text);

/* Writes the star schema anew as an SQLite file, in one transaction; vanished rows are gone. */
bool datamart_write(const char *path, const struct simulation *simulation);
/* The same as statements for PostgreSQL: tables, rows by COPY. */
bool datamart_write_sql(const char *path, const struct simulation *simulation);
/* A file of the lines that are new or changed in this round (the first: all), put in place by renaming. */
bool siscalp_write(const char *folder, const struct simulation *simulation);
/* truth.csv: source, record_key, person_key, role, true_person, true_case, protected (yes, no), kin (persons.h) of
 * every record shown so far. */
bool truth_write(const char *path, const struct simulation *simulation);

/* Keys as the sources write them. */
void sistra_key(uint32_t incident, char text[40]);
void mimp_key(const struct world *world, uint32_t involvement, char text[40]);
void siscalp_key(uint32_t involvement, char text[40]);
const char *mimp_service(uint32_t involvement);

#endif

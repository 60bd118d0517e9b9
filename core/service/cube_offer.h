/* What to ask for instead of a table of which much is hidden: the same count by coarser fields, or by fewer. Each is
 * one of the tables that it is protected with (cube_lattice.h): what is promised of it is what it shows. */
#ifndef PUENTE_SERVICE_CUBE_OFFER_H
#define PUENTE_SERVICE_CUBE_OFFER_H

#include "core/service/cube.h"

enum { OFFERS_MOST = 2 };

struct cube_offer {
  const char *by[CUBE_FIELDS_MOST]; /* by field of the request; NULL: left out */
  struct cube_shown shown;
};
struct cube_offers {
  struct cube_offer offers[OFFERS_MOST];
  size_t count;
};

/* For a count of which something is hidden, by what it shows: the least coarse one of which nothing is hidden, last;
 * before it, of those less coarse, the one that shows most of its units. Where nothing shows more, only one of them, or
 * none. Least coarse: the fewest fields left out, then the fewest steps
 * (province, department, region; month, year, period; purposes and ages by their groups), the first fields first. A
 * field that would be recorded of nobody is not offered. The conditions stay as they are. */
enum status cube_offer(const struct cube_request *request, const struct cube_shown *shown, struct cube_offers *offers,
                       struct error *error) MUST_CHECK;

#endif

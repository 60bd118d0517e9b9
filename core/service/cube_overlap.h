/* How much of a consolidated figure each source has, several have, and one alone has, by year and department: counted,
 * and protected together with what a crosstab of these fields shows.
 *
 * A unit (person, case) is in a source where records of that source are behind it in that year. So in every cell
 * `several` and `one` make the consolidated figure, and figures of sources are parts of it that overlap, by its dates
 * and places, not by their own.
 *
 * Protection: one problem of core/disclose over units. Its axes are year with department, and the set of sources that a
 * unit is in; each source, several and one are groupings of that set (one by source is told in exact figures alone).
 * Consolidated figures enter as tables that are out, with all their margins, so that they are shown where a crosstab
 * shows them. Parts are told of whole years of which a crosstab shows at least 2k; of other years, and of departments,
 * all of them are hidden, zero too. Where what a crosstab shows would give a part away, 4k are needed, and so on. Whom
 * a source does not have is protected as whom it has. */
#ifndef PUENTE_SERVICE_CUBE_OVERLAP_H
#define PUENTE_SERVICE_CUBE_OVERLAP_H

#include "core/service/cube.h"

enum { OVERLAP_SOURCES_MOST = 40 };
enum overlap_kind { OVERLAP_SEVERAL, OVERLAP_ONE, OVERLAP_ONLY, OVERLAP_SOURCE };

/* Of each year, and of each department of it that has anybody. Codes; NULL: not recorded. */
struct overlap_figure {
  enum overlap_kind kind;
  size_t source; /* of OVERLAP_SOURCE, and of OVERLAP_ONLY, which says whose `one` is: position in the configuration */
  const char *year, *department;
  bool whole; /* of the year, all departments */
  bool hidden;
  int64_t count;
};
/* In the arena given; in no order. */
struct overlap {
  struct overlap_figure *figures;
  size_t count;
  bool withheld; /* there are none: figures are rounded, or small ones are to be hidden and a filter of another field
                  * than year and department cannot be protected together with them */
};

/* Takes of the request workspace, indicator, conditions and `guard`. ERR_LIMIT where there is too much to be
 * protected together. */
enum status overlap_run(const struct cube_request *request, struct arena *arena, struct overlap *overlap,
                        struct error *error) MUST_CHECK;

#endif

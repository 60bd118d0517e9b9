/* Who brought in what, for auditors: the versions of a source's mapping, and traces of some units of a figure that
 * somebody else can draw again. Answers are JSON objects, freed by json_decref. */
#ifndef PUENTE_SERVICE_PROVENANCE_H
#define PUENTE_SERVICE_PROVENANCE_H

#include "core/audit/audit.h"
#include "core/service/figure.h"

/* {"source", "versions": [{"plan_id", "digest", "run", "at", "actor", "purpose", "entry" of the log or null,
 * "proposed_by", "reason", "document", "approved_by", "approved_at", "remark" as the log has them (null: approved by
 * nobody), "changed": "first", "text" or "lists" (the text
 * is as it was: code lists, model or program changed), "lines": [{"sign": "-" or "+", "line", "text"}], "touched":
 * [{"run", "event", "entry", "mapped", "quarantined", "withheld", "records"}]}]}, oldest first. */
enum status audit_mapping(struct workspace *workspace, const char *source, json_t **answer,
                          struct error *error) MUST_CHECK;

/* Draws `n` units of a figure: those with the least SHA-256 of "puente/sample/1\n", the seed, a line feed and the
 * unit's id in decimal digits, in that order. They are those that the store had after a run: request->as_of_run, or 0
 * for the last that has ended. The same run and seed draw the same units, as long as none is taken out, which
 * "drawn_of" tells: the number of units, and the SHA-256 of their ids, ascending, a line feed after each. {"kind":
 * "sample", "indicator", "where", "figure", "seed", "n", "run", "asked": {FIELD: value} of the request, "exact",
 * "drawn_of": {"units", "digest"}, "units": [{"id", "draw": the hash, "told": [figure_unit_json], "whole": as
 * explain_cluster has it, "records": [as explain_record has it]}]}. ERR_USAGE where the figure has less than n units;
 * values are masked; the drawing is in the log before anything is read. */
enum status audit_sample(struct workspace *workspace, const struct figure_request *request, int64_t n, int64_t seed,
                         json_t **answer, struct error *error) MUST_CHECK;

#endif

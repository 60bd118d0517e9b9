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
 * unit's id in decimal digits, in that order. The same store and seed give the same bytes. {"kind": "sample",
 * "indicator", "where", "figure", "seed", "n", "units": [{"id", "draw": the hash, "told": [figure_unit_json], "whole":
 * as explain_cluster has it, "records": [as explain_record has it]}]}. ERR_USAGE where the figure has less than n
 * units; values are masked; the drawing is in the log before anything is read. */
enum status audit_sample(struct workspace *workspace, const struct figure_request *request, int64_t n, int64_t seed,
                         json_t **answer, struct error *error) MUST_CHECK;

#endif

"""Splink on DuckDB: CSV in, clusters out.   usage: splink_peer.py CASE CSV CLUSTERS [MODEL]"""
import logging
import sys

import duckdb
import splink.comparison_library as cl
from cases import CASES
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

logging.disable(logging.WARNING)


def comparison(column, kind):
    if kind in ("name", "text"):
        made = cl.JaroWinklerAtThresholds(column, [0.92, 0.80])
        return made.configure(term_frequency_adjustments=True) if kind == "name" else made
    if kind in ("slip", "date"):
        return cl.DamerauLevenshteinAtThresholds(column, [1] if kind == "slip" else [1, 2])
    return cl.ExactMatch(column)


def main(name, path, out, model):
    case = CASES[name]
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name=case["id"],
        comparisons=[comparison(column, kind) for column, kind in case["columns"].items()],
        blocking_rules_to_generate_predictions=[block_on(*keys) for keys in case["block"]],
    )
    connection = duckdb.connect()
    connection.execute("SET threads TO 2")
    connection.execute("CREATE TABLE records AS SELECT * FROM read_csv(?, all_varchar = true, header = true)", [path])
    api = DuckDBAPI(connection=connection)
    linker = Linker(api.register("records"), settings)
    train = linker.training
    train.estimate_probability_two_random_records_match([block_on(*keys) for keys in case["deterministic"]], recall=0.6)
    train.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for keys in case["rounds"]:
        train.estimate_parameters_using_expectation_maximisation(block_on(*keys))
    pairs = linker.inference.predict(threshold_match_probability=0.01)
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(
        pairs, threshold_match_probability=case["threshold"]
    )
    connection.execute(
        f"COPY (SELECT {case['id']} AS record, cluster_id FROM {clusters.physical_name}) TO '{out}' (HEADER, FORMAT csv)"
    )
    if model:
        linker.misc.save_model_to_json(model, overwrite=True)


main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4] if len(sys.argv) > 4 else None)

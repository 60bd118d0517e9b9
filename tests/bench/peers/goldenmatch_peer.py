"""GoldenMatch with Splink's settings, converted by its own importer: CSV in, clusters out. The trained weights come with
them, so that its seconds hold no training; where it cuts is its own choice.

usage: goldenmatch_peer.py CASE CSV MODEL CLUSTERS"""
import csv
import sys

import goldenmatch
import pyarrow.csv
from cases import CASES


def main(name, path, model, out):
    case = CASES[name]
    conversion = goldenmatch.from_splink(model)
    config = conversion.config
    if conversion.em_model is not None:
        conversion.em_model.save_json(model + ".em")
        config.get_matchkeys()[0].model_path = model + ".em"
    with open(path, encoding="utf-8", newline="") as source:
        header = next(csv.reader(source))
    texts = pyarrow.csv.ConvertOptions(column_types={name: "string" for name in header}, strings_can_be_null=True)
    table = pyarrow.csv.read_csv(path, convert_options=texts)
    result = goldenmatch.dedupe_df(table, config=config)
    ids = table[case["id"]].to_pylist()
    with open(out, "w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow(["record", "cluster_id"])
        for number, cluster in result.clusters.items():
            for row in cluster["members"]:
                writer.writerow([ids[row], number])


main(*sys.argv[1:5])

"""Puente first, then each peer, on the same file by the same measure; a JSON line for each run and one for each ratio.
usage: compare.py BUILD PERSONS [CASE]"""
import collections
import csv
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import unicodedata

from cases import CASES

HERE = os.path.dirname(os.path.abspath(__file__))
TIMEOUT = 900


def run(command, log):
    """Seconds, peak MiB and whether it ended well; the whole process counts, as a user waits for it."""
    began = time.monotonic()
    with open(log, "wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, start_new_session=True)
        late = threading.Timer(TIMEOUT, os.killpg, (process.pid, signal.SIGKILL))
        late.start()
        _, status, usage = os.wait4(process.pid, 0)
        late.cancel()
    return time.monotonic() - began, usage.ru_maxrss / 1024, status == 0


def plain(text):
    """What Puente does by itself and a user of the peers does before: capitals, no accents, no numbers that identify
    nobody."""
    text = "".join(c for c in unicodedata.normalize("NFD", text.strip()) if not unicodedata.combining(c)).upper()
    return "" if re.fullmatch(r"0{8}|1{8}|9{8}|12345678", text) else text


def plain_copy(case, path, out):
    """Values made plain, and the truth's column away; not counted in anybody's seconds."""
    truth = {}
    column, pattern = case["truth"]
    with open(path, encoding="utf-8", newline="") as source, open(out, "w", encoding="utf-8", newline="") as target:
        rows = csv.reader(source)
        header = [name.strip() for name in next(rows)]
        keep = [i for i, name in enumerate(header) if name != column or name == case["id"]]
        writer = csv.writer(target, lineterminator="\n")
        writer.writerow([header[i] for i in keep])
        at, key = header.index(column), header.index(case["id"])
        for row in rows:
            value = row[at].strip()
            truth[row[key].strip()] = re.match(pattern, value).group(1) if pattern else value
            writer.writerow([row[i].strip() if i == key else plain(row[i]) for i in keep])
    return truth


def pairs(groups):
    return sum(n * (n - 1) // 2 for n in collections.Counter(groups).values())


def f1(truth, clusters):
    with open(clusters, encoding="utf-8", newline="") as source:
        cluster = {row["record"]: row["cluster_id"] for row in csv.DictReader(source)}
    both = pairs((truth[key], cluster.get(key, "alone " + key)) for key in truth)
    found = pairs(cluster.get(key, "alone " + key) for key in truth)
    return 2 * both / max(1, found + pairs(truth.values()))


def compare(name, case, build, path):
    work = os.path.join(build, "peers", name)
    copy, model = work + ".plain.csv", work + ".model.json"
    truth = plain_copy(case, path, copy)
    python = sys.executable
    tools = {
        "puente": [os.path.join(build, "puente"), "--quiet", "link", "--csv", path, "--link", case["config"], "--threads",
                   "2", "--out"],
        "splink": [python, os.path.join(HERE, "splink_peer.py"), name, copy],
        "goldenmatch": [python, os.path.join(HERE, "goldenmatch_peer.py"), name, copy, model],
    }
    ours = None
    for tool, command in tools.items():
        out = f"{work}.{tool}.csv"
        if os.path.exists(out):
            os.remove(out)
        last = [out, model] if tool == "splink" else [out]
        seconds, mib, good = run(command + last, f"{work}.{tool}.log")
        line = {"case": f"link_peers_{name}", "tool": tool, "records": len(truth), "seconds": round(seconds, 2),
                "peak_mib": round(mib)}
        if not good or not os.path.exists(out):
            line["failed"] = f"see {work}.{tool}.log" if seconds < TIMEOUT else f"stopped after {TIMEOUT} s"
        else:
            line["f1"] = round(f1(truth, out), 4)
        print(json.dumps(line), flush=True)
        if tool == "puente":
            ours = seconds
        elif good:
            print(json.dumps({"case": f"link_peers_{name}", "ratio": f"{tool} / puente",
                              "seconds_ratio": round(seconds / ours, 1)}), flush=True)


def main(build, persons, only):
    for name, case in CASES.items():
        path = case["data"] or persons
        if only not in name:
            continue
        if not os.path.exists(path):
            print(json.dumps({"case": f"link_peers_{name}", "skipped": f"{path} is not there"}), flush=True)
            continue
        compare(name, case, build, path)


main(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "")

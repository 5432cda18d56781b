"""Chaos on the service: kills of API, dispatcher and workers under load, over several seeds.

Every run is `tests/service_chaos.py` with more kills: users submit (and send the same again),
cancel, try again and download, while processes are killed (-9; also amid requests and packaging),
workers are stopped beyond their limit or doubled, and the workers' disk fills. At the end every
acknowledged job must be there once, done once, with the bytes of an undisturbed run.

    python benchmarks/service_chaos.py [--seeds 1 2 3 4 5] [--kills 24] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[1]))  # beside this file, `service` is `service.py`

from service_chaos import ChaosPlan, run_chaos, undisturbed
from service_chaos_audit import ChaosReport

UNFINISHED_JOBS = 4


def main() -> int:
    """Run all seeds; the exit code is 1 when a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--kills", type=int, default=24, help="of each seed")
    parser.add_argument("--json", action="store_true", help="only the object of figures")
    options = parser.parse_args()
    begin, reports = time.monotonic(), []
    with tempfile.TemporaryDirectory() as folder:
        expected = undisturbed(Path(folder) / "peace")
        for seed in options.seeds:
            plan = ChaosPlan(seed=seed, kills=options.kills, jobs=UNFINISHED_JOBS)
            reports.append(run_chaos(plan, Path(folder) / f"seed-{seed}", expected))
            if not options.json:
                tell(seed, reports[-1])
    print(json.dumps(figures(reports, time.monotonic() - begin)))
    return int(any(broken(report) for report in reports))


def broken(report: ChaosReport) -> list[str]:
    """Every broken promise of a run in words."""
    return [*report.lost, *report.doubled, *report.bad_files]


def tell(seed: int, report: ChaosReport) -> None:
    """One run in a line, and what it broke."""
    print(f"seed {seed}: {report.jobs} jobs, kills {dict(report.kills)}, {dict(report.harm)}")
    for line in broken(report):
        print(f"  broken: {line}")


def figures(reports: list[ChaosReport], seconds: float) -> dict[str, float]:
    """All runs in one object."""
    kills, harm, did = Counter[str](), Counter[str](), Counter[str]()
    for report in reports:
        kills.update(report.kills)
        harm.update(report.harm)
        did.update(report.did)
    return {
        "chaos_kills": kills.total(),
        "chaos_lost": sum(len(report.lost) for report in reports),
        "chaos_doubled": sum(len(report.doubled) for report in reports),
        "chaos_bad_files": sum(len(report.bad_files) for report in reports),
        "chaos_seeds": len(reports),
        "chaos_jobs": sum(report.jobs for report in reports),
        **{f"chaos_kills_{kind}": count for kind, count in sorted(kills.items())},
        **{f"chaos_{kind}": count for kind, count in sorted((harm + did).items())},
        "chaos_seconds": round(seconds, 1),
        "cores": os.cpu_count() or 1,
    }


if __name__ == "__main__":
    sys.exit(main())

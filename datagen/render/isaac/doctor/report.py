"""The report for people: one table, the pictures, what to do."""

from __future__ import annotations

from pathlib import Path

from datagen.render.isaac.doctor.finding import Finding
from datagen.store import write_file

CAPTIONS = {
    "light.png": "Light of the first view and of a later one.",
    "depth.png": "Depth as rendered, as expected, and their difference (white is 1 mm).",
    "instances.png": "Instances as rendered and as expected.",
    "motion.png": "Motion vectors as rendered, and the true backward flow.",
}


def write_report(
    path: Path, findings: list[Finding], pictures: list[str], versions: dict[str, str]
) -> None:
    """Write the report as Markdown."""
    failed = [finding for finding in findings if not finding.passed]
    verdict = (
        "**All checks passed.** Set `DATAGEN_ISAAC_PROFILE` to the profile beside this report: "
        "datasets made with these versions, GPU, driver and settings are then marked verified."
        if not failed
        else f"**{len(failed)} of {len(findings)} checks failed.** Datasets are marked "
        "`verified = false` until they pass."
    )
    table = ["| | check | found |", "|---|---|---|"]
    table += [
        f"| {'pass' if f.passed else '**FAIL**'} | {f.number}. {f.title} | {f.text} |"
        for f in findings
    ]
    shown = [f"{CAPTIONS[name]}\n\n![{name}]({name})" for name in pictures]
    machine = ", ".join(f"{name} {value}" for name, value in versions.items())
    parts = ["# Isaac Sim examined", verdict, machine, "\n".join(table), *shown]
    write_file(path, ("\n\n".join(parts) + "\n").encode())

"""The whole examination: eleven checks, a report with pictures, and the profile.

Takes about three minutes after Isaac Sim's first shader compilation. Frames are not guarded here:
the doctor is to see what the guards would refuse.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from datagen.errors import DatagenError
from datagen.render.isaac.doctor.bench import Bench, Columns, Size, run
from datagen.render.isaac.doctor.camera_probes import probe_lens, probe_offset
from datagen.render.isaac.doctor.finding import Finding
from datagen.render.isaac.doctor.geometry_checks import (
    check_depth,
    check_instances,
    check_pose,
    check_projection,
    choose_strategy,
)
from datagen.render.isaac.doctor.light_checks import check_linearity, check_noise, check_repeat
from datagen.render.isaac.doctor.machine_checks import (
    check_ending,
    check_endurance,
    check_versions,
)
from datagen.render.isaac.doctor.motion_check import MOTION, check_motion
from datagen.render.isaac.doctor.pictures import write_pictures
from datagen.render.isaac.doctor.report import write_report
from datagen.render.isaac.host import IsaacSimRenderer
from datagen.render.isaac.installation import Installation
from datagen.render.isaac.limits import Limits
from datagen.render.isaac.presets import settings_for
from datagen.render.isaac.profile_file import DEFAULT_STRATEGY, write_profile
from schemas.render import IsaacRendererSpec

SEEN = ("depth", "instance", "radiance", "motion", "view", "projection", "time", "renumbered")
REPEATED = ("depth", "instance", "radiance")
PROFILE, REPORT = "isaac_profile.json", "report.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """What the doctor says."""

    findings: tuple[Finding, ...]
    profile: Path
    report: Path

    @property
    def passed(self) -> bool:
        """All checks passed."""
        return all(finding.passed for finding in self.findings)

    def describe(self) -> str:
        """A line per check."""
        lines = [
            f"{'pass' if f.passed else 'FAIL'}  {f.number:2}  {f.title}: {f.text}"
            for f in self.findings
        ]
        return "\n".join([*lines, f"report: {self.report}", f"profile: {self.profile}"])


def examine(
    installation: Installation,
    spec: IsaacRendererSpec,
    out: Path,
    *,
    size: Size | None = None,
    limits: Limits | None = None,
) -> Examination:
    """Examine an installation and write report, pictures and profile into `out`.

    Raises:
        DatagenError: Isaac Sim cannot be started, or does not render at all.
    """
    out.mkdir(parents=True, exist_ok=True)
    bench = Bench(installation, spec, out / "stages", size=size or Size(), limits=limits)
    renderer = bench.renderer()
    try:
        strategy = choose_strategy(bench, renderer)
        bench.spec = spec.model_copy(update={"strategy": strategy})
        if strategy != (spec.strategy or DEFAULT_STRATEGY):
            renderer.close()
            renderer = bench.renderer()
        findings, seen, versions = _with(bench, renderer)
    finally:
        ending = renderer.close()
    findings += _with_others(bench, seen)
    if ending is not None:
        findings.append(check_ending(ending))
    findings.sort(key=lambda finding: finding.number)
    checks = [finding.plain() for finding in findings]
    motion = any(f.figures["audited"] for f in findings if f.number == MOTION)
    write_profile(
        out / PROFILE, versions=versions, spec=spec, strategy=strategy, motion=motion, checks=checks
    )
    pictures = write_pictures(bench, seen, out)
    write_report(out / REPORT, findings, pictures, versions)
    return Examination(findings=tuple(findings), profile=out / PROFILE, report=out / REPORT)


def _with(
    bench: Bench, renderer: IsaacSimRenderer
) -> tuple[list[Finding], Columns, dict[str, str]]:
    """Checks that one process can answer."""
    versions: dict[str, str] = renderer.ready["versions"]
    seen = run(renderer, bench.views, SEEN)
    still = run(renderer, bench.still, ("radiance",))["radiance"]
    swaying = run(renderer, bench.swaying, ("radiance",))["radiance"]
    return (
        [
            check_versions(renderer.ready, settings_for(bench.spec)),
            check_depth(bench, seen),
            check_pose(bench, seen),
            check_projection(bench, seen),
            check_motion(bench, renderer),
            check_instances(bench, seen),
            check_noise(still, swaying, bench.wall),
            _guarded(10, "Throughput and memory", lambda: check_endurance(bench, renderer)),
        ],
        seen | {"still": still},
        versions,
    )


def _with_others(bench: Bench, seen: Columns) -> list[Finding]:
    """Checks that need a stage or a process of their own."""
    twice = _once(bench, level=2.0)
    again = _once(bench, level=1.0)
    offset, lens = probe_offset(bench), probe_lens(bench)
    return [
        check_linearity(seen["radiance"], twice["radiance"], seen["still"], bench.light),
        check_repeat({name: seen[name] for name in REPEATED}, again),
        Finding(
            number=12, title="Aperture offset", passed=True,
            text=f"sign is {offset!r} (for information: pictures are cropped, no offset is used)",
            figures={"offset": offset},
        ),
        Finding(
            number=13, title="OpenCV lens", passed=True,
            text=f"is {lens!r} (for information: square pixels are asked for, no lens is used)",
            figures={"lens": lens},
        ),
    ]  # fmt: skip


def _once(bench: Bench, *, level: float) -> Columns:
    with closing(bench.renderer(level=level)) as renderer:
        return run(renderer, bench.views, REPEATED)


def _guarded(number: int, title: str, check: Callable[[], Finding]) -> Finding:
    """A check whose frames are guarded as a job's are; a guard that trips is its finding."""
    try:
        return check()
    except DatagenError as error:
        text = str(error).splitlines()[0]
        return Finding(number=number, title=title, passed=False, text=text)

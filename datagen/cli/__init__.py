"""The `datagen` command: a thin face of the library. `service.cli` adds the service's verbs.

Exit codes: 0 done, 1 a check failed (`validate`), 2 the input or the machine stopped the work,
130 the keyboard did.
"""

from __future__ import annotations

import click

from datagen.cli.conversion import events, export
from datagen.cli.datasets import estimate, generate, inspect, preview, schema, validate
from datagen.cli.group import Group
from datagen.cli.machine import doctor
from datagen.cli.networks import evaluate, train
from datagen.cli.workers import finish_job, prepare_job, run_segment

__all__ = ["main"]


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="neuromorphic-datagen")
def main() -> None:
    """Synthetic RGB, depth, flow, pose, event and spike datasets on one clock.

    \b
    A first run:
      datagen estimate examples/quickstart.yaml
      datagen generate examples/quickstart.yaml -o my-dataset
      datagen validate my-dataset
      datagen train my-dataset -o my-model --minutes 3
      datagen evaluate my-model/best.pt my-dataset --split test
    """


for command in (
    *(estimate, generate, validate, inspect, preview, export, events, schema),
    *(train, evaluate, doctor),
    *(prepare_job, run_segment, finish_job),
):
    main.add_command(command)

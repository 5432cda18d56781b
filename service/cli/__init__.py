"""The `datagen` command of the whole product: the core's commands and the service's.

The core (`datagen.cli`) knows nothing of a service. Everything heavy is imported inside the command
that needs it.
"""

from __future__ import annotations

from datagen.cli import main
from service.cli.jobs import cancel, download, list_jobs, submit, watch
from service.cli.operation import dispatch, keys_group, serve

__all__ = ["main"]

for command in (serve, dispatch, keys_group, submit, list_jobs, watch, cancel, download):
    main.add_command(command)

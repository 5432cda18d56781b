"""`python -m service.dispatch [--supervised]`: settings from the environment."""

from __future__ import annotations

import os
import sys

from service.dispatch.process import run
from service.settings import settings_from

run(settings_from(os.environ), supervised="--supervised" in sys.argv[1:])

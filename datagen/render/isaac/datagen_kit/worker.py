"""What Isaac Sim's interpreter is started with: finds its package by path and serves.

The folder above this one goes to the end of the path, so that nothing of Isaac Sim's is hidden.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).resolve().parents[1]))
    from datagen_kit.serve import main

    main()

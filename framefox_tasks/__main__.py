"""`python -m framefox_tasks`: the same as the script framefox-tasks."""

from __future__ import annotations

import sys

from framefox_tasks.cli import main

if __name__ == "__main__":
    sys.exit(main())

"""``python -m formicary``: the same as the command ``formicary``."""

from __future__ import annotations

import sys

from formicary.runtime.main import main

if __name__ == "__main__":
    sys.exit(main())

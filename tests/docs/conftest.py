"""Makes docs/ importable for the tests of what it holds, as Sphinx does for its own configuration."""

from __future__ import annotations

import sys
from pathlib import Path

for _folder in (Path(__file__).parents[2] / "docs", Path(__file__).parent):
    if str(_folder) not in sys.path:
        sys.path.insert(0, str(_folder))

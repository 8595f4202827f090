"""Where the real corpora lie: `../shared/corpora` beside the project, or what MALMOI_CORPORA names."""

import os
from pathlib import Path

CORPORA = Path(os.environ.get("MALMOI_CORPORA") or Path(__file__).resolve().parents[3] / "shared" / "corpora")

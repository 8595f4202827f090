"""Pages that `benchmarks.simulated_captures` wrote into the folder that MALMOI_SIMULATED names."""

import os
from pathlib import Path

from malmoi.source import LicenceClaim, LicenceRule, Source, Warc

SOURCE = Source(
    name="simulated",
    title="모의 수집",
    publisher="모의 발행처",
    access=Warc((Path(os.environ.get("MALMOI_SIMULATED", "simulated")).absolute(),)),
    claim=(LicenceClaim("CC-BY-4.0", "Simulated pages CC-BY-4.0", file="SOURCE.txt"),),
    rule=LicenceRule(proofs=("licence-file",), expected=("CC-BY-4.0",)),
)

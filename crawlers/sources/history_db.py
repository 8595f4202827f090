"""한국사데이터베이스: data sets in XML that the operator has downloaded, with the record that licenses them."""

import os
from pathlib import Path

from malmoi.source import Expect, Folder, LicenceClaim, LicenceRule, Source

FOLDER = "MALMOI_HISTORY_DIR"  # environment variable

SOURCE = Source(
    name="history_db",
    title="한국사데이터베이스 개방 자료",
    publisher="국사편찬위원회",
    access=Folder(Path(os.environ.get(FOLDER, "history_db")), include=("**/*.xml",)),
    claim=(
        LicenceClaim(
            licence="LicenseRef-KR-OpenData-Unrestricted",
            quote="이용허락범위 제한 없음",
            file="catalog.json",
        ),
    ),
    # The record of the data set on data.go.kr, saved beside its files.
    rule=LicenceRule(proofs=("licence-file",), expected=("LicenseRef-KR-OpenData-Unrestricted",)),
    register="historical",
    domain="history",
    expect=Expect(at_least=1, at_most=1_000_000),  # depends on the data sets that were downloaded
    attribution="{publisher}, 「{title}」, {url}",
    unverified="No data set has been seen. Which of them are without conditions: some works of the Institute are under "
    "type 4 of the Korea Open Government Licence, and a mark inside a file is more than the record of its data set.",
    note=f"Put one data set, or several under the same conditions, into the folder that {FOLDER} names, and save "
    "https://www.data.go.kr/catalog/<number>/fileData.json there as catalog.json. The pages of db.history.go.kr "
    "themselves are not crawled: a public programme reports that its robots.txt turns machines away.",
)

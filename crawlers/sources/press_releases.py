"""Press releases of the ministries from korea.kr (정책브리핑), day by day, from the open API of data.go.kr.

crawlers/platforms/korea_kr.py says how the days are chosen.
"""

from crawlers.platforms import korea_kr

SERVICE = korea_kr.Service(
    name="press_releases",
    url="https://apis.data.go.kr/1371000/pressReleaseService/pressReleaseList",
    guide="https://www.data.go.kr/data/15095295/openapi.do",
    page="https://www.korea.kr/briefing/pressReleaseView.do?newsId={}",
)

SOURCE = korea_kr.source(
    SERVICE,
    title="대한민국 정책브리핑 보도자료",
    unverified="No answer of the interface has been seen: address and elements are those of its guide and of public "
    "programs. One reports that page 1 holds the whole window, of three days at most, and that korea.kr refuses "
    "addresses of data centres (korengaus/policy_ai, providers/policy_briefing.py). They read no KoglType here; "
    "without one every item is excluded, although the record of data set 15095295 says 공공저작물_출처표시. The "
    "meaning of KoglType=0 (here: unknown) and ContentsStatus=D (deleted); how far back the days go; whether data set "
    "15092245 is the same releases.",
    note="Set MALMOI_POLICY_FROM and MALMOI_POLICY_TO (ISO dates); see crawlers/platforms/korea_kr.py. A key comes "
    "from data.go.kr (data set 15095295) and has 1,000 calls a day. Attached files (FileName, FileUrl) are not "
    "fetched, so a release that consists of its file is dropped as empty. Releases that policy_briefing has too are "
    "near-duplicates, of which one is kept. They end with names and telephone numbers of officials. An item under "
    "embargo is dropped until its day is collected again with another answer.",
)

follow, items, evidence, text, trouble = korea_kr.functions(SERVICE, SOURCE)
unknown_fields = korea_kr.unknown_fields

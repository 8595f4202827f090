"""News of the government from korea.kr (정책브리핑), day by day, from the open API of data.go.kr.

crawlers/platforms/korea_kr.py says how the days are chosen.
"""

from crawlers.platforms import korea_kr
from malmoi.source import Estimate

SERVICE = korea_kr.Service(
    name="policy_briefing",
    url="https://apis.data.go.kr/1371000/policyNewsService2/policyNewsList2",
    guide="https://www.data.go.kr/data/15095335/openapi.do",
    page="https://www.korea.kr/news/policyNewsView.do?newsId={}",
)

SOURCE = korea_kr.source(
    SERVICE,
    title="대한민국 정책브리핑 정책뉴스",
    unverified="No answer of the interface has been seen: address and elements are those that public programs read. "
    "The meaning of KoglType=0 (here: unknown) and ContentsStatus=D (deleted; the guide knows only I and U); how far "
    "back the days go; how an answer names a contributor (기고), whose text is not the State's; whether data set "
    "15092236 is the same news.",
    estimate=Estimate(
        1_300_000_000, "800,000 items of korea.kr and the ministries × 1,600 characters, with press_releases"
    ),
    note="Set MALMOI_POLICY_FROM and MALMOI_POLICY_TO (ISO dates); see crawlers/platforms/korea_kr.py. A key comes "
    "from data.go.kr (data set 15095335) and has 1,000 calls a day. Press releases are the source press_releases. "
    "Photographs belong to others and are left out; articles end with names and telephone numbers of officials. An "
    "item under embargo is dropped until its day is collected again with another answer.",
)

follow, items, evidence, text, trouble = korea_kr.functions(SERVICE, SOURCE)
unknown_fields = korea_kr.unknown_fields

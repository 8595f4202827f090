"""Pages as Korean sites build them, around what a case says: its title, its text, what stands above and below."""

from __future__ import annotations

from typing import Any

PROSE = (
    "<p>바닷가 마을의 아침은 그물을 손질하는 소리로 시작한다. 아이들은 갯벌에 나가 조개를 캐고 물때를 배운다.</p>"
    "<p>물이 빠지면 갯골을 따라 게와 망둑어가 모습을 드러내고, 어른들은 굴밭을 살피러 나간다.</p>"
)
KOGL = (
    '<div class="kogl_area"><a href="https://www.kogl.or.kr/info/licenseType1.do" target="_blank" title="새창">'
    '<img src="/resources/img/common/new_img_opentype01.png" alt="공공누리 제1유형"></a>'
    '<p>본 저작물은 "공공누리" 제1유형:출처표시 조건에 따라 이용할 수 있습니다.</p></div>'
)
BY = '<a rel="license" href="https://creativecommons.org/licenses/by/4.0/">CC BY 4.0</a>'
_BY_KR = '<a rel="license" href="https://creativecommons.org/licenses/by/2.0/kr/">'
SITES = {
    "gov": (
        '<div id="wrap"><header id="header"><h1><a href="/">가나군청</a></h1><ul class="gnb"><li><a href="/news">군정소식'
        '</a></li><li><a href="/free">자유게시판</a></li><li><a href="/voice">군민의 소리</a></li></ul></header>'
        '<div class="location"><a href="/">홈</a> &gt; {crumb}</div><div id="contents"><h3>{board}</h3>'
        '<table class="bbs_view"><tr><th>제목</th><td>{title}</td></tr>{rows}<tr><td colspan="2" class="con">{body}</td>'
        '</tr></table>{mark}{end}</div><footer id="footer"><p>(12345) 가나군 바다로 1 가나군청</p>'
        "<p>Copyright (c) 가나군. All rights reserved.</p></footer></div>"
    ),
    "ministry": (
        '<div id="header"><a href="/">다라부</a></div><main id="content"><p class="breadcrumb">홈 &gt; {crumb}</p>'
        '<h2 class="tit">{board}</h2><div class="board_view"><h3 class="subject">{title}</h3><ul class="info">{rows}</ul>'
        '<div class="view_cont">{body}</div>{mark}{end}</div></main><div id="footer">다라부 대표전화 0000-0000'
        " Copyright 다라부</div>"
    ),
    "tistory": (
        '<div id="container"><div class="header"><h1><a href="/">마바 블로그</a></h1></div><div id="content">'
        '<div class="article_header"><a class="category" href="/category/x">{crumb}</a><h2 class="title_post">{title}</h2>'
        '</div><div class="entry-content"><div class="tt_article_useless_p_margin contents_style">{body}</div>'
        '<div class="container_postbtn"><div class="postbtn_ccl">{mark}</div></div>{end}</div></div>'
        '<div id="footer">Powered by 마바</div></div>'
    ),
    "naver": (
        '<div id="blog"><div class="se-viewer"><div class="se-documentTitle"><h3 class="se-title-text">{title}</h3>'
        '<span class="blog2_series">{crumb}</span></div><div class="se-main-container"><div class="se-component">{body}'
        '</div></div></div><div class="area_ccl">{mark}</div>{end}</div>'
    ),
    "wordpress": (
        '<div id="page" class="site"><header class="site-header"><p class="site-title"><a href="/">사아 연구소</a></p></header>'
        '<main id="main"><article class="post hentry"><header class="entry-header"><span class="cat-links">'
        '<a href="/category/x" rel="category tag">{crumb}</a></span><h1 class="entry-title">{title}</h1></header>'
        '<div class="entry-content">{body}</div></article>{end}</main><footer class="site-footer"><p>{mark}</p>'
        "<p>&copy; 사아 연구소</p></footer></div>"
    ),
    "wiki": (
        '<div id="content" class="mw-body"><h1 id="firstHeading">{title}</h1><div id="bodyContent"><div id="mw-content-text">'
        '<div class="mw-parser-output">{body}</div></div><div id="catlinks">분류: <a href="/wiki/x">{crumb}</a></div></div>'
        '</div>{end}<footer id="footer" class="mw-footer"><ul id="footer-info"><li id="footer-info-copyright">{mark}</li>'
        "</ul></footer>"
    ),
    "docs": (
        '<nav class="navbar"><a href="/">자차 문서</a></nav><main><article><div class="theme-doc-markdown markdown">'
        '<h1>{title}</h1>{body}</div></article>{end}</main><footer class="footer"><div class="container">{mark}'
        "<p>Copyright © 자차 프로젝트.</p></div></footer>"
    ),
    "museum": (
        '<header><a href="/">카타 박물관</a></header><div id="contents"><h2>소장품</h2><h3>{title}</h3>{rows}'
        '<div class="relic_desc">{body}</div>{mark}{end}</div><footer>카타 박물관</footer>'
    ),
}
MARKS = {
    "gov": KOGL,
    "ministry": KOGL,
    "museum": KOGL,
    "tistory": f'{_BY_KR}<img src="//t1.example.kr/ccl/ico_ccl01.gif" alt="저작자표시"></a>',
    "naver": f'{_BY_KR}<span class="ico_ccl">저작자 표시</span></a>',
    "wordpress": f"이 사이트의 글은 {BY}에 따라 이용할 수 있습니다.",
    "docs": f"<p>이 문서의 내용은 {BY} 라이선스를 따릅니다.</p>",
    "wiki": (
        '내용은 <a rel="license" href="https://creativecommons.org/licenses/by-sa/4.0/deed.ko">크리에이티브 커먼즈 저작자표시-'
        "동일조건변경허락 4.0 국제</a>에 따라 사용할 수 있으며 추가적인 조건이 적용될 수 있습니다."
    ),
}


def page(case: dict[str, Any]) -> str:
    """The page of a case: `site` names the frame; `mark` "" takes the mark of the site away."""
    if "html" in case:
        return f"<!DOCTYPE html><html><head><meta charset=utf-8><title>{case.get('page', '해녀의 바다')}</title></head><body>{case['html']}</body></html>"
    site = case["site"]
    title = case.get("title", "갯벌의 하루")
    inside = SITES[site].format(
        title=title,
        board=case.get("board", "공지사항"),
        crumb=case.get("crumb", "소식"),
        rows=case.get("rows", ""),
        body=case.get("body", "{prose}").replace("{prose}", PROSE),
        mark=case.get("mark", "{mark}").replace("{mark}", MARKS[site]),
        end=case.get("end", ""),
    )
    head = case.get("head", "")
    return (
        f"<!DOCTYPE html><html><head><meta charset=utf-8><title>{case.get('page', title)}</title>{head}</head>"
        f"<body>{inside}</body></html>"
    )

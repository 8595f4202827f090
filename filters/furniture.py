"""Remove boilerplate lines, which belong to the page and not to the text: share buttons, page tails, breadcrumbs.

A line is removed only if all of it is boilerplate, it is short, and its position is typical of boilerplate: at the end
of a page or in a run. The filter keeps sentences about sharing, printing or copyright, headings of a help page
(공유하기), the fields of a notice, and every line that matches no rule.

The rules were written from Korean news, portal, blog, board and government pages. A rule names words of a page *and*
the form in which a page puts them (a label, a command, a figure after it); a sentence ends otherwise.
tests/data/filters/furniture_lines.jsonl holds positive and negative examples.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate, groupby, pairwise

import re2
from ahocorasick_rs import AhoCorasick, MatchKind

from malmoi.document import Document, Edit, Edits
from malmoi.parameter_bounds import Chars

MARK = r"(?:[▶▷◀◁☞※■□▲▼△▽●○◆◇·•|<>\[\]()ⓒ©\-–—*→«»]|\s)*"
SEP = r"\s*(?:[|·/,ㅣ•:ㆍ]\s*)?"
_BUTTON = (
    r"(?:공유|인쇄|프린트|스크랩|목록|본문|댓글|좋아요|추천|신고|카카오톡|카카오스토리|페이스북|트위터|네이버\s?블로그|밴드|"
    r"이메일|메일|링크|URL|url|주소|글자\s?크기|확대|축소|글씨|크게|작게|닫기|더보기|복사|보내기|구독|기사)"
)
_ANY = rf"{_BUTTON}(?:하기)?"
_SHARE = r"(?:공유|스크랩|신고|카카오톡|카카오스토리|페이스북|트위터)(?:하기)?"  # one of these must occur
_CRUMB = r"[^<>›»▸\n.?!]{1,20}"
_SITE = (
    r"(?:페이스북|트위터|엑스\(X\)|엑스|카카오톡|카카오스토리|네이버\s?밴드|네이버\s?블로그|블로그|밴드|라인|인스타그램|유튜브|텔레그램|"
    r"핀터레스트|링크드인|스레드|이메일|메일|URL\s?복사|링크|SNS)"
)
_EMAIL = r"[\w.+\-]{1,40}@[\w.\-]{3,60}"
_TEL = r"\(?0\d{1,3}\)?[\-.) ]{0,2}\d{3,4}[\-. ]\d{4}\)?"
_NAME = r"[가-힣]{2,4}(?:\s?[·,ㆍ]\s?[가-힣]{2,4}){0,3}"
_ROLE = (
    r"(?:(?:수습|인턴|객원|선임|전문|시민|명예|논설|사진|영상|여행|대학생|청소년|의학)\s?)?"
    r"(?:기자|특파원|논설위원|편집위원|에디터|리포터|앵커|칼럼니스트)"
)
_DATE = (
    r"\d{4}\s?[.\-/년]\s?\d{1,2}\s?[.\-/월]\s?\d{1,2}\s?[.일]?\s?(?:\([월화수목금토일]\))?\s?(?:오전|오후)?\s?"
    r"(?:\d{1,2}:\d{2}(?::\d{2})?)?"
)
_DATED = (
    r"(?:(?:기사\s?|최초\s?)?(?:입력|수정|최종\s?수정|승인|등록|작성|게시|게재|송고|업데이트|최종\s?업데이트|발행)"
    rf"(?:일시|일자|일|시간|날짜)?\s?[:|]?\s?{_DATE})"
)
_COUNTED = (
    r"(?:조회(?:\s?수)?|추천(?:\s?수)?|반대|댓글(?:\s?수)?|좋아요|공감|스크랩)\s?[:|]?\s?\(?[\d,]{1,9}\)?(?:회|건|개)?"
)
_SIGNED = r"(?:작성자|글쓴이|등록자|게시자)\s?[:|]?\s?[가-힣A-Za-z0-9*○]{1,12}"
# 날짜 is a date of the text; only in a row with a counter is it a date of the page.
_ITEM = rf"(?:{_COUNTED}|{_DATED}|{_SIGNED}|날짜\s?[:|]?\s?{_DATE})"
_WHAT = r"(?:기사|뉴스|글|포스트|영상)"
_FOOTER = (
    r"(?:개인정보\s?(?:처리|보호|취급)\s?방침|(?:사이트\s)?이용\s?약관|청소년\s?보호\s?정책(?:\([^)\n]{0,20}\))?|"
    r"이메일\s?(?:주소\s?)?무단\s?수집\s?거부|저작권\s?(?:보호\s?)?정책|회사\s?소개|신문사\s?소개|매체\s?소개|광고\s?(?:문의|안내)|"
    r"제휴\s?(?:문의|안내)|고객\s?센터|사이트\s?맵|(?:찾아\s?)?오시는\s?길|불편\s?신고|기사\s?제보|구독\s?신청|독자\s?투고|"
    r"로그인|로그아웃|회원\s?가입|마이\s?페이지|장바구니|즐겨찾기(?:\s?추가)?|ENGLISH|English)"
)
_HAVE = r"(?:본|이|위|모든|해당)\s?(?:기사|콘텐츠|컨텐츠|게시물|글|사진|사이트)"
_BREAK = r"[\s,.\-–—:|>)\]]"
_COPIED = r"(?:무단\s?(?:전재|복제|배포)|무단으로\s?전재)"
_ALSO = r"[가-힣\s,·/및∙ㆍ&\-AI]{0,30}"
_BANNED = r"(?:금지|금합니다|불허)(?:합니다|됩니다)?[\s.)\]>\-]*(?:ⓒ.{0,40})?"
_SCALE = r"(?:매우\s?만족|만족|보통|불만족?|매우\s?불만족?)"

_NEIGHBOUR_WORDS = "|".join(
    a + b + c for a in ("이전", "다음") for b in ("", " ") for c in ("글", "기사", "페", "게시", "목록")
)
_LAST_WORDS = "|".join(f"{figure} {word}" for figure in range(10) for word in ("다음", "마지막", "맨", "Next"))
_FIRST_WORDS = "|".join(f"{word} {figure}" for figure in range(10) for word in ("이전", "처음", "Prev"))
# Strength of a line as evidence; see `mend`. Text that a help page, a notice or minutes contain too has WEAK
# at most: commands, breadcrumbs, counters; FIELD: dates, names and addresses, which are facts elsewhere.
CONTACT, FIELD, WEAK, EDGE, SURE = range(5)

# (strength, name, words of which the line holds one, the whole line). The first match counts. A name is the reason of
# the edit; the words are a prefilter.
RULES: tuple[tuple[int, str, str, str], ...] = (
    (
        EDGE,
        "copyright-tail",
        "무단",
        rf"(?:.{{0,60}}?{_BREAK}|)(?:무단\s?|무단으로\s?)전재{_ALSO}재\s?배포{_ALSO}{_BANNED}",
    ),
    (
        EDGE,
        "copyright-tail",
        "무단",
        rf".{{0,60}}?(?:[ⓒ©]|\([cC]\)|저작권자|(?i:copyright)).{{0,60}}?{_BREAK}{_COPIED}{_ALSO}{_BANNED}",
    ),
    (EDGE, "copyright-tail", "무단", rf"{MARK}(?:무단\s?|무단으로\s?)전재{_ALSO}{_BANNED}"),
    (WEAK, "copyright-tail", "무단", rf"(?:.{{0,60}}?{_BREAK}|)(?:무단\s?|무단으로\s?)전재{_ALSO}{_BANNED}"),
    (WEAK, "copyright-tail", "무단", rf"{MARK}{_COPIED}{_ALSO}{_BANNED}"),
    (
        EDGE,
        "copyright-tail",
        "ⓒ|©|저작권자|opyright|OPYRIGHT",
        r"(?:(?i:copyrights?)|저작권자)\s?[:(]?\s?[ⓒ©].{0,80}|-?\s?(?i:copyrights?).{1,60}(?i:all\s?rights?\s?reserved)\.?|"
        r"[ⓒ©]\s?.{1,60}(?i:all\s?rights?\s?reserved)\.?",
    ),
    (EDGE, "copyright-tail", "ights|IGHTS", r"(?i:all\s?rights?\s?reserved)\.?"),
    (
        EDGE,
        "copyright-tail",
        "저작권은",
        rf"{MARK}{_HAVE}(?:의|에\s대한)\s(?:모든\s)?저작권은\s.{{1,30}}에게?\s있(?:습니다|으며.{{0,40}}(?:금합|금지합|금지됩)니다)\.?",
    ),
    (EDGE, "copyright-tail", "무단", rf"{MARK}{_HAVE}[을를은는]\s무단.{{0,40}}(?:금합|금지합|금지됩)니다\.?"),
    (
        EDGE,
        "copied-notice",
        "복사",
        r"(?:기사\s?)?(?:URL|url|주소|링크|클립보드)(?:이|가|에)?\s?복사\s?(?:되었습니다|됐습니다|완료)[.!]?",
    ),
    # The mark itself is kept as licence evidence before any text is cleaned.
    (
        EDGE,
        "licence-mark",
        "커먼즈|커먼스|CC",
        r"(?:본|이|해당|위)\s?(?:공공)?(?:저작물|자료|게시물|콘텐츠|글|문서|기사|누리집|사이트|페이지)(?:의\s내용)?[은는이]\s.{0,30}"
        r"(?:크리에이티브\s?커먼[즈스]|CC[\s\-]BY|CC0).{0,60}(?:이용|사용|배포|제공|공개|공유).{0,8}니다\.?",
    ),
    (
        EDGE,
        "licence-mark",
        "공공누리",
        r"(?:본|이|해당|위)\s?(?:저작물|공공저작물|자료|게시물|콘텐츠)[은는이]\s.{0,50}공공누리.{0,60}(?:이용|사용)\s?(?:할\s수\s있|하실\s수\s있|가능합)"
        r"(?:습)?니다\.?",
    ),
    (
        SURE,
        "byline",
        "@",
        rf"{MARK}(?:[\[(<][^\[\]()<>\n]{{1,16}}=[^\[\]()<>\n]{{1,16}}[\])>]\s*)?(?:[가-힣A-Za-z]{{2,12}}\s)?"
        rf"(?:(?:글|사진|취재|영상|편집)(?:\s?[·ㆍ/,]\s?(?:글|사진|취재|영상))*\s?[=:]?\s?)?{_NAME}\s?{_ROLE}\s?=?\s?[(<\[]?{_EMAIL}[)>\]]?"
        r"(?:\s?(?:기자의\s?)?다른\s?기사(?:\s?더?\s?보기)?)?",
    ),
    (
        SURE,
        "byline",
        "다른|구독하기|응원하기",
        rf"{MARK}{_NAME}\s?{_ROLE}의?\s(?:다른\s?기사(?:\s?더?\s?보기)?|구독하기|응원하기){MARK}",
    ),
    (FIELD, "byline", "@", rf"{MARK}[가-힣]{{2,10}}(?:팀|부|국)\s?[(<\[]?{_EMAIL}[)>\]]?"),
    (
        WEAK,
        "tips",
        "제보",
        rf"{MARK}기사\s?제보(?:\s?(?:및|·)\s?(?:보도\s?자료|(?:광고\s?)?문의))?\s?[:]?\s?(?:{_EMAIL}|{_TEL})?{MARK}",
    ),
    (WEAK, "tips", "제보", rf"{MARK}제보하기(?:\s?:.{{0,60}})?"),
    (EDGE, "tips", "제보", rf"{MARK}제보는\s(?:카카오톡|카톡|이메일|전화)\s?[:'‘\"“]?[^.다\n]{{0,30}}"),
    (CONTACT, "tips", "카카오톡|카톡|전화|메일", r"[▷▶■☎●◇◆·※\s]+(?:카카오톡|카톡|전화|이메일|메일)\s?:\s?.{1,40}"),
    (
        EDGE,
        "tips",
        "제보",
        r"(?:(?:독자|시청자|시민)?\s?여러분의\s)(?:소중한\s)?제보(?:를\s(?:기다립|받습)니다|가\s.{0,12}(?:뉴스|기사|세상).{0,8}니다)[.!]?",
    ),
    (
        WEAK,
        "share-buttons",
        "공유하기|스크랩하기|퍼가기|복사",
        rf"{MARK}(?:(?:기사|이\s?글|페이지|SNS|URL|url|링크|{_BUTTON})\s?)?(?:(?:으로|에)\s)?"
        rf"(?:공유하기|스크랩하기|퍼가기|링크\s?복사|URL\s?복사|주소\s?복사){MARK}",
    ),
    (
        EDGE,
        "share-buttons",
        "공유|스크랩|신고|카카오톡|카카오스토리|페이스북|트위터",
        rf"{MARK}(?:{_ANY}{SEP}){{3,12}}{_ANY}{MARK}",
    ),
    (
        WEAK,
        "share-buttons",
        "공유|스크랩|신고|카카오톡|카카오스토리|페이스북|트위터",
        rf"{MARK}(?:{_ANY}{SEP}){{1,12}}{_SHARE}(?:{SEP}{_ANY}){{0,12}}{MARK}",
    ),
    (
        WEAK,
        "share-buttons",
        "공유|스크랩|신고|카카오톡|카카오스토리|페이스북|트위터",
        rf"{MARK}{_SHARE}(?:{SEP}{_ANY}){{1,12}}{MARK}",
    ),
    (
        WEAK,
        "share-buttons",
        "공유",
        rf"{MARK}(?:이\s?)?(?:기사|글|페이지|게시물|포스트)[를을]?\s?공유(?:하기|합니다)?{MARK}",
    ),
    (
        WEAK,
        "share-buttons",
        "공유|보내기",
        rf"{MARK}(?:{_SITE}{SEP}){{0,8}}{_SITE}\s?(?:\(으\)로|으로|로|에|에서)?\s?(?:기사\s?보내기|공유(?:하기)?|글\s?보내기){MARK}",
    ),
    (
        WEAK,
        "share-buttons",
        "찾기|스크랩|저장|보내기",
        rf"{MARK}(?:다른\s공유\s찾기|기사\s?(?:스크랩|저장|보내기)(?:하기)?){MARK}",
    ),
    (WEAK, "jump-link", "바로", rf"{MARK}{_SITE}\s(?:공식\s)?(?:채널\s|계정\s)?바로\s?가기{MARK}"),
    (WEAK, "jump-link", "바로", r"[▶▷☞→>]\s?.{1,50}바로\s?가기\s?[>→]?"),
    (
        WEAK,
        "subscribe",
        "구독",
        rf"{MARK}(?:네이버(?:에서|\s채널)?\s(?:.{{1,16}}\s)?|.{{0,12}}채널\s|뉴스레터\s|유튜브\s)?구독(?:하기|하세요){MARK}",
    ),
    (
        EDGE,
        "subscribe",
        "구독",
        r"구독\s?(?:[,·ㆍ&/과]\s?)?좋아요(?:[는은]|\s?[,·ㆍ&/과와]?\s?알림\s?(?:설정)?[은는]?)?\s?"
        r"(?:(?:꼭\s)?(?:부탁|눌러|해\s?주).{0,10}|.{0,10}힘이\s됩니다|필수)?[.!~♥♡\s]{0,6}",
    ),
    (
        WEAK,
        "subscribe",
        "뉴스레터|카카오톡",
        rf"{MARK}뉴스레터\s?(?:구독|신청|받기)(?:하기)?{MARK}|{MARK}카카오톡\s?(?:채널|친구)\s?추가(?:하기)?{MARK}",
    ),
    (WEAK, "subscribe", "이웃|알림|기능", r"이웃\s?추가|알림\s?받기|본문\s기타\s기능"),
    (
        WEAK,
        "app",
        "앱",
        rf"{MARK}(?:[가-힣A-Za-z]{{1,12}}\s)?앱\s?(?:다운로드|다운받기|내려받기){MARK}|"
        rf"{MARK}앱(?:으로|에서)\s(?:보기|열기|더\s?(?:편하게|편리하게|빠르게)\s?.{{0,10}}(?:보기|보세요|만나보세요)){MARK}",
    ),
    (
        WEAK,
        "app",
        "플레이|스토어|Store|Play",
        r"(?:구글\s?플레이|앱\s?스토어|App\s?Store|Google\s?Play|원스토어)(?:에서|\s)\s?(?:다운로드|받기|내려받기)(?:하기)?",
    ),
    (
        WEAK,
        "text-size",
        "글자|글씨|폰트",
        r"(?:바로가기\s)?(?:복사하기\s)?(?:(?:본문\s?)?(?:글자|글씨|폰트)\s?(?:크기)?\s?"
        r"(?:크기\s?(?:조절|조정|변경|설정)|조절|크게(?:\s?보기)?|작게(?:\s?보기)?|확대|축소|키우기|줄이기|[+\-])\s?){1,4}",
    ),
    (WEAK, "text-size", "가 가", r"가(?:\s가){1,4}"),
    (WEAK, "listen", "듣기", rf"{MARK}(?:(?:기사|본문|뉴스)\s?(?:음성\s?)?듣기|음성으로\s(?:기사\s)?듣기){MARK}"),
    (
        WEAK,
        "neighbours",
        _NEIGHBOUR_WORDS,
        rf"{MARK}(?:이전|다음)\s?(?:글|기사|페이지|게시물|목록){MARK}[|/·\s]*(?:이전|다음)\s?(?:글|기사|페이지|게시물|목록){MARK}",
    ),
    (WEAK, "neighbours", _NEIGHBOUR_WORDS, rf"{MARK}(?:이전|다음)\s?(?:글|기사|게시물|목록){MARK}"),
    (WEAK, "neighbours", _NEIGHBOUR_WORDS, r"(?:이전|다음)\s?(?:글|기사|게시물)\s?[:▲▼|].{0,60}(?:없습니다\.?)?"),
    (EDGE, "neighbours", _NEIGHBOUR_WORDS, r"(?:이전|다음)\s?(?:글|기사|게시물)이\s없습니다\.?"),
    (WEAK, "neighbours", "목록", rf"{MARK}목록(?:으로(?:\s?(?:돌아가기|가기|이동))?|보기){MARK}"),
    (
        WEAK,
        "pages",
        _FIRST_WORDS,
        r"[«‹<\s]*(?:(?:처음|맨\s?처음|이전|Prev)\s*){1,2}(?:\d{1,4}\s*)(?:\s\d{1,4}\s*){1,12}(?:(?:다음|마지막|맨\s?끝|Next)\s*[»›>]*\s*){0,2}",
    ),
    (
        WEAK,
        "pages",
        _LAST_WORDS,
        r"\d{1,4}(?:\s+\d{1,4}){1,12}\s+(?:(?:다음|마지막|맨\s?끝|Next)(?:\s페이지)?\s*[»›>]*\s*){1,2}",
    ),
    (
        WEAK,
        "related",
        "관련|주요|인기|최신|추천|핫|실시간|오늘의|시각|많이|많은|함께",
        rf"{MARK}(?:관련|주요|인기|최신|추천|핫|실시간|실시간\s인기|오늘의\s?(?:주요|인기|추천)|이\s?시각(?:\s?(?:주요|인기|많이\s?본))?|"
        rf"(?:가장\s)?많이\s?본|댓글\s?많은|(?:이\s?기사와\s)?함께\s(?:본|읽은|읽으면\s좋은|보면\s좋은|볼\s?만한))\s?{_WHAT}"
        rf"(?:\s?(?:더\s?보기|목록|모음|순위|TOP\s?\d{{0,3}}))?{MARK}",
    ),
    (WEAK, "related", "핫|검색어", rf"{MARK}(?:오늘의\s핫\s?이슈|(?:인기|실시간|급상승)\s?검색어){MARK}"),
    (
        WEAK,
        "crumbs",
        "홈|HOME|Home|메인|처음",
        rf"(?:현재\s?위치\s?[:>]?\s*)?(?:홈|HOME|Home|메인|처음)(?:으로)?\s*(?:[>›»▸]\s*{_CRUMB}){{1,8}}",
    ),
    (
        EDGE,
        "jump-link",
        "바로|건너뛰기",
        r"(?:본문|주메뉴|메인\s?메뉴|하단\s?메뉴|콘텐츠|컨텐츠|검색|푸터|메뉴)\s?(?:내용\s?)?(?:으?로\s)?(?:바로\s?가기|건너뛰기)",
    ),
    (
        WEAK,
        "jump-link",
        "위로|상단|맨|TOP",
        rf"{MARK}(?:맨\s?위로(?:\s?가기)?|(?:페이지\s?)?(?:상단|맨\s?위)(?:으로)?\s?(?:이동|가기)|TOP|위로\s?가기){MARK}",
    ),
    (WEAK, "menu", "전체|닫기", rf"{MARK}(?:전체\s?메뉴(?:\s?(?:보기|열기|닫기))?|(?:닫기\s열기|열기\s닫기)){MARK}"),
    (WEAK, "menu", "검색어", r"검색어(?:를)?\s?입력(?:하세요|해\s?주세요|하십시오)?\.?"),
    (
        EDGE,
        "menu",
        "방침|약관|정책|수집|소개|문의|안내|센터|사이트|오시는|신고|제보|신청|투고|로그|가입|마이|장바구니|즐겨찾기|ENGLISH|English",
        rf"{MARK}(?:{_FOOTER}{SEP}){{2,12}}{_FOOTER}{MARK}",
    ),
    (
        WEAK,
        "menu",
        "방침|약관|정책|수집|소개|문의|안내|센터|사이트|오시는|신고|제보|신청|투고|로그|가입|마이|장바구니|즐겨찾기|ENGLISH|English",
        rf"{MARK}(?:{_FOOTER}{SEP}){{1,12}}{_FOOTER}{MARK}",
    ),
    (WEAK, "advertisement", "광고|AD|Advertisement", r"[\[(<]\s?(?:광고|AD)\s?[\])>]|ADVERTISEMENT|Advertisement"),
    (
        EDGE,
        "cookies",
        "쿠키",
        r"(?:저희\s|본\s|이\s)?(?:웹\s?)?(?:사이트|홈페이지|페이지)(?:는|은|에서는|에서)\s.{0,40}쿠키를?\s(?:사용|이용).{0,50}(?:니다|세요)\.?",
    ),
    (EDGE, "cookies", "쿠키", r"당사는\s.{0,40}쿠키를\s(?:사용|이용)(?:합니다|하고\s있습니다)\.?"),
    (
        EDGE,
        "cookies",
        "쿠키",
        r"(?:웹\s?)?사이트를\s계속\s(?:이용|사용|방문).{0,20}쿠키.{0,40}(?:동의|간주).{0,20}니다\.?",
    ),
    (
        WEAK,
        "cookies",
        "쿠키",
        r"(?:모든\s)?쿠키(?:\s?사용)?(?:를|에|을)?\s?(?:모두\s)?(?:허용|수락|동의|거부)(?:하기|합니다)?",
    ),
    (
        EDGE,
        "reader-tools",
        "로그인|댓글을",
        r"(?:로그인\s?후\s?(?:이용|작성)(?:해|하실)|댓글을\s(?:입력|작성|남겨)(?:해|하)?)\s?.{0,12}(?:세요|시오|니다)\.?",
    ),
    (WEAK, "reader-tools", "댓글", r"댓글\s?(?:쓰기|등록|더\s?보기|전체\s?보기)"),
    (EDGE, "satisfaction", "만족", r"(?:이|현재|본)\s?페이지(?:의|에서)\s.{0,40}만족.{0,16}(?:습니까|십니까|나요)\??"),
    (WEAK, "satisfaction", "만족", r"(?:페이지|콘텐츠|컨텐츠|홈페이지|정보)\s?만족도(?:\s?(?:조사|평가))?|만족도조사"),
    (WEAK, "satisfaction", "만족", rf"{MARK}{_SCALE}(?:{SEP}{_SCALE}){{3,5}}{MARK}"),
    (WEAK, "satisfaction", "의견", r"(?:의견|한줄\s?의견)을?\s?(?:작성|입력|남겨)\s?(?:해\s?)?주세요\.?"),
    (
        FIELD,
        "department",
        "담당",
        rf"(?:자료\s?관리\s?|콘텐츠\s?(?:관리\s?)?)?담당\s?부서(?:\s?[:|]\s?[가-힣0-9]{{2,15}}|\s[가-힣0-9]{{2,15}}\s(?:.{{0,20}}\s)?(?:{_TEL}))"
        rf"(?:.{{0,4}}담당자?\s?[:|]?\s?[가-힣]{{2,5}})?(?:.{{0,4}}(?:전화(?:번호)?|연락처|문의처?)\s?[:|]?\s?{_TEL})?",
    ),
    (EDGE, "government-banner", "누리집", r"이\s(?:누리집|사이트)은\s대한민국\s공식\s전자정부\s누리집입니다\.?"),
    (
        WEAK,
        "counter",
        "조회|추천|반대|댓글|좋아요|공감|스크랩",
        rf"{MARK}(?:{_ITEM}{SEP}){{0,6}}{_COUNTED}(?:{SEP}{_ITEM}){{0,6}}{MARK}",
    ),
    (
        FIELD,
        "counter",
        "입력|수정|승인|등록|작성|게시|게재|송고|업데이트|발행",
        rf"{MARK}(?:{_SIGNED}{SEP})?{_DATED}(?:{SEP}(?:{_DATED}|{_SIGNED})){{0,6}}{MARK}",
    ),
)

# Boilerplate next to other boilerplate, but a heading, a cell or a field elsewhere: buttons, and fields.
BUTTONS = frozenset(
    """
    공유 인쇄 프린트 인쇄하기 프린트하기 스크랩 목록 페이스북 트위터 카카오톡
    카카오스토리 밴드 댓글 좋아요 이전 다음 닫기 더보기 메일 내보내기
    확대 축소 글자크기 공유버튼 첨부파일 사이트맵 통합검색 쿠키설정 쿠키정책 광고
    담당부서 자료관리담당부서 평가하기 목록보기 화면크기조정 다크모드 번역설정 위로
    """.split()
)  # without blanks
BESIDE = (
    r"0\s?/\s?\d{2,5}|\d{1,4}\s?/\s?\d{1,4}|(?:담당자|작성자)\s?:?\s?[가-힣]{2,4}|"
    rf"(?:전화(?:번호)?|문의(?:처)?|연락처)\s?:\s?(?:[가-힣]{{2,12}}\s?)?{_TEL}|문의처?\s?:\s?[가-힣]{{2,12}}\s?\({_TEL}|{_FOOTER}"
)


VERSION = 3
LIBRARIES = ("ahocorasick_rs", "google-re2")

# RE2: lines are untrusted, and `re` takes exponential time on a long row of 로그인 or 조회 1. One pattern per rule:
# all rules as one pattern make an automaton of more than 100 MB.
_RULES = tuple(((strength, name), re2.compile(rule)) for strength, name, _, rule in RULES)
_BY_WORD: dict[str, list[int]] = {}
for _number, (_strength, _name, _words, _rule) in enumerate(RULES):
    for _word in _words.split("|"):
        _BY_WORD.setdefault(_word, []).append(_number)
_FIELD = re2.compile(BESIDE)
_NONE = (0, "")
_BUTTON_CHARS = 12
_FIELD_CHARS = 40  # code points; our choice
_INNER_RUN = 4  # lines of two rules between lines of text: a bar of buttons; three may be of a poem. Our choice
# One search over all short lines of a page; a line without any of these words is not checked further.
_WORDS = sorted(_BY_WORD)
_GATE = AhoCorasick(_WORDS, MatchKind.Standard)


def mend(doc: Document, *, max_chars: Chars = 120) -> Edits:
    """Remove lines of page boilerplate; the reason of each edit is the name of the rule.

    `max_chars` is the longest line that may be removed, in code points: a longer one holds a sentence of its own. The
    empty lines that a removed line would leave are removed too.

    Lines are judged in runs, and a run is removed whole or not at all: always, if it holds a line that no text
    contains (a reporter with an address); at the head or tail of the page, if it holds a line of the page (a copyright
    notice) or two that may belong to one (공유하기, 목록); between lines of text only if it matches two rules, and
    holds a line of the page or four others. Dates, names and contacts are removed with others and never alone.

    >>> from malmoi.document import Provenance
    >>> text = "공장이 문을 열었다.\\n\\n기사 URL이 복사되었습니다."
    >>> mend(Document("x/1", text, Provenance("x", "", "", "", "")))
    (Edit(start=11, end=29, text='', reason='copied-notice', field='text'),)
    """
    lines = doc.text.split("\n")
    # A line in the plain style of written text is a sentence: pages do not use it about themselves.
    short = [
        i
        for i, line in enumerate(lines)
        if line and len(line) <= max_chars and (not line.endswith("다.") or line.endswith("니다."))
    ]
    reasons = _explain_lines(lines, short)
    return _build_edits(lines, reasons) if reasons else ()


def _match_rule(line: str, words: set[str]) -> tuple[int, str]:
    """Return strength and name of the first rule that matches a line with these rule words, or (0, "")."""
    plain = _replace_surrogates(line.strip())
    asked = sorted({number for word in words for number in _BY_WORD[word]})
    found = next((_RULES[number][0] for number in asked if _RULES[number][1].fullmatch(plain)), _NONE)
    if found[1] == "pages":  # figures that count up: 1 2 3, and not 1 1 2 3 5
        figures = [int(word) for word in plain.split() if word.isdecimal()]
        return found if all(b == a + 1 for a, b in pairwise(figures)) else _NONE
    return found


def _replace_surrogates(line: str) -> str:
    return line.encode("utf-8", "replace").decode()  # neither search accepts lone surrogates


def _explain_lines(lines: list[str], short: list[int]) -> dict[int, str]:
    """Map the number of each line to remove to the name of its rule."""
    parts = [lines[i] for i in short]
    ends = list(accumulate(len(part) + 1 for part in parts))
    hits: dict[int, set[str]] = {}  # the rule words of a line
    for word, start, _ in _GATE.find_matches_as_indexes(_replace_surrogates("\n".join(parts)), True):
        hits.setdefault(short[bisect_right(ends, start)], set()).add(_WORDS[word])
    # a page may repeat one line many times
    names = {line: _match_rule(line, words) for line, words in {lines[i]: words for i, words in hits.items()}.items()}
    found = {i: names[lines[i]] for i in hits if names[lines[i]][1]}
    for i in short:
        if i not in found and len(lines[i]) <= _BUTTON_CHARS and "".join(lines[i].split()) in BUTTONS:
            found[i] = (WEAK, "share-buttons")
    if not found or (len(found) == 1 and max(found.values())[0] < WEAK):
        return {}
    fields = {
        line
        for line in {lines[i] for i in short}
        if len(line) <= _FIELD_CHARS and _FIELD.fullmatch(_replace_surrogates(line.strip())) is not None
    }
    found |= {i: (FIELD, "share-buttons") for i in short if i not in found and lines[i] in fields}
    written = [i for i, line in enumerate(lines) if line and not line.isspace()]
    going = (
        run
        for run in _find_runs(written, found)
        if _is_removable(run, found, run[0] == written[0], run[-1] == written[-1])
    )
    return {i: found[i][1] for run in going for i in run}


def _find_runs(written: list[int], found: dict[int, tuple[int, str]]) -> Iterator[list[int]]:
    """Yield the longest runs of boilerplate lines; a contact (▷ 전화 : …) joins a run only next to a call for tips."""
    for known, group in groupby(written, found.__contains__):
        if not known:
            continue
        run = list(group)
        if any(found[i][1] == "tips" and found[i][0] != CONTACT for i in run):
            yield run
        else:
            yield from (list(part) for other, part in groupby(run, lambda i: found[i][0] != CONTACT) if other)


def _is_removable(run: list[int], found: dict[int, tuple[int, str]], head: bool, tail: bool) -> bool:
    """Whether a run of boilerplate lines is removed; see `mend`."""
    rules = [found[i] for i in run]
    strongest, name = max(rules)
    if strongest == SURE:
        return True
    if head or tail:
        # a copyright notice never opens a page; a headline may read like one
        alone = strongest == EDGE and (tail or name != "copyright-tail")
        return alone or (len(run) > 1 and strongest >= WEAK)
    weak = sum(strength >= WEAK for strength, _ in rules)
    return len({name for _, name in rules}) > 1 and (weak >= _INNER_RUN or strongest == EDGE)


def _build_edits(lines: list[str], reasons: dict[int, str]) -> Edits:
    edits: list[Edit] = []
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    length = starts[-1] - 1
    end_of_kept = 0  # end of the text that is kept, without its line break
    i = 0
    while i < len(lines):
        if i not in reasons:
            end_of_kept = starts[i] + len(lines[i]) if lines[i].strip() else end_of_kept
            i += 1
            continue
        first = i
        start = starts[i]
        while i < len(lines) and (i in reasons or not lines[i].strip()):
            i += 1
        stop = min(starts[i], length)
        if i == len(lines):
            start = end_of_kept  # nothing follows: remove the line breaks before it too
        elif end_of_kept and lines[first - 1].strip() and not lines[i - 1].strip():
            stop = starts[i] - 1  # keep the surrounding paragraphs separate
        edits.append(Edit(start, stop, "", reasons[first]))
    return tuple(edits)

"""Patterns by which a page says that its text belongs to someone other than its publisher.

Three forms: *subject, right, verb* (저작권은 필자에게 있습니다), *label and holder* (출처: 가나일보), and *a note on
the text* (이 글은 월간 가나에 실린 글입니다). A rule captures the holder, so that callers can recognise the publisher.
"""

from __future__ import annotations

import re


def _any(words: str) -> str:
    """Return a pattern for any word of a list; "_" is an optional space."""
    return f"(?:{'|'.join(words.replace('_', chr(92) + 's?').split())})"


# Subject, right and verb: who keeps, owns or receives the rights.
# 권리 alone may be a right to anything: 부동산을 취득할 수 있는 권리.
_RIGHT = _any(
    "저작_(?:재산|인격)?_권 (?:저작물|글|원고|작품|기사|사진)에_(?:대한|관한)_(?:모든_|일체의_)?권리 판권"
    " (?:모든|제반|일체의?)_권리 지식_재산권"
)
_HAS = _any("보유 소유 유지 가지 가진 갖 지니 지닌 지녀")
_ALL = r"(?:(?:모두|전부|전적으로|여전히)\s)?"
_WHO = r"(?P<holder>[^.,;:]{1,40}?)"
_RIGHT_IS = rf"{_RIGHT}[^.;]{{0,24}}?(?:은|는|이|가|도)\s{_ALL}"
KEEPS = (
    re.compile(rf"{_RIGHT_IS}{_WHO}(?:에게|에|께|측에)\s?(?:있|귀속|속하|속한|속합|남)"),
    re.compile(rf"{_RIGHT_IS}{_WHO}(?:이|가|께서)\s?(?:\S{{1,6}}\s)?{_HAS}"),
    re.compile(rf"{_RIGHT_IS}{_WHO}(?:의\s?것|의\s?소유|\s?소유)(?:입니다|임|이다|이며)"),
    re.compile(
        rf"(?:^|[\s(※*]){_WHO}(?:이|가|은|는|에게|께서)\s?{_RIGHT}[을를이가]?\s?{_ALL}(?:{_HAS}|있(?:습|음|으))"
    ),
    re.compile(
        rf"{_RIGHT}(?:자|\s?(?:소유|보유)자)\s?(?:는|은|[:：=]|ⓒ|©|\(c\))\s?(?:ⓒ|©|\(c\))?\s?{_WHO}"
        r"(?=\s?(?:$|[.,;)\]]|입니다|이다|이며|임))",
        re.I,
    ),
    re.compile(r"^\W{0,3}(?:글|원고)(?:\s?[·,/&와과]\s?사진)?\s?(?:ⓒ|©|\(c\))\s?(?P<holder>[^.,;:]{1,40})$", re.I),
    re.compile(rf"{_RIGHT}\s?[:：=]?\s(?P<holder>\S{{1,16}})\s?(?:소유|보유|귀속)\s?$"),
    re.compile(
        rf"^\W{{0,3}}{_RIGHT}\s?[:：=]\s?(?!.{{0,40}}(?:유형|\bCC|공공누리|라이|저작자|출처|표시|없|licen|KOGL|제한))(?P<holder>\S.{{0,40}})$",
        re.I,
    ),
    re.compile(
        r"\b(?:copyrights?|rights?)\b[^.;]{0,40}\b(?:belongs?|remains?|is|are|stays?)\s(?:(?:owned|held|retained)\s)?"
        r"(?:to|with|by)\s(?P<holder>[^.;,]{1,40})",
        re.I,
    ),
    re.compile(
        r"(?P<holder>\b(?:authors?|writers?|contributors?|creators?|poets?))\s(?:retains?|keeps?|holds?|owns?"
        r"|reserves?)\s"
        r"[^.;]{0,24}\b(?:copyrights?|rights?)\b",
        re.I,
    ),
)
# Holders described without a name: never the publisher.
_ROLES = _any(
    "필자 저자 작자 작가 글쓴이 지은이 글쓴 쓴이 기고자 투고자 집필자 작성자 게시자 등록자 저작자 원저작자"
    " 원작자 원저자 응모자 수상자 당선자 제출자"
    " 제안자 출품자 번역자 역자 옮긴이 창작자 발표자 강연자 연구자 구술자 기자 시인 시민 독자 회원 학생 개인"
    " 본인 유족 유가족 제_3_자 출판사 신문사 언론사"
    " 방송사 잡지사 통신사 학회 단체 권리자"
)
ROLE = re.compile(rf"{_ROLES}(?![가-힣]{{3}})|각각?의?\s|해당\s|원래|\b(?:author|writer|contributor|creator)s?\b", re.I)
SELF = re.compile(
    r"^\s?(?:우리|저희|당사|자사|본\s?(?:기관|사이트|누리집|홈페이지|블로그|연구소|재단|센터|원|회|사|부|청)|저"
    r"|나|운영자|관리자)"
    r"(?:\s|$|[은는의이가])"
)
# A sentence that also licenses the text whose rights it states: 저작권은 필자에게 있으며 CC BY 4.0에 따라 ….
GIVES = re.compile(
    r"(?:\bCC\b|공공누리|라이[선센]스|licen[cs]|커먼즈|commons)(?:[^.]|\.(?=\d)){0,60}"
    r"(?:따라|따르|따릅|(?:으로|로)\s?(?:배포|공개|제공|허락)|하에|이용할\s?수|사용할\s?수|\bunder\b)"
    r"|\blicen[cs]ed under\b",
    re.I,
)

# That a work is still protected, whatever the footer of its wiki says.
_WORK = _any("저작물 작품 글 문서 자료 원고 텍스트 시 소설 노래 가사")
REMAINS = re.compile(
    rf"(?:{_RIGHT}|보호\s?기간)[^.]{{0,30}}(?:소멸|만료|종료|끝나|풀리|지나)(?:되|하)?지\s?(?:는\s)?(?:않|아니)"
    rf"|{_RIGHT}[^.]{{0,24}}(?:보호(?:를)?\s?(?:받고|받는|받습|되고|되는|됩)|존속(?!\s?기간)|남아\s?있|유효(?:하(?:다|며)"
    rf"|합)|살아\s?있)"
    r"|퍼블릭\s?도메인(?:이|에|으로)[^.]{0,8}(?:아니|아닙|아닌|않)"
    rf"|저작권이\s?(?:있는|유효한|살아\s?있는)\s?{_WORK}|공정\s?이용"
    r"|\b(?:still|remains?|under)\s(?:\w+\s){0,2}?(?:copyright|protected)|\bcopyrighted in\b"
    r"|\bnot\b[^.]{0,12}\bpublic domain\b|\bfair use\b",
    re.I,
)
OF_THIS = re.compile(rf"(?:^|[\s(\"'“‘※*])(?:이|본|위|해당|아래)\s?{_WORK}|\bthis (?:work|text|article|page)\b", re.I)
IS_WORK = re.compile(rf"{_WORK}(?:이다|임|입니다)?[.)\]]?\s?$")
POLITE = re.compile(r"(?:않았?습니다|있습니다|아닙니다|받습니다|됩니다|합니다)[.)\]]?\s?$")

# A note on the text: 이 글은 월간 가나에 실린 글입니다, ※ 필자의 허락을 받아 싣습니다, - 가나일보 3월 2일자 -.
_TEXT = _any(
    "글 기사 원고 칼럼 자료 보도_자료 내용 게시물 게시글 작품 콘텐츠 컨텐츠 포스트 기고문? 에세이 수필 시 소설"
    " 인터뷰 문서 강연 논문"
)
# A day is a date, not a holder: 이 글은 2019년 3월 3일에 작성되었습니다.
WHEN = re.compile(
    r"(?:(?:19|20)\d\d\s?[년./-]\s?(?:\d{1,2}\s?[월./-]\s?)?(?:\d{1,2}\s?일?)?|\d{1,2}\s?월(?:\s?\d{1,2}\s?일)?)\.?"
    r"(?:에|자로|부터)?\s*"
)
ABOUT_TEXT = re.compile(
    rf"^\W{{0,3}}(?:이|본|위|해당|아래|상기)\s?{_TEXT}(?:들)?[은는이가의]?\s"
    r"(?P<holder>[^.]{0,60}?)(?:에서|에|이|가|께서|로부터|의|님)\s"
    r"|^\W{0,3}this (?:article|text|post|page|essay|column|story|piece)\b",
    re.I,
)
MARKER = re.compile(r"^[※*＊<\[(【〈《「『\-–—☞▣◆◇▲△■]")
SENTENCE = re.compile(r"[다요까오죠][.!?…\s”\"'’)\]>]*$")
# How the publisher came by a text of others, and from whom.
RELEASE = re.compile(r"보도\s?자료")
GAVE = re.compile(
    r"실린|실렸|실은\s|싣|실었|실습니다|게재|수록|연재|전재|옮겨|옮긴|퍼\s?온|가져\s?온|가져왔|발췌|기고|투고"
    r"|보내\s?(?:온|주|준)"
    r"|허락|양해|승낙|동의를?\s?(?:얻|받|구)|(?:에서|이|가|께서|측이|에)\s(?:\S{1,10}\s)?(?:제공|배포|작성|발표"
    r"|취재|집필|쓴|쓰신|써)"
    r"|상을\s?받|수상|당선|입상|뽑힌|필자|기고자|투고자|글쓴이|저자|집필자|원저|시인|소설가|기자단|서포터즈"
    r"|(?:시민|학생|명예|객원)\s?기자"
    r"|\b(?:re)?(?:printed|published|appeared|posted)\b[^.]{0,20}\b(?:in|on|by|from)\b"
    r"|\bguest (?:post|column|article|essay)"
    r"|\b(?:contributed|provided|supplied|submitted|courtesy)\b[^.]{0,12}\b(?:by|of)\b",
    re.I,
)
# An organisation, a person, a paper or a prize, by a word that never occurs in the name of an agency's department.
OTHERS = re.compile(
    r"노동\s?조합|㈜|\(주\)|주식회사|유한회사|출판|연맹|협의회|대책\s?위|시민\s?모임|시민\s?단체|운동\s?(?:본부"
    r"|연합)|향우회|동문회|총학생회"
    r"|(?:노조|(?:신문|일보|방송|통신|뉴스|저널|매거진|타임스|잡지)사?|[협학]회|연합회?|연대|조합)(?![가-힣])"
    r"|어촌계|부녀회|외부|기고|투고|객원|독자|학생|기자단|(?:시민|명예|어린이)\s?기자|서포터즈|리포터|교수|시인"
    r"|소설가|수필가|변호사|작가|평론가"
    r"|지음|옮김|엮음|(?:월간|계간|격월간|주간)\s?\S|\d\s?월호|[봄가을겨]\S?호|학년|백일장|글짓기|공모|문학상"
    r""
    r"|(?:대|금|은|동|장려|우수|최우수)상(?![가-힣])|장원|=\s?\S{2,4}\s?기자",
    re.I,
)

# Label and holder. A source label names the author, unless it is the publisher; a byline counts by its words only.
_OF_TEXT = _any("자료 글 기사 원문 본문 내용 뉴스 원고 콘텐츠 보도자료")
SOURCE = re.compile(
    rf"(?:{_OF_TEXT}\s?(?:[·,및/]\s?사진\s?)?(?:의\s)?)?(?:출처|원출처|제공[자처]?|배포처?|발췌"
    rf"|전재)(?:\s?(?:기관|처|단체|업체|사))?"
    r"|기고자?|투고자?|필자|필진|외부\s?필진|객원\s?\S{1,4}|기고\s?[·/]\s?\S{1,6}|원저자|원작자|원저작자|source"
    r"|via|courtesy"
    r"|단체명?|기관·단체명?|회사명?|업체명?|발신|성명",
    re.I,
)
BYLINE = re.compile(
    r"(?:글(?:\s?[·,/]\s?사진)?|글쓴이|작성자|등록자|게시자|저자|지은이|작가|기자|이름|writer|author|by|부문|구분"
    r"|분류|유형"
    r"|카테고리|게시판명?|코너)",
    re.I,
)
LABELLED = re.compile(
    r"^\W{0,3}(?P<label>[가-힣A-Za-z·/,\s]{1,16}?)\s?(?:[:：=／|]|\s/\s)\s?(?P<holder>[^:：]{1,80}?)\W{0,3}$"
)
IN_BRACKETS = re.compile(
    r"[\[<〈【《](?P<label>[가-힣A-Za-z·/,\s]{1,16}?)\s?[:：=]\s?(?P<holder>[^\[\]<>:：]{1,60})[\]>〉】》]\W{0,3}$"
)

# Titles, boards and categories that name the author; each rule matches a whole segment of a title.
_PEOPLE = _any(
    "외부 독자 시민 군민 도민 구민 주민 국민 학생 청소년 청년 어린이 회원 고객 이용자 전문가 특별 명사 초청 객원"
    " 릴레이 교수 의원 나의 우리들?의? 열린 자유 참여 온라인"
)
_TAIL = rf"(?:\s?{_any('글 란 방 실 코너 게시판 마당 모음 목록 보기 상세보기 상세 게시글 광장 연재')})?"
_ENTRY = _any("수상작 당선작 입상작 입선작 응모작 출품작 참가작 우수작 최우수작 가작 장려작 대상작")
_CONTEST = _any("공모전? 백일장 문예 글짓기 글쓰기 독후감 수기 수필 (?:경진)?대회 문학상")
_PRIZE = _any("대상 최우수상? 우수상? 금상 은상 동상 장려상 장원 차상 차하 입선 특선 가작 참가상")
_STATEMENT = _any("(?:공동_)?성명서? 논평 입장문 기자_회견문 결의문 호소문 (?:공동_)?선언문 탄원서 건의문")
LABELS = (
    re.compile(rf"(?:{_PEOPLE}\s?)?{_any('기고(?:문|글)? 투고문? (?:기명_)?칼럼 필진 오피니언 사외_기고')}{_TAIL}"),
    re.compile(r"[^,]{1,20}\s(?:칼럼|기고|투고|에세이)(?:\s?(?:\d{1,3}회?|\(\d{1,3}\)))?"),
    re.compile(r"guest\s?(?:posts?|columns?|essays?)|op-?eds?", re.I),
    re.compile(
        rf"(?:{_PEOPLE}\s?){{1,2}}"
        rf"{_any('게시판 의견 제안 토론 마당 광장 수필 에세이 시 글 원고 발언대? 기자단? 리포트 이야기')}"
        rf"{_TAIL}"
    ),
    re.compile(r"\S{0,8}(?:의\s?목?소리|[와과]의\s?대화방|에게\s?(?:바란다|바랍니다|묻는다|말한다|쓰는\s?편지))"),
    re.compile(rf"{_any('묻고_답하기 질문 질의_응답 Q_&_A 상담 민원 문의 건의')}\s?게시판", re.I),
    re.compile(
        _any(
            "칭찬(?:합시다|해요|마당|릴레이|하기) 나도_한마디 한_줄_의견 방명록 토론방 제안(?:마당|하기|방)?"
            " 벼룩시장 나눔_장터 동호회 신문고"
        )
    ),
    re.compile(
        rf"{_any('여행 관광 견학 봉사 탐방 체험 이용 방문 관람 참가 참여 수강 생생')}\s?"
        rf"{_any('후기 소감문? 수기 이야기')}{_TAIL}"
    ),
    re.compile(
        rf"(?:[^\[\]"
        rf"|]{{0,40}}\s)?{_ENTRY}품?(?:\s?\([^()]{{1,12}}\))?(?:\s?{_any('모음집? 집 소개 보기 갤러리 감상 게시판')})?"
    ),
    re.compile(_STATEMENT),
    re.compile(rf"(?P<holder>[^|]{{0,40}}?)(?:의\s?|\s){_STATEMENT}"),
    re.compile(
        rf"(?:\S{{1,12}}\s)?"
        rf"{_any('노동_조합 노조 직장_협의회 시민_단체 사회_단체 유관_단체 향우회 동문회 부녀회 청년회 어촌계')}"
        rf"(?:\s?{_any('게시판 소식 알림 활동 글 자료실 마당')})?"
    ),
)
PRIZE_LABEL = re.compile(
    rf"[^\[\]|,]{{0,30}}{_CONTEST}\s?(?:\S{{1,10}}\s){{0,2}}?{_PRIZE}"
    r"(?:$|\s?[「『\"'“‘(·,/]|\s(?!수상|선정|차지|영예|획득|쾌거|배출|발표)[가-힣]{2,4}$)"
)
PRIZE_IN_BRACKETS = re.compile(
    r"[\[(<〈【]\s?(?:(?:최우수|우수|장려|금|은|동|특별)상|장원|차상|차하|입선|가작)\s?[\])>〉】]"
)
OFFICIAL = re.compile(_any("대변인 장관 차관 청장 처장 시장 군수 구청장 지사 총리 대통령 의회 정부 위원장 부처 당국"))
SEGMENT = re.compile(r"\s[-–—/]\s|\s?[①-⑳]\s?|\s?[|>»›·:：]\s?")
BRACKETED = re.compile(r"[\[(<〈【]\s?([^\[\]()<>〈〉【】]{1,30}?)\s?[\])>〉】]")
# Words that may follow the name of a publisher without naming another: a department, or a thing taken from it.
DEPARTMENT = re.compile(
    _any(
        r"보도_자료 홍보\S{0,6} 공보\S{0,4} 대변인실? \S{1,10}(?:과|팀|담당관|담당|국|실|센터|본부|사업소|지원단"
        r"|청|부) 누리집 홈페이지 블로그 소식지? 뉴스 군보"
        r" 시보 구보 뉴스레터 제공 자료 직원 주무관 사무관 연구원 편집부 편집실 관리자 운영자 담당자 자체 제작"
        r" www\S* https?\S* [\d.년월일호(),'\"~-]+"
        r" [봄가을]호 (?:여름|겨울)호 통권 등 의 및"
    )
)

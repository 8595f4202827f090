"""The words by which a page says that its text is somebody else's than its publisher's.

Three forms: *subject, right, verb* (저작권은 필자에게 있습니다), *label and holder* (출처: 가나일보), and *a text from
somewhere* (이 글은 월간 가나에 실린 글입니다). Each rule names its holder, so that the publisher's own name can be told.
"""

from __future__ import annotations

import re

_RIGHT = r"(?:저작\s?(?:재산|인격)?\s?권|저작물에\s?대한\s?권리|판권|(?:모든|제반|일체의?)\s?권리|지식\s?재산권|권리)"
_HAS = r"(?:보유|소유|유지|가지|가진|갖|지니|지닌|지녀)"
_WHO = r"(?P<holder>[^.,;:]{1,40}?)"
# Subject, right and verb: who keeps, owns or is given the rights.
KEEPS = (
    re.compile(rf"{_RIGHT}[^.;]{{0,24}}?(?:은|는|이|가|도)\s(?:모두\s|전부\s|전적으로\s|여전히\s)?{_WHO}(?:에게|에|께|측에)\s?(?:있|귀속|속하|속한|속합|남)"),
    re.compile(rf"{_RIGHT}[^.;]{{0,24}}?(?:은|는)\s(?:모두\s|전부\s)?{_WHO}(?:이|가|께서)\s?(?:그대로\s)?{_HAS}"),
    re.compile(rf"{_RIGHT}[^.;]{{0,24}}?(?:은|는)\s(?:모두\s|전부\s)?{_WHO}(?:의\s?것|의\s?소유|\s?소유)(?:입니다|임|이다|이며)"),
    re.compile(rf"(?:^|[\s(※*]){_WHO}(?:이|가|은|는|에게|께서)\s?{_RIGHT}(?:을|를|이|가)?\s?(?:모두\s|그대로\s)?(?:{_HAS}|있(?:습|음|으))"),
    re.compile(rf"{_RIGHT}(?:자|\s?(?:소유|보유)자)\s?(?:는|은|[:：=]|ⓒ|©|\(c\))\s?(?:ⓒ|©|\(c\))?\s?{_WHO}(?=\s?(?:$|[.,;)\]]|입니다|이다|이며|임))", re.I),
    re.compile(rf"{_RIGHT}\s?[:：=]?\s(?P<holder>\S{{1,16}})\s?(?:소유|보유|귀속)\s?$"),
    re.compile(r"\b(?:copyrights?|rights?)\b[^.;]{0,40}\b(?:belongs?|remains?|is|are|stays?)\s(?:(?:owned|held|retained)\s)?(?:to|with|by)\s(?P<holder>[^.;,]{1,40})", re.I),
    re.compile(r"(?P<holder>\b(?:authors?|writers?|contributors?|creators?|poets?))\s(?:retains?|keeps?|holds?|owns?|reserves?)\s[^.;]{0,24}\b(?:copyrights?|rights?)\b", re.I),
)  # fmt: skip
# Who a holder is without a name: never the publisher.
_ROLES = (
    "필자 저자 작자 작가 글쓴이 지은이 글쓴 쓴이 기고자 투고자 집필자 작성자 게시자 등록자 저작자 원저작자 원작자 원저자 응모자 수상자 당선자 제출자 제안자"
    " 출품자 번역자 역자 옮긴이 창작자 발표자 강연자 연구자 기자 시인 시민 독자 회원 학생 개인 본인 유족 유가족 제3자 출판사 신문사 언론사 방송사 잡지사 통신사"
    " 학회 단체 권리자 원권리자"
).split()
ROLE = re.compile(
    rf"(?:{'|'.join(_ROLES)})(?![가-힣]{{3}})|각각?의?\s|해당\s|원래|\b(?:authors?|writers?|contributors?|creators?)\b", re.I
)
SELF = re.compile(r"^\s?(?:우리|저희|당사|자사|본\s?(?:기관|사이트|누리집|홈페이지|블로그|연구소|재단|센터|원|회|사|부|청)|저|나|운영자|관리자)(?:\s|$|[은는의이가])")
# A sentence that gives a licence to what it says the rights of: 저작권은 필자에게 있으며 CC BY 4.0에 따라 ….
GIVES = re.compile(
    r"(?:\bCC\b|공공누리|라이[선센]스|licen[cs]|커먼즈|commons)[^.]{0,60}(?:따라|따르|따릅|(?:으로|로)\s?(?:배포|공개|제공|허락)|하에|이용할\s?수|사용할\s?수|\bunder\b)"
    r"|\blicen[cs]ed under\b",
    re.I,
)
# That the protection of a work goes on, whatever the footer of its wiki says.
_WORK = r"(?:저작물|작품|글|문서|자료|원고|텍스트|시|소설|노래|가사)"
REMAINS = re.compile(
    rf"(?:{_RIGHT}|보호\s?기간)[^.]{{0,30}}(?:소멸|만료|종료|끝나|풀리|지나)(?:되|하)?지\s?(?:는\s)?않"
    rf"|{_RIGHT}[^.]{{0,24}}(?:보호(?:를)?\s?(?:받고|받는|받습|되고|되는|됩)|존속(?!\s?기간)|유효(?:하(?:다|며)|합)|살아\s?있)"
    r"|퍼블릭\s?도메인(?:이|에|으로)[^.]{0,8}(?:아니|아닙|아닌|않)"
    rf"|저작권이\s?(?:있는|유효한|살아\s?있는)\s?{_WORK}|공정\s?이용"
    r"|\b(?:still|remains?|under)\s(?:\w+\s){0,2}?(?:copyright|protected)|\bcopyrighted in\b|\bnot\b[^.]{0,12}\bpublic domain\b|\bfair use\b",
    re.I,
)  # fmt: skip
OF_THIS = re.compile(rf"(?:^|[\s(\"'“‘※*])(?:이|본|위|해당|아래)\s?{_WORK}|\bthis (?:work|text|article|page)\b", re.I)
POLITE = re.compile(r"(?:습니다|입니다|됩니다|합니다)[.)\]]?\s?$")

# A text from somewhere: 이 글은 월간 가나 3월호에 실린 글입니다; the holder stands before 에, 에서, 이, 가.
_TEXT = r"(?:글|기사|원고|칼럼|자료|보도\s?자료|내용|게시물|게시글|작품|콘텐츠|포스트|기고문?|에세이|수필|시|인터뷰|문서|발언|강연|논문)"
_FROM_VERB = (
    r"(?:실린|실렸|실은|싣|게재|수록|발표|연재|재수록|전재|옮겨|옮긴|퍼온|가져온|가져왔|발췌|보도(?:된|한|했)|기고|투고|배포|제공|작성(?:한|하여|했)|보내|쓴|써\s?준|전해)"
)  # fmt: skip
FROM = (
    re.compile(rf"(?:이|본|위|해당|아래|상기)\s?{_TEXT}(?:은|는|이|가|을|를)?\s(?P<holder>[^.]{{1,60}}?)(?:에서|에|의|이|가|께서|측이|로부터)\s(?:\S{{1,10}}\s){{0,2}}?{_FROM_VERB}"),
    re.compile(rf"^\W{{0,3}}(?P<holder>[^.]{{2,50}}?)(?:에서|에|로부터)\s(?:\S{{1,10}}\s)?(?:실린|실렸던|게재된|발표된|연재된|수록된|제공한|보내온|기고한)\s{_TEXT}(?:입니다|임|이다|(?:을|를)\s[^.]{{0,30}}(?:싣|실었|옮|공유|소개|게재)[^.]{{0,12}})[.)\]]?$"),
    re.compile(r"^\W{0,3}(?P<holder>[^.,]{2,50}?)(?:에서|에|로부터)\s(?:\S{1,10}\s)?(?:옮겨\s?(?:실|싣|온|왔)|전재|발췌|재수록|다시\s?(?:실|싣)|퍼\s?(?:온|왔)|가져\s?(?:온|왔)|제공)[^.]{0,16}(?:니다|함|음|글|것|임)[.)\]>]?$"),
    re.compile(r"^\W{0,3}(?P<holder>(?:월간|계간|격월간|주간|잡지)\s?[^.]{1,40}?)(?:\s?수록|\s?게재|\s?연재|\s?전재|에서\s)"),
    re.compile(rf"(?P<holder>[^.\s]{{1,12}})(?:의)?\s(?:동의|허락|양해|승낙)(?:를|을)?\s?(?:얻|받|구)[^.]{{0,16}}(?:싣|실|게재|옮|전재|공유)"),
    re.compile(rf"(?:이|본|위|해당)\s?{_TEXT}(?:은|는)\s(?P<holder>[^.]{{0,50}}(?:대회|공모전?|백일장|문예|공모에)[^.]{{0,20}})(?:상을?|당선|입상|뽑힌|수상)"),
    re.compile(rf"(?P<holder>필자|기고자|투고자|저자|외부\s?필진|작성자)(?:들)?\s?(?:개인)?(?:의)?\s(?:개인적인?\s|사적인\s)?(?:의견|견해|생각|주장)"),
    re.compile(r"\b(?:re)?(?:printed|published|appeared|posted)\b[^.]{0,20}\b(?:in|on|by|from)\b\s(?P<holder>[^.]{2,60})", re.I),
    re.compile(r"\b(?:guest (?:post|column|article|essay)|contributed|provided|supplied|submitted|courtesy)\b[^.]{0,12}\b(?:by|of)\b\s(?P<holder>[^.]{2,60})", re.I),
)  # fmt: skip

# Label and holder. What a source label names is the author unless it is the publisher; a byline is one only by its words.
SOURCE = re.compile(
    r"(?:(?:자료|글|기사|원문|본문|내용|뉴스|원고|콘텐츠|보도자료)\s?(?:[·,및/]\s?사진\s?)?(?:의\s)?)?(?:출처|제공|제공자|제공처|배포|배포처|발췌|전재|원출처)(?:\s?(?:기관|처|단체|업체|사))?"
    r"|기고자?|투고자?|필자|필진|외부\s?필진|객원\s?\S{1,4}|기고\s?[·/]\s?\S{1,6}|원저자|원작자|원저작자|source|via|courtesy"
    r"|단체|단체명|기관·단체명?|회사명?|업체명?|발표|발신|수신처|성명",
    re.I,
)  # fmt: skip
BYLINE = re.compile(r"(?:글|글쓴이|작성자|등록자|게시자|저자|지은이|작가|기자|이름|writer|author|by|구분|분류|유형|카테고리|게시판(?:명)?|코너)", re.I)
LABELLED = re.compile(r"^\W{0,3}(?P<label>[가-힣A-Za-z·/,\s]{1,16}?)\s?(?:[:：=／|]|\s/\s)\s?(?P<holder>[^:：]{1,80}?)\W{0,3}$")
IN_BRACKETS = re.compile(r"[\[<〈【《](?P<label>[가-힣A-Za-z·/,\s]{1,16}?)\s?[:：=]\s?(?P<holder>[^\[\]<>:：]{1,60})[\]>〉】》]\W{0,3}$")
# An organisation, or a person, by a word that no department of an agency has.
OTHERS = re.compile(
    r"노동\s?조합|노조|㈜|\(주\)|주식회사|유한회사|(?:신문|일보|방송|통신|뉴스|저널|매거진|타임스|경제|잡지)(?:사)?(?:\s|$)|출판사|협회|학회|연합회?(?:\s|$)|연대(?:\s|$)|연맹|협의회|조합(?:\s|$)"
    r"|대책\s?위|시민\s?모임|시민\s?단체|운동\s?본부|향우회|동문회|총학생회|어촌계|부녀회|외부|객원|기고|투고|독자|시민\s?기자|학생|기자단|서포터즈|명예\s?기자|명예\s?리포터"
    r"|교수|시인|소설가|수필가|변호사|작가|평론가",
    re.I,
)  # fmt: skip
SIGNED = re.compile(
    r"^(?:\S{1,16}\s){0,3}?\S{0,16}(?:노동\s?조합|노조|㈜|주식회사|연합회?|협의회|협회|학회|연맹|연대|대책\s?위원회|대책위|시민\s?모임|운동\s?본부|동문회|향우회|총학생회|신문|일보)"
    r"(?:\s?\S{1,12}(?:지부|본부|지회|분회|위원회))?(?:\s?(?:일동|대표\s?\S{2,4}|\(주\)))?$"
)
_DATE = r"(?:19|20)\d\d\s?[.년/-]\s?\d{1,2}\s?[.월/-]?(?:\s?\d{1,2}\s?일?)?\.?"
DATE = re.compile(_DATE)

# Titles, boards and categories that name who writes there; each holds for a whole segment of a title.
_PEOPLE = r"(?:외부|독자|시민|군민|도민|구민|주민|국민|학생|청소년|청년|회원|고객|이용자|전문가|특별|명사|초청|객원|릴레이|교수|의원|나의|우리들?의?|열린|자유|참여|온라인)"
_TAIL = r"(?:\s?(?:글|란|방|실|코너|게시판|마당|모음|목록|보기|상세보기|상세|게시글|광장|연재|\d{1,3}))?"
LABEL = (
    re.compile(rf"(?:{_PEOPLE}\s?)?(?:기고(?:문|글)?|투고(?:문)?|칼럼|기명\s?칼럼|필진|오피니언|사외\s?기고|guest\s?(?:posts?|columns?|essays?)|op-?eds?){_TAIL}", re.I),
    re.compile(rf"{_PEOPLE}\s?(?:게시판|의견|제안|토론|마당|광장|수필|에세이|시|글|원고|발언대?|기자(?:단)?|리포트|이야기){_TAIL}"),
    re.compile(rf"(?:{_PEOPLE}|군수|시장|구청장|도지사|장관|청장|원장|위원장|\S{{1,6}})?\s?(?:의\s?소리|에게\s?(?:바란다|바랍니다|묻는다|말한다|쓰는\s?편지))"),
    re.compile(r"(?:묻고\s?답하기|질문|질의\s?응답|Q\s?&\s?A|상담|민원|문의|건의)\s?게시판|칭찬(?:합시다|해요|마당|릴레이|하기)?|나도\s?한마디|한\s?줄\s?의견|방명록|토론방|제안(?:마당|하기|방)?|벼룩시장|나눔\s?장터|동호회|신문고", re.I),
    re.compile(rf"(?:여행|체험|이용|방문|관람|참가|참여|수강|견학|생생)\s?(?:후기|소감(?:문)?|수기){_TAIL}"),
    re.compile(r"(?:[^\[\]|]{0,40}\s)?(?:수상작|당선작|입상작|입선작|응모작|출품작|참가작|우수작|최우수작|가작|장려작|대상작)(?:품)?(?:\s?\([^()]{1,12}\))?(?:\s?(?:모음|모음집|집|소개|보기|갤러리|감상|게시판))?"),
    re.compile(r"[^\[\]|,]{0,30}(?:공모전?|백일장|문예|글짓기|글쓰기|독후감|수기|수필|대회|경진대회)\s(?:\S{1,10}\s){0,2}?(?:대상|최우수상?|우수상?|금상|은상|동상|장려상|장원|차상|차하|입선|특선|가작|참가상)(?:$|\s?[「『\"'“‘(·,/]|\s(?!수상|선정|차지|영예|획득|쾌거|배출|발표)[가-힣]{2,4}$)"),
    re.compile(r"(?:공동\s?)?(?:성명서?|논평|입장문|기자\s?회견문|결의문|호소문|선언문|담화문|탄원서|건의문)"),
    re.compile(r"(?P<holder>[^|]{0,40}?)(?:의\s?|\s)?(?:공동\s?)?(?:성명서?|논평|입장문|기자\s?회견문|결의문|호소문|공동\s?선언문?)"),
    re.compile(r"(?:\S{1,12}\s)?(?:노동\s?조합|노조|직장\s?협의회|시민\s?단체|사회\s?단체|유관\s?단체|향우회|동문회|부녀회|청년회|어촌계)(?:\s?(?:게시판|소식|알림|활동|글|자료실|마당))?"),
)  # fmt: skip
OFFICIAL = re.compile(r"대변인|장관|차관|청장|처장|시장|군수|구청장|지사|총리|대통령|의회|정부|위원장|부처|당국")
SEGMENT = re.compile(r"\s[-–—/]\s|\s?[|>»›·:：]\s?")
BRACKETED = re.compile(r"[\[(<〈【]\s?([^\[\]()<>〈〉【】]{1,30}?)\s?[\])>〉】]")
# Words of an own name that say which part of a publisher it is, or what was taken from it.
DEPARTMENT = re.compile(
    r"보도\s?자료|홍보\S{0,6}|공보\S{0,4}|대변인실?|\S{1,10}(?:과|팀|담당관|담당|국|실|센터|본부|사업소|지원단|청|부)|누리집|홈페이지|블로그|소식지?|뉴스|군보|시보|구보|뉴스레터|제공|자료|직원"
    r"|주무관|사무관|연구원|편집부|편집실|관리자|운영자|담당자|자체|제작|www\S*|https?\S*|[\d.년월일호(),'\"~-]+|봄호|여름호|가을호|겨울호|통권|등|의|및"
)

"""Keys of paragraphs: hashes of their letters, with the parts that differ from page to page masked.

A paragraph is a line of the text outside fenced code: Malmoi's texts have one paragraph per line. White space, signs
and case never count. The key of a paragraph about its page (CUES, POINTS) leaves out figures, names and quoted words,
and if it is clearly about the page, further keys leave out a hole of a word or two. Every other paragraph
is compared letter for letter, figures included: if 인구는 1,234명이다 differs, it is information of the page, and a
removed paragraph must occur elsewhere unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from hashlib import blake2b, sha256
from typing import NamedTuple

import re2

from filters.host_furniture import host_of
from filters.korean.text_views import find_fences
from malmoi.document import Document

# 이 글은, 본 기사의: the page refers to itself. On the unchanged line, since after a syllable 이 is the end of a word.
# 이 제품, 이 이벤트 and 이 서비스 are left out: manuals use them for their subject.
POINTS = (
    r"(?:^|[^가-힣])(?:(?:이|본|해당) ?(?:글|기사|문서|페이지|게시물|게시글|포스팅|포스트|콘텐츠|컨텐츠|사이트|"
    r"누리집|홈페이지|웹사이트|자료집?|칼럼|뉴스레터|리뷰|후기|블로그|메일|이메일|저작물)|"
    r"본 ?(?:이벤트|상품|제품|서비스|프로모션|연재|방송|강의))"
    r"(?:은|는|이|가|의|을|를|에|로|도|과|와|입)"
)

CUES = {
    "rights": (
        r"무단(?:전재|전제|복제|배포|도용|수집|사용|게재|인용)|재배포를?금|저작권자|저작권(?:은|이)[^.]{0,40}(?:있습니다|귀속|보호)|"
        r"copyright|ⓒ|©|allrights|creativecommons|크리에이티브커먼즈|공공누리|라이[선센]스(?:에따라|하에|로배포|가적용|의조건)|"
        r"출처를?(?:밝|표시|명시|표기)"
    ),
    "press": (
        r"제보(?:는|하|를|전화|메일|바랍|기다)|기사제보|보도자료(?:문의|를받)|구독(?:하기|신청|해주|해보|과좋아요|하시|을부탁|버튼)|"
        r"정기구독|뉴스레터[를에]?(?:구독|신청|받아)|알림(?:설정|을받)|(?:관련|다른|인기|최신|많이본)기사|기자의(?:다른|최신)|편집국(?:으로|에서는|에알)|"
        r"(?:발행인|편집인|청소년보호책임자)[:·]|통신판매업|사업자(?:등록)?번호:?[0-9]|대표전화"
    ),
    "dates": (
        r"(?:최종|마지막)(?:수정|업데이트|편집|갱신)|(?:작성|게시|등록|입력|수정|업데이트|갱신)(?:일자|일시|날짜|일:)|"
        r"(?:에|기준으로)(?:처음|마지막으로)?(?:작성|게시|업데이트|갱신)(?:되|된|됐|함|했)|조회수?:?[0-9]|기사입력|"
        r"(?:입력|수정|작성|등록|게시|승인|송고|발행):?[0-9]{4}[.년-]"
    ),
    "shop": (
        r"고객센터|교환(?:및|·|/|이나|,|과|또는)?(?:환불|반품)|환불(?:은|이|및|규정|불가|해)|반품(?:은|이|및|비|하실|할수|배송)|배송(?:비|은|지연|안내|됩니다)|"
        r"무료배송|품절될|적립금을드|사은품|구매(?:하신|고객|전에|를원)|상품(?:문의|페이지|정보제공|의색상)|모니터(?:에따라|해상도|사양)|"
        r"할인쿠폰|장바구니에담|제조사(?:의)?사정|주문(?:폭주|취소|건)"
    ),
    "disclaimer": (
        r"책임을?지지않|책임(?:은|이)[^.]{0,30}(?:에게|본인|없습니다)|법적(?:효력|책임)|투자(?:의책임|판단|결과|를?권유)|보증하지않|"
        r"참고(?:용|자료)(?:로만|일뿐|이며|입니다)|(?:의학적|법률적|전문가의|의사의)(?:조언|상담|진단)|개인(?:에|별로)?(?:따라)?차이가|"
        r"실제와다를|(?:사정|상황|일정|현지)에(?:따라|의해)[^.]{0,15}(?:변경|달라|취소|종료)|(?:변경|취소|중단|종료)될수있(?:습니다|으니|음)|예고없이|(?:편집방향|공식입장|견해)(?:과는?|이|와는?)(?:다를|아니|무관)"
    ),
    "paid": (
        r"파트너스활동|수수료를(?:제공|지급|받)|원고료|(?:제품|식사|숙박)[을를]?(?:제공받|협찬)|협찬|유료광고|체험단|"
        r"광고(?:문의|입니다|를포함|제휴)|제휴(?:문의|링크)"
    ),
    "event": (
        r"이벤트(?:기간|유의|참여|경품|당첨|응모|는당사)|응모(?:하|기간|는|해|방법)|당첨(?:자|되|시)|경품|추첨(?:을통해|하여|으로)|"
        r"개별(?:적으로)?(?:연락|통보|안내)|조기(?:종료|마감)|선착순|참가신청|수강신청|참여(?:하신분|를원하)"
    ),
    "site": (
        r"(?:홈페이지|누리집|공식웹사이트)(?:를|에서|의|로|참조|참고|이용|바로|하단|\(|와|나)|회원(?:가입|약관|전용)|"
        r"로그인(?:후이용|이필요|하시면)|댓글(?:을|은|로)?(?:작성|남|달|부탁)|좋아요|공유하기|(?:본문|메뉴|누리집|홈페이지|사이트|신청|구매)(?:으로|하러)?바로가기|(?:여기를|아래링크를)(?:클릭|눌러)|클릭해주세|"
        r"다운로드받으|앱(?:다운로드|에서도|을설치)|구글플레이|앱스토어|카카오(?:톡|채널)|유튜브채널|인스타그램|페이스북(?:페이지|에서)|팔로우|"
        r"쿠키(?:를사용|사용에|정책)|(?:javascript|자바스크립트)를?(?:사용하시|켜|활성화|허용)|최신브라우저|브라우저에서는지원|개인정보(?:처리|취급)방침|이용약관|"
        r"이메일(?:주소)?무단|만족하셨|평가해주|의견을(?:남|보내|들려)|오류(?:신고|를발견|가있으면)|토막글"
    ),
    "contact": (
        r"문의(?:사항|처|는|하시|하여주|해주|바랍|전화|주시|메일|:)|담당(?:부서|자):|[a-z0-9]@[a-z0-9-]+\.[a-z]|tel[.:)]|전화[:(]0"
    ),
}

# These recur legitimately; they stay however often they occur, and whatever else the line contains.
RECURS = {
    # 제3조(목적), ① 이 법은, 부칙: a law, a contract or a quotation of one.
    "article": r"^[^0-9a-z가-힣①-⑳]{0,3}(?:제[0-9]{1,4}(?:조|항|호|관|절|장|편)(?:의[0-9]+)?[^0-9가-힣]|[①-⑳]|부칙)",
    # ○의장 홍길동, ◯위원장: speakers in minutes; and the formulas of a chair at each step.
    "minutes": (
        r"^[○◯●◎][^:.]{0,12}(?:의장|위원장?|의원|장관|총리|시장|도지사|구청장|국장|실장|과장|감사관|참고인|증인)|"
        r"선포합니다|상정합니다|개의하겠|산회를|산회하|정회를|정회하|속개하|이의(?:가)?없으십|성원이되|의석을정돈|하는이있음"
    ),
    # Opening and closing formulas of courts and offices.
    "ruling": (
        r"주문과같이(?:판결|결정|심판|재결)|(?:상고|항소|항고|청구|신청)(?:를|는)[^.]{0,40}(?:기각|인용|각하)|관여(?:대)?법관|"
        r"귀(?:문의|질의|세무서)|질의의경우|기존해석사례|판례의취지|법리에비추어"
    ),
    "pledge": r"굳게다짐|엄숙히선서|맹세(?:합니다|코)|선서합니다",
    # Prayers, psalms and hymns, by endings of their own.
    "scripture": r"(?:나이다|옵소서|주소서|하소서|니라|이로다|하도다|지어다|로소이다|아멘)[.!…”’\"']*$",
}

# A paragraph that is not about its page is counted only if it is prose; these are not.
# On the unchanged line: items, questions, quotations, fields, rows of tables, references, code.
NO_PROSE = (
    r"^\s*(?:[-*+•·▪▶▷◆◇■□○●※→>#|~]|\d{1,3}(?:[.):]|\s|-\d)|[(\[]?[가-하a-zA-Z0-9ivx]{1,3}[.)\]]\s|[①-⑳⑴-⒇㉠-㉻ⅰ-ⅻ]|"
    r"[“‘\"'「『〈《]|[가-힣A-Za-z ]{1,12}[:：])|[?？][”’\"')\]]*\s*$|\t|\||\s{3,}\S|"
    r"[「『《〈][^」』》〉]*[」』》〉].*\d|제 ?\d{1,4} ?(?:조|항)|\d{1,4}(?:쪽|면)|pp?\. ?\d|ISBN|doi|[{}<>=;\\]|\(\)"
)
# Code is never counted, even if it is about its page: it holds URLs, and its lines recur.
CODE = r"[{};\\]|=>|\(\)"
# Prose closes its last sentence. For `re`, over the last signs of a line.
CLOSES = r"(?:[.!。…]|[다요죠])[\"'”’)\]」』]*\s*\Z"


# Letters and digits. Shorter lines are buttons, headings, items and refrains, which recur in any text; 10 is 무단 전재
# 및 재배포 금지. 20 is the minimum that a recipe may set for other lines.
SPEAKING_LETTERS = 10
PLAIN_LETTERS = 20
MASKED_LETTERS = 5  # of the rest of a masked line about its page: 최종 수정일

_REST = re.compile(r"[\W_]+")
_CODE = re2.compile(CODE)
_RECURS = re2.compile("|".join(RECURS.values()))
_SPEAKS = re2.compile("|".join(CUES.values()))
_POINTS = re2.compile(POINTS)
_NO_PROSE = re2.compile(NO_PROSE)
_CLOSES = re.compile(CLOSES)  # applied to the last signs only; `re` is faster for one search


class Paragraph(NamedTuple):
    """One line: its bounds in code points, its keys (odd if about its page), and its count of letters and digits."""

    start: int
    end: int
    keys: tuple[int, ...]
    letters: int


def paragraphs(doc: Document) -> Iterator[Paragraph]:
    """Yield the paragraphs of a document that are counted, in text order.

    >>> from malmoi.document import Provenance
    >>> doc = Document("x/1", "서울의 봄\\n이 글은 2024년 3월 5일에 작성되었습니다.", Provenance("x", "", "", "", ""))
    >>> [(found.start, found.end, found.letters) for found in paragraphs(doc)]
    [(6, 32, 20)]
    """
    names = names_of(doc) if _has_page_pointer(doc.text) or _is_about_page(doc.text) else None
    code = iter(find_fences(doc.text))
    start, stop = next(code, (0, 0))
    at = 0
    for line in doc.text.split("\n"):
        end = at + len(line)
        while stop and stop <= at:
            start, stop = next(code, (0, 0))
        if len(line) >= SPEAKING_LETTERS and not start <= at < stop:
            keys = keys_of(line, names)
            if keys:
                yield Paragraph(at, end, keys, len(_REST.sub("", line)))
        at = end + 1


def keys_of(line: str, names: Sequence[str] | None = ()) -> tuple[int, ...]:
    """Return the keys of a line, 64 bits each: first the key of all its letters; () if the line is not counted.

    `names` are those of the page, as their letters; None if nothing in the page is about itself. Keys of lines about
    the page are odd.

    >>> keys_of("이 글은 2024년 3월 5일에 작성되었습니다.") == keys_of("이 글은 2023년 12월 25일에 작성되었습니다")
    True
    >>> counted = "그해 이 고을의 인구는 {}명이고 호수는 {}호였다."
    >>> keys_of(counted.format(1234, 301)) == keys_of(counted.format(987, 222))
    False
    """
    plainly = names is not None and _is_about_page(line)
    if names is not None and (plainly or _has_page_pointer(line)):
        if len(_REST.sub("", line)) < SPEAKING_LETTERS or _is_formulaic(line) or _CODE.search(line):
            return ()
        words = mask_page_words(line, names)
        whole = "".join(words)
        if len(whole) < MASKED_LETTERS:
            return ()
        # 이 글에서는 … 을 살펴봅니다 refers to the page and to its subject: no word of it may differ.
        return tuple(_hash(found) | 1 for found in dict.fromkeys([whole, *(leave_words_out(words) if plainly else ())]))
    if (
        len(line) < PLAIN_LETTERS
        or not _CLOSES.search(line, max(0, len(line) - 8))
        or _NO_PROSE.search(line)
        or _is_formulaic(line)
    ):
        return ()
    bare = _REST.sub("", line.lower())
    return (_hash(bare) & ~1,) if len(bare) >= PLAIN_LETTERS else ()


MAX_NAME = 60  # code points of a title or a first line that counts as the name of a page
MIN_NAME = 3  # letters; shorter names occur inside other words
# Words of a paragraph that may have a hole: with fewer too little remains, and longer ones are not one-line templates.
HOLED_WORDS = range(5, 25)
HOLES = (1, 2)  # words in a hole
HOLED_LETTERS = 12  # at least this many letters, and two thirds of all, must remain around a hole

_ADDRESS = re2.compile(r"https?://[^\s\"'<>)\]]+|www\.[^\s\"'<>)\]]+|[\w.+-]+@[\w-]+\.[\w.-]+")
_QUOTED = re2.compile(
    r"“[^”]*”|‘[^’]*’|「[^」]*」|『[^』]*』|《[^》]*》|〈[^〉]*〉|<[^<>]*>|\"[^\"]*\"|'[^']*'|\[[^\[\]]*\]"
)
_NAME = re2.compile(
    r"[가-힣]{2,4}\s?(기자|특파원|논설위원|리포터|앵커|아나운서|작가|에디터|편집장|교수|변호사|원장|님)"
    r"([^가-힣]|[은는이가의을를]\s|입니다|$)"
)
_FIGURE = re2.compile(
    r"(?:오전|오후)\s?\d[\d:.]*|\([월화수목금토일]\)|\d[\d.,:/~-]*(?:[천만억]+\s?\d[\d.,]*)*[천만억]*"
)
_DATE = re.compile(r"0(?:\s*[0년월일시분])*")


def mask_page_words(line: str, names: Sequence[str] = ()) -> list[str]:
    """Return the words of a line as letters, without addresses, quoted words, names of reporters and of the page.

    A figure or date becomes one 0. `names` are those of the page, as their letters.

    >>> mask_page_words("[가람일보] 김말모 기자의 다른 기사 12건 보기")
    ['기자의', '다른', '기사', '0건', '보기']
    >>> mask_page_words("돌다리 마을의 저작권은 필자에게 있습니다.", ["돌다리마을"])
    ['의', '저작권은', '필자에게', '있습니다']
    """
    line = _NAME.sub(r"\1\2", _ADDRESS.sub(" ", line))
    outside = _QUOTED.sub(" ", line)
    words = _split_words(outside if _REST.sub("", outside) else line)  # <저작권자 ⓒ …> is not a quotation
    for name in names:
        words = _remove_name(words, name)
    return words


def names_of(doc: Document) -> list[str]:
    """Return the names of the page as letters: its title, the parts of it, and its first line; the longest first."""
    title = doc.title[: 4 * MAX_NAME]
    said = {title, *re.split(r"\s[-–—|:·>]+\s", title), doc.text[: MAX_NAME + 1].split("\n", 1)[0]}
    names = {"".join(_split_words(name)) for name in said if len(name) <= MAX_NAME}
    return sorted((name for name in names if len(name) >= MIN_NAME), key=lambda name: (-len(name), name))


def leave_words_out(words: Sequence[str]) -> Iterator[str]:
    """Yield the letters of a line, each time without one word or two adjacent ones.

    Two lines that differ in only one place have one of these in common.

    >>> sorted(set(leave_words_out("가온 밥솥 구매하신 고객께는 사은품을 드립니다".split())) & set(
    ...     leave_words_out("나루 구매하신 고객께는 사은품을 드립니다".split())))
    ['구매하신고객께는사은품을드립니다']
    """
    total = sum(map(len, words))
    for width in HOLES if len(words) in HOLED_WORDS else ():
        for at in range(len(words) - width + 1):
            left = "".join([*words[:at], *words[at + width :]])
            if len(left) >= HOLED_LETTERS and 3 * len(left) >= 2 * total:
                yield left


def _split_words(text: str) -> list[str]:
    """Split a text into words, as letters in lower case; a figure or date becomes one 0."""
    parts = _DATE.sub("0", _FIGURE.sub("0", text)).lower().split()
    return [word for part in parts if (word := _REST.sub("", part))]


def _remove_name(words: list[str], name: str) -> list[str]:
    """Remove the letters of `name` from the words, at any position; keep all words if nothing else would remain."""
    letters = "".join(words)
    if name not in letters or name == letters:  # a notice may be the first line of its page, but is not its name
        return words
    kept = [True] * len(letters)
    at = letters.find(name)
    while at >= 0:
        kept[at : at + len(name)] = [False] * len(name)
        at = letters.find(name, at + len(name))
    found, at = [], 0
    for word in words:
        found.append("".join(letter for letter, stays in zip(word, kept[at : at + len(word)], strict=True) if stays))
        at += len(word)
    return [word for word in found if word]


def scope_of(doc: Document) -> str:
    """Return the host of a document; if it has no web address, its source."""
    return host_of(doc) or doc.provenance.source


def rank_of(doc: Document) -> int:
    """Return the rank of a document among those that share a paragraph: fetch time in seconds, then bits of H(id).

    The lowest rank is the keeper of the paragraph. So later pages do not change earlier ones; with the hash alone each
    later page could be the smallest. H is sha256; a document without a time ranks first.

    >>> from malmoi.document import Provenance
    >>> early, late = (Document("x/1", "", Provenance("x", "", "", f"202{n}-05-01T00:00:00Z", "")) for n in (4, 6))
    >>> rank_of(early) < rank_of(late)
    True
    """
    bits = int.from_bytes(sha256(doc.id.encode("utf-8", "surrogatepass")).digest()[:4], "big")
    try:
        time = datetime.fromisoformat(doc.provenance.fetched)
    except ValueError:
        return bits
    since = time.replace(tzinfo=time.tzinfo or UTC).timestamp()
    return min(max(int(since), 0), (1 << 32) - 1) << 32 | bits


def _is_about_page(text: str) -> bool:
    return bool(_SPEAKS.search(_remove_blanks(text)))


def _has_page_pointer(text: str) -> bool:
    return bool(_POINTS.search(text))


def _is_formulaic(line: str) -> bool:
    return bool(_RECURS.search(_remove_blanks(line)))


def _remove_blanks(text: str) -> str:
    return "".join(text.lower().split())


def _hash(letters: str) -> int:
    return int.from_bytes(blake2b(letters.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")

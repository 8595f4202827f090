"""Build web pages of every kind, with menus, side columns and footers, to train the model of page kinds.

The words are sentences of the corpora; markup, names and layouts are drawn by seed from what Korean sites use. The
pages are for training only and are not stored.
"""

# ruff: noqa: E501 (a layout is one string)
from __future__ import annotations

import csv
import html
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_END = re.compile(r"(?<=[다요까죠]\.)\s+")


@dataclass(frozen=True, slots=True)
class Built:
    """A page, its address and its kind."""

    url: str
    kind: str
    body: str


@dataclass(slots=True)
class Words:
    """Draws titles, sentences and paragraphs."""

    sentences: Sequence[str]
    rng: random.Random
    used: int = 0

    def sentence(self) -> str:
        """Return a sentence of 15 to 140 code points."""
        return self.rng.choice(self.sentences)

    def paragraph(self, least: int = 2, most: int = 6) -> str:
        """Return some sentences that follow each other."""
        at = self.rng.randrange(len(self.sentences) - most)
        return " ".join(self.sentences[at : at + self.rng.randint(least, most)])

    def title(self) -> str:
        """Return a title: the first words of a sentence."""
        words = self.sentence().rstrip(".").split()
        count = self.rng.randint(2, 8)
        return " ".join(words[:count]).rstrip(",")[:60]

    def word(self) -> str:
        """Return a menu entry."""
        words = [word for word in self.sentence().split() if 2 <= len(word) <= 6]
        return self.rng.choice(words or ["소개"]).rstrip(".,")

    def teaser(self) -> str:
        """Return the beginning of a paragraph, cut or whole."""
        text = self.paragraph(1, 4)
        if self.rng.random() < 0.65:
            return text[: self.rng.randint(40, 180)] + self.rng.choice(["…", "...", " ...", "… 더보기", "[…]", ""])
        return text[:300]

    def date(self) -> str:
        """Return a date as sites print it."""
        y, m, d = self.rng.randint(2008, 2026), self.rng.randint(1, 12), self.rng.randint(1, 28)
        return self.rng.choice(
            [f"{y}-{m:02}-{d:02}", f"{y}.{m:02}.{d:02}", f"{y}. {m}. {d}.", f"{y}년 {m}월 {d}일", f"{m:02}-{d:02}"]
        )


def read_sentences(corpora: Path) -> list[str]:
    """Return Korean sentences of the corpora, in order."""
    texts: list[str] = []
    for name, column in (("wikinews", ""), ("book_review01", ""), ("book_review02", ""), ("fairytale01", "")):
        path = corpora / "boddari" / f"{name}.csv"
        if path.exists():
            csv.field_size_limit(10_000_000)
            with path.open(encoding="utf-8-sig", newline="") as file:
                for row in list(csv.reader(file))[1:600]:
                    texts.append(max(row, key=len) if not column else row[0])
    texts += [path.read_text("utf-8")[:60_000] for path in sorted((corpora / "boddari" / "unesco").glob("*.txt"))]
    for path in sorted((corpora / "ko-react-dev").glob("**/*.md*"))[:120]:
        texts.append(re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL))
    found = []
    for text in texts:
        for sentence in _END.split(" ".join(text.split())):
            if 15 <= len(sentence) <= 140 and not re.search(r"[<>{}\[\]|#*`]", sentence):
                found.append(sentence)
    return found


@dataclass(slots=True)
class Builder:
    """Builds pages by seed."""

    words: Words
    rng: random.Random
    makers: dict[str, list[Callable[[], tuple[str, str]]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.makers = {
            "article": [
                self.post, self.post, self.post, self.post, self.board_post, self.board_post, self.news, self.news, self.manual,
                self.thread, self.listing_text, self.table_text, self.short_post, self.short_post, self.code_post,
                self.statute, self.resources, self.form_post, self.gallery_post, self.error_post,
            ],
            "index": [self.card_index, self.card_index, self.blog_index, self.blog_index, self.board_index, self.board_index,
                      self.link_index, self.section_index, self.search_index, self.toc_index],
            "gallery": [self.gallery],
            "error": [self.error, self.error_with_list],
            "login": [self.login, self.wall],
            "stub": [self.stub, self.empty_board],
            "generated": [self.times, self.calendar, self.statistics, self.symbols],
        }  # fmt: skip

    def build(self, kind: str) -> Built:
        """Return a page of a kind."""
        head, main = self.rng.choice(self.makers[kind])()
        return Built(self._address(kind), kind, self._page(head, main))

    def _address(self, kind: str) -> str:
        r = self.rng
        if kind == "index" and r.random() < 0.6:
            return "https://a.example" + r.choice(
                [
                    "/",
                    "/blog",
                    "/category/tech",
                    "/tag/x",
                    "/page/3",
                    "/board/list.do?pageIndex=2",
                    "/bbs/board.php?bo_table=free",
                    "/news",
                    "/search?q=x",
                    "/archives/2020/05",
                ]
            )
        return "https://a.example" + r.choice(
            [
                f"/{r.randint(1, 9999)}",
                f"/bbs/board.php?bo_table=free&wr_id={r.randint(1, 999)}",
                "/entry/x-y-z",
                "/docs/guide/start.html",
                f"/news/articleView.html?idxno={r.randint(1000, 99999)}",
                "/board/view.do?nttId=77",
                "/about",
                "/service/index.do",
                "/board/list.do?mId=3",
            ]
        )

    # the frame of the site

    def _names(self, *pool: str) -> str:
        return self.rng.choice(pool)

    def _menu(self, count: int) -> str:
        items = "".join(f'<li><a href="/m{n}">{self._w()}</a></li>' for n in range(count))
        kind = self.rng.random()
        if kind < 0.4:
            return f"<nav><ul>{items}</ul></nav>"
        if kind < 0.8:
            return (
                f'<div id="{self._names("gnb", "menu", "lnb", "top_menu", "header_nav", "hd")}"><ul>{items}</ul></div>'
            )
        return (
            "<table><tr>"
            + "".join(f'<td><a href="/m{n}">{self._w()}</a></td>' for n in range(min(count, 12)))
            + "</tr></table>"
        )

    def _w(self) -> str:
        return html.escape(self.words.word())

    def _t(self) -> str:
        return html.escape(self.words.title())

    def _p(self, least: int = 2, most: int = 6) -> str:
        return html.escape(self.words.paragraph(least, most))

    def _side(self) -> str:
        r = self.rng
        boxes = []
        for name in r.sample(
            ["인기 글", "최근 글", "많이 본 뉴스", "태그", "카테고리", "공지사항", "최근 댓글"], r.randint(0, 4)
        ):
            items = "".join(f'<li><a href="/s{n}">{self._t()}</a></li>' for n in range(r.randint(3, 10)))
            boxes.append(
                f"<div class='{self._names('widget', 'box', 'side_box', 'latest')}'><h3>{name}</h3><ul>{items}</ul></div>"
            )
        tag = r.choice(["aside", "div class=sidebar", "div id=side", "div class=right_col"])
        return f"<{tag}>{''.join(boxes)}</{tag.split()[0]}>" if boxes else ""

    def _footer(self) -> str:
        tag = self.rng.choice(["footer", "div id=footer", "div class=foot", "address"])
        return f"<{tag}><a href=/p>개인정보처리방침</a> <a href=/t>이용약관</a> 주소: {self._w()}시 {self._w()}로 1 전화 02-000-0000 Copyright © All rights reserved.</{tag.split()[0]}>"

    def _page(self, title: str, main: str) -> str:
        r = self.rng
        site = r.choice(["새벽 블로그", "한빛 연구소", "나루 신문", "가온시청", "문서"])
        named = f"{title} - {site}" if title and r.random() < 0.7 else title if title and r.random() < 0.5 else site
        meta = '<meta property="og:type" content="article">' if r.random() < 0.3 else ""
        box = r.choice(
            [
                "<div id='content'>{}</div>",
                "<main>{}</main>",
                "<div class='container'><div class='inner'>{}</div></div>",
                "<div id='wrap'><div id='contents' class='sub_contents'>{}</div></div>",
                "<table><tr><td>{}</td></tr></table>",
                "{}",
            ]
        )
        parts = [self._menu(r.randint(3, 40)), box.format(main), self._side(), self._footer()]
        if r.random() < 0.2:
            parts[1:3] = [parts[2], parts[1]]
        return f"<!DOCTYPE html><html><head><meta charset=utf-8><title>{html.escape(named)}</title>{meta}</head><body>{''.join(parts)}</body></html>"

    # articles

    def _heading(self, title: str) -> str:
        r = self.rng
        return r.choice(
            [
                "<h1>{}</h1>",
                "<h2 class='title'>{}</h2>",
                "<div class='view_title'>{}</div>",
                "<h3>{}</h3>",
                "<p class='tit'><strong>{}</strong></p>",
            ]
        ).format(html.escape(title))

    def _byline(self) -> str:
        r = self.rng
        return r.choice(
            [
                "",
                f"<p class='date'>{self.words.date()}</p>",
                f"<ul class='info'><li>작성자 {self._w()}</li><li>등록일 {self.words.date()}</li><li>조회수 {r.randint(1, 9999)}</li></ul>",
                f"<div class='byline'>{self._w()} 기자 | {self.words.date()}</div>",
            ]
        )

    def _paragraphs(self, least: int, most: int) -> str:
        r = self.rng
        style = r.choice(
            ["<p>{}</p>", "<div>{}</div>", "{}<br><br>", "<p><span style='font-size:11pt'>{}</span></p>", "{}<br>"]
        )
        return "".join(style.format(self._p()) for _ in range(r.randint(least, most)))

    def _behind(self) -> str:
        """Return what follows an article: related teasers, the list of the board, comments."""
        r = self.rng
        parts = []
        if r.random() < 0.4:
            cards = "".join(
                f"<li><a href='/r{n}'><strong>{self._t()}</strong></a><p>{html.escape(self.words.teaser())}</p></li>"
                for n in range(r.randint(2, 6))
            )
            parts.append(
                f"<div class='{self._names('related', 'more_posts', 'another_category', 'rel_list')}'><h3>{r.choice(['관련 글', '관련기사', '함께 보면 좋은 글', '이 카테고리의 다른 글'])}</h3><ul>{cards}</ul></div>"
            )
        if r.random() < 0.3:
            parts.append(self._rows(r.randint(5, 20)))
        if r.random() < 0.4:
            said = "".join(
                f"<div class='comment'><b>{self._w()}</b> <span>{self.words.date()}</span><p>{self._p(1, 2)}</p></div>"
                for _ in range(r.randint(0, 6))
            )
            parts.append(
                f"<div id='comments'><h4>댓글</h4>{said}<form><textarea></textarea><button>등록</button></form></div>"
            )
        if r.random() < 0.4:
            parts.append(
                f"<ul class='prevnext'><li>이전글 <a href='/a'>{self._t()}</a></li><li>다음글 <a href='/b'>{self._t()}</a></li></ul><a href='/l'>목록</a>"
            )
        r.shuffle(parts)
        return "".join(parts)

    def post(self) -> tuple[str, str]:
        title = self.words.title()
        parts = [self._paragraphs(2, 6)]
        for _ in range(self.rng.randint(0, 4)):
            parts.append(f"<h{self.rng.choice('234')}>{self._t()}</h3>{self._paragraphs(1, 3)}")
            if self.rng.random() < 0.3:
                parts.append(f"<figure><img src=a.jpg><figcaption>{self._t()}</figcaption></figure>")
        box = self.rng.choice(
            ["<article>{}</article>", "<div class='entry-content'>{}</div>", "<div class='post'>{}</div>", "{}"]
        )
        return title, box.format(self._heading(title) + self._byline() + "".join(parts)) + self._behind()

    def board_post(self) -> tuple[str, str]:
        title = self.words.title()
        body = self._paragraphs(1, 6)
        rows = f"<tr><th>제목</th><td>{html.escape(title)}</td></tr><tr><th>작성자</th><td>{self._w()}</td><th>등록일</th><td>{self.words.date()}</td></tr><tr><th>첨부</th><td><a href=a.hwp>{self._w()}.hwp</a></td></tr>"
        if self.rng.random() < 0.5:
            return (
                title,
                f"<h2>{self._w()}</h2><table class='board_view'>{rows}<tr><td colspan=4>{body}</td></tr></table>{self._behind()}",
            )
        return (
            title,
            f"<h2>공지사항</h2><div class='board_view'><dl><dt>{html.escape(title)}</dt></dl>{self._byline()}<div class='view_cont'>{body}</div></div>{self._behind()}",
        )

    def news(self) -> tuple[str, str]:
        title = self.words.title()
        return (
            title,
            f"<header><h1>{html.escape(title)}</h1>{self._byline()}</header><div id='article-view-content-div'>{self._paragraphs(3, 10)}<p>저작권자 © 무단전재 및 재배포 금지</p></div>{self._behind()}",
        )

    def short_post(self) -> tuple[str, str]:
        title = self.words.title()
        return (
            title,
            self._heading(title)
            + self._byline()
            + f"<div class='{self._names('xe_content', 'cont', 'view', 'article')}'><p>{self._p(2, 4)}</p></div>"
            + (self._behind() if self.rng.random() < 0.6 else ""),
        )

    def manual(self) -> tuple[str, str]:
        title = self.words.title()
        parts = [f"<h1>{html.escape(title)}</h1><p>{self._p(1, 3)}</p>"]
        for _ in range(self.rng.randint(1, 5)):
            items = "".join(f"<li>{self._p(1, 1)}</li>" for _ in range(self.rng.randint(2, 7)))
            parts.append(f"<h2>{self._t()}</h2><p>{self._p(1, 2)}</p><{self.rng.choice(['ul', 'ol'])}>{items}</ul>")
            if self.rng.random() < 0.4:
                parts.append(f"<p>{self._p(1, 1)} <a href='/x'>{self._t()}</a></p>")
        return title, "<div class='body'>" + "".join(parts) + "</div>" + self.rng.choice(
            ["", f"<div class='related'><h3>관련 항목</h3><a href=/a>{self._t()}</a></div>"]
        )

    def thread(self) -> tuple[str, str]:
        title = self.words.title()
        answers = "".join(
            f"<div class='answer'><span>{self._w()}</span> <span>{self.words.date()}</span><p>{self._p(2, 5)}</p></div>"
            for _ in range(self.rng.randint(1, 5))
        )
        return title, f"{self._heading(title)}<div class='question'><p>{self._p(2, 5)}</p></div><h3>답변</h3>{answers}"

    def listing_text(self) -> tuple[str, str]:
        title = self.words.title()
        items = "".join(
            f"<li>{html.escape(self.words.title())}{self.rng.choice(['', ' ' + self._w(), f' {self.rng.randint(1, 500)}g'])}</li>"
            for _ in range(self.rng.randint(4, 20))
        )
        steps = "".join(f"<li>{self._p(1, 2)}</li>" for _ in range(self.rng.randint(3, 8)))
        return (
            title,
            f"{self._heading(title)}{self._byline()}<p>{self._p(1, 3)}</p><h3>{self._t()}</h3><ul>{items}</ul><ol>{steps}</ol>{self._behind()}",
        )

    def table_text(self) -> tuple[str, str]:
        title = self.words.title()
        r = self.rng
        width = r.randint(2, 6)
        head = "".join(f"<th>{self._w()}</th>" for _ in range(width))
        rows = "".join(
            "<tr>"
            + "".join(f"<td>{self._t() if r.random() < 0.5 else r.randint(1, 99999)}</td>" for _ in range(width))
            + "</tr>"
            for _ in range(r.randint(3, 25))
        )
        return (
            title,
            f"{self._heading(title)}{self._byline()}<p>{self._p(1, 3)}</p><table><tr>{head}</tr>{rows}</table><p>{self._p(1, 2)}</p>{self._behind()}",
        )

    def code_post(self) -> tuple[str, str]:
        title = self.words.title()
        parts = []
        for _ in range(self.rng.randint(1, 5)):
            code = "\n".join(
                f"x{n} = f({self.rng.randint(1, 99)})  # {self._w()}" for n in range(self.rng.randint(2, 20))
            )
            parts.append(f"<h2>{self._t()}</h2><p>{self._p(1, 3)}</p><pre><code>{code}</code></pre>")
        return title, f"<article>{self._heading(title)}{''.join(parts)}</article>{self._behind()}"

    def statute(self) -> tuple[str, str]:
        title = self.words.title() + " 규정"
        parts = [
            f"<p>제{n}조({self._w()}) {self._p(1, 2)}</p>"
            + "".join(f"<p>{'①②③④'[k]} {self._p(1, 1)}</p>" for k in range(self.rng.randint(0, 4)))
            for n in range(1, self.rng.randint(4, 20))
        ]
        return title, self._heading(title) + "".join(parts)

    def resources(self) -> tuple[str, str]:
        title = self.words.title()
        items = "".join(
            f"<li><a href='https://b.example/{n}'>{self._t()}</a> {self._p(1, 1)}</li>"
            for n in range(self.rng.randint(3, 12))
        )
        return (
            title,
            f"{self._heading(title)}{self._byline()}<p>{self._p(2, 4)}</p><ul>{items}</ul><p>{self._p(1, 3)}</p>{self._behind()}",
        )

    def form_post(self) -> tuple[str, str]:
        title = self.rng.choice(
            ["로그인 오류 해결 방법", "회원가입 안내", "비밀번호 바꾸는 방법", "구독 해지 방법", self.words.title()]
        )
        return (
            title,
            f"<form id='top'><input name=id><input type=password name=pw><button>로그인</button></form>{self._heading(title)}{self._paragraphs(2, 6)}{self._behind()}",
        )

    def error_post(self) -> tuple[str, str]:
        title = self.rng.choice(
            [
                "404 오류가 나는 까닭",
                "찾을 수 없는 파일 다루기",
                "삭제된 게시물 되살리기",
                "공사 중인 도로 안내",
                "준비 중인 가게 이야기",
                "오류 처리",
            ]
        )
        return title, self._heading(title) + self._byline() + self._paragraphs(2, 6) + self._behind()

    def gallery_post(self) -> tuple[str, str]:
        title = self.words.title()
        pictures = "".join(f"<p><img src='{n}.jpg'></p><p>{self._p(1, 2)}</p>" for n in range(self.rng.randint(3, 12)))
        return title, self._heading(title) + self._byline() + pictures + self._behind()

    # pages that are no text

    def _pager(self) -> str:
        r = self.rng
        return r.choice(
            [
                "",
                "<div class='pagination'>"
                + "".join(f"<a href='?page={n}'>{n}</a>" for n in range(1, 11))
                + "<a href=?page=11>다음</a></div>",
                "<p><a href=/page/2>이전 글 보기</a></p>",
            ]
        )

    def _intro(self) -> str:
        return f"<p>{self._p(1, self.rng.randint(1, 2))}</p>" if self.rng.random() < 0.3 else ""

    def card_index(self) -> tuple[str, str]:
        r = self.rng
        name = self.words.word()
        shape = r.choice(
            [
                "<div class='card'><a href='/{n}'><img src=a.jpg><h3>{t}</h3><p>{x}</p></a><span>{d}</span></div>",
                "<li><a href='/{n}'><strong class=tit>{t}</strong></a><p class=lead>{x}</p><em>{w}</em> <em>{d}</em></li>",
                "<div class='list-block'><div class='list-titles'><a href='/{n}'><strong>{t}</strong></a></div><p class='list-summary'><a href='/{n}'>{x}</a></p><div class='list-dated'>{w} | {d}</div></div>",
                "<dl><dt><a href='/{n}'>{t}</a></dt><dd>{x}</dd><dd>{d}</dd></dl>",
            ]
        )
        cards = "".join(
            shape.format(n=n, t=self._t(), x=html.escape(self.words.teaser()), d=self.words.date(), w=self._w())
            for n in range(r.randint(4, 25))
        )
        return name, r.choice(
            [f"<h2>{html.escape(name)}</h2>", ""]
        ) + self._intro() + f"<ul>{cards}</ul>" + self._pager()

    def blog_index(self) -> tuple[str, str]:
        r = self.rng
        shape = r.choice(
            [
                "<article class='post'><h2 class='entry-title'><a href='/{n}'>{t}</a></h2><div class='meta'>{d}</div><div class='entry-summary'><p>{x}</p></div><a class='more-link' href='/{n}'>더 보기</a></article>",
                "<div class='post-preview'><a href='/{n}'><h2>{t}</h2></a><p>{x}</p><p class='post-meta'>{w} · {d}</p></div><hr>",
                "<article><header><h2><a href='/{n}'>{t}</a></h2></header><p>{x} <a href='/{n}'>계속 읽기</a></p><footer>{d} <a href=/c>{w}</a></footer></article>",
            ]
        )
        posts = "".join(
            shape.format(n=n, t=self._t(), x=html.escape(self.words.teaser()), d=self.words.date(), w=self._w())
            for n in range(r.randint(3, 15))
        )
        return r.choice(["", self.words.word()]), r.choice(
            ["", f"<h1>{self._w()}</h1>{self._intro()}"]
        ) + posts + self._pager()

    def _rows(self, count: int) -> str:
        r = self.rng
        if r.random() < 0.7:
            rows = "".join(
                f"<tr><td>{r.randint(1, 9999)}</td><td><a href='/v{n}'>{self._t()}</a></td><td>{self._w()}</td><td>{self.words.date()}</td><td>{r.randint(1, 9999)}</td></tr>"
                for n in range(count)
            )
            return f"<table class='board_list'><tr><th>번호</th><th>제목</th><th>작성자</th><th>등록일</th><th>조회</th></tr>{rows}</table>"
        return (
            "<ul class='bo_list'>"
            + "".join(
                f"<li><a href='/v{n}'>{self._t()}</a> <span>{self._w()}</span> <span>{self.words.date()}</span></li>"
                for n in range(count)
            )
            + "</ul>"
        )

    def board_index(self) -> tuple[str, str]:
        name = self.rng.choice(["공지사항", "자유게시판", "질문과 답변", "보도자료", self.words.word()])
        form = (
            "<form><select><option>제목</option></select><input name=q><button>검색</button></form>"
            if self.rng.random() < 0.7
            else ""
        )
        return (
            name,
            f"<h2>{html.escape(name)}</h2>{self._intro()}<p>전체 {self.rng.randint(10, 999)}건</p>{form}{self._rows(self.rng.randint(5, 30))}{self._pager()}",
        )

    def link_index(self) -> tuple[str, str]:
        r = self.rng
        groups = "".join(
            f"<h3>{self._w()}</h3><ul>"
            + "".join(
                f"<li><a href='/{n}'>{self._t()}</a>{r.choice(['', ' ' + self.words.date(), f' ({r.randint(1, 90)})'])}</li>"
                for n in range(r.randint(3, 20))
            )
            + "</ul>"
            for _ in range(r.randint(1, 6))
        )
        name = r.choice(["분류", "태그", "보관함", "목차", "사이트맵", self.words.word()])
        return name, f"<h1>{html.escape(name)}</h1>{self._intro()}{groups}"

    def section_index(self) -> tuple[str, str]:
        r = self.rng
        parts = []
        for _ in range(r.randint(2, 6)):
            items = "".join(
                f"<li><a href='/{n}'>{self._t()}</a>{r.choice(['', f'<p>{html.escape(self.words.teaser())}</p>'])}</li>"
                for n in range(r.randint(3, 8))
            )
            parts.append(f"<section><h2>{self._w()} <a href=/more>더보기</a></h2><ul>{items}</ul></section>")
        return "", "".join(parts)

    def search_index(self) -> tuple[str, str]:
        word = self.words.word()
        items = "".join(
            f"<li><a href='/{n}'>{self._t()}</a><div>{html.escape(self.words.teaser())}</div><span>{self.words.date()}</span></li>"
            for n in range(self.rng.randint(3, 12))
        )
        return (
            f"{word} 검색 결과",
            f"<form><input name=q value='{html.escape(word)}'></form><p>'{html.escape(word)}' 검색 결과 {self.rng.randint(3, 99)}건</p><ol>{items}</ol>{self._pager()}",
        )

    def toc_index(self) -> tuple[str, str]:
        r = self.rng
        name = self.words.title()
        items = "".join(
            f"<li class='toctree-l1'><a href='{n}.html'>{n + 1}. {self._t()}</a>"
            + (
                "<ul>"
                + "".join(f"<li><a href='{n}.html#{k}'>{self._t()}</a></li>" for k in range(r.randint(2, 5)))
                + "</ul>"
                if r.random() < 0.5
                else ""
            )
            + "</li>"
            for n in range(r.randint(5, 25))
        )
        return name, f"<h1>{html.escape(name)}</h1>{self._intro()}<div class='toctree-wrapper'><ul>{items}</ul></div>"

    def gallery(self) -> tuple[str, str]:
        r = self.rng
        name = r.choice(["포토갤러리", "사진첩", "갤러리", "작품", "제품 소개", self.words.word()])
        items = "".join(
            f"<li><a href='/g{n}'><img src='{n}.jpg' alt='{self._t()}'></a>{r.choice(['<p>{}</p>', '<span>{}</span>', '<a href=/x>{}</a>', '<strong>{}</strong><em>' + self.words.date() + '</em>']).format(self._t())}</li>"
            for n in range(r.randint(6, 30))
        )
        return (
            name,
            f"<h2>{html.escape(name)}</h2>{self._intro()}<ul class='{self._names('gallery', 'photo_list', 'gall_ul', 'thumbs')}'>{items}</ul>{self._pager()}",
        )

    _ERRORS = (
        "요청하신 페이지를 찾을 수 없습니다.",
        "삭제되었거나 존재하지 않는 게시물입니다.",
        "잘못된 접근입니다.",
        "해당 글은 비공개로 바뀌었습니다.",
        "404 Not Found",
        "글이 존재하지 않습니다. 글이 삭제되었거나 이동되었을 수 있습니다.",
        "페이지가 사라졌거나 주소가 바뀌었습니다.",
        "이 글을 읽을 권한이 없습니다.",
        "일시적인 오류가 발생하였습니다. 잠시 뒤 다시 시도해 주세요.",
        "서비스 점검 중입니다.",
    )

    def error(self) -> tuple[str, str]:
        r = self.rng
        said = r.choice(self._ERRORS)
        more = r.choice(
            [
                "",
                "<p>입력하신 주소가 정확한지 다시 한번 확인해 주시기 바랍니다. 궁금한 점은 고객센터로 문의해 주십시오.</p>",
                "<p>방문하시려는 페이지의 주소가 잘못 입력되었거나 주소가 변경 혹은 삭제되어 요청하신 페이지를 찾을 수 없습니다.</p>",
                "<ul><li>주소를 다시 확인해 주세요.</li><li>첫 화면에서 찾아보세요.</li></ul>",
            ]
        )
        shape = r.choice(
            [
                "<h1>{}</h1>",
                "<p class='msg'>{}</p>",
                "<div class='error'><strong>{}</strong></div>",
                "<h2>알림</h2><p>{}</p>",
                "<h1>404</h1><p>{}</p>",
            ]
        )
        return r.choice(["", "오류", "404 Not Found", "페이지를 찾을 수 없습니다", "안내"]), shape.format(
            said
        ) + more + r.choice(["<a href='/'>홈으로</a>", "<a href='javascript:history.back()'>이전 화면</a>", ""])

    def error_with_list(self) -> tuple[str, str]:
        title, body = self.error()
        items = "".join(f"<li><a href='/{n}'>{self._t()}</a></li>" for n in range(self.rng.randint(3, 10)))
        return title, f"{body}<h3>인기 글</h3><ul>{items}</ul>"

    def login(self) -> tuple[str, str]:
        r = self.rng
        lead = r.choice(
            [
                "",
                "<p>회원만 볼 수 있는 글입니다. 로그인해 주세요.</p>",
                "<p>로그인이 필요한 서비스입니다.</p>",
                "<p>이 글은 정회원부터 읽을 수 있습니다.</p>",
                "<p>만 19세 이상만 이용할 수 있습니다. 본인 인증을 해 주십시오.</p>",
            ]
        )
        return (
            r.choice(["로그인", "회원 로그인", "본인 인증", ""]),
            f"<h2>로그인</h2>{lead}<form action=/login><label>아이디</label><input name=id><label>비밀번호</label><input type=password><label><input type=checkbox> 아이디 저장</label><button>로그인</button></form><ul><li><a href=/j>회원가입</a></li><li><a href=/f>아이디 찾기</a></li><li><a href=/g>비밀번호 찾기</a></li></ul>",
        )

    def wall(self) -> tuple[str, str]:
        title = self.words.title()
        said = self.rng.choice(
            [
                "이 기사는 구독자만 볼 수 있습니다. 로그인하고 이어서 읽어 보세요.",
                "전체 내용은 로그인 후 읽을 수 있습니다.",
                "유료 회원 전용 콘텐츠입니다. 구독하시면 나머지를 볼 수 있습니다.",
            ]
        )
        return (
            title,
            f"{self._heading(title)}{self._byline()}<p>{html.escape(self.words.paragraph(1, 2)[:120])}…</p><div class='paywall'><p>{said}</p><a href=/login>로그인</a> <a href=/join>구독하기</a></div>",
        )

    def stub(self) -> tuple[str, str]:
        r = self.rng
        title = self.words.word()
        said = r.choice(
            [
                "페이지 준비 중입니다.",
                "콘텐츠를 준비 중입니다. 빠른 시일 안에 찾아뵙겠습니다.",
                "내용이 없습니다.",
                "작성 중입니다.",
                "",
                "Coming soon",
                "테스트입니다.",
                f"{self._w()} {self._w()}",
                "곧 공개합니다.",
                "이 문서는 아직 작성되지 않았습니다.",
            ]
        )
        return title, f"<h2>{html.escape(title)}</h2><p>{said}</p>"

    def empty_board(self) -> tuple[str, str]:
        name = self.rng.choice(["공지사항", "자료실", self.words.word()])
        return (
            name,
            f"<h2>{html.escape(name)}</h2><p>전체 0건</p><form><input name=q><button>검색</button></form><table><tr><th>번호</th><th>제목</th><th>등록일</th></tr><tr><td colspan=3>등록된 게시물이 없습니다.</td></tr></table>",
        )

    def times(self) -> tuple[str, str]:
        r = self.rng
        rows = "".join(
            f"<tr><td><a href='{n}.html'>{self._t()}</a> (<code>a_{n}.py</code>)</td><td>{r.randint(0, 9):02}:{r.randint(0, 59):02}.{r.randint(0, 999):03}</td><td>{r.randint(0, 900) / 10}</td></tr>"
            for n in range(r.randint(4, 40))
        )
        return (
            r.choice(["Computation times", "실행 시간", "계산 시간"]),
            f"<h1>{r.choice(['Computation times', '실행 시간'])}</h1><p><strong>{r.randint(0, 9):02}:{r.randint(0, 59):02}.123</strong> total execution time for {r.randint(3, 40)} files:</p><table>{rows}</table>",
        )

    def calendar(self) -> tuple[str, str]:
        r = self.rng
        cells = "".join(
            f"<td>{n}{r.choice(['', '', f'<br><a href=/e{n}>{self._t()}</a>'])}</td>"
            + ("</tr><tr>" if n % 7 == 0 else "")
            for n in range(1, 32)
        )
        return (
            "일정",
            f"<h2>{r.randint(2015, 2026)}년 {r.randint(1, 12)}월</h2><a href=?p>이전 달</a> <a href=?n>다음 달</a><table><tr><th>일</th><th>월</th><th>화</th><th>수</th><th>목</th><th>금</th><th>토</th></tr><tr>{cells}</tr></table>",
        )

    def statistics(self) -> tuple[str, str]:
        r = self.rng
        width = r.randint(4, 10)
        head = "".join(f"<th>{self._w()}</th>" for _ in range(width))
        rows = "".join(
            f"<tr><td>{self.words.date()}</td>"
            + "".join(f"<td>{r.randint(0, 99999):,}</td>" for _ in range(width - 1))
            + "</tr>"
            for _ in range(r.randint(10, 60))
        )
        return r.choice(
            ["접속 통계", "측정값", "시세", "관측 자료", "순위표"]
        ), f"<h2>{self._w()} 통계</h2><table><tr>{head}</tr>{rows}</table>"

    def symbols(self) -> tuple[str, str]:
        r = self.rng
        items = "".join(
            f"<dt><a href='api.html#{n}'>fn_{self.rng.randint(100, 999)}()</a> ({self._w()})</dt>"
            for n in range(r.randint(15, 80))
        )
        return (
            r.choice(["색인", "Index", "함수 목록", "모듈 색인"]),
            f"<h1>{r.choice(['색인', 'Index'])}</h1><p><a href=#A>A</a> | <a href=#B>B</a> | <a href=#C>C</a></p><h2>A</h2><dl>{items}</dl>",
        )

"""Pages around simulated texts: hosts by a power law, a template for each host, a licence mark on every page.

A page of web-ko has 11.2 kB of HTML, 173 elements and 24 links around 1,550 characters of text (means).
"""

from __future__ import annotations

import hashlib
import random
from functools import cache

from benchmarks.simulation.simulated_texts import SimulatedText, seed_draw
from benchmarks.simulation.simulated_words import NOUNS

SPREAD = 0.5  # pages P lie on about P^0.5 hosts, 29 % of them on the first; web-ko has too few to measure this
LINKS = (8, 40)  # of a template, fewest and most


def name_page(seed: int, number: int) -> tuple[int, str]:
    """The host of a page and its address, which tells nothing of its number."""
    host = int((1 - seed_draw(seed, number, 4).random()) ** (-1 / SPREAD))
    digest = hashlib.blake2b(f"{seed} {number}".encode(), digest_size=6).hexdigest()
    return host, f"https://www{host}.simulated.example/{digest[0]}/{digest}.html"


@cache
def template(host: int) -> tuple[str, str]:
    """HTML of a host before and after the article."""
    draw = random.Random(f"host {host}")
    names = [f"{draw.choice(NOUNS)} {draw.choice(NOUNS)}" for _ in range(draw.randint(*LINKS))]
    items = [
        f'<li class="m{i}"><a href="/{i % 16:x}/index.html" title="{name}">{name}</a></li>'
        for i, name in enumerate(names)
    ]
    half, site = len(items) // 2, f"{draw.choice(NOUNS)} {draw.choice(NOUNS)}"
    styles = "".join(
        f'<link rel="stylesheet" href="/css/part{i}.css"><script src="/js/part{i}.js" defer></script>\n'
        for i in range(8)
    )
    head = (
        f'<!DOCTYPE html>\n<html lang="ko"><head><meta charset="utf-8">\n{styles}<title>%s | {site}</title></head>\n'
        f'<body><header><a class="logo" href="/"><img src="/logo.png" alt="{site}"></a><nav><ul>\n'
        + "\n".join(items[:half])
        + '\n</ul></nav></header>\n<div id="wrap"><aside><ul>\n'
        + "\n".join(items[half:])
        + '\n</ul></aside>\n<main><article>\n<h1>%s</h1>\n<div class="content">\n'
    )
    tail = (
        '</div></article></main></div>\n<footer><p>이 저작물은 <a rel="license" '
        'href="https://creativecommons.org/licenses/by/4.0/deed.ko">크리에이티브 커먼즈 저작자표시 4.0 국제 '
        f"라이선스</a>에 따라 이용할 수 있습니다.</p><p>{site} 운영팀</p></footer></body></html>\n"
    )
    return head, tail


def write_page(host: int, text: SimulatedText, draw: random.Random) -> bytes:
    """The HTML of a page; every fifth paragraph has a heading or is a list, as many as in web-ko."""
    head, tail = template(host)
    parts = [head % (text.title, text.title)]
    for number, paragraph in enumerate(text.paragraphs):
        mark, lines = f"{draw.getrandbits(48):012x}", paragraph
        if number % 5 == 3:
            parts.append(f'<h2 id="h{mark}">{text.title} {number}</h2>\n')
        if number % 5 == 4:
            parts += ['<ul class="list">', *(f"<li>{line}</li>" for line in lines), "</ul>\n"]
        elif number % 2:
            parts.append(f'<p id="p{mark}" class="paragraph"><a id="a{mark}"></a>{" ".join(lines)}</p>\n')
        else:
            first, rest = lines[0], " ".join(lines[1:])
            emphasis = f'<span class="emph">{first}</span>'
            parts.append(f'<div class="block"><p id="p{mark}" class="paragraph">{emphasis} {rest}</p></div>\n')
    return "".join([*parts, tail]).encode()

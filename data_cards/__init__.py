"""Data cards: facts of a finished release → card.json → README files, pages and documents in formats of others.

`derive` reads only the folder of the release, `write` writes the card into it, and the pure function `render_texts`
makes the bytes that `malmoi verify` compares. All numbers come from card.json.
"""

from data_cards.facts import FACTS_VERSION as FACTS_VERSION
from data_cards.render import PAGES as PAGES
from data_cards.render import derive as derive
from data_cards.render import render_card as render_card
from data_cards.render import render_texts as render_texts
from data_cards.render import write as write

"""Facts of a finished release → card.json → README.md and index.html.

A card is derived from the folder alone (`derive`), written into it (`write`), and rendered by a
pure function (`render_card`) whose bytes `malmoi verify` compares. The renderings add no number.
"""

from data_cards.facts import FACTS_VERSION as FACTS_VERSION
from data_cards.render import derive as derive
from data_cards.render import render_card as render_card
from data_cards.render import write as write

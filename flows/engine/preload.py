"""Imports of the fork server before it forks the first worker: the heavy libraries, loaded once for all workers.

A worker forked from it costs only its own memory pages. Kiwi and rules are built lazily, so they read one word here.
Cached MinHash kernels are loaded; nothing is compiled here. A test checks that neither Scrapy nor Prefect is imported.
"""

import crawlers.extract
import filters.duplicates.duplicate_survey
import filters.duplicates.sketch
import filters.exact_duplicates
import filters.morphology
import filters.personal_data
import malmoi.recipe
import malmoi.releases.publish
import malmoi.storage.shard
from malmoi.document import Document, Provenance

filters.morphology.load()
filters.personal_data.mark(Document("", "말", Provenance("", "", "", "", "")))
filters.duplicates.sketch.warm()
for _name in malmoi.recipe.list_filters():
    malmoi.recipe.load_filter(_name)
crawlers.extract.warm()

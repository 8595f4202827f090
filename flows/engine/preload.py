"""What the fork server imports before the first worker is forked: the heavy libraries, once for all.

A worker forked from it costs its own pages only. Kiwi is built lazily, so it tokenises one word here;
the kernels of MinHash are loaded where a large input has had them compiled before, and nothing is compiled here.
Neither Scrapy nor Prefect is among these, and a test holds that.
"""

import crawlers.extract
import filters.duplicates.duplicate_survey
import filters.duplicates.minhash.sketch
import filters.exact_duplicates
import filters.morphology
import malmoi.recipe
import malmoi.storage.shard

filters.morphology.load()
filters.duplicates.minhash.sketch.warm()
for _name in malmoi.recipe.list_filters():
    malmoi.recipe.load_filter(_name)
crawlers.extract.warm()

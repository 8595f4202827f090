"""From the net to captures and nothing else; the only place that knows Scrapy.

`python -m crawlers.fetch JOB.json` runs one crawl as a process of its own. What it leaves behind
is told in `crawlers/fetch/job.py`.
"""

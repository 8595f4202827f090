"""Fetch web pages, dumps and git repositories into captures; the only package that imports Scrapy.

`python -m crawlers.fetch JOB.json` runs one crawl in its own process. `crawlers/fetch/job.py` lists the
files that it writes.
"""

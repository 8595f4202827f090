"""One file = one source; pure functions, no Scrapy."""

"""Source definitions: one file per source; pure functions, no Scrapy."""

"""Train and measure the model of `crawlers/formats/html/page_kind.py`."""

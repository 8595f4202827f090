"""Extract links from pages, sitemaps and feeds."""

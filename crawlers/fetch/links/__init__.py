"""Links: read them from pages, sitemaps and feeds."""

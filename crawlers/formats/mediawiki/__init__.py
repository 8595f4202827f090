"""MediaWiki exports and their markup."""

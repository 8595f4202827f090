"""One file holds one filter with one verb (judge, mark or mend): it reports and changes nothing."""

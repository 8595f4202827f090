"""One file is one filter with one verb (judge, mark or mend): it says what it found and changes nothing itself."""

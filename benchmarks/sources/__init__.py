"""Sources of the real corpora that lie beside the project; not part of the catalogue."""

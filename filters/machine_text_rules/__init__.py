"""Rules of the filter `machine_text`."""

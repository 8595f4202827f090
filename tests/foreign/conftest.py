"""The scripts `validate_*.py` run in environments of their own, see test_foreign.py."""

collect_ignore_glob = ["validate_*.py"]

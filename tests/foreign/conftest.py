"""The scripts `validate_*.py` and `run_*.py` run in environments of their own, see test_foreign.py and test_oai.py."""

collect_ignore_glob = ["validate_*.py", "run_*.py"]

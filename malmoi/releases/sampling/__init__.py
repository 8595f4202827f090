"""Samples of a release that people judge: strata, the draw, the answers, and the rate of wrong grants."""

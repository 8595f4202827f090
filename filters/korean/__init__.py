"""Korean analysis shared by several filters: units, sentences, morpheme signs, n-grams."""

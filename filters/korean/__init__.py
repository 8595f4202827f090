"""Korean analysis that several filters read: units, sentences, morpheme signs, n-grams."""

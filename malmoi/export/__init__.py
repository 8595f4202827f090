"""Export: the texts of a release in the formats of trainers, chosen, mixed and ordered.

selection     rows of a release by licence, family, domain, quality and split
tokenizer     tokens of texts, by UTF-8 bytes or by the file of a tokenizer
mixture       shares of domains within a token budget, and the chosen rows in a seeded order, with bounded memory
written_files the formats
reader        documents for a training loop, with exact resume; needs PyArrow only
"""

"""OAI-PMH 2.0: requests and answers of the protocol, records in several metadata formats, sources of DSpace."""

"""Review by a person: the queue of documents that need one, and what is decided about them."""

"""Review by a person: the queue of documents whose rights need one, and the page that shows it."""

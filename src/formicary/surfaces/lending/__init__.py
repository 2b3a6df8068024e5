"""What became of what was lent, as every way in shows it: a document, a page, and where both are kept."""

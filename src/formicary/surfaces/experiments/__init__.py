"""What came of experiments, as every way in shows it: documents, a page, and where both are kept."""

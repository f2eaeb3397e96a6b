"""Pages from recorded runs: the results document, its schemas, JUnit XML and the HTML report."""

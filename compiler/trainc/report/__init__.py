"""Problems in the forms other programs read: SARIF, GitHub's annotations, JUnit."""

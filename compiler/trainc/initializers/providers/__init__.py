"""One file for each scheme; ``trainc.initializers.provider.discover`` finds them."""

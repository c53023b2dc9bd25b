"""``python -m trainc``: the command line without its console script."""

from trainc.cli import main

if __name__ == "__main__":
    main()

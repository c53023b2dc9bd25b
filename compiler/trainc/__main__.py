"""``python -m trainc``: the command line without its console script.

``python -m`` imports from the current folder first: in a folder that somebody else wrote a
``json.py`` would run before anything of ours could. There use the console script ``trainc``, or
``python -P -m trainc`` (the same as ``PYTHONSAFEPATH=1``).
"""

from trainc.cli import main

if __name__ == "__main__":
    main()

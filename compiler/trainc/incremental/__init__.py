"""Incremental builds: what a former run found out of the same inputs, kept on disk.

A compile is a function of the files it reads. The first run is watched: every file it opens, every
folder it lists, every place it asks for, those that are not there too. The next one looks at these
alone, and where they say the same, the answer is the same: nothing is compiled, nor even imported.
Where one of them changed, the jobs of all other files are known still: the rest is compiled.

    asked.py   words of a command line that change what is compiled, and those that do not
    key.py     what else an answer depends on: the compiler, Python, the folder
    watch.py   one run, watched
    trace.py   what it looked at, and the digest of what it saw
    store.py   the files on disk: checked, replaced at once, bounded
    memory.py  answers by inputs
    jobs.py    what came of each job, by what it was made from
    fresh.py   whether a folder holds what an answer says
"""

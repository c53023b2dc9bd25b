"""The programs that run before training: one pod fetches the dataset, one the model.

In: a storage URI and settings, from the environment. Out: the files below ``/workspace``, whole and
verified, with ``.trainc-complete.json`` written last; or one of the exit codes of ``trainc.names``.
The interface (names of the environment, folders) is that of Kubeflow Trainer's initializers.

    provider.py   what a scheme has to offer; providers/ holds one file each
    fetch.py      the fetch of one URI, step by step
    transfer.py   the moving of bytes: parallel, resumable, in bounded memory
    target.py     where files go, and how they stay inside; paths.py: which names can be files there
    journal.py    what is done, so that a killed fetch goes on where it was
    manifest.py   what was fetched, written last

The image holds this package without the compiler's dependencies: nothing here imports more of
``trainc`` than ``names``, ``errors`` and ``version``.
"""

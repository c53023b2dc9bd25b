"""The data cache: one table held by a few nodes and streamed to many readers by Arrow Flight.

What comes in: an Iceberg table or a prefix of files (``sources/``). What goes out: record batches,
each row exactly once per epoch, over Flight.

    source --survey--> Plan --assign--> Assignment --load--> segments --store--> streams --> client

The head (``head.py``) surveys the source, numbers its rows, gives every worker one range of them
and tells readers where the rows are. A worker (``worker.py``) has its range read by a child process
(``loader.py``) into Arrow IPC files and serves those files memory-mapped (``store.py``). A reader
(``client.py``) computes the same row order as the workers (``order.py``), so a broken stream is
taken up again where it broke. This room imports ``trainc.names``, ``trainc.errors`` and
``trainc.version`` only, so that its image stays small.
"""

"""Changes to the user's own files: formatting, images, moves from older kinds.

Every change is made to the text where it stands, so that comments, quotes and anchors nobody asked
about stay as they are; it is read back by the loader before it is written, and refused where it
means anything else than it should.
"""

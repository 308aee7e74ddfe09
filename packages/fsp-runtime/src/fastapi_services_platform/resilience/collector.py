"""Keep the cyclic garbage collector out of a start, and what a start made out of every later collection.

A start makes hundreds of thousands of objects that live as long as the process. Looking through them again and again is
a seventh of its CPU, and later a pause of the loop at every full collection.
"""

import gc


def pause_collection() -> None:
    """Collect nothing until :func:`resume_collection`."""
    gc.disable()


def resume_collection() -> None:
    """Collect from now on, and never look again at what is there."""
    gc.freeze()
    gc.enable()

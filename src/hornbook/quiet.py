"""Other libraries' remarks, kept out of ours."""

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager


def quieten_transformers() -> None:
    """Switch off transformers' bars and remarks: a bar for each saved file, a note on T5's untied head."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()


@contextmanager
def quiet() -> Iterator[None]:
    """Silence transformers for the length of a block, and then let it speak as before."""
    from transformers.utils import logging

    before, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(before)
        if bars:
            logging.enable_progress_bar()


@contextmanager
def quiet_tensorboard() -> Iterator[None]:
    """Print no traceback of TensorBoard's own thread, which can't write: it raises the same error in ours as well."""
    before = threading.excepthook

    def tell(what: threading.ExceptHookArgs) -> None:
        if not type(what.thread).__module__.startswith("tensorboard."):
            before(what)

    threading.excepthook = tell
    try:
        yield
    finally:
        threading.excepthook = before

"""Other libraries' remarks, kept out of ours."""


def quieten_transformers() -> None:
    """Switch off transformers' bars and remarks: a bar for each saved file, a note on T5's untied head."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()

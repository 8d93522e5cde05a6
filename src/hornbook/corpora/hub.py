"""Documents from data sets on the Hugging Face Hub or in a local folder, downloaded or streamed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hornbook.corpora.rows import text_of
from hornbook.errors import HornbookError

PATIENCE = 10.0
"""Seconds without an answer after which the hub counts as out of reach."""


def read(name: str, config: str | None, split: str, field: str, streaming: bool = False) -> Iterator[str]:
    """Yield the field of every row of a data set's split, in its own order.

    `name` is a hub name, such as `noanabeshima/TinyStoriesV2`, `roneneldan/TinyStories` or
    `oscar-corpus/OSCAR-2301` (config `nn`), or a local folder of data files. No code from the hub is ever
    run. If the hub can't be reached, an earlier download is used, and `datasets` says so; streaming always needs the
    hub.

    Raises HornbookError for a name, config, split or field that doesn't exist, and if the hub is needed and can't be
    reached.
    """
    where = f"the data set {name!r}"
    for number, row in enumerate(_load(name, config, split, streaming), start=1):
        yield text_of(row, field, f"{where}, split {split!r}, row {number}")


def rows(name: str, config: str | None, split: str) -> Iterator[dict[str, Any]]:
    """Yield whole rows, as `read` yields one field; raises HornbookError as it does."""
    yield from _load(name, config, split, streaming=False)


def configs(name: str) -> list[str]:
    """Name a data set's configurations. Raises HornbookError where the hub is out of reach or refuses it."""
    import datasets

    if _commit(name) is None:
        raise HornbookError(
            f"the data set {name!r} can't be had: the hub is out of reach; connect to a network"
        )
    try:
        return sorted(datasets.get_dataset_config_names(name))
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        raise HornbookError(
            f"the data set {name!r} can't be had ({_first_line(error)}): try again later"
        ) from error


def revision(name: str, config: str | None, split: str) -> str:
    """Return an id that changes with the data set: the hub's commit, or a folder's paths, sizes and times.

    Without a network it is the commit of the downloaded copy. Raises HornbookError if there is no copy either.
    """
    if Path(name).is_dir():
        files = sorted(path for path in Path(name).rglob("*") if path.is_file())
        return "\n".join(f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in files)
    commit = _commit(name)
    if commit is None:
        # The folder of an Arrow copy is named after its commit.
        commit = Path(_load(name, config, split, streaming=False).cache_files[0]["filename"]).parent.name
    return commit


def _commit(name: str) -> str | None:
    """Ask the hub for the newest commit of a data set; return None if the hub is out of reach."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled
    from huggingface_hub.utils import httpx

    try:
        return HfApi().dataset_info(name, timeout=PATIENCE).sha
    except HFValidationError as error:
        raise HornbookError(
            f"corpus.dataset is neither a folder that is there nor a hub name (owner/name): {name!r}"
        ) from error
    except HfHubHTTPError as error:
        if error.response is not None and error.response.status_code >= 500:
            return None
        raise HornbookError(
            f"the hub refuses the data set {name!r} ({_first_line(error)}); mend corpus.dataset, or log in"
        ) from error
    except (OfflineModeIsEnabled, httpx.TransportError):
        return None


def _saved(name: str, split: str) -> Any:
    """Open a split of what `save_to_disk` wrote; None where a name is no such folder."""
    import datasets

    if (Path(name) / "dataset_dict.json").is_file():
        splits = datasets.load_from_disk(name)
        if split not in splits:
            raise HornbookError(
                f"the data set {name!r} has no split {split!r}: it has {', '.join(splits)}; mend corpus.split or "
                "corpus.heldout"
            )
        return splits[split]
    if (Path(name) / "state.json").is_file():
        if split != "train":
            raise HornbookError(
                f"the data set {name!r} has no split {split!r}: its folder holds one data set without splits; leave "
                "corpus.split and corpus.heldout out"
            )
        return datasets.load_from_disk(name)
    return None


def _load(name: str, config: str | None, split: str, streaming: bool) -> Any:
    import datasets

    if (saved := _saved(name, split)) is not None:
        return saved
    offline = not Path(name).is_dir() and _commit(name) is None
    unreachable = (
        f"the data set {name!r} can't be loaded: the hub is out of reach and no copy of it is here; "
        "connect to a network, or point corpus.path at files of your own"
    )
    if offline and streaming:
        raise HornbookError(unreachable.replace("no copy of it is here", "streaming needs it"))
    try:
        with asking_once(offline):
            return datasets.load_dataset(name, config, split=split, streaming=streaming)
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        # If the copy lacks this config or split, it is a ValueError whose message names those that exist.
        if offline and isinstance(error, OSError):
            raise HornbookError(unreachable) from error
        raise HornbookError(
            f"the data set {name!r} (config {config!r}, split {split!r}) can't be loaded: {_first_line(error)}; "
            "mend corpus.dataset, corpus.config or corpus.split"
        ) from error


def out_of_reach() -> bool:
    """Tell whether the hub gives no answer; it has `PATIENCE` seconds."""
    try:
        return _commit("nyu-mll/blimp") is None
    except HornbookError:  # it answers
        return False


@contextmanager
def asking_once(offline: bool) -> Iterator[None]:
    """Keep `datasets` from asking a hub that is out of reach again and again, for 25 seconds."""
    import datasets

    before = datasets.config.HF_HUB_OFFLINE
    datasets.config.HF_HUB_OFFLINE = before or offline
    try:
        yield
    finally:
        datasets.config.HF_HUB_OFFLINE = before


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300].rstrip(".")

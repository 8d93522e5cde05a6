"""A run's model card: what it was trained on and how, its figures with their rules, and how it is opened."""

from pathlib import Path

from huggingface_hub import ModelCardData

from hornbook.atomic import beside
from hornbook.report.runs import RunRecord, SavedMeasure, read_run

FILE = "README.md"
_OURS = "<!-- Hornbook writes this file anew; delete this line to keep words of your own. -->"


def write_card(folder: Path) -> Path:
    """Write a run's card into its folder, `README.md`; a card whose mark a user deleted stays as it is.

    Raises HornbookError for a folder that is no run's.
    """
    path, text = folder / FILE, card(read_run(folder))
    if not path.exists() or _OURS in path.read_text("utf-8", errors="replace"):
        with beside(path) as file:
            file.write_text(text, "utf-8")
    return path


def card(run: RunRecord) -> str:
    """Write the card of a run: YAML for the hub, then text for people."""
    head = ModelCardData(library_name="transformers", tags=["hornbook", run.family, run.objective]).to_yaml()
    parts = {
        part: f"{found.documents:,} documents, {found.bytes:,} bytes, {found.tokens:,} tokens"
        for part, found in (("Trained on", run.corpus.train), ("Held out", run.corpus.heldout))
    }
    facts = {
        "Model": f"{run.family} {run.preset}, {run.parameters:,} parameters, sequences of {run.length} tokens",
        "Objective": run.objective,
        "Corpus": f"{run.corpus.name} (fingerprint {run.corpus.fingerprint[:12]})",
        **parts,
        "Tokenizer": f"{run.tokenizer.kind}, {run.tokenizer.vocab_size:,} entries (hash {run.tokenizer.hash[:12]})",
        "Training": f"{run.steps:,} steps, seed {run.seed}",
        "Versions": ", ".join(f"{name} {release}" for name, release in run.versions.items()),
    }
    rows = "\n".join(f"| {name} | {_cell(text)} |" for name, text in facts.items())
    code = "Its class is code that comes with it: open it with `trust_remote_code=True`, if you trust who wrote it."
    own = f"\n\n{code}" if any((run.folder / "model").glob("*.py")) else ""
    return (
        f"---\n{head}\n---\n{_OURS}\n\n# {run.name}\n\nTrained with Hornbook. It opens with "
        "`AutoModel.from_pretrained` and "
        f"`AutoTokenizer.from_pretrained`.{own}\n\n| | |\n|---|---|\n{rows}\n\n## Figures\n\n{_figures(run)}\n\n"
        f"## Recipe\n\n`hornbook train recipe.yaml` trains it again.\n\n```yaml\n{run.recipe.strip()}\n```\n"
    )


def _figures(run: RunRecord) -> str:
    if not run.measures:
        return "None yet: the training hasn't ended, or nothing was evaluated."
    lines = [
        f"| {_cell(one.measure)} | {one.value:.4g} {_cell(one.unit)}{_interval(one)} | {_cell(one.over)} | "
        f"{_cell(one.rule)} |"
        for one in run.measures
    ]
    return "\n".join(["| Measure | Value | Over | Rule |", "|---|---|---|---|", *lines])


def _interval(one: SavedMeasure) -> str:
    return "" if one.low is None or one.high is None else f" ({one.low:.4g} to {one.high:.4g})"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())

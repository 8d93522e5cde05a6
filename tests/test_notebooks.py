"""The notebooks of `examples/notebooks` run from top to bottom: each as a program, one of them in a kernel."""

import json
import re
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = sorted((ROOT / "examples" / "notebooks").glob("*.py"))
SMALL = {"steps": "2", "documents": "600"}


def small(source: str) -> str:
    """Make a notebook's parameters so small that it runs in seconds."""
    for name, value in SMALL.items():
        source, found = re.subn(rf"^{name} = \d+", f"{name} = {value}", source, flags=re.MULTILINE)
        assert found == 1, name
    return source


def test_there_is_one_for_each_question() -> None:
    named = {file.stem.replace("_", "-") for file in FILES}
    assert named == set(re.findall(r"tutorials/([\w-]+)\.md", (ROOT / "mkdocs.yml").read_text())) - {"index"}
    assert len(named) == 7


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_installs_first_and_what_it_printed_is_its_own(file: Path) -> None:
    """A notebook on Colab has nothing but its first cell; what the site shows under a cell came from that cell."""
    parts = re.split(r"^# %%(.*)\n", file.read_text("utf-8"), flags=re.MULTILINE)
    cells = [
        text.strip() for kind, text in zip(parts[1::2], parts[2::2], strict=True) if "markdown" not in kind
    ]
    assert cells[0] == "# %pip install -q hornbook"
    printed = json.loads((ROOT / "docs/site/outputs.json").read_text("utf-8")).get(file.stem, {})
    assert set(printed) <= set(cells), "a cell has changed: run `make notebooks`"


QUICK = {"norwegian_t5"}
"""What runs with every change; the others repeat on other models what this one shows."""


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(file, id=file.stem, marks=pytest.mark.long if file.stem in QUICK else pytest.mark.slow)
        for file in FILES
    ],
)
def test_it_runs(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(small(file.read_text("utf-8")), str(file), "exec"), {"__name__": "__main__"})


@pytest.mark.slow
def test_a_kernel_draws_bars_and_runs(tmp_path: Path) -> None:
    """In a real kernel a training has a bar, and a run draws itself."""
    jupytext = pytest.importorskip("jupytext", reason="there is no jupytext: pip install hornbook[notebooks]")
    nbclient = pytest.importorskip("nbclient", reason="there is no nbclient: pip install hornbook[notebooks]")
    notebook = jupytext.reads(small((FILES[0].parent / "norwegian_t5.py").read_text("utf-8")), "py:percent")
    nbclient.NotebookClient(notebook, timeout=1800, resources={"metadata": {"path": str(tmp_path)}}).execute()
    drawn = [
        one["data"]
        for cell in notebook.cells
        for one in cell.get("outputs", [])
        if one["output_type"] in ("display_data", "execute_result")
    ]
    assert any("norsk-t5" in data.get("text/html", "") for data in drawn)
    assert any("application/vnd.jupyter.widget-view+json" in data for data in drawn)


CELL = """
import hornbook as hb
texts = [f"Tom saw {number} red birds in a tree, and gave them {number + 3} nuts." for number in range(200)]
size = {"num_layers": 1, "attention_types": [[["global"], 1]], "hidden_size": 16, "num_heads": 2}
run = hb.train(
    name="cut", corpus=texts, tokenizer={"vocab_size": 300}, objective="causal",
    model={"preset": "tinystories-1m", "length": 32, "config": size},
    training={"steps": 400, "batch": 4, "log_every": 1, "checkpoint_every": 5, "trackers": []},
)
log = run.log[run.log["kind"] == "train"]
print("steps", *log["step"])
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", ["restart", "stop"])
def test_a_kernel_that_is_stopped_goes_on(how: str, tmp_path: Path) -> None:
    """The kernel is killed, or its stop button pressed, after a checkpoint; the same cell goes on from there."""
    client = pytest.importorskip(
        "jupyter_client", reason="there is no kernel: pip install hornbook[notebooks]"
    )
    pytest.importorskip("ipykernel", reason="there is no kernel: pip install hornbook[notebooks]")
    manager, kernel = client.manager.start_new_kernel(cwd=str(tmp_path))
    try:
        asked = kernel.execute(CELL)
        deadline = time.monotonic() + 300
        while not list(tmp_path.glob("runs/cut/checkpoints/step-*5")):
            assert time.monotonic() < deadline, "no checkpoint"
            time.sleep(0.05)
        if how == "stop":
            manager.interrupt_kernel()
            while (reply := kernel.get_shell_msg(timeout=120))["parent_header"].get("msg_id") != asked:
                pass
            assert reply["content"]["ename"] == "Interrupted", reply["content"]
        else:
            kernel.stop_channels()
            manager.restart_kernel(now=True)
            kernel = manager.client()
            kernel.start_channels()
            kernel.wait_for_ready(timeout=120)
        begun = [json.loads(line) for line in (tmp_path / "runs/cut/log.jsonl").read_text().splitlines()]
        last = begun[-1]["step"]
        assert last < 400
        if how == "stop":  # all that was done is saved, not only what the last checkpoint had
            assert list(tmp_path.glob(f"runs/cut/checkpoints/step-*{last}"))
        said: list[str] = []
        reply = kernel.execute_interactive(
            CELL,
            timeout=600,
            output_hook=lambda message: said.append(str(message["content"].get("text", ""))),
        )
        assert reply["content"]["status"] == "ok"
        (steps,) = re.findall(r"steps ([\d ]+)", "".join(said))
        assert [int(step) for step in steps.split()] == list(range(1, 401))
    finally:
        kernel.stop_channels()
        manager.shutdown_kernel(now=True)

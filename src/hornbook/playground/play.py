"""The playground in a browser, by Gradio: one text, and a column for each model."""

from collections.abc import Sequence
from functools import partial
from importlib.resources import files
from importlib.util import find_spec
from typing import Any

from transformers import PreTrainedModel

from hornbook.errors import HornbookError
from hornbook.loading import AnyModel
from hornbook.playground.views import GAPS, player_of
from hornbook.quiet import quieten_transformers
from hornbook.threads import use_threads

_BEGINNINGS = {GAPS: "The function returns a ___."}
_BEGINNING = "The function returns"


def play(
    runs: Sequence[AnyModel] | AnyModel, port: int = 7860, browser: bool = True, trust: bool = False
) -> Any:
    """Open the playground on this machine, for runs or models side by side, and return Gradio's app.

    It shows next-token probabilities, filled gaps, dense thoughts and attention, as each model has them. In a notebook
    it appears below the cell. Raises HornbookError where Gradio isn't installed or the port is taken, and as
    `load_model` does.
    """
    pair = isinstance(runs, tuple) and runs and isinstance(runs[0], PreTrainedModel)
    several: list[Any] = [*runs] if isinstance(runs, list | tuple) and not pair else [runs]
    app, style = build(several, trust)
    try:
        app.launch(
            server_port=port, inbrowser=browser, prevent_thread_lock=True, quiet=True, share=False, **style
        )
    except OSError as error:
        raise HornbookError(f"port {port} can't be used: choose another one with --port") from error
    return app


def build(runs: Sequence[AnyModel], trust: bool = False) -> tuple[Any, dict[str, Any]]:
    """Make Gradio's app, which isn't running yet, and how it looks: what its `launch` takes."""
    if find_spec("gradio") is None:
        raise HornbookError("the playground needs Gradio: pip install 'hornbook[play]'")
    quieten_transformers()
    use_threads()
    players = [player_of(one, trust) for one in runs]
    import gradio  # it takes seconds: what can't be opened is told before

    views = list(dict.fromkeys(view for one in players for view in one.views))
    text = _BEGINNINGS.get(views[0], _BEGINNING)
    with gradio.Blocks(title="Hornbook", analytics_enabled=False) as app:
        gradio.Markdown("# Hornbook's playground\nType a text; write `___` where words are to be found.")
        typed = gradio.Textbox(text, label="Text", lines=2, elem_id="text")
        view = gradio.Radio(views, value=views[0], label="View", elem_id="view")
        with gradio.Row(equal_height=False):
            for number, player in enumerate(players):
                with gradio.Column(min_width=320):
                    gradio.Markdown(f"## {player.name}")
                    drawn = gradio.HTML(player.draw(views[0], text), elem_id=f"model-{number}")
                draw = partial(_draw, player)
                gradio.on([typed.change, view.change], draw, [view, typed], drawn, trigger_mode="always_last")
    fonts = ["system-ui", "sans-serif"]  # none is fetched
    theme = gradio.themes.Default(primary_hue="teal", font=fonts, font_mono=["monospace"])
    return app, {"theme": theme, "css": files(__package__).joinpath("play.css").read_text("utf-8")}


def _draw(player: Any, view: str, text: str) -> str:
    return player.draw(view, text)

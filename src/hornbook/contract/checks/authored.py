"""What a teacher would ask of a class that the user wrote, before its first step; each with the line at fault."""

from collections.abc import Callable, Iterator
from typing import Any

import torch

from hornbook.blame import calls_of, told
from hornbook.contract.check import Found, check
from hornbook.contract.probes import apart, authored
from hornbook.contract.probes.network import Network
from hornbook.contract.subject import Subject
from hornbook.errors import HornbookError
from hornbook.families.custom import Custom


def _parts(subject: Subject) -> tuple[Network, Custom | None]:
    network, family = subject.authored, subject.family
    assert network is not None
    return network, family if isinstance(family, Custom) else None


def _tried(measure: Callable[..., Any], *given: Any) -> Any:
    """Measure, and give what the user's code raises as words."""
    try:
        return measure(*given)
    except HornbookError as error:
        return str(error)
    except Exception as error:  # whatever a user's class raises
        return told(error)


@check(
    "T01",
    "New weights are numbers",
    needs="authored",
    why="One weight that is NaN makes every output and every gradient NaN.",
    fix="Draw the weights, or set them: torch.empty leaves what the memory held.",
)
def numbers(subject: Subject) -> Iterator[str]:
    """Look at every parameter."""
    yield from authored.no_numbers(_parts(subject)[0].module)[:3]


@check(
    "T02",
    "The order of words matters",
    needs="authored",
    why="Attention alone sees a bag of words: 'dog bites man' is 'man bites dog' to it.",
    fix="Add an embedding of the place to that of the word, or rotate queries and keys by their places.",
    unless="C52 T01",
)
def order(subject: Subject) -> Iterator[str]:
    """Swap two words, and look at the others' outputs."""
    network, _ = _parts(subject)
    for view in network.views():
        if not authored.order_matters(network, view):
            yield f"{view.name}: with its second and third word swapped, no later place has another output"


@check(
    "T03",
    "Every parameter is reached by a gradient",
    needs="authored",
    why="A parameter without gradient stays as it was drawn: it isn't used, or what it makes is detached or rounded.",
    fix="Use it in forward, or leave it out; what isn't to learn is a buffer, or has requires_grad False.",
    unless="C52 T01",
)
def gradients(subject: Subject) -> Iterator[str]:
    """Run forwards and backwards with all weights moved a little."""
    network, family = _parts(subject)
    batch, objective = subject.learning_batch, subject.objective
    loss = (
        authored.make_loss(family, objective, batch) if family and objective and batch is not None else None
    )
    found = _tried(authored.unreached, network, loss)
    if isinstance(found, str):
        yield f"no gradient can be computed: {found}"
    elif found:
        more = f", and {len(found) - 3} more" if len(found) > 3 else ""
        yield f"no gradient reaches {', '.join(found[:3])}{more}"


@check(
    "T04",
    "eval() switches everything random off",
    needs="authored",
    why="torch.nn.functional.dropout drops in evaluation too, unless it is told training=self.training. The same text "
    "then has another loss each time.",
    fix="Use nn.Dropout, or give training=self.training.",
    unless="T01",
)
def evaluation(subject: Subject) -> Iterator[str]:
    """Run the same ids twice in evaluation mode."""
    network, _ = _parts(subject)
    far = max(authored.random_in_evaluation(network, view) for view in network.views())
    if far > 0:
        lines = calls_of(network.module, "dropout", "training")
        where = f"; dropout without training= stands at {', '.join(lines)}" if lines else ""
        yield f"in evaluation mode, two runs of the same ids differ by {apart.share(far)} output{where}"


@check(
    "T05",
    "The number format of the weights is that of the outputs",
    needs="authored",
    severity="warning",
    why="A tensor that is made as float32 in forward doesn't go with weights in bfloat16: the saved model can't be "
    "opened with dtype=torch.bfloat16, as large ones are.",
    fix="Make tensors with dtype=x.dtype of a tensor that is there, or register them as buffers.",
    unless="T01",
)
def number_format(subject: Subject) -> Iterator[str]:
    """Run a copy in bfloat16."""
    if found := authored.fails_in(_parts(subject)[0], torch.bfloat16):
        yield f"in bfloat16 {found}"


@check(
    "T06",
    "Everything is on the device of the weights",
    needs="authored",
    severity="warning",
    why="A tensor that forward makes without a device is on the CPU, and on a GPU the first step ends in 'Expected "
    "all tensors to be on the same device'.",
    fix="Give device=input_ids.device where it is made; a tensor that is kept is a buffer (register_buffer).",
)
def devices(subject: Subject) -> Iterator[str]:
    """Note where forward makes tensors."""
    if found := authored.made_without_device(_parts(subject)[0]):
        yield f"made without a device: {', '.join(found[:5])}"


@check(
    "T07",
    "The loss is computed from the class's own logits",
    needs="authored learning_batch",
    why="The loss takes hidden states of the inner model, and the output layer only at the places with a label. A "
    "class that does more between the two (scales, caps, mixes) would be trained as another than it is.",
    fix="Let forward give what its parent's gives, an output with .logits. What is done to the logits goes into the "
    "inner model; or declare hornbook = {'gives': 'logits'} in the class: the loss is "
    "then computed from what forward gives, at every place.",
    unless="T01 T04",
)
def own_logits(subject: Subject) -> Iterator[str]:
    """Compare both on one batch."""
    network, family = _parts(subject)
    if family is None:
        return
    far = _tried(apart.from_its_class, family, network.module, subject.learning_batch)
    if isinstance(far, str):
        yield f"a batch can't be computed: {far}"
    elif apart.is_apart(far):
        yield f"the logits are {apart.share(far)} apart from those of {type(network.module).__name__}.forward"


@check(
    "T08",
    "It is its parent where it should be",
    needs="authored",
    why="A variant that has a neutral setting, such as one expert or as many heads of keys as of queries, computes "
    "there what its parent computes. Where it doesn't, something else was changed too.",
    fix="Compare forward with the parent's; or take same_as_parent out of what the class declares.",
    unless="T01 T04",
)
def parent(subject: Subject) -> Iterator[str]:
    """Give both the same weights under the declared values."""
    network, family = _parts(subject)
    if family is None or family.parent is None or family.same_as_parent is None:
        return
    far, name = _tried(apart.from_parent, family, network.module, network), family.parent.__name__
    values = family.same_as_parent or "any values"
    if isinstance(far, str):
        yield f"with {values} it can't be compared with {name}: {far}"
    elif isinstance(far, list):
        yield f"with {values} it has no place for {len(far)} weights of {name}, such as {far[0]}"
    elif apart.is_apart(far):
        yield f"with {values} and the same weights, its outputs are {apart.share(far)} apart from {name}'s"


@check(
    "T09",
    "Packed documents don't see each other",
    needs="authored objective",
    why="With a document mask, several documents stand in a row, told apart by position_ids that restart. A class that "
    "masks by itself, and only what comes later, lets each see those before it.",
    fix="Take position_ids, and let a place see only what stands since they last were 0, as "
    "transformers.masking_utils.create_causal_mask does; or leave objective.document_mask out.",
    unless="T01 T04 C44",
)
def documents(subject: Subject) -> Iterator[str]:
    """Compare a document in a row of two with the same alone."""
    network, family = _parts(subject)
    assert subject.objective is not None
    if family is None or not subject.objective.restarts:
        return
    if "position_ids" not in family.inputs:
        yield f"{type(network.module).__name__}.forward takes no position_ids, by which a document mask is told"
        return
    far = _tried(apart.from_its_document, family, network.module, network)
    if isinstance(far, str):
        yield f"two documents in a row can't be computed: {far}"
    elif apart.is_apart(far):
        yield f"the second document of a row is {apart.share(far)} state apart from the same document alone"


@check(
    "T10",
    "Saved and opened, it is the same",
    needs="authored",
    why="What forward needs and the weights' file doesn't hold is made anew where the model is opened, or is empty: "
    "transformers builds a model without memory before it fills the weights in.",
    fix="Let buffers be saved (register_buffer without persistent=False), or compute them in forward.",
    unless="T01 T04",
)
def saved(subject: Subject) -> Iterator[str | Found]:
    """Save it to a folder that is deleted again, and compare."""
    network, family = _parts(subject)
    if family is None:
        return
    found = _tried(apart.once_saved, network.module, network)
    if isinstance(found, str):
        yield f"it can't be saved and opened: {found}"
    elif apart.is_apart(found[0]):
        lost = f"; not saved: {', '.join(found[1][:3])}" if found[1] else ""
        yield f"its outputs are {apart.share(found[0])} apart from what they were{lost}"


@check(
    "T11",
    "Padding before a text is masked out too",
    needs="authored",
    severity="warning",
    why="Texts of several lengths that are to be continued together are padded on the left. A causal mask hides what "
    "comes later, and not what stands before.",
    fix="Let attention_mask hide places from those after them too, or don't take it.",
    unless="T01 T04 C44",
)
def padding_before(subject: Subject) -> Iterator[str]:
    """Change the ids under a mask on the left of a causal model's text."""
    network, family = _parts(subject)
    takes = network.takes if family is None else family.inputs
    for view in network.views():
        if view.causal and not view.masked and view.name == "model" and "attention_mask" in takes:
            far = _tried(authored.padding_before, network, view)
            if isinstance(far, str):
                yield f"with padding before the text it can't be run: {far}"
            elif apart.is_apart(far):
                yield f"with attention_mask 0 on padding before it, a text's outputs move by {apart.share(far)}"


@check(
    "T12",
    "Nobody opens it as its parent by mistake",
    needs="authored config",
    severity="warning",
    why="By model_type and without trust_remote_code=True, transformers opens the saved folder as the class that it "
    "knows under this name, with weights left over and others new, and only remarks on it.",
    fix="Give it a configuration class of its own, with a model_type of its own: class MyConfig(ParentConfig): "
    'model_type = "my_model"; and config_class = MyConfig in the class.',
)
def own_type(subject: Subject) -> Iterator[str]:
    """Compare its model_type with its parent's."""
    _, family = _parts(subject)
    parent = family.parent if family is not None else None
    if parent is not None and parent.config_class.model_type == subject.config.model_type:
        yield f"its model_type is {subject.config.model_type!r}, as that of {parent.__name__}"

"""One attack: what was done, and whether the run came to the same end."""

import hashlib
import json
import random
import re
import shutil
import signal
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.faults.child import Blow, Ended, looked_at, trained
from benchmarks.faults.courses import INTERVAL, STEPS, Course
from benchmarks.faults.damage import WAYS, damage
from hornbook.training.log import read_log

_SIGNALS = [signal.SIGKILL] * 8 + [signal.SIGTERM, signal.SIGSTOP]
_UNREAD = (".lock", "page.html")
"""What isn't read back."""
_WAYS_ON = re.compile(r"delete (?:this folder|it|the folder|that one)|begin another run|begin anew")


@dataclass(frozen=True)
class Uncut:
    """What an uncut run ends with, and what it takes."""

    weights: str
    log: dict[str, float]
    points: int
    """File operations with the evaluation and the page."""
    trained: int
    """Those without."""
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """How an attack ended."""

    objective: str
    attack: str
    result: str
    """same; told (a sentence whose way on led to the same); stuck, different, traceback, lost or no way."""
    lost: int = 0
    """Most steps that a kill cost."""
    text: str = ""


def uncut(course: Course) -> Uncut:
    """Train without an attack, with an empty cache."""
    for folder in (course.run, course.cache):
        shutil.rmtree(folder, ignore_errors=True)
    first = trained(course.values)
    assert first.how == "done", first.text
    shutil.rmtree(course.run)
    again = trained(course.values, evaluate=False)
    weights, log = _weights(course.run), _log(course.run)
    return Uncut(weights, log, first.points, again.points, again.seconds)


def kill(course: Course, whole: Uncut, draw: random.Random) -> Outcome:
    """Kill a run one to three times (or end it by SIGTERM, or stop it for a second), and let it go on."""
    shutil.rmtree(course.run, ignore_errors=True)
    if draw.random() < 0.3:
        shutil.rmtree(course.cache, ignore_errors=True)
    attacks, lost, evaluate = [], 0, draw.random() < 0.1
    for _ in range(draw.choice((1, 1, 2, 3))):
        by = draw.choice(_SIGNALS)
        if by != signal.SIGSTOP and draw.random() < 0.7:
            blow = Blow(by, at=draw.randint(1, whole.points if evaluate else whole.trained))
        else:
            blow = Blow(by, after=draw.uniform(0, whole.seconds))
        ended = trained(course.values, blow, evaluate)
        attacks.append(str(blow))
        told = f"kill: {', '.join(attacks)}"
        if ended.how not in ("killed", "done", "interrupted"):
            return Outcome(course.objective, told, ended.how, lost, ended.text)
        if not (course.run / "model").exists():
            lost = max(lost, _reached(course.run) - _saved(course.run))
    ended = trained(course.values, evaluate=evaluate)
    return _judge(course, whole, f"kill: {', '.join(attacks)}", ended, lost)


def harm(course: Course, whole: Uncut, templates: list[Path], draw: random.Random) -> Outcome:
    """Damage one or two files of a run, finished or not, or of its cache; read it, and let it go on."""
    template = draw.choice(templates)
    for name in ("run", "cache"):
        shutil.rmtree(course.place / name, ignore_errors=True)
        shutil.copytree(template / name, course.place / name)
    found = (one for name in ("run", "cache") for one in (course.place / name).rglob("*"))
    files = sorted(one for one in found if one.is_file() and not one.name.endswith(_UNREAD))
    attacks = []
    for file in draw.sample(files, draw.choice((1, 1, 2))):
        how = draw.choice(WAYS)
        damage(file, how, draw)
        attacks.append(f"{how} {file.relative_to(course.place)}")
    told = ", ".join(attacks) + f" ({template.name})"
    seen = looked_at(course.run)
    if seen.how not in ("done", "told"):
        return Outcome(course.objective, f"{told}, read", seen.how, 0, seen.text)
    evaluate = draw.random() < 0.3
    ended, sentence = trained(course.values, evaluate=evaluate), ""
    for _ in range(3):
        if ended.how != "told":
            break
        sentence = sentence or ended.text
        if not _WAYS_ON.search(ended.text):
            return Outcome(course.objective, told, "no way", 0, ended.text)
        if (place := Path(ended.text.partition(": ")[0])).is_dir():
            shutil.rmtree(place)
        else:
            shutil.rmtree(course.run)
        ended = trained(course.values, evaluate=evaluate)
    outcome = _judge(course, whole, told, ended, 0)
    return (
        replace(outcome, result="told", text=sentence) if sentence and outcome.result == "same" else outcome
    )


def _judge(course: Course, whole: Uncut, attack: str, ended: Ended, lost: int) -> Outcome:
    name = course.objective
    if ended.how != "done":
        return Outcome(name, attack, "no way" if ended.how == "told" else ended.how, lost, ended.text)
    if _weights(course.run) != whole.weights:
        return Outcome(name, attack, "different", lost, "the weights differ")
    log = _log(course.run)
    if wrong := [key for key, loss in log.items() if whole.log.get(key) != loss]:
        return Outcome(name, attack, "different", lost, f"the log differs in {wrong[0]}")
    if attack.startswith("kill") and log.keys() != whole.log.keys():
        return Outcome(name, attack, "different", lost, f"the log lacks {min(whole.log.keys() - log.keys())}")
    if left := [str(one) for one in course.run.rglob(".*") if one.name != ".lock"]:
        return Outcome(name, attack, "different", lost, f"{left[0]} was left")
    return Outcome(name, attack, "lost" if lost > INTERVAL else "same", lost)


def _weights(run: Path) -> str:
    files = sorted((run / "model").rglob("*.safetensors"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest() if files else ""


def _log(run: Path) -> dict[str, float]:
    lines = read_log(run / "log.jsonl")
    return {
        f"{one['kind']} {one['step']}": one["loss"]
        for one in lines
        if one.get("kind") in ("train", "evaluate")
    }


def _reached(run: Path) -> int:
    return max((one["step"] for one in read_log(run / "log.jsonl") if one.get("kind") == "train"), default=0)


def _saved(run: Path) -> int:
    steps = [int(path.name.removeprefix("step-")) for path in (run / "checkpoints").glob("step-*")]
    return max(steps, default=0)


def templates(course: Course, whole: Uncut, place: Path) -> list[Path]:
    """Keep a finished run, and one that was killed after its second checkpoint, to damage copies of."""
    kept = []
    for name in ("finished", "cut off"):
        shutil.rmtree(course.run, ignore_errors=True)
        at = 0
        while name == "cut off" and _saved(course.run) < 2 * INTERVAL:
            at += max(1, whole.trained // 40)
            shutil.rmtree(course.run, ignore_errors=True)
            trained(course.values, Blow(at=whole.trained // 2 + at), evaluate=False)
            assert at < whole.trained, f"{STEPS} steps have no checkpoint to stop after"
        if name == "finished":
            trained(course.values)
        for part in ("run", "cache"):
            shutil.copytree(course.place / part, place / name / part)
        kept.append(place / name)
    return kept


def write(outcome: Outcome, path: Path) -> None:
    """Add an outcome to a file, so that a campaign that is itself cut off loses nothing."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(outcome.__dict__) + "\n")

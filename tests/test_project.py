"""What the papers of the project say is so: paths, links and targets exist, hooks are `make lint`, one version."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
PAPERS = sorted(
    path.relative_to(ROOT).as_posix()
    for folder, pattern in [(".", "*.md"), ("docs", "*.md"), ("benchmarks", "*.md"), (".github", "**/*.md")]
    for path in (ROOT / folder).glob(pattern)
)
NAMED = re.compile(r"(?<![\w./$-])(?:\.?[\w-]+/)+[\w.-]*|(?<![\w./-])[\w.-]+\.(?:toml|cff|txt|md|yml)\b")
"""Paths: what has a slash between words, or one of the endings of files that lie in the root."""

SECTIONS = {"What is promised", "How it was attacked", "What was found and mended", "What isn't promised"}
"""What each part of the page on reliability has."""


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


@pytest.mark.parametrize("paper", ["CONTRIBUTING.md", "SECURITY.md"])
def test_every_path_that_is_named_exists(paper: str) -> None:
    inline = " ".join(re.findall(r"`([^`]+)`", read(paper)))
    named = {path for path in NAMED.findall(inline) if not path.startswith(".venv")}
    assert len(named) > 5
    places = (ROOT, ROOT / "src" / "hornbook", ROOT / ".github" / "workflows")
    missing = {path for path in named if not any((place / path).exists() for place in places)}
    assert not missing


def test_the_page_on_reliability_is_whole() -> None:
    """No heading of it is empty, and each test and script that it names is there."""
    text = read("docs/reliability.md")
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        parts = [part.split("\n", 1) for part in section.split("\n### ")[1:]]
        assert {title for title, _ in parts} >= SECTIONS, section[:40]
        assert all(len(below) > 100 for _, below in parts), section[:40]
    named = set(re.findall(r"\b(?:tests|benchmarks|src)/[\w/]+(?:\.py)?", text))
    assert len(named) > 15 and not [path for path in named if not (ROOT / path).exists()]


@pytest.mark.parametrize("paper", PAPERS)
def test_every_link_leads_somewhere(paper: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", read(paper)):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        if paper.startswith("docs/") and name.startswith(("reference/", "tutorials/")):
            # It is made when the site is built, which strictly checks the anchor too.
            assert f" {name}\n" in read("mkdocs.yml")
            continue
        found = ((ROOT / paper).parent / name).resolve() if name else ROOT / paper
        assert found.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.+)$", found.read_text("utf-8"), re.MULTILINE)
            assert anchor in [
                re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in titles
            ]


@pytest.mark.parametrize(
    "paper", [*PAPERS, ".github/workflows/test.yml", ".github/workflows/weekly.yml", ".ci/run"]
)
def test_every_target_that_is_named_exists(paper: str) -> None:
    text = read(paper)
    code = (
        re.findall(r"`([^`]+)`|^(?:    |\$ )(.+)$", text, re.MULTILINE)
        if paper.endswith(".md")
        else [(text,)]
    )
    commands = "\n".join("".join(parts) for parts in code)
    named = re.findall(r"\bmake((?: [a-z-]+)+)", commands)
    assert {target for targets in named for target in targets.split()} <= TARGETS


def test_every_target_that_makes_no_file_is_phony() -> None:
    (phony,) = re.findall(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)
    assert set(phony.split()) == TARGETS


def test_hooks_are_the_commands_of_make_lint() -> None:
    (lint,) = re.findall(r"^lint:.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    commands = [line.strip().replace("$(VENV)", ".venv") for line in lint.splitlines()]
    (repository,) = yaml.safe_load(read(".pre-commit-config.yaml"))["repos"]
    assert repository["repo"] == "local"  # no other releases of the tools than the lock's
    assert [hook["entry"] for hook in repository["hooks"]] == commands
    assert all(hook["language"] == "system" and not hook["pass_filenames"] for hook in repository["hooks"])


def test_the_citation() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    citation: dict[str, Any] = yaml.safe_load(read("CITATION.cff"))
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()  # what its schema wants at least
    assert citation["version"] == version("hornbook")
    assert citation["license"] == project["license"]


def test_the_editors_line_is_ruffs() -> None:
    ruff = tomllib.loads(read("pyproject.toml"))["tool"]["ruff"]
    assert f"max_line_length = {ruff['line-length']}" in read(".editorconfig")


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / ".github/ISSUE_TEMPLATE").iterdir()))
def test_an_issues_template_says_what_it_is_for(name: str) -> None:
    _, front, body = read(f".github/ISSUE_TEMPLATE/{name}").split("---\n", 2)
    facts = yaml.safe_load(front)
    assert facts["name"] and facts["about"] and body.strip()

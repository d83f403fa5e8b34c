"""The project's own sample of OpenAGI data: pictures that packages ship, texts of its own, degraded as the tasks say.

Pictures are those of scikit-image; questions about pictures and their pictures are of easy-vqa (coloured shapes); texts
stand in `assets/openagi/sample.json`. Every sample is made from the number of its task and its own, so that it is the
same everywhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from autoflow.suites.openagi_tasks import OpenAGITask
from autoflow.tools.openagi.degrading import clozed, degraded
from autoflow.tools.openagi.images import Picture, as_shown, read_image
from autoflow.tools.openagi.values import Sample, Value

TEXTS = Path(__file__).resolve().parents[2] / "assets" / "openagi" / "sample.json"
ASKED = 8  # pictures of easy-vqa, each with one question


@dataclass(frozen=True, slots=True)
class _Clean:
    """A sample before it is degraded."""

    image: Picture | None
    texts: tuple[str, ...]
    expected: Value


def own_samples(task: OpenAGITask) -> list[Sample]:
    """The samples of one task: four to eight."""
    return [_worse(task, n, clean) for n, clean in enumerate(_clean(task))]


def _worse(task: OpenAGITask, n: int, clean: _Clean) -> Sample:
    seed = f"{task.number} {n}"
    images = () if clean.image is None else (degraded(clean.image, task.plan.image or (), seed),)
    pairs = zip(clean.texts, task.plan.texts, strict=True)
    return Sample(images, tuple(clozed(text, seed) if gap else text for text, gap in pairs), clean.expected)


def _clean(task: OpenAGITask) -> Iterator[_Clean]:
    plan, told = task.plan, _told()
    language = 1 if plan.german else 0
    if task.kind == "image-image":
        yield from (_Clean(image, (), image) for image in map(_natural, _files()))
    elif task.kind == "image-text":
        key = {"caption": "caption", "class label": "label", "object names": "objects"}[plan.output]
        for picture in told["pictures"]:
            if picture[key] and picture[key][language]:
                yield _Clean(_natural(picture["file"]), (), picture[key][language])
    elif task.kind == "text-image":
        yield from (_Clean(None, (scene,), scene) for scene in told["scenes"])
    elif task.kind == "text-text":
        yield from (_Clean(None, (text["text"],), _about(text, plan.output, plan.german)) for text in told["texts"])
    elif task.kind == "image-query-text":
        yield from _shapes(german=plan.german)
    else:
        for found in told["documents"]:
            right = found["german" if plan.german else "answer"]
            yield _Clean(None, (found["document"], found["question"]), right)


def _about(text: dict[str, str], output: str, german: bool) -> str:
    if output == "translation":
        return text["german"]
    if output == "sentiment":
        return {"POSITIVE": "POSITIV", "NEGATIVE": "NEGATIV"}[text["sentiment"]] if german else text["sentiment"]
    return text["german_summary" if german else "summary"]


@cache
def _told() -> Any:
    return json.loads(TEXTS.read_text("utf-8"))


def _files() -> list[str]:
    return [picture["file"] for picture in _told()["pictures"]]


@cache
def _natural(file: str) -> Picture:
    import skimage

    return as_shown(read_image((Path(skimage.__file__).parent / "data" / file).read_bytes(), file))


@cache
def _asked() -> tuple[tuple[Path, str, str], ...]:
    """One question about each of some test pictures, so that answers differ in kind."""
    from easy_vqa import get_test_image_paths, get_test_questions

    paths = get_test_image_paths()
    found: dict[int, list[tuple[str, str]]] = {}
    for n, (question, answer, image) in enumerate(zip(*get_test_questions(), strict=True)):
        found.setdefault(image, []).append((question, answer))
        if len(found) > ASKED and n:
            break
    return tuple((Path(paths[k]), *asked[k % len(asked)]) for k, asked in list(found.items())[:ASKED])


def _shapes(*, german: bool) -> Iterator[_Clean]:
    for path, question, answer in _asked():
        right = _told()["answers_in_german"][answer] if german else answer
        yield _Clean(as_shown(read_image(path.read_bytes(), path.name)), (question,), right)

"""Train the network that answers questions about coloured shapes offline; writes `assets/openagi/shapes.safetensors`.

    python scripts/train_shapes.py [--epochs 12] [--seed 0]

Trained on the 38,575 training questions of easy-vqa (MIT, 4,000 pictures), measured on its 9,673 test questions (1,000
other pictures). Seed 0, 12 epochs, one core, 3 minutes: 99.7 % right; by picture 99.7 %, 95 % interval 99.6 to 99.8. A
network that does not look at the pictures, as a first one of this shape learned not to, gets 67 %.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from easy_vqa import (  # noqa: E402
    get_answers,
    get_test_image_paths,
    get_test_questions,
    get_train_image_paths,
    get_train_questions,
)
from PIL import Image  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from autoflow.statistics import Interval, bootstrap  # noqa: E402
from autoflow.tools.openagi.shapes import FILE, build, pixels_of, words_of  # noqa: E402

BATCH = 32  # pictures, with all questions about them
RATE = 2e-3  # of learning; falls to 0 along a line


def data(found: Any, paths: dict[int, str], words: list[str], answers: list[str]) -> tuple[torch.Tensor, ...]:
    """Pixels of each picture (P, 3, 64, 64); for each question its picture, words (Q, W) and answer."""
    texts, right, images = found
    names = sorted(paths)
    pixels = torch.stack([pixels_of(Image.open(paths[name])) for name in names])
    where = {name: n for n, name in enumerate(names)}
    return (
        pixels, torch.tensor([where[n] for n in images]), torch.tensor([words_of(text, words) for text in texts]),
        torch.tensor([answers.index(answer) for answer in right]),
    )  # fmt: skip


def batches(which: torch.Tensor, pictures: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Some pictures at a time, the questions about them, and for each of these its place among the pictures."""
    asked = [torch.nonzero(which == n)[:, 0] for n in range(int(which.max()) + 1)]
    for some in pictures.split(BATCH):
        questions = [asked[int(n)] for n in some]
        places = [torch.full((len(found),), at) for at, found in enumerate(questions)]
        yield some, torch.cat(questions), torch.cat(places)


def rightness(
    model: Any, pixels: torch.Tensor, which: torch.Tensor, words: torch.Tensor, right: torch.Tensor
) -> torch.Tensor:
    """(Q,): 1 for each question that is answered rightly, else 0."""
    model.eval()
    found = torch.zeros(len(right))
    with torch.inference_mode():
        for some, asked, places in batches(which, torch.arange(len(pixels))):
            found[asked] = (model(pixels[some], words[asked], places).argmax(-1) == right[asked]).float()
    return found


def by_picture(scores: torch.Tensor, which: torch.Tensor) -> Interval:
    """Mean over pictures of the share that is right: questions about one picture stand or fall together."""
    return bootstrap([float(scores[which == picture].mean()) for picture in which.unique()])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    torch.set_num_threads(1)  # sums in one order, and no threads that wait for each other on a busy machine
    answers = sorted(get_answers())
    vocabulary = sorted({word.strip("?") for text in get_train_questions()[0] for word in text.lower().split()})
    pixels, which, words, right = data(get_train_questions(), get_train_image_paths(), vocabulary, answers)
    test = data(get_test_questions(), get_test_image_paths(), vocabulary, answers)
    model = build(len(vocabulary), len(answers))
    optimizer, began = torch.optim.Adam(model.parameters(), lr=RATE), time.monotonic()
    steps = arguments.epochs * -(-len(pixels) // BATCH)
    slower = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, steps)
    for epoch in range(arguments.epochs):
        model.train()
        for some, asked, places in batches(which, torch.randperm(len(pixels))):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(pixels[some], words[asked], places), right[asked])
            loss.backward()
            optimizer.step()
            slower.step()
        print(f"epoch {epoch + 1} of {arguments.epochs}: {float(rightness(model, *test).mean()):.1%} of "
              f"{len(test[3]):,} test questions right, {time.monotonic() - began:.0f} s", flush=True)  # fmt: skip
    scores = rightness(model, *test)
    found = by_picture(scores, test[1])
    print(f"by picture: {found.mean:.1%} [{found.low:.1%}, {found.high:.1%}], {len(test[1].unique()):,} pictures")
    about = {
        "words": vocabulary, "answers": answers, "seed": arguments.seed, "epochs": arguments.epochs,
        "test": round(float(scores.mean()), 4), "date": time.strftime("%Y-%m-%d", time.gmtime()),
    }  # fmt: skip
    save_file(model.state_dict(), FILE, metadata={"about": json.dumps(about)})
    print(f"Written: {FILE}")


if __name__ == "__main__":
    main()

"""The official layout of OpenAGI data on disk, read and written.

ROOT/task_description.txt        the 185 objectives, a line each
ROOT/17/inputs/images/0.jpg ...  a folder for each picture that a sample has
ROOT/17/inputs/text.txt          a line a sample for each text that it has; a document's file sorts before its query's
ROOT/17/outputs/...              what would be right, likewise
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from autoflow.errors import SettingsError
from autoflow.suites.openagi_tasks import OpenAGITask, openagi_tasks
from autoflow.tools.openagi.images import MAX_BYTES, Picture, as_shown, read_image
from autoflow.tools.openagi.values import Sample, Value, type_of

DESCRIPTIONS = "task_description.txt"
IMAGES, TEXT, DOCUMENT, QUERY = "images", "text.txt", "document.txt", "query.txt"
MAX_SAMPLES = 10_000  # of a task
MAX_TEXT = 10_000_000  # bytes of a file of texts
_SUFFIXES = (".jpg", ".jpeg", ".png")


def read_samples(root: Path, task: OpenAGITask, most: int | None = None) -> list[Sample]:
    """The samples of a task, pictures as they are shown; none where the folder has none for it.

    Args:
        most: samples that are read at most.
    Raises SettingsError: a file is missing, damaged, or does not fit the others; by its path.
    """
    folder = root / str(task.number)
    if not folder.is_dir():
        return []
    given, right = _columns(folder / "inputs", most), _columns(folder / "outputs", most)
    counts = {len(column) for column in (*given, *right)}
    if len(counts) != 1 or not right:
        raise SettingsError(
            f"The files of task {task.number} in {root} hold different numbers of samples.",
            "Each needs one line or one picture a sample.",
        )
    if task.kind == "text-image" and right[0] and type_of(right[0][0]) == "image":
        right = given  # a drawing is compared with its text, whatever pictures lie beside it
    _check_type(task, root, right[0])
    return [_sample(row, right[0][n]) for n, row in enumerate(zip(*given, strict=True))]


def _check_type(task: OpenAGITask, root: Path, right: Sequence[Value]) -> None:
    """Of what would be right; of a drawing that is a text."""
    wanted = "text" if task.kind == "text-image" else task.plan.output_type
    if right and type_of(right[0]) != wanted:
        found, asked = ("pictures", "texts") if wanted == "text" else ("texts", "pictures")
        raise SettingsError(
            f"The outputs of task {task.number} in {root} are {found}; it needs {asked}.",
            f"Look whether the folder {task.number} holds the data of another task.",
        )


def write_samples(root: Path, task: OpenAGITask, samples: Sequence[Sample]) -> None:
    """The samples of a task. Pictures are JPEG of the highest quality; a text becomes one line."""
    folder = root / str(task.number)
    texts = (
        [TEXT] if len(samples[0].texts) == 1 and not samples[0].images else [DOCUMENT, QUERY][-len(samples[0].texts) :]
    )
    given: dict[str, list[Value]] = {}
    if samples[0].images:
        given[IMAGES] = [sample.images[0] for sample in samples]
    for n in range(len(samples[0].texts)):
        given[texts[n]] = [sample.texts[n] for sample in samples]
    _write(folder / "inputs", given)
    right = [sample.expected for sample in samples]
    _write(folder / "outputs", {IMAGES if type_of(right[0]) == "image" else TEXT: right})


def write_descriptions(root: Path) -> None:
    lines = [task.objective for task in openagi_tasks()]
    (root / DESCRIPTIONS).write_text("\n".join(lines) + "\n", "utf-8")


def check_root(root: Path) -> None:
    """Raises SettingsError: it is no folder of this layout, or its objectives are other ones."""
    file = root / DESCRIPTIONS
    if not file.is_file():
        raise SettingsError(
            f"{root} holds no {DESCRIPTIONS}.",
            "Give the folder of the official data, or make one: autoflow data openagi",
        )
    _check_file(file, MAX_TEXT)
    lines = [line.strip() for line in file.read_text("utf-8", "replace").splitlines() if line.strip()]
    if lines != [task.objective for task in openagi_tasks()]:
        raise SettingsError(f"{file} does not hold the 185 objectives of OpenAGI in their order.")


def _columns(folder: Path, most: int | None) -> list[list[Value]]:
    """One a file or folder of pictures, pictures first, then by name."""
    if not folder.is_dir():
        raise SettingsError(f"{folder} is missing.")
    entries = sorted(folder.iterdir(), key=lambda path: (not path.is_dir(), path.name))
    texts = [_lines(path, most) for path in entries if path.suffix == ".txt" and not path.is_dir()]
    return [*[_pictures(path, most) for path in entries if path.is_dir()], *texts]


def _pictures(folder: Path, most: int | None) -> list[Value]:
    files: dict[int, Path] = {}
    for file in sorted(folder.iterdir()):
        if file.stem.isascii() and file.stem.isdigit() and file.suffix.lower() in _SUFFIXES:
            other = files.setdefault(int(file.stem), file)
            if other != file:
                raise SettingsError(f"{folder} holds picture {int(file.stem)} twice: {other.name} and {file.name}.")
    if sorted(files) != list(range(len(files))):
        raise SettingsError(f"The pictures in {folder} are not 0.jpg, 1.jpg and so on: one is missing.")
    count = min(len(files), MAX_SAMPLES if most is None else most)
    return [_picture(files[n]) for n in range(count)]


def _picture(file: Path) -> Picture:
    _check_file(file, MAX_BYTES)
    return as_shown(read_image(file.read_bytes(), str(file)))


def _check_file(file: Path, most: int) -> None:
    """Before it is read: what is no file may never end."""
    if not file.is_file():
        raise SettingsError(f"{file} is no regular file.")
    if file.stat().st_size > most:
        raise SettingsError(f"{file} has more than {most / 1e6:,.0f} MB.")


def _lines(file: Path, most: int | None) -> list[Value]:
    _check_file(file, MAX_TEXT)
    try:
        lines = file.read_text("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file} is no text in UTF-8 (byte {error.start:,}).") from error
    if lines and not lines[-1]:
        lines.pop()  # after the last line break comes no sample
    return [line.strip() for line in lines[: MAX_SAMPLES if most is None else most]]


def _sample(row: Sequence[Value], right: Value) -> Sample:
    images = tuple(value for value in row if not isinstance(value, str))
    return Sample(images, tuple(value for value in row if isinstance(value, str)), right)


def _write(folder: Path, columns: Mapping[str, Sequence[Value]]) -> None:
    for name, values in columns.items():
        if name == IMAGES:
            (folder / name).mkdir(parents=True, exist_ok=True)
            for n, value in enumerate(values):
                _save(value, folder / name / f"{n}.jpg")
        else:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text("".join(" ".join(str(value).split()) + "\n" for value in values), "utf-8")


def _save(image: Value, file: Path) -> None:
    assert isinstance(image, Picture)
    image.save(file, "JPEG", quality=100, subsampling=0)

"""OpenAGI data: the project's own sample, and the official layout on disk, whatever is wrong with it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from autoflow.errors import SettingsError
from autoflow.suites.openagi_layout import check_root, read_samples, write_descriptions, write_samples
from autoflow.suites.openagi_sample import own_samples
from autoflow.suites.openagi_tasks import openagi_tasks
from autoflow.tools.openagi.images import MAX_BYTES, Picture
from autoflow.tools.openagi.table import DEGRADATIONS
from tests.tools.openagi.pictures import psnr

TASKS = openagi_tasks()
OF_EACH_KIND = [TASKS[n] for n in (0, 14, 17, 105, 108, 117, 180)]


def test_every_task_has_samples_of_its_shape() -> None:
    for task in TASKS:
        samples = own_samples(task)
        assert 4 <= len(samples) <= 8
        for sample in samples:
            assert len(sample.images) == (task.plan.image is not None)
            assert len(sample.texts) == len(task.plan.texts)
            assert [("[MASK]" in text) for text in sample.texts] == list(task.plan.texts)
            assert isinstance(sample.expected, str) == (task.plan.output_type == "text" or task.kind == "text-image")


def test_inputs_are_degraded_as_the_task_says_and_what_is_expected_is_clean() -> None:
    for task in TASKS[:15]:
        sample = own_samples(task)[0]
        assert isinstance(sample.expected, Picture)
        red, green, _ = sample.images[0].split()
        assert (red.tobytes() == green.tobytes()) == ("grayscale" in (task.plan.image or ())), DEGRADATIONS
        assert 15 < psnr(sample.images[0], sample.expected) < 40


@pytest.mark.parametrize("task", OF_EACH_KIND, ids=lambda task: task.kind)
def test_what_is_written_is_read_again(tmp_path: Path, task: object) -> None:
    samples = own_samples(task)  # type: ignore[arg-type]
    write_samples(tmp_path, task, samples)  # type: ignore[arg-type]
    read = read_samples(tmp_path, task)  # type: ignore[arg-type]
    assert [(s.texts, s.expected) for s in read if isinstance(s.expected, str)] == [
        (s.texts, s.expected) for s in samples if isinstance(s.expected, str)
    ]
    for before, after in zip(samples, read, strict=True):
        for one, other in zip(before.images, after.images, strict=True):
            assert psnr(one, other) > 35, "JPEG of the highest quality loses little"


def test_a_folder_is_checked_by_its_objectives(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="holds no task_description"):
        check_root(tmp_path)
    write_descriptions(tmp_path)
    check_root(tmp_path)
    (tmp_path / "task_description.txt").write_text("Another task\n")
    with pytest.raises(SettingsError, match="185 objectives"):
        check_root(tmp_path)


@pytest.mark.skipif("AUTOFLOW_OPENAGI_DATA" not in os.environ, reason="AUTOFLOW_OPENAGI_DATA is not set")
def test_the_official_objectives_are_recognized() -> None:
    check_root(Path(os.environ["AUTOFLOW_OPENAGI_DATA"]))


class TestDamaged:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        write_samples(tmp_path, TASKS[117], own_samples(TASKS[117]))
        return tmp_path / "117"

    def failing(self, folder: Path) -> str:
        with pytest.raises(SettingsError) as caught:
            read_samples(folder.parent, TASKS[117])
        return str(caught.value)

    def test_a_picture_that_is_missing(self, folder: Path) -> None:
        (folder / "inputs" / "images" / "2.jpg").unlink()
        assert "one is missing" in self.failing(folder)

    def test_a_picture_that_is_cut_off(self, folder: Path) -> None:
        file = folder / "inputs" / "images" / "2.jpg"
        file.write_bytes(file.read_bytes()[:500])
        assert str(file) in self.failing(folder)

    def test_a_line_too_few(self, folder: Path) -> None:
        file = folder / "outputs" / "text.txt"
        file.write_text("\n".join(file.read_text().splitlines()[:-1]) + "\n")
        assert "different numbers of samples" in self.failing(folder)

    def test_another_encoding(self, folder: Path) -> None:
        (folder / "outputs" / "text.txt").write_bytes("grün\n".encode("latin-1"))
        assert "UTF-8" in self.failing(folder)

    def test_no_outputs(self, folder: Path) -> None:
        (folder / "outputs" / "text.txt").unlink()
        (folder / "outputs").rmdir()
        assert "outputs is missing" in self.failing(folder)

    def test_a_number_that_is_none_in_ascii_is_no_picture_of_a_sample(self, folder: Path) -> None:
        images = folder / "inputs" / "images"
        before = len(read_samples(folder.parent, TASKS[117]))
        (images / "².jpg").write_bytes((images / "0.jpg").read_bytes())
        assert len(read_samples(folder.parent, TASKS[117])) == before

    def test_a_picture_that_is_there_twice(self, folder: Path) -> None:
        images = folder / "inputs" / "images"
        (images / "0.png").write_bytes((images / "0.jpg").read_bytes())
        assert "picture 0 twice: 0.jpg and 0.png" in self.failing(folder)

    @pytest.mark.parametrize("name", ["inputs/images/2.jpg", "outputs/text.txt"])
    def test_a_pipe_is_not_waited_for(self, folder: Path, name: str) -> None:
        (folder / name).unlink()
        os.mkfifo(folder / name)
        assert "no regular file" in self.failing(folder)

    def test_a_picture_that_is_too_large_is_not_read(self, folder: Path) -> None:
        with (folder / "inputs" / "images" / "2.jpg").open("r+b") as file:
            file.truncate(MAX_BYTES + 1)
        assert "2.jpg has more than 25 MB" in self.failing(folder)

    def test_pictures_as_what_is_right_of_a_task_that_asks_for_texts(self, folder: Path) -> None:
        (folder / "outputs" / "text.txt").unlink()
        shutil.copytree(folder / "inputs" / "images", folder / "outputs" / "images")
        assert "The outputs of task 117" in self.failing(folder)
        assert "are pictures; it needs texts" in self.failing(folder)

    def test_pictures_beside_the_texts_that_are_to_be_drawn_are_left_aside(self, folder: Path) -> None:
        drawn = folder.rename(folder.parent / "106")
        shutil.rmtree(drawn / "outputs")
        shutil.copytree(drawn / "inputs" / "images", drawn / "outputs" / "images")
        shutil.rmtree(drawn / "inputs" / "images")
        for sample in read_samples(drawn.parent, openagi_tasks()[106]):
            assert (sample.expected,) == sample.texts

    def test_texts_as_what_is_right_of_a_task_that_asks_for_pictures(self, folder: Path) -> None:
        folder.rename(folder.parent / "11")
        with pytest.raises(SettingsError, match="are texts; it needs pictures"):
            read_samples(folder.parent, TASKS[11])

    def test_only_the_first_are_read_where_few_are_wanted(self, folder: Path) -> None:
        assert len(read_samples(folder.parent, TASKS[117], 3)) == 3

    def test_a_task_without_a_folder_has_none(self, tmp_path: Path) -> None:
        assert read_samples(tmp_path, TASKS[3]) == []

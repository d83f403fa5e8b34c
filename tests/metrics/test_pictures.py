"""Metrics of pictures against values worked out another way, and the pitfalls of the reference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torchmetrics.functional.image import structural_similarity_index_measure
from transformers import CLIPConfig, CLIPModel, ViTConfig, ViTModel

from autoflow.llm.catalogue import local_path
from autoflow.metrics import pictures
from autoflow.metrics.pictures import ByContent, psnr, ssim
from autoflow.tools.openagi.degrading import degraded
from tests.models import offline_files, offline_parts  # noqa: F401
from tests.tools.openagi.pictures import COLOURED, natural
from tests.tools.openagi.pictures import psnr as psnr_by_hand
from tests.tools.openagi.test_hub import VIT, WORDS, tokenizer, vit

PAIRS = [(natural(name), degraded(natural(name), ["noisy", "blurry"], "s")) for name in COLOURED]


@pytest.mark.parametrize("pair", PAIRS)
def test_psnr_and_ssim(pair: tuple[Image.Image, Image.Image]) -> None:
    assert psnr(*pair) == pytest.approx(psnr_by_hand(*pair))
    one, other = (torch.tensor(np.asarray(p), dtype=torch.float64).permute(2, 0, 1)[None] for p in pair)
    uniform = structural_similarity_index_measure(one, other, gaussian_kernel=False, kernel_size=7, data_range=255.0)
    assert ssim(*pair) == pytest.approx(float(uniform), abs=0.01)


def test_equal_pictures_are_as_alike_as_can_be() -> None:
    picture = PAIRS[0][0]
    assert psnr(picture, picture) == math.inf
    assert ssim(picture, picture) == pytest.approx(1.0)


def test_pictures_of_two_sizes_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="one size"):
        psnr(PAIRS[0][0], PAIRS[0][0].resize((10, 10)))


@pytest.fixture
def tiny_vit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ViTModel:
    torch.manual_seed(0)
    model = ViTModel(ViTConfig(**VIT), add_pooling_layer=False).eval()
    model.save_pretrained(tmp_path)
    vit(tmp_path)
    monkeypatch.setattr(pictures, "VIT", str(tmp_path))
    return model


def by_hand(model: ViTModel, picture: Image.Image) -> Any:
    """(T, D), from pixels that were put into form here."""
    pixels = np.asarray(picture.resize((32, 32), Image.Resampling.BILINEAR), dtype=np.float32) / 255
    values = torch.tensor((pixels - 0.5) / 0.5).permute(2, 0, 1)[None]
    with torch.inference_mode():
        return model(pixel_values=values).last_hidden_state[0].double().numpy()


def test_vit_score_is_the_cosine_of_single_pairs_in_a_batch_too(tiny_vit: ViTModel) -> None:
    def cosine(one: Any, other: Any) -> float:
        return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))

    expected = [cosine(by_hand(tiny_vit, one)[0], by_hand(tiny_vit, other)[0]) for one, other in PAIRS]
    assert pictures._vit(PAIRS) == pytest.approx([min(1, max(0, value)) for value in expected], abs=1e-3)


def test_the_distance_of_the_reference_falls_where_the_score_rises(tiny_vit: ViTModel) -> None:
    """Pitfall: the reference calls this distance a score. As a reward it would prefer what is least alike."""
    one, other = PAIRS[0]
    expected = np.linalg.norm(by_hand(tiny_vit, one) - by_hand(tiny_vit, other))
    assert pictures._vit_distance([PAIRS[0]])[0] == pytest.approx(float(expected), rel=1e-3)
    same, different = (one, one), (one, PAIRS[1][0])
    assert pictures._vit_distance([same])[0] < pictures._vit_distance([different])[0]
    assert pictures._vit([same])[0] > pictures._vit([different])[0]


def test_clip_score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    text = {"vocab_size": len(WORDS), "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
            "intermediate_size": 16, "max_position_embeddings": 48, "eos_token_id": 3}  # fmt: skip
    model = CLIPModel(CLIPConfig(text_config=text, vision_config=VIT, projection_dim=8)).eval()
    model.save_pretrained(tmp_path)
    vit(tmp_path, "CLIPImageProcessor")
    tokenizer(tmp_path)
    monkeypatch.setattr(pictures, "CLIP", str(tmp_path))
    told = {
        "the quick fox": ["[CLS]", "the", "quick", "fox", "[SEP]"],
        "a story .": ["[CLS]", "a", "story", ".", "[SEP]"],
    }
    pairs = [(picture, text) for picture, _ in PAIRS for text in told]
    expected = [clip_by_hand(model, picture, [WORDS.index(word) for word in told[text]]) for picture, text in pairs]
    monkeypatch.setattr(pictures, "BATCH", 3)
    sizes: list[int] = []
    model_of = pictures._clip_model

    def counted(source: str) -> tuple[Any, Any]:
        processor, network = model_of(source)

        def run(**inputs: Any) -> Any:
            sizes.append(len(inputs["input_ids"]))
            return network(**inputs)

        return processor, run

    monkeypatch.setattr(pictures, "_clip_model", counted)
    assert pictures._clip(pairs) == pytest.approx([min(1, max(0, value)) for value in expected], abs=1e-3)
    assert min(expected) < max(expected) - 0.05
    assert max(expected) > 0
    assert sizes == [3, 3, 2]


def clip_by_hand(model: CLIPModel, picture: Image.Image, words: list[int]) -> float:
    """Cosine of what the two towers of the model say, each put into form here and through its own projection."""
    pixels = np.asarray(picture.resize((32, 32), Image.Resampling.BICUBIC), dtype=np.float32) / 255
    values = torch.tensor((pixels - 0.5) / 0.5).permute(2, 0, 1)[None]
    with torch.inference_mode():
        seen = model.vision_model(pixel_values=values).last_hidden_state[0, 0]  # of the first token
        image = model.visual_projection.weight @ model.vision_model.post_layernorm(seen)
        read = model.text_model(input_ids=torch.tensor([words])).last_hidden_state[0, words.index(WORDS.index("[SEP]"))]
        text = model.text_projection.weight @ read
    one, other = image.double().numpy(), text.double().numpy()
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


@pytest.mark.model
@pytest.mark.usefixtures("offline_parts")
def test_efficientnet_cosine_is_that_of_the_networks_last_features() -> None:
    """Worked out block by block from the published weights, with pixels that were put into form here."""
    from efficientnet_lite_pytorch import EfficientNet

    folder = local_path("efficientnet-lite0")
    assert folder is not None
    network = EfficientNet.from_name("efficientnet-lite0")
    weights = folder if folder.is_file() else next(folder.glob("*.pth"))
    network.load_state_dict(torch.load(weights, weights_only=True))
    network.eval()
    last: list[torch.Tensor] = []
    network._avg_pooling.register_forward_hook(lambda _, given, made: last.append(made.flatten()))

    def seen(picture: Image.Image) -> Any:
        pixels = np.asarray(picture.resize((224, 224), Image.Resampling.BICUBIC), dtype=np.float64) / 255
        with torch.inference_mode():
            network(torch.tensor((pixels - 0.498) / 0.502, dtype=torch.float32).permute(2, 0, 1)[None])
        return last.pop().double().numpy()

    found = pictures._efficientnet(PAIRS)
    for (one, other), value in zip(PAIRS, found, strict=True):
        a, b = seen(one), seen(other)
        assert value == pytest.approx(float(a @ b / np.linalg.norm(a) / np.linalg.norm(b)), abs=1e-4)
    assert max(found) < 1


def test_a_batch_gives_each_pair_its_own_score_whatever_is_known_already() -> None:
    worked: list[str] = []

    def work(pairs: Sequence[tuple[str, str]]) -> list[float]:
        worked.extend(one for one, _ in pairs)
        return [float(len(one)) for one, _ in pairs]

    scores = ByContent("test", work)
    assert scores([("a", "x"), ("bb", "x")]) == [1.0, 2.0]
    assert scores([("ccc", "x"), ("bb", "x"), ("a", "x"), ("ccc", "x")]) == [3.0, 2.0, 1.0, 3.0]
    assert worked == ["a", "bb", "ccc"]


def test_what_is_asked_for_is_told_where_no_more_scores_can_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "CACHED", 2)
    scores = ByContent("test", lambda pairs: [float(len(one)) for one, _ in pairs])
    assert scores([("a", "x"), ("bb", "x")]) == [1.0, 2.0]
    assert scores([("a", "x"), ("ccc", "x")]) == [1.0, 3.0]
    assert scores([("a", "x"), ("bb", "x"), ("ccc", "x"), ("dddd", "x")]) == [1.0, 2.0, 3.0, 4.0]
    assert len(scores._known) == 2


def test_content_tells_pictures_of_other_shape_and_texts_apart() -> None:
    wide, high = Image.new("RGB", (2, 8)), Image.new("RGB", (8, 2))
    assert len({pictures._content(value) for value in (wide, high, "a", "b", "")}) == 5

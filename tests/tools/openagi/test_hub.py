"""Models of the hub, with tiny ones of the same classes, made here with random weights and real processors."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    BertTokenizer,
    DetrConfig,
    DetrForObjectDetection,
    DistilBertConfig,
    DistilBertForMaskedLM,
    DistilBertForQuestionAnswering,
    DistilBertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedTokenizerFast,
    ResNetConfig,
    Swin2SRConfig,
    Swin2SRForImageSuperResolution,
    T5Config,
    T5ForConditionalGeneration,
    ViltConfig,
    ViltForQuestionAnswering,
    ViltProcessor,
    VisionEncoderDecoderConfig,
    VisionEncoderDecoderModel,
    ViTConfig,
    ViTForImageClassification,
)

from autoflow.errors import ToolFailed, ToolNotLoaded
from autoflow.tools.openagi import hub_images, hub_restoring, hub_texts
from autoflow.tools.openagi.experts import HubExpert
from autoflow.tools.openagi.hub_models import MODELS, HubModel
from autoflow.tools.openagi.loading import Where
from autoflow.tools.openagi.nafnet import NAFNet
from autoflow.tools.openagi.shelf import Shelf
from tests.tools.openagi.pictures import natural

AT = Where("cpu")
WORDS = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "quick", "brown", "fox", "jumps", "over", "lazy", "dog",
    "who", "what", "is", "a", "in", "story", "?", ".",
]  # fmt: skip
SPECIAL = {
    "pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "mask_token": "[MASK]",
    "bos_token": "[CLS]", "eos_token": "[SEP]",
}  # fmt: skip
PICTURES = [natural("chelsea.png"), natural("coffee.png")]


@pytest.fixture(autouse=True)
def seeded() -> None:
    torch.manual_seed(0)


def tokenizer(folder: Path) -> None:
    words = Tokenizer(models.WordLevel({word: n for n, word in enumerate(WORDS)}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    words.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(tokenizer_object=words, model_max_length=48, **SPECIAL).save_pretrained(folder)


def labels(n: int) -> dict[str, object]:
    return {"id2label": {k: f"label {k}" for k in range(n)}, "label2id": {f"label {k}": k for k in range(n)}}


def vit(folder: Path, kind: str = "ViTImageProcessor") -> None:
    import json

    how = {
        "image_processor_type": kind, "size": {"height": 32, "width": 32}, "do_resize": True, "do_rescale": True,
        "do_normalize": True, "crop_size": {"height": 32, "width": 32}, "image_mean": [0.5] * 3, "image_std": [0.5] * 3,
    }  # fmt: skip
    (folder / "preprocessor_config.json").write_text(json.dumps(how))


SMALL = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
VIT = {**SMALL, "image_size": 32, "patch_size": 8}
BERT = {"vocab_size": len(WORDS), "dim": 16, "n_layers": 1, "n_heads": 2, "hidden_dim": 16, "pad_token_id": 0}
GPT = {"vocab_size": len(WORDS), "n_embd": 16, "n_layer": 1, "n_head": 2, "bos_token_id": 2, "eos_token_id": 3}


def test_classifier(tmp_path: Path) -> None:
    ViTForImageClassification(ViTConfig(**VIT, **labels(3))).save_pretrained(tmp_path)
    vit(tmp_path)
    run = hub_images.classifier(str(tmp_path), AT)
    assert run(PICTURES) == [run([picture])[0] for picture in PICTURES], "a batch gives what one by one gives"
    assert set(run(PICTURES)) <= {"label 0", "label 1", "label 2"}


def test_detector_names_what_is_sure_and_nothing_else(tmp_path: Path) -> None:
    backbone = ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 8, 8, 8], depths=[1, 1, 1, 1], layer_type="basic", out_features=["stage4"]
    )
    config = DetrConfig(
        use_timm_backbone=False, use_pretrained_backbone=False, backbone=None, backbone_config=backbone, d_model=16,
        encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2, num_queries=4,
        encoder_ffn_dim=16, decoder_ffn_dim=16, **labels(2),
    )  # fmt: skip
    model = DetrForObjectDetection(config)
    vit(tmp_path, "DetrImageProcessor")
    model.save_pretrained(tmp_path)
    assert hub_images.detector(str(tmp_path), AT)(PICTURES) == ["", ""], "random weights are sure of nothing"
    with torch.no_grad():
        model.class_labels_classifier.weight.zero_()
        model.class_labels_classifier.bias.copy_(torch.tensor([0.0, 9.0, 0.0]))
    model.save_pretrained(tmp_path)
    assert hub_images.detector(str(tmp_path), AT)(PICTURES) == [", ".join(["label 1"] * 4)] * 2


def test_enlarger_makes_pictures_twice_as_large_whatever_their_size(tmp_path: Path) -> None:
    config = Swin2SRConfig(embed_dim=12, depths=[1], num_heads=[2], window_size=4, image_size=16, upscale=2)
    Swin2SRForImageSuperResolution(config).save_pretrained(tmp_path)
    (tmp_path / "preprocessor_config.json").write_text(
        '{"image_processor_type": "Swin2SRImageProcessor", "do_rescale": true, "do_pad": true, "pad_size": 4}'
    )
    made = hub_images.enlarger(str(tmp_path), AT)([PICTURES[0].resize((21, 18)), PICTURES[1].resize((16, 16))])
    assert [picture.size for picture in made] == [(42, 36), (32, 32)]


def test_captioner(tmp_path: Path) -> None:
    decoder = GPT2Config(**GPT, n_positions=48, add_cross_attention=True, is_decoder=True)
    model = VisionEncoderDecoderModel(
        VisionEncoderDecoderConfig.from_encoder_decoder_configs(ViTConfig(**VIT), decoder)
    )
    model.config.decoder_start_token_id, model.config.pad_token_id = 2, 0
    model.generation_config.decoder_start_token_id, model.generation_config.pad_token_id = 2, 0
    model.save_pretrained(tmp_path)
    vit(tmp_path)
    tokenizer(tmp_path)
    run = hub_images.captioner(str(tmp_path), AT)
    assert run(PICTURES) == run(PICTURES)
    assert all(set(text.split()) <= set(WORDS) for text in run(PICTURES))


def test_questions_about_pictures(tmp_path: Path) -> None:
    config = ViltConfig(**VIT, vocab_size=len(WORDS), max_position_embeddings=40, **labels(5))
    ViltForQuestionAnswering(config).save_pretrained(tmp_path)
    (tmp_path / "vocab.txt").write_text("\n".join(WORDS))
    from transformers import ViltImageProcessor

    processor = ViltProcessor(
        ViltImageProcessor(size={"shortest_edge": 32}), BertTokenizer(str(tmp_path / "vocab.txt"))
    )
    processor.save_pretrained(tmp_path)
    run = hub_images.asked(str(tmp_path), AT)
    asked = [(PICTURES[0], "what is the fox ?"), (PICTURES[1], "who " * 100)]
    assert len(run(asked)) == 2
    assert set(run(asked)) <= {f"label {n}" for n in range(5)}


def test_labels_of_texts(tmp_path: Path) -> None:
    config = DistilBertConfig(**BERT, max_position_embeddings=48, **labels(2))
    DistilBertForSequenceClassification(config).save_pretrained(tmp_path)
    tokenizer(tmp_path)
    texts = ["the fox", "a lazy dog " * 50, ""]
    run = hub_texts.labelled(str(tmp_path), AT)
    assert run(texts) == [run([text])[0] for text in texts]


def test_answers_are_words_of_the_document(tmp_path: Path) -> None:
    DistilBertForQuestionAnswering(DistilBertConfig(**BERT, max_position_embeddings=48)).save_pretrained(tmp_path)
    tokenizer(tmp_path)
    document = "the quick brown fox jumps over the lazy dog . " * 9
    run = hub_texts.answered(str(tmp_path), AT)
    answers = run([(document, "who jumps ?"), ("fox", "what ?"), ("", "what ?")])
    assert answers[0] in document
    assert answers[0]
    assert answers[1:] == ["fox", ""]


@pytest.mark.parametrize(("load", "kind"), [(hub_texts.summarized, "bart"), (hub_texts.translated, "t5")])
def test_rewriting(tmp_path: Path, load: Callable[..., Callable[[list[str]], list[str]]], kind: str) -> None:
    if kind == "bart":
        config = BartConfig(
            vocab_size=len(WORDS), d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
            decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16, max_position_embeddings=160,
            pad_token_id=0, bos_token_id=2, eos_token_id=3, decoder_start_token_id=3, forced_eos_token_id=3,
        )  # fmt: skip
        BartForConditionalGeneration(config).save_pretrained(tmp_path)
    else:
        small = T5Config(
            vocab_size=len(WORDS), d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2, pad_token_id=0,
            eos_token_id=3, decoder_start_token_id=0,
        )  # fmt: skip
        T5ForConditionalGeneration(small).save_pretrained(tmp_path)
    tokenizer(tmp_path)
    run = load(str(tmp_path), AT)
    made = run(["the quick fox .", "a dog"])
    assert made == run(["the quick fox .", "a dog"])
    assert all(set(text.split()) <= set(WORDS) for text in made)


def test_a_text_goes_on(tmp_path: Path) -> None:
    GPT2LMHeadModel(GPT2Config(**GPT, n_positions=600)).save_pretrained(tmp_path)
    tokenizer(tmp_path)
    made = hub_texts.continued(str(tmp_path), AT)(["the quick fox", ""])
    assert made[0].startswith("the quick fox")


def test_every_missing_word_is_filled(tmp_path: Path) -> None:
    model = DistilBertForMaskedLM(DistilBertConfig(**BERT, max_position_embeddings=48))
    with torch.no_grad():
        model.vocab_projector.bias[WORDS.index("fox")] = 99.0
    model.save_pretrained(tmp_path)
    tokenizer(tmp_path)
    run = hub_texts.filled(str(tmp_path), AT)
    assert run(["the [MASK] jumps over a [MASK] .", "the dog"]) == ["the fox jumps over a fox .", "the dog"]
    far = "dog " * 100 + "[MASK]"
    assert "[MASK]" not in run([far])[0], "it lies behind what the model reads"


def test_a_model_that_fills_a_gap_with_a_gap_comes_to_an_end(tmp_path: Path) -> None:
    model = DistilBertForMaskedLM(DistilBertConfig(**BERT, max_position_embeddings=48))
    with torch.no_grad():
        model.vocab_projector.bias[WORDS.index("[MASK]")] = 99.0
    model.save_pretrained(tmp_path)
    tokenizer(tmp_path)
    assert hub_texts.filled(str(tmp_path), AT)(["the [MASK]"]) == ["the [MASK]"]


def test_restorer_reads_its_sizes_from_the_weights_and_keeps_the_size_of_pictures(tmp_path: Path) -> None:
    made = NAFNet(8, [1, 2], 1, [2, 1])
    torch.save({"params": made.state_dict()}, tmp_path / "weights.pth")
    run = hub_restoring.restorer(str(tmp_path), "weights.pth", AT)
    small = PICTURES[0].resize((21, 34))
    (restored,) = run([small])
    assert restored.size == small.size
    with torch.inference_mode():
        expected = hub_images.picture_of(made.eval()(hub_restoring._tensor(small, AT))[0])
    assert restored.tobytes() == expected.tobytes()
    with pytest.raises(ToolFailed, match=r"gone\.pth"):
        hub_restoring.restorer(str(tmp_path), "gone.pth", AT)


def test_weights_are_those_that_were_chosen_or_none(tmp_path: Path) -> None:
    torch.save({"params": NAFNet(8, [1], 1, [1]).state_dict()}, tmp_path / "weights.pth")
    right = hashlib.sha256((tmp_path / "weights.pth").read_bytes()).hexdigest()
    assert hub_restoring.restorer(str(tmp_path), "weights.pth", AT, right)([PICTURES[0].resize((8, 8))])
    with pytest.raises(ToolFailed, match=r"weights\.pth of .* is not the one that AutoFlow knows"):
        hub_restoring.restorer(str(tmp_path), "weights.pth", AT, "0" * 64)


def test_every_file_that_no_class_reads_is_known_by_its_hash() -> None:
    assert [tool for tool, model in MODELS.items() if model.file and len(model.sha256) != 64] == []


async def test_a_commit_is_passed_on_where_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, object]] = []

    def fetched(*_: object, **more: object) -> object:
        asked.append(more)
        raise OSError("no such commit")

    monkeypatch.setattr("transformers.AutoTokenizer.from_pretrained", fetched)
    monkeypatch.setattr("huggingface_hub.hf_hub_download", fetched)
    for tool, file in (("Fill Mask", ""), ("Image Denoising", "weights.pth")):
        for revision in ("", "abc123"):
            expert = HubExpert(tool, HubModel("nobody/nothing", "MIT", 1, file, revision=revision), Shelf(), AT)
            with pytest.raises(ToolNotLoaded, match="no such commit"):
                await expert.run([("A [MASK].",)])
    assert [more.get("revision") for more in asked] == [None, "abc123", None, "abc123"]


def test_weights_that_hold_code_are_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> object:
            return (open, (str(tmp_path / "touched"), "w"))

    torch.save({"params": Evil()}, tmp_path / "evil.pth")
    with pytest.raises(ToolFailed, match=r"evil\.pth"):
        hub_restoring.restorer(str(tmp_path), "evil.pth", AT)
    assert not (tmp_path / "touched").exists()


def test_what_cannot_be_loaded_is_told_by_name_and_nothing_is_unpickled(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match="nobody/nothing"):
        hub_images.classifier("nobody/nothing", AT)
    ViTForImageClassification(ViTConfig(**VIT)).save_pretrained(tmp_path)
    vit(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(ToolFailed, match="safetensors"):
        hub_images.classifier(str(tmp_path), AT)


def test_pictures_of_tensors_are_cut_at_their_range() -> None:
    made = hub_images.picture_of(torch.tensor([[[2.0]], [[-1.0]], [[0.5]]]))
    assert made.getpixel((0, 0)) == (255, 0, 128)
    assert isinstance(made, Image.Image)

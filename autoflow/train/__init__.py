"""Fine-tuning: a LoRA adapter on a local model, trained by REINFORCE on a reward of what the model wrote.

Knows texts and rewards, and nothing of workflows or studies. Only `settings` and `figures` are free of torch, so that
a page may show both without loading it.
"""

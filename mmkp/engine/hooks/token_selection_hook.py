# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Which of the learned tokens become the keypoints."""

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.dist import all_gather_object, get_dist_info
from mmengine.hooks import EMAHook, Hook
from mmengine.runner import Runner
from mmengine.runner.base_loop import BaseLoop
from mmpose.registry import HOOKS
from torch import Tensor

from mmkp.engine.loop_state import bare_model
from mmkp.engine.random_state import get_random_state, seed_generators, set_random_state
from mmkp.ops.token_maps.selection import most_frequent_tokens


@HOOKS.register_module()
class TokenSelectionHook(Hook):
    """Chooses the tokens that describe most training images.

    StableKeypoints (Hedlin et al., CVPR 2024, section 3.3): over some training images
    the tokens that would be trained are noted, and the K most frequent ones become the
    keypoints. This is done before each validation and before each checkpoint is
    written, so that every checkpoint can be tested, unless the tokens are those of the
    last time. The training is left as it was: to the same bits it goes on without.

    Several processes share the images, and all get the tokens that are most frequent
    among those of all; their random views are others than those of one process.

    With ``test_cfg.untrained_control`` the same choice is made among untrained tokens.

    Args:
        num_images: number of training images, spread evenly over the data set.
        batch_size: number of images that the network sees at once.
        seed: of the random views, the same each time.

    Raises:
        ValueError: no image, or no batch.
    """

    # After EMAHook has put its averaged tokens in: those are tested and saved.
    priority = 'BELOW_NORMAL'

    def __init__(
        self, num_images: int = 100, batch_size: int = 1, seed: int = 0
    ) -> None:
        if num_images < 1 or batch_size < 1:
            raise ValueError(
                f'num_images={num_images} and batch_size={batch_size} of '
                'TokenSelectionHook must be at least 1'
            )
        self.num_images = num_images
        self.batch_size = batch_size
        self.seed = seed
        self._chosen_for: Tensor | None = None

    def before_run(self, runner: Runner) -> None:
        """Refuse a model without tokens.

        Args:
            runner: the runner of the training or the test.

        Raises:
            ValueError: it has none.
        """
        model = bare_model(runner)
        if not hasattr(model, 'select_from_images'):
            raise ValueError(
                f'TokenSelectionHook chooses tokens, which {type(model).__name__} does '
                'not have: take it out of custom_hooks, or train StableKeypoints'
            )

    def before_val_epoch(self, runner: Runner) -> None:
        """Choose before a validation during a training.

        Args:
            runner: the runner of the training.
        """
        if isinstance(runner._train_loop, BaseLoop):
            self._choose(runner, bare_model(runner).head.tokens.detach())

    def before_checkpoint_on_all_ranks(self, runner: Runner) -> None:
        """Choose while all processes take part, called by AtomicCheckpointHook."""
        models = [
            hook.ema_model.module for hook in runner.hooks if isinstance(hook, EMAHook)
        ]
        model = models[0] if models else bare_model(runner)
        self._choose(runner, model.head.tokens.detach())

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Let a checkpoint hold what is chosen from the tokens that it holds.

        Args:
            runner: the runner of the training.
            checkpoint: its ``state_dict`` gets the indices.
        """
        state, head = checkpoint['state_dict'], bare_model(runner).head
        # The first process is alone here: other hooks do not tell the others before.
        self._choose(runner, state['head.tokens'].to(head.tokens.device), alone=True)
        for name in ('token_indices', 'untrained_token_indices'):
            state[f'head.{name}'] = getattr(head, name).cpu()

    def _choose(self, runner: Runner, tokens: Tensor, alone: bool = False) -> None:
        model = bare_model(runner)
        head = model.head
        if self._chosen_for is not None and torch.equal(self._chosen_for, tokens):
            return
        state, training = get_random_state(), model.training
        model.eval()
        try:
            indices, counts = self._most_frequent(runner, tokens, alone)
            head.token_indices.copy_(indices)
            if model.test_cfg.get('untrained_control', False):
                if (head.untrained_token_indices < 0).any():
                    untrained = head.untrained_tokens(
                        model.test_cfg.get('untrained_seed', 0)
                    )
                    indices, _ = self._most_frequent(runner, untrained, alone)
                    head.untrained_token_indices.copy_(indices)
        finally:
            model.train(training)
            set_random_state(state)
        self._chosen_for = tokens.clone()
        runner.logger.info(
            f'Keypoints are the tokens {head.token_indices.tolist()}, among those '
            f'chosen in {counts} of {self._number(runner)} training images'
        )

    @torch.no_grad()
    def _most_frequent(
        self, runner: Runner, tokens: Tensor, alone: bool
    ) -> tuple[Tensor, list[int]]:
        """The K tokens chosen most often, and how often each was."""
        rank, processes = (0, 1) if alone else get_dist_info()
        number, size = self._number(runner), self.batch_size
        chosen = np.linspace(
            0, len(runner.train_dataloader.dataset) - 1, number
        ).round()
        batches = [chosen[start : start + size] for start in range(0, number, size)]
        seed_generators(self.seed)
        found: list[Tensor] = []
        # All make as many, as they may have to compute each together.
        for first in range(0, len(batches), processes):
            batch = min(first + rank, len(batches) - 1)
            if processes > 1:
                seed_generators(self.seed, batch)
            selected = self._select(runner, batches[batch], tokens)
            parts = [selected.cpu()] if alone else all_gather_object(selected.cpu())
            found += parts[: len(batches) - first]
        head = bare_model(runner).head
        every = torch.cat(found).to(tokens.device)
        indices = most_frequent_tokens(every, head.num_tokens, head.num_keypoints)
        return indices, [int((every == index).sum()) for index in indices]

    @staticmethod
    def _select(runner: Runner, places: np.ndarray, tokens: Tensor) -> Tensor:
        """Tokens that describe each of some training images best, (B, k)."""
        model, dataset = bare_model(runner), runner.train_dataloader.dataset
        batch = pseudo_collate([dataset[int(place)] for place in places])
        inputs = model.data_preprocessor(batch, training=False)['inputs']
        return model.select_from_images(inputs, tokens)

    def _number(self, runner: Runner) -> int:
        return min(self.num_images, len(runner.train_dataloader.dataset))

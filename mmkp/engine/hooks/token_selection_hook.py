# Copyright (c) mmkp authors. Licensed under Apache-2.0.
"""Which of the learned tokens become the keypoints."""

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.hooks import Hook
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

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Let a checkpoint hold what is chosen from the tokens that it holds.

        Args:
            runner: the runner of the training.
            checkpoint: its ``state_dict`` gets the indices.
        """
        state, head = checkpoint['state_dict'], bare_model(runner).head
        self._choose(runner, state['head.tokens'].to(head.tokens.device))
        for name in ('token_indices', 'untrained_token_indices'):
            state[f'head.{name}'] = getattr(head, name).cpu()

    def _choose(self, runner: Runner, tokens: Tensor) -> None:
        model = bare_model(runner)
        head = model.head
        if self._chosen_for is not None and torch.equal(self._chosen_for, tokens):
            return
        state, training = get_random_state(), model.training
        model.eval()
        try:
            indices, counts = self._most_frequent(runner, tokens)
            head.token_indices.copy_(indices)
            if model.test_cfg.get('untrained_control', False):
                if (head.untrained_token_indices < 0).any():
                    untrained = head.untrained_tokens(
                        model.test_cfg.get('untrained_seed', 0)
                    )
                    indices, _ = self._most_frequent(runner, untrained)
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
        self, runner: Runner, tokens: Tensor
    ) -> tuple[Tensor, list[int]]:
        """The K tokens chosen most often, and how often each was."""
        model, dataset = bare_model(runner), runner.train_dataloader.dataset
        seed_generators(self.seed)
        number = self._number(runner)
        chosen = np.linspace(0, len(dataset) - 1, number).round().astype(int)
        selected = []
        for start in range(0, number, self.batch_size):
            batch = pseudo_collate(
                [dataset[int(i)] for i in chosen[start : start + self.batch_size]]
            )
            inputs = model.data_preprocessor(batch, training=False)['inputs']
            selected.append(model.select_from_images(inputs, tokens))
        found = torch.cat(selected)
        head = model.head
        indices = most_frequent_tokens(found, head.num_tokens, head.num_keypoints)
        return indices, [int((found == index).sum()) for index in indices]

    def _number(self, runner: Runner) -> int:
        return min(self.num_images, len(runner.train_dataloader.dataset))

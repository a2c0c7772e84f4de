"""A resumed training that equals an uninterrupted one, to the last bit."""

from collections.abc import Callable, Generator, Iterator
from functools import partial
from itertools import repeat
from typing import Any

from mmengine.dist import all_gather_object, get_rank
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner
from mmpose.registry import DATA_SAMPLERS, HOOKS
from torch import Tensor
from torch.utils.data import BatchSampler, DataLoader, Sampler

from mmkp.engine.loop_state import bare_model, is_between_updates
from mmkp.engine.random_state import (
    get_random_state,
    seed_generators,
    set_random_state,
)
from mmkp.engine.resumable_loading import (
    BatchSeeder,
    EndlessBatches,
    RestOfPass,
    loader_of_batches,
)

_KEY = 'random_state'


def _next_batches(
    loader: DataLoader, replayed: int, before_first: Callable[[], None]
) -> Iterator[Any]:
    """What an iteration-based loop draws its batches from.

    Args:
        loader: endless, begins at the batch that comes next.
        replayed: MMEngine's loop throws away as many batches as it has seen
            before; they are answered with None at no cost.
        before_first: called right before the first batch of this run is made.
    """
    yield from repeat(None, replayed)
    # Making an iterator draws from PyTorch's generator, so it comes first.
    batches = iter(loader)
    before_first()
    yield from batches


@HOOKS.register_module()
class ExactResumeHook(Hook):
    """Makes ``resume`` continue as if the training had never stopped.

    MMEngine restores weights, optimiser, schedulers and logs. This hook adds:

    * the state of all random generators, of every process, at the checkpoint; the
      processes' generators differ, so that each draws views of its own;
    * the batches that come next, without making those that came before: only
      indices are drawn anew, a second for a million images;
    * validation that leaves the training's random generators untouched, since
      MMEngine writes a checkpoint before the validation of the same iteration
      and does not repeat that validation. ``--no-validate`` thus trains the same
      weights.

    Exact from any checkpoint, also within an epoch, with and without worker
    processes. On a GPU as far as its kernels are deterministic. A checkpoint in the
    middle of an accumulation of gradients is reported, as its gradients are not kept.
    """

    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._states: list[dict] | None = None
        self._during_validation: dict | None = None
        self._resumed: dict | None = None
        self._has_begun = False
        self._workers_run = False
        self._is_within_epoch = False  # what is resumed

    # ---- saving ----
    def before_checkpoint_on_all_ranks(self, runner: Runner) -> None:
        """Collect the state of every process, called by AtomicCheckpointHook."""
        state = self._current_state()
        if runner.distributed:
            # Running means differ between processes, the checkpoint has the first's.
            buffers = {name: value.cpu() for name, value in _buffers(runner).items()}
            state = dict(state, buffers=buffers)
        self._states = all_gather_object(state)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add the random states to a checkpoint.

        Args:
            runner: the runner of the training.
            checkpoint: gets ``random_state``: ``ranks``, a state a process, and
                ``sampler_seed``.
        """
        states, self._states = self._states, None
        sampler = runner.train_dataloader.sampler
        checkpoint[_KEY] = dict(
            ranks=states or [self._current_state()],
            sampler_seed=getattr(sampler, 'seed', None),
        )
        if not is_between_updates(runner):
            runner.logger.warning(
                'This checkpoint lies inside an accumulation of gradients: resuming '
                'from it will lose them. Make the interval of the checkpoints a '
                'multiple of optim_wrapper.accumulative_counts.'
            )

    def _current_state(self) -> dict:
        return self._during_validation or get_random_state()

    # ---- validation ----
    def before_val(self, runner: Runner) -> None:
        """Set the training's random state aside."""
        self._during_validation = get_random_state()

    def after_val(self, runner: Runner) -> None:
        """Take the training's random state up again."""
        if self._during_validation is not None:
            set_random_state(self._during_validation)
        self._during_validation = None

    # ---- resuming ----
    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Remember the random states of the checkpoint that is resumed from."""
        if runner._resume:
            self._resumed = checkpoint.get(_KEY, {})

    def before_train(self, runner: Runner) -> None:
        """Let the data go on where they stopped.

        Args:
            runner: the runner of the training.
        """
        loop, self._has_begun = runner.train_loop, False
        if self._resumed == {} and loop.iter > 0:
            runner.logger.warning(
                'The checkpoint holds no random state (written without '
                'ExactResumeHook): the resumed training will be a valid one, but '
                'not bit for bit the uninterrupted one.'
            )
        if isinstance(loop, EpochBasedTrainLoop):
            self._restore_sampler_seed(loop.dataloader.sampler)
            self._continue_epoch(runner)
        elif isinstance(loop, IterBasedTrainLoop):
            batches = self._fresh_batch_sampler(runner)
            if batches is None:
                runner.logger.warning(
                    'The training data were given as objects instead of a config, so '
                    'MMEngine makes and drops the batches before a resumed one, and '
                    'resuming is not exact.'
                )
                return
            loader = _loader(runner, EndlessBatches(batches, loop.iter))
            restore = partial(self._restore, runner)
            loop.dataloader._iterator = None  # its workers are not needed
            loop.dataloader_iterator = _next_batches(loader, loop.iter, restore)

    def after_train(self, runner: Runner) -> None:
        """Let the worker processes go."""
        self.before_interruption(runner)

    def before_interruption(self, runner: Runner) -> None:
        """Let the worker processes go, called by InterruptHook.

        Left to the garbage collector they are told too late, and each is waited for
        in vain for five seconds.
        """
        batches = getattr(runner.train_loop, 'dataloader_iterator', None)
        if isinstance(batches, Generator):
            batches.close()

    def before_train_epoch(self, runner: Runner) -> None:
        """Seed the workers of an epoch; restore the states before the first one."""
        loop = runner.train_loop
        if not isinstance(loop, EpochBasedTrainLoop) or self._is_within_epoch:
            return
        loader = loop.dataloader
        if not (loader.persistent_workers and self._workers_run):
            first = loop.epoch * len(loader)
            BatchSeeder(loader, runner.seed, get_rank(), first, len(loader))
        self._workers_run = True
        self._restore(runner)

    def _continue_epoch(self, runner: Runner) -> None:
        """Let the first epoch of this run go on where a checkpoint was within it."""
        loop = runner.train_loop
        length = len(loop.dataloader)
        done = loop.iter - loop.epoch * length
        if done == 0:
            return
        if not 0 < done <= length:
            runner.logger.warning(
                f'The checkpoint was written at iteration {loop.iter}, which does not '
                f'lie in epoch {loop.epoch + 1} of {length} iterations: the data or '
                'the batch size have changed, so the epoch starts anew.'
            )
            return
        self._is_within_epoch = True
        loop.run_epoch = partial(self._run_rest_of_epoch, runner, done)

    def _run_rest_of_epoch(self, runner: Runner, done: int) -> None:
        """What the loop's ``run_epoch`` does, from a batch on."""
        loop = runner.train_loop
        del loop.run_epoch  # those that follow are whole
        runner.call_hook('before_train_epoch')
        self._is_within_epoch = False
        runner.model.train()
        rest = RestOfPass(loop.dataloader.batch_sampler, done)
        # Making an iterator draws from PyTorch's generator, so it comes first.
        batches = iter(_loader(runner, rest))
        self._restore(runner)
        for number, batch in enumerate(batches, done):
            loop.run_iter(number, batch)
        runner.call_hook('after_train_epoch')
        loop._epoch += 1

    def _fresh_batch_sampler(self, runner: Runner) -> Sampler | None:
        """The config's batch sampler, at its start; the loop's has been used."""
        loader, cfg = runner.train_loop.dataloader, runner.cfg.get('train_dataloader')
        if not isinstance(cfg, dict) or not isinstance(cfg.get('sampler'), dict):
            return None
        self._restore_sampler_seed(loader.sampler)
        seed = getattr(loader.sampler, 'seed', runner.seed)
        sampler = DATA_SAMPLERS.build(
            cfg['sampler'], default_args=dict(dataset=loader.dataset, seed=seed)
        )
        if cfg.get('batch_sampler') is None:
            return BatchSampler(sampler, loader.batch_size, loader.drop_last)
        return DATA_SAMPLERS.build(
            cfg['batch_sampler'],
            default_args=dict(sampler=sampler, batch_size=cfg.get('batch_size')),
        )

    def _restore_sampler_seed(self, sampler: Sampler) -> None:
        seed = (self._resumed or {}).get('sampler_seed')
        if seed is not None and hasattr(sampler, 'seed'):
            sampler.seed = seed

    def _restore(self, runner: Runner) -> None:
        """Let this process' generators go on, or begin, before its first batch."""
        if self._has_begun:
            return
        self._has_begun = True
        states = (self._resumed or {}).get('ranks', [])
        self._resumed = None
        rank = get_rank()
        if rank < len(states):
            set_random_state(states[rank])
            buffers = _buffers(runner)
            for name, value in states[rank].get('buffers', {}).items():
                buffers[name].copy_(value)
        elif rank > 0:
            # MMEngine seeds all alike, and they would draw the same views.
            seed_generators(runner.seed, rank, runner.train_loop.iter)


def _loader(runner: Runner, batches: Sampler) -> DataLoader:
    """A loader of the batches that come next."""
    loop = runner.train_loop
    return loader_of_batches(
        loop.dataloader, batches, loop.iter, runner.seed, get_rank()
    )


def _buffers(runner: Runner) -> dict[str, Tensor]:
    """The buffers that are part of a model's checkpoint."""
    model = bare_model(runner)
    saved = model.state_dict()
    return {name: value for name, value in model.named_buffers() if name in saved}

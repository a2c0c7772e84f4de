"""What every training and test shares: hooks, environment, drawing, logs."""

default_scope = 'mmpose'
# In a config of your own append to this list, a new list replaces it.
custom_imports = dict(imports=['mmkp'], allow_failed_imports=False)

default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    # a checkpoint appears whole or not at all, an old one goes only afterwards;
    # one more before each validation and every five minutes, replaced by the next
    checkpoint=dict(
        type='AtomicCheckpointHook', by_epoch=False, interval=1000, max_keep_ckpts=3
    ),
    # Ctrl-C, SIGTERM: finish the step, save, say how to continue
    interrupt=dict(type='InterruptHook'),
    # the first loss that is no number ends the training, with the images named
    finite=dict(type='FiniteTrainingHook'),
    # `--resume` continues as if nothing had happened, to the last bit
    exact_resume=dict(type='ExactResumeHook'),
    # settings that have changed since: rates take effect, the rest is told
    resumed_settings=dict(type='ResumedSettingsHook'),
    # one error, instead of a page of warnings, for weights of another model
    checkpoint_match=dict(type='CheckpointMatchHook'),
    # advice of the metrics names what this model has
    judged_model=dict(type='JudgedModelHook'),
    # on a terminal, a line that tells how far the training is
    progress=dict(type='ProgressHook', pause=None),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    # several processes: tested and saved with the mean of their running statistics
    sync_buffers=dict(type='AverageStatisticsHook'),
    untrained_control=dict(type='UntrainedControlHook'),
    # MMPose's picture of each prediction: `tools/test.py --show-dir`
    visualization=dict(type='PoseVisualizationHook', enable=False),
    # one grid each validation: keypoints, edges, masked input, reconstruction
    discovery=dict(type='DiscoveryVisualizationHook', num_samples=8),
)

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),  # tools/ take gloo where there is no GPU
)

# TensorBoard or Weights & Biases: append dict(type='TensorboardVisBackend') or
# dict(type='WandbVisBackend', init_kwargs=dict(project='mmkp')).
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(
    type='PoseLocalVisualizer', vis_backends=vis_backends, name='visualizer'
)

log_processor = dict(type='LogProcessor', window_size=50, by_epoch=False)
log_level = 'INFO'
load_from = None
resume = False

# Set a seed to repeat a run; left out, each run draws one and logs it.
randomness = dict(seed=None)

val_cfg = dict()
test_cfg = dict()

# About .2 CPU seconds a step, 25 minutes. --cfg-options steps=3000 takes 10 minutes,
# steps=36000 takes 120.
steps = 7500
reconstruction = {0: 0.5, steps // 4: 2.0, 11 * steps // 20: 10.0}
custom_hooks = [
    dict(type='LossWeightSchedule', losses=dict(reconstruction=reconstruction))
]
param_scheduler = dict(
    type='CosineAnnealingLR',
    by_epoch=False,
    begin=2 * steps // 5,
    end=steps,
    eta_min_ratio=0.02,
)
train_cfg = dict(type='IterBasedTrainLoop', max_iters=steps, val_interval=steps)
optim_wrapper = dict(
    type='MixedPrecisionOptimWrapper',
    dtype='bfloat16',
    optimizer=dict(type='Adam', lr=2e-3),
    clip_grad=dict(max_norm=1000.0),
)

# A light detector for images of 64x64 pixels in frames of 80, at half of that.
#
# Published networks average over 1e4 steps, which short trainings do not have.
momentum = 0.05
light_hourglass = dict(
    type='LMDISHourglass',
    bottleneck=(32,),
    skip_convolutions=1,
    norm_momentum=momentum,
)
# Two halvings after the first: keypoints are local, and follow the image early.
light_backbone = dict(
    light_hourglass,
    encoder=((32,), (32,)),
    decoder=((32,), (32,), (32,)),
    stem_stride=2,
)
light_head = dict(
    type='ChannelSoftmaxHead',
    in_channels=32,
    padding=8,
    norm_momentum=momentum,
    logit_scale=4.0,
)

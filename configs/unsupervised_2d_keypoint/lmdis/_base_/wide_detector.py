# A detector for images of 64x64 pixels in frames of 80: wide, at a quarter of that.
#
# Published networks average over 1e4 steps, which short trainings do not have.
wide_backbone = dict(
    type='LMDISHourglass',
    encoder=((32,), (64,)),
    bottleneck=(64,),
    decoder=((64,), (64,)),
    stem_stride=2,
    skip_convolutions=1,
    norm_momentum=0.05,
)
wide_head = dict(
    type='ChannelSoftmaxHead',
    in_channels=64,
    padding=8,
    norm_momentum=0.05,
    logit_scale=4.0,
)

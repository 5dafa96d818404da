"""Q-NAS: search classical architectures with quantum optimisers in a hybrid loop, against classical search at equal cost."""

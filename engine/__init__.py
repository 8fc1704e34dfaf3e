"""The science of the playground: experiments, tasks, networks, the gradient lens. It knows no screen.

Importing this package loads nothing, so that `engine.experiment` stays free of torch.
"""

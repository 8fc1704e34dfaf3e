"""The stage: a drawing of the network, unrolled in time, that is built once and patched with every frame.

Python says once what there is (`description`) and per frame what was measured (`values`); modules in JavaScript turn
both into the picture. Nothing here needs a task or an experiment but the words that the network reads and says.
"""

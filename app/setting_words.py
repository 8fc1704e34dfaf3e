"""The words for the choices of some settings."""

LOSSES = {"mse": "squared error", "mae": "absolute error", "huber": "Huber loss"}
INIT_ALL = {"pytorch": "PyTorch's own", "normal": "normal", "uniform": "uniform"}
INIT_REACH = {"all": "all", "ends": "embedding and output alone"}
ATTENTIONS = {"none": "none", "dot": "dot", "scaled_dot": "scaled"}
IN_WORDS = {
    "bidirectional": {False: "one direction", True: "both directions"},
    "attention": {"none": "no attention", "dot": "attention", "scaled_dot": "scaled attention"},
    "learned_start": {False: "start at 0", True: "learned start"},
    "tied_weights": {False: "an output layer of its own", True: "tied weights"},
    "loss": LOSSES,
    "init_all": {
        "pytorch": "all weights as PyTorch draws them",
        "normal": "normal initial weights everywhere",
        "uniform": "uniform initial weights everywhere",
    },
    "init_reach": {
        "all": "initial weights of all layers",
        "ends": "initial weights of embedding and output alone",
    },
}
"""{setting: {value: the setting in a few words}}."""

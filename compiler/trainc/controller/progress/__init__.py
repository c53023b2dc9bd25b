"""The progress server: training code posts how far it is, the TrainJob's status tells it."""

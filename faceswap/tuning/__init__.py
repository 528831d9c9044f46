"""The search for good settings: the space, the objective, trials in processes of their own, Keras-Tuner."""
